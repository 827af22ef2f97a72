/** One unseen client of an engine: lines in, the printed reply out. For checks of lessons and for tests. */

import { Session, type Engine, type Printed } from "../pkg/resplay.js";

type Action = { t: string; bytes?: Uint8Array; printed?: Printed };

const LENGTH_MAX = 1 << 20;

export class Player {
  private session = new Session();
  private client = 0;
  private printed: Printed[] = [];

  constructor(
    private readonly engine: Engine,
    private now: number,
  ) {
    engine.tick(now);
    this.act(this.session.start(now));
    this.carry();
    this.take();
  }

  /** Runs a line; what was printed since the last one, as redis-cli prints it. */
  text(line: string): string {
    this.act(this.session.submit(line, this.now));
    this.carry();
    return this.take().map(textOf).join("");
  }

  /** The same as `redis-cli --raw` prints it, without the last line break. */
  raw(line: string): string {
    this.act(this.session.submit(line, this.now));
    this.carry();
    const texts = this.take().map((printed) => {
      const raw = printed.view("raw");
      if (!raw) return textOf(printed);
      printed.free();
      return textOf(raw);
    });
    return texts.join("").replace(/\n$/, "");
  }

  /** What came by itself. */
  received(): string {
    this.carry();
    return this.take().map(textOf).join("");
  }

  free(): void {
    for (const printed of this.take()) printed.free();
    this.session.free();
  }

  private act(actions: Action[]): void {
    for (const action of actions) {
      switch (action.t) {
        case "send":
          this.engine.receive(this.client, action.bytes!, this.now);
          break;
        case "connect":
          this.client = this.engine.connect(this.now);
          this.act(this.session.connected(this.now));
          break;
        case "print":
          this.printed.push(action.printed!);
          break;
      }
    }
  }

  private carry(): void {
    for (;;) {
      const bytes = this.engine.take_output(this.client);
      if (bytes.length === 0) return;
      this.act(this.session.receive(bytes, this.now));
    }
  }

  private take(): Printed[] {
    const { printed } = this;
    this.printed = [];
    return printed;
  }
}

function textOf(printed: Printed): string {
  const { text } = printed.slice(0, LENGTH_MAX, LENGTH_MAX) as { text: string };
  printed.free();
  return text;
}
