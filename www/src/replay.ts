/**
 * A session played again in an instance of its own, so that any moment of it can be gone to: the memory of the instance is
 * put back to where it was a little before, and plays on from there. What comes then is what came when it was played from
 * the start, for nothing is left out of its memory.
 */

import type { Past } from "../pkg/resplay.js";
import { Images } from "./images";

const HEAD = 24;
/** Room taken at once. Were memory to grow after a picture, putting that back would lose what it has grown by. */
const ROOM = 8 * 1024 * 1024;
/** Inputs played between two looks at the time. */
const SLICE = 256;

export interface PastClass {
  new (journal: Uint8Array): Past;
  reserve(bytes: number): void;
}

export class Replay {
  /** Inputs played since the last question was asked. */
  played = 0;
  private journal = new Uint8Array(HEAD);
  private length = 0;
  /** Where each input ends. */
  private readonly ends: number[] = [];
  private past: Past | null = null;
  private images: Images;
  /** Of memory, when the first picture was taken. */
  private size = 0;

  constructor(
    private readonly Past: PastClass,
    private readonly memory: WebAssembly.Memory,
    private readonly bytesMax?: number,
  ) {
    this.images = new Images(memory, bytesMax);
  }

  get moments(): number {
    return this.ends.length;
  }

  get pictures(): number {
    return this.images.count;
  }

  /** The journal has grown by this. */
  append(bytes: Uint8Array): void {
    if (this.length + bytes.length > this.journal.length) {
      const larger = new Uint8Array(2 * (this.length + bytes.length));
      larger.set(this.journal.subarray(0, this.length));
      this.journal = larger;
    }
    this.journal.set(bytes, this.length);
    this.length += bytes.length;
    for (let end = this.endAfter(this.end(this.ends.length)); end !== null; end = this.endAfter(end)) this.ends.push(end);
  }

  /** The session after so many inputs, or as many as there are. */
  goTo(wanted: number): Past {
    const moment = Math.max(0, Math.min(wanted, this.moments));
    let past = this.begun();
    const image = this.images.before(moment)!;
    if (past.moment() > moment || past.moment() < image.at) past = this.putBack(moment);
    this.play(past, moment);
    return past;
  }

  /** What `look` finds at a moment, of which it leaves nothing as it was. */
  spoil<T>(moment: number, look: (past: Past) => T): T {
    const past = this.goTo(moment);
    const image = this.images.take(moment);
    const found = look(past);
    this.images.putBack(image);
    return found;
  }

  /** Takes pictures ahead of the questions for some milliseconds; false when there are no more to be taken. */
  prepare(ms: number): boolean {
    const until = performance.now() + ms;
    let past = this.begun();
    const played = this.played;
    while (this.images.next <= this.moments && performance.now() < until) {
      if (past.moment() > this.images.next || past.moment() < this.images.before(this.images.next)!.at) past = this.putBack(this.images.next);
      this.play(past, Math.min(past.moment() + SLICE, this.images.next));
    }
    this.played = played;
    return this.images.next <= this.moments;
  }

  free(): void {
    this.past?.free();
    this.past = null;
  }

  private play(past: Past, moment: number): void {
    while (past.moment() < moment) {
      const { next } = this.images;
      const to = past.moment() < next ? Math.min(moment, next) : moment;
      this.played += to - past.moment();
      past.play(this.journal.subarray(this.end(past.played()), this.end(to)));
      if (to === next) this.images.keep(to);
    }
  }

  private begun(): Past {
    return this.past ?? this.begin(ROOM);
  }

  private begin(room: number): Past {
    this.Past.reserve(room);
    const past = new this.Past(this.journal.subarray(0, this.length));
    // What JavaScript and the instance share is set up by the first value that crosses.
    past.step();
    past.tree(0, [], new Uint8Array(), 0, 1);
    this.size = this.memory.buffer.byteLength;
    this.images = new Images(this.memory, this.bytesMax);
    this.images.keep(0);
    this.past = past;
    return past;
  }

  /** Back to the last picture before a moment; to the start with more room, if what there was did not suffice. */
  private putBack(place: number): Past {
    const past = this.past!;
    if (this.memory.buffer.byteLength > this.size) {
      past.free();
      return this.begin(2 * this.memory.buffer.byteLength);
    }
    this.images.putBack(this.images.before(place)!);
    return past;
  }

  private end(moment: number): number {
    return moment === 0 ? HEAD : this.ends[moment - 1]!;
  }

  /** Where the input ends that begins here, if all of it is there. The layout is that of `src/engine/journal.rs`. */
  private endAfter(start: number): number | null {
    if (start >= this.length) return null;
    let at = start + 1;
    const number = (): number => {
      let value = 0;
      for (let scale = 1; at < this.length; scale *= 128) {
        const byte = this.journal[at++]!;
        value += (byte & 0x7f) * scale;
        if (byte < 0x80) return value;
      }
      return Infinity;
    };
    const kind = this.journal[start]!;
    number();
    if (kind === 1 || kind === 2) number();
    const more = kind === 2 || kind >= 4 ? number() : 0;
    return at + more <= this.length ? at + more : null;
  }
}
