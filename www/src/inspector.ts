/** The worker's side of the panels: passes what they ask on to the engine, or to a moment of it played again. */

import { Past, type Engine } from "../pkg/resplay.js";
import type { Ask } from "./protocol";

/** Two panels may look at two moments; more would only cost memory. */
const PASTS_MAX = 2;

export interface Inspected {
  engine: Engine;
  /** Played moments, the one used last at the end. */
  pasts: Past[];
  asked: number;
}

/** `db` is the database of the client that asks. */
export function answer(space: Inspected, db: number, ask: Exclude<Ask, { q: "edit" | "transcript" | "more" }>): unknown {
  const { engine } = space;
  switch (ask.q) {
    case "tree": {
      const past = ask.moment === null ? null : pastAt(space, ask.moment);
      const tree = (past ?? engine).tree(ask.db ?? db, ask.open, ask.filter, ask.from, ask.count);
      return tree && { ...tree, changed: past ? [] : engine.changes(), moment: engine.moment() };
    }
    case "value": {
      const past = ask.moment === null ? null : pastAt(space, ask.moment);
      return (past ?? engine).value(ask.db, ask.key, ask.from, ask.count);
    }
    case "step":
      return pastAt(space, ask.moment ?? lastAsked(space))?.step() ?? null;
    case "replyAs":
      return pastAt(space, ask.moment)?.reply_as(engine, ask.resp) ?? null;
    case "timeline":
      return { ...engine.timeline(ask.from, ask.count), now: engine.now() };
  }
}

export function forgetPasts(space: Inspected): void {
  for (const past of space.pasts) past.free();
  space.pasts = [];
}

/** The last request; after a reload, the last moment there is. */
function lastAsked(space: Inspected): number {
  return space.asked || space.engine.moment();
}

/** The moment, from the nearest one played before it. */
function pastAt(space: Inspected, moment: number): Past | null {
  const { pasts, engine } = space;
  let best = -1;
  pasts.forEach((past, at) => {
    const is = past.moment();
    if (is <= moment && (best < 0 || is >= pasts[best]!.moment())) best = at;
  });
  let past: Past | undefined;
  if (best >= 0 || pasts.length >= PASTS_MAX) {
    past = pasts.splice(Math.max(best, 0), 1)[0]!;
    past.seek(engine, moment);
  } else {
    past = Past.at(engine, moment);
  }
  if (!past) return null;
  pasts.push(past);
  return past;
}
