/** The worker's side of the panels: passes what they ask about the present on to the engine. */

import type { Engine } from "../pkg/resplay.js";
import type { Ask, Where } from "./protocol";

export interface Inspected {
  engine: Engine;
  /** The moment of the last request. */
  asked: number;
}

/** `db` is the database of the client that asks. What is asked of a moment is answered elsewhere. */
export function answer({ engine, asked }: Inspected, db: number, ask: Ask): unknown {
  switch (ask.q) {
    case "tree": {
      const tree = engine.tree(ask.db ?? db, ask.open, ask.filter, ask.from, ask.count);
      return tree && { ...tree, changed: engine.changes(), moment: engine.moment() };
    }
    case "value":
      return engine.value(ask.db, ask.key, ask.from, ask.count);
    case "timeline":
      return { ...engine.timeline(ask.from, ask.count), now: engine.now() };
    case "where":
      // After a reload nobody asked yet: the last moment there is.
      return { asked: asked || engine.moment(), db, due: engine.next_due() ?? null } satisfies Where;
    default:
      return null;
  }
}
