/** The first minute: lines to try, and what each shows. Content only; a line means nothing to the page. */

export interface Step {
  /** What the card shows; by default the lines. */
  title?: string;
  shows: string;
  /** Lines by client, in order; client 2 is opened when it is not there. */
  run: { client: 1 | 2; line: string }[];
}

const one = (line: string, shows: string): Step => ({ shows, run: [{ client: 1, line }] });

export const steps: Step[] = [
  one('SET greeting "Hello, world"', "Keep a text under a name"),
  one("GET greeting", "Read it back"),
  one("INCR visits", "Count: run it again and watch"),
  {
    title: "SUBSCRIBE + PUBLISH",
    shows: "Two clients: one listens, one speaks",
    run: [
      { client: 2, line: "SUBSCRIBE news" },
      { client: 1, line: 'PUBLISH news "It works"' },
    ],
  },
  {
    title: "BLPOP + RPUSH",
    shows: "A client waits until another brings work",
    run: [
      { client: 2, line: "BLPOP jobs 0" },
      { client: 1, line: "RPUSH jobs first" },
    ],
  },
  one("HSET user:1 name Ada born 1815", "Fields and values under one key"),
  one("HGETALL user:1", "All of them at once"),
  one("ZADD scores 42 ada 17 bob 99 eve", "A leaderboard that sorts itself"),
  one("ZRANGE scores 0 -1 REV WITHSCORES", "Best first"),
  one("EXPIRE greeting 10", "A key that goes away in ten seconds"),
  one("HELP @hash", "Every command of a group, explained"),
];
