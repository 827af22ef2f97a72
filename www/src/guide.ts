/** The first minute: lines to try, what each is for, and what it did. Content only; a line means nothing to the page. */

export interface Step {
  /** What the button shows; by default the lines. */
  title?: string;
  shows: string;
  /** Said once it ran. */
  did: string;
  /** Lines by client, in order; client 2 is opened when it is not there. */
  run: { client: 1 | 2; line: string }[];
}

const one = (line: string, shows: string, did: string): Step => ({ shows, did, run: [{ client: 1, line }] });

export const steps: Step[] = [
  one('SET greeting "Hello, world"', "Keep a text under a name.", "OK: the server keeps it. The name is a key, and the keys stand beside the terminal."),
  one("GET greeting", "Read it back.", "There it is. Nothing changed, so nothing lights up among the keys."),
  one("INCR visits", "Count something.", "It was not there, so it began at 0 and is 1 now. Run it again and watch the key."),
  one("EXPIRE greeting 20", "Let a key go away by itself.", "The bar at the key runs for twenty seconds; then the key is gone."),
  one("HSET user:1 name Ada born 1815", "Keep several fields under one key.", "A hash: a little table. Press the pencil at a value to see the command that changes it."),
  one("ZADD scores 42 ada 17 bob 99 eve", "Make a leaderboard.", "A sorted set: the members stand in the order of their scores, whatever you add."),
  one("ZRANGE scores 0 -1 REV WITHSCORES", "Ask for the best first.", "Point at the reply to see it as a table, as JSON, or to copy it."),
  {
    title: "SUBSCRIBE + PUBLISH",
    shows: "Let one client speak to another.",
    did: "Client B listens, and heard what client A said. Ctrl C ends its listening.",
    run: [
      { client: 2, line: "SUBSCRIBE news" },
      { client: 1, line: 'PUBLISH news "It works"' },
    ],
  },
  {
    title: "BLPOP + RPUSH",
    shows: "Let a client wait for work.",
    did: "Client B waited for the list, and was given the job the moment it came.",
    run: [
      { client: 2, line: "BLPOP jobs 0" },
      { client: 1, line: "RPUSH jobs first" },
    ],
  },
  one("HELP @hash", "Ask what else there is.", "Every command of a group. HELP with a command explains that one; Tab completes what you type."),
];
