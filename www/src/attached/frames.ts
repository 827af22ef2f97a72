/** Cuts what a server sends into replies and pushes of either protocol, keeping the first bytes of each. */

import { joined } from "../bytes";

const LINE_MAX = 32;

export interface Frame {
  /** The first byte says its kind. */
  bytes: Uint8Array;
  /** Of the whole. */
  length: number;
  /** How many elements the outermost list has; 1 for what is none. */
  elements: number;
}

export class Frames {
  private kept: Uint8Array[] = [];
  private room: number;
  private length = 0;
  private elements = 1;
  /** How many elements each open list still wants. */
  private readonly open: number[] = [];
  /** Bytes of a string that are still to come. */
  private skip = 0;
  private line = "";

  /** `keptMax`: of each reply. */
  constructor(private readonly keptMax = Infinity) {
    this.room = keptMax;
  }

  feed(bytes: Uint8Array): Frame[] {
    const frames: Frame[] = [];
    let at = 0;
    while (at < bytes.length) {
      if (this.skip > 0) {
        const end = Math.min(bytes.length, at + this.skip);
        this.skip -= end - at;
        this.keep(bytes, at, end);
        at = end;
        if (this.skip === 0) this.ended(frames);
        continue;
      }
      const newline = bytes.indexOf(0x0a, at);
      const end = newline < 0 ? bytes.length : newline + 1;
      if (this.line.length < LINE_MAX) this.line += String.fromCharCode(...bytes.subarray(at, Math.min(end, at + LINE_MAX)));
      this.keep(bytes, at, end);
      at = end;
      if (newline < 0) break;
      this.head(frames);
    }
    return frames;
  }

  private head(frames: Frame[]): void {
    const [kind, count] = [this.line[0], parseInt(this.line.slice(1), 10)];
    this.line = "";
    const pairs = kind === "%" || kind === "|";
    if (pairs || kind === "*" || kind === "~" || kind === ">") {
      if (this.open.length === 0) this.elements = Math.max(0, count);
      // What attributes stand before counts with them.
      const wanted = (pairs ? 2 * count : count) + (kind === "|" ? 1 : 0);
      if (wanted > 0) this.open.push(wanted);
      else this.ended(frames);
    } else if ((kind === "$" || kind === "=" || kind === "!") && count >= 0) {
      this.skip = count + 2;
    } else {
      this.ended(frames);
    }
  }

  /** One value is whole; perhaps the lists around it are, too. */
  private ended(frames: Frame[]): void {
    while (this.open.length > 0) {
      if (--this.open[this.open.length - 1]! > 0) return;
      this.open.pop();
    }
    frames.push({ bytes: joined(this.kept), length: this.length, elements: this.elements });
    this.kept = [];
    this.room = this.keptMax;
    this.length = 0;
    this.elements = 1;
  }

  private keep(bytes: Uint8Array, from: number, to: number): void {
    this.length += to - from;
    const end = Math.min(to, from + this.room);
    if (end <= from) return;
    this.room -= end - from;
    this.kept.push(bytes.slice(from, end));
  }
}
