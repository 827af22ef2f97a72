/**
 * A journal as a file: a mark, then frames of a length, a checksum and that many bytes. The first frame is what the journal
 * began with; a file without a sound one does not count. What a crash left half-written at the end fails its checksum.
 */

/** In the origin's private file system; in it a folder a sandbox. */
export const FOLDER = "resplay";

const MARK = Uint8Array.of(0x52, 0x50, 0x4b, 0x45, 0x50, 0x54, 0x30, 0x31);
const HEAD = 8;

/** What stands before the bytes of a frame that begins at `at`; at the start of a file, behind the mark. */
export function headOf(bytes: Uint8Array, at: number): Uint8Array {
  const mark = at === 0 ? MARK.length : 0;
  const head = new Uint8Array(mark + HEAD);
  if (mark > 0) head.set(MARK);
  const view = new DataView(head.buffer, mark);
  view.setUint32(0, bytes.length, true);
  view.setUint32(4, checksum(bytes, at + mark), true);
  return head;
}

/** The bytes of all sound frames, and where the last of them ends; nothing when the first is not. `file` is used up. */
export function unframed(file: Uint8Array<ArrayBuffer>): { bytes: Uint8Array<ArrayBuffer>; end: number } | null {
  if (file.length < MARK.length + HEAD || MARK.some((byte, at) => file[at] !== byte)) return null;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let [at, length] = [MARK.length, 0];
  while (at + HEAD <= file.length) {
    const from = at + HEAD;
    const size = view.getUint32(at, true);
    if (from + size > file.length || (size === 0 && at > MARK.length)) break;
    if (view.getUint32(at + 4, true) !== checksum(file.subarray(from, from + size), at)) break;
    file.copyWithin(length, from, from + size);
    length += size;
    at = from + size;
  }
  return at === MARK.length ? null : { bytes: file.subarray(0, length), end: at };
}

/** Austin Appleby's MurmurHash3 (32 bits), begun with the place in the file: an old frame elsewhere does not pass for a new one. */
export function checksum(bytes: Uint8Array, seed: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let [hash, at] = [seed | 0, 0];
  for (; at + 4 <= bytes.length; at += 4) {
    const word = Math.imul(view.getInt32(at, true), 0xcc9e2d51);
    hash ^= Math.imul((word << 15) | (word >>> 17), 0x1b873593);
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  let rest = 0;
  for (let last = bytes.length - 1; last >= at; last--) rest = (rest << 8) | bytes[last]!;
  rest = Math.imul(rest, 0xcc9e2d51);
  hash ^= Math.imul((rest << 15) | (rest >>> 17), 0x1b873593) ^ bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
