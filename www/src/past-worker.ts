/** Where moments of a session are played again: an instance that nobody else uses, whose memory may be put back. */

import { Past, initSync } from "../pkg/resplay.js";
import type { PastAnswer, PastRequest } from "./past";
import { expectRest } from "./rest";
import { Replay } from "./replay";

/** Between two looks for questions, while pictures are taken ahead of them. */
const SLICE_MS = 12;

const port = self as unknown as {
  onmessage: ((event: MessageEvent<PastRequest>) => void) | null;
  postMessage(message: PastAnswer): void;
};

let memory: WebAssembly.Memory;
let replay: Replay | null = null;
let timer: ReturnType<typeof setTimeout> | null = null;

port.onmessage = ({ data }) => {
  try {
    hear(data);
  } catch (reason) {
    crashed(reason);
  }
};

function hear(request: PastRequest): void {
  if (request.t === "start") {
    const exports = initSync({ module: request.module });
    memory = exports.memory;
    expectRest(request.rest, exports as unknown as WebAssembly.Exports);
    return;
  }
  if (request.afresh) {
    replay?.free();
    replay = null;
  }
  replay ??= new Replay(Past, memory);
  replay.append(request.bytes);
  replay.played = 0;
  const value = answer(replay, request);
  port.postMessage({ seq: request.seq, value: value ?? null, played: replay.played });
  timer ??= setTimeout(prepare);
}

function answer(replay: Replay, { ask, moment, db }: Extract<PastRequest, { t: "ask" }>): unknown {
  switch (ask.q) {
    case "tree": {
      const tree = replay.goTo(moment).tree(ask.db ?? db, ask.open, ask.filter, ask.from, ask.count);
      return tree && { ...tree, changed: [], moment };
    }
    case "value":
      return replay.goTo(moment).value(ask.db, ask.key, ask.from, ask.count);
    case "step":
      return replay.goTo(moment).step();
    case "replyAs":
      return replay.spoil(moment, (past) => past.reply_as(ask.resp));
  }
}

function prepare(): void {
  timer = null;
  try {
    if (replay?.prepare(SLICE_MS)) timer = setTimeout(prepare);
  } catch (reason) {
    crashed(reason);
  }
}

/** Its memory is not sound any more. The page starts another worker when it next asks. */
function crashed(reason: unknown): void {
  port.postMessage({ seq: 0, value: String(reason), played: 0 });
  self.close();
}
