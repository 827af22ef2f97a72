/** The connection on which panels ask a server what its keys are. It asks in RESP2 and takes errors as answers. */

import { joined } from "../bytes";
import { Link, type Remote } from "../remote";
import { encoded, replyAt, type Reply } from "../resp";
import { Frames } from "./frames";

export type Word = string | Uint8Array;
export type Credentials = Word[];

interface Waiting {
  count: number;
  replies: Reply[];
  resolve: (replies: Reply[]) => void;
  reject: (reason: unknown) => void;
}

const CONNECT_MS = 5000;
const GREETING: Word[][] = [
  ["CLIENT", "SETNAME", "resplay-panels"],
  // Where the server knows it: looking does not count as using.
  ["CLIENT", "NO-TOUCH", "ON"],
];

export class Reader {
  private link: Link | null = null;
  private connecting: Promise<void> | null = null;
  private db = 0;
  private readonly frames = new Frames();
  private readonly waiting: Waiting[] = [];
  /** It is of no use any more: another takes its place. */
  ended = false;

  /** `pushed` gets what comes unasked. */
  constructor(
    private readonly remote: Remote,
    private readonly address: { host: string; port: number },
    private readonly credentials: Credentials | null,
    private readonly pushed: ((reply: Reply) => void) | null = null,
  ) {}

  close(): void {
    this.ended = true;
    this.link?.close();
    this.link = null;
    this.fail(new Error("closed"));
  }

  /** The replies in order; an error of the server is one of them. Fails where there is no connection. */
  async ask(requests: Word[][], db: number | null = null): Promise<Reply[]> {
    if (requests.length === 0) return [];
    this.connecting ??= this.connect();
    await this.connecting;
    const select: Word[][] = db === null || db === this.db ? [] : [["SELECT", String(db)]];
    if (db !== null) this.db = db;
    const replies = await this.exchange([...select, ...requests]);
    if (select.length === 0) return replies;
    const [selected, ...rest] = replies;
    if (!(selected instanceof Error)) return rest;
    this.db = -1;
    return rest.map(() => selected);
  }

  /** Sends what is not answered like other things. */
  send(request: Word[]): void {
    this.link?.send(encoded(request));
  }

  private exchange(requests: Word[][]): Promise<Reply[]> {
    return new Promise((resolve, reject) => {
      if (!this.link) {
        reject(new Error("closed"));
        return;
      }
      this.waiting.push({ count: requests.length, replies: [], resolve, reject });
      this.link.send(joined(requests.map(encoded)));
    });
  }

  private connect(): Promise<void> {
    const connected = new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => this.lost(new Error("it does not answer"), reject), CONNECT_MS);
      this.link = new Link(this.remote, this.address.host, this.address.port, {
        connected: () => {
          clearTimeout(late);
          resolve();
        },
        received: (bytes) => this.receive(bytes),
        ended: (reason) => {
          clearTimeout(late);
          this.lost(new Error(reason), reject);
        },
      });
    });
    return connected.then(async () => {
      await this.exchange([...(this.credentials ? [["AUTH", ...this.credentials]] : []), ...(this.pushed ? GREETING.slice(0, 1) : GREETING)]);
    });
  }

  private lost(reason: Error, reject: (reason: Error) => void): void {
    this.ended = true;
    this.link?.close();
    this.link = null;
    this.fail(reason);
    reject(reason);
  }

  private fail(reason: Error): void {
    for (const waiting of this.waiting.splice(0)) waiting.reject(reason);
  }

  private receive(bytes: Uint8Array): void {
    for (const frame of this.frames.feed(bytes)) {
      const found = replyAt(frame.bytes, 0);
      if (found) this.take(found.reply);
    }
  }

  private take(reply: Reply): void {
    if (this.pushed && Array.isArray(reply) && reply.length > 2) {
      this.pushed(reply);
      return;
    }
    const [first] = this.waiting;
    if (!first) return;
    first.replies.push(reply);
    if (first.replies.length < first.count) return;
    this.waiting.shift();
    first.resolve(first.replies);
  }
}
