/**
 * Pictures of an instance's memory, to put it back as it was. A page of memory that has not changed between two pictures is
 * kept once. When there are too many, every second one goes, so they stay spread over the whole of the way and bounded.
 * It must not know what the memory holds.
 */

const PAGE = 4096;
const IMAGES_MAX = 64;
const BYTES_MAX = 96 * 1024 * 1024;
/** Apart at first. */
const EVERY = 256;

export interface Image {
  /** How far the instance had come. */
  at: number;
  pages: Uint8Array[];
}

export class Images {
  private images: Image[] = [];
  private every = EVERY;
  private bytes = 0;

  constructor(
    private readonly memory: WebAssembly.Memory,
    private readonly bytesMax = BYTES_MAX,
  ) {}

  get count(): number {
    return this.images.length;
  }

  /** Where the next one is to be taken. */
  get next(): number {
    const last = this.images.at(-1);
    return last ? last.at + this.every : 0;
  }

  /** The last one that is not behind a place. */
  before(place: number): Image | null {
    return this.images.findLast(({ at }) => at <= place) ?? null;
  }

  /** Keeps the memory as it is; places come in order. */
  keep(at: number): void {
    const last = this.images.at(-1) ?? null;
    const image = this.take(at);
    this.images.push(image);
    this.bytes += PAGE * image.pages.filter((page, number) => page !== last?.pages[number]).length;
    while (this.images.length > 1 && (this.images.length > IMAGES_MAX || this.bytes > this.bytesMax)) this.thin();
  }

  /** The memory as it is, not kept here. */
  take(at: number): Image {
    const now = new Uint8Array(this.memory.buffer);
    const words = new Int32Array(this.memory.buffer);
    const last = this.before(at)?.pages ?? [];
    const pages: Uint8Array[] = [];
    for (let start = 0; start < now.length; start += PAGE) {
      const old = last[start / PAGE] ?? BLANK;
      pages.push(isSame(words, start / 4, old) ? old : now.slice(start, start + PAGE));
    }
    return { at, pages };
  }

  putBack(image: Image): void {
    const now = new Uint8Array(this.memory.buffer);
    for (const [number, page] of image.pages.entries()) now.set(page, number * PAGE);
  }

  private thin(): void {
    this.every *= 2;
    this.images = this.images.filter(({ at }) => at % this.every === 0);
    const held = new Set<Uint8Array>();
    for (const { pages } of this.images) for (const page of pages) held.add(page);
    this.bytes = held.size * PAGE;
  }
}

const BLANK = new Uint8Array(PAGE);
const wordsOf = new WeakMap<Uint8Array, Int32Array>();

function isSame(words: Int32Array, from: number, page: Uint8Array): boolean {
  let old = wordsOf.get(page);
  if (!old) wordsOf.set(page, (old = new Int32Array(page.buffer)));
  for (let at = 0; at < old.length; at++) if (words[from + at] !== old[at]) return false;
  return true;
}
