import { expect, test } from "vitest";
import { joined } from "../src/bytes";
import { checksum, headOf, unframed } from "../src/frames";

const bytes = (text: string) => new TextEncoder().encode(text);

function fileOf(...parts: string[]): Uint8Array<ArrayBuffer> {
  let file = new Uint8Array();
  for (const part of parts.map(bytes)) file = joined([file, headOf(part, file.length), part]).slice();
  return file;
}

const read = (file: Uint8Array) => {
  const found = unframed(file.slice());
  return found && { text: new TextDecoder().decode(found.bytes), end: found.end };
};

test("what was framed is read back, and where it ends", () => {
  expect(read(fileOf(""))).toEqual({ text: "", end: 16 });
  const file = fileOf("begin ", "and ", "go on");
  expect(read(file)).toEqual({ text: "begin and go on", end: file.length });
});

test("a file that ends anywhere is read up to the last frame that is whole", () => {
  const file = fileOf("begin ", "and ", "go on");
  const ends = [fileOf("begin ").length, fileOf("begin ", "and ").length, file.length];
  const texts = ["begin ", "begin and ", "begin and go on"];
  for (let length = 0; length < file.length; length++) {
    const whole = ends.filter((end) => end <= length).length;
    const wanted = whole === 0 ? null : { text: texts[whole - 1], end: ends[whole - 1] };
    expect(read(file.subarray(0, length)), String(length)).toEqual(wanted);
    // What follows may be zeros, or what was there before.
    const rest = file.length - length;
    if (length > ends[0]! && !ends.includes(length)) expect(read(joined([file.subarray(0, length), new Uint8Array(rest)])), String(length)).toEqual(wanted);
  }
});

test("any byte that changes is noticed, and a frame does not pass at another place", () => {
  const file = fileOf("begin ", "and go on");
  const begin = fileOf("begin ").length;
  for (let at = begin; at < file.length; at++) {
    const broken = file.slice();
    broken[at]! ^= 0x10;
    expect(read(broken), String(at)).toEqual({ text: "begin ", end: begin });
  }
  expect(read(joined([fileOf("other begin "), file.subarray(begin)]))?.text).toBe("other begin ");
});

test("the checksum is MurmurHash3", () => {
  expect(checksum(bytes(""), 0)).toBe(0);
  expect(checksum(bytes(""), 1)).toBe(0x514e28b7);
  expect(checksum(bytes("Hello, world!"), 0x9747b28c)).toBe(0x24884cba);
  expect(checksum(bytes("aaa"), 0x9747b28c)).toBe(0x283e0130);
});
