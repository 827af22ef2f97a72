/** The first minute: lines to try, what each is for, and what it did. Content only; a line means nothing to the page. */

export interface Step {
  /** What the button shows; by default the lines. */
  title?: string;
  shows: string;
  /** Said once it ran, or once something like it was typed. Two lines on a phone, or the page would jump. */
  did: string;
  /** Lines by client, in order; client 2 is opened when it is not there. */
  run: GuideLine[];
  /** A key of these lines that later ones read as `{key}`. Who has typed a line of their own goes on with theirs. */
  names?: string;
}

export interface GuideLine {
  client: 1 | 2;
  line: string;
  /** Commands that come to the same, as lessons write them behind `used:`; by default that of the line. */
  like?: string[];
}

const one = (line: string, shows: string, did: string, like?: string[], names?: string): Step => ({ shows, did, run: [{ client: 1, line, like }], names });

/** Nothing here may change a key that somebody else has made. */
export const steps: Step[] = [
  one('SET greeting "Hello, world"', "Keep a text under a name.", "OK: the server keeps it under its name, the key. There it is among the keys.", ["SET", "MSET"], "greeting"),
  one("GET {greeting}", "Read it back.", "The value, or (nil) where there is none. Reading lights no key up.", ["GET", "MGET"]),
  one("INCR visits", "Count something.", "A key that is not there counts as 0. Run it again and watch the key.", ["INCR", "INCRBY", "DECR", "DECRBY", "INCRBYFLOAT", "INCREX"]),
  one("SET code 4711 EX 20", "Let a key go away by itself.", "The bar at the key shows how long it has. At its end the key is gone.", ["SET EX", "SET PX", "SETEX", "EXPIRE", "PEXPIRE"]),
  one("HSET user:1 name Ada born 1815", "Keep several fields under one key.", "A hash: a little table. The pencil at a value shows the command that changes it."),
  one("ZADD scores 42 ada 17 bob 99 eve", "Make a leaderboard.", "A sorted set: the members stand in the order of their scores, whatever you add.", ["ZADD"], "scores"),
  one("ZRANGE {scores} 0 -1 REV WITHSCORES", "Ask for the best first.", "Point at the reply to see it as a table, as JSON, or to copy it.", ["ZRANGE", "ZREVRANGE"]),
  {
    title: "SUBSCRIBE + PUBLISH",
    shows: "Let one client speak to another.",
    did: "Who listens hears others at once. Ctrl C ends the listening.",
    run: [
      { client: 2, line: "SUBSCRIBE news", like: ["SUBSCRIBE", "PSUBSCRIBE"] },
      { client: 1, line: 'PUBLISH news "It works"' },
    ],
  },
  {
    title: "BLPOP + RPUSH",
    shows: "Let a client wait for work.",
    did: "Who waits for a list is given the job the moment it comes.",
    run: [
      { client: 2, line: "BLPOP jobs 0", like: ["BLPOP", "BRPOP"] },
      { client: 1, line: "RPUSH jobs first", like: ["RPUSH", "LPUSH"] },
    ],
  },
  one("HELP @hash", "Ask what else there is.", "HELP with a command explains that one. Tab completes what you type."),
];
