/** The time of a keyspace: as the world's, or paused, faster, elsewhere. It never runs backwards by itself. */

import type { Clock } from "./protocol";

export class Clockwork {
  private real = Date.now();
  private shown: number;
  private rate = 1;
  private paused = false;
  private latest = 0;

  /** `least` is the time the engine has seen already; `kept` how the clock of an earlier worker stood. */
  constructor(least: number, kept: Clock | null = null) {
    this.shown = Math.max(least, this.real);
    if (!kept) return;
    this.rate = kept.rate;
    this.paused = kept.paused;
    this.shown = Math.max(least, timeOn(kept));
  }

  now(): number {
    this.latest = Math.max(this.latest, Math.floor(timeOn(this.told())));
    return this.latest;
  }

  set(paused: boolean, rate: number): void {
    this.shown = this.now();
    this.real = Date.now();
    this.paused = paused;
    this.rate = rate;
  }

  /** Goes on from another time, earlier ones included. */
  show(time: number): void {
    this.shown = this.latest = time;
    this.real = Date.now();
  }

  /** How long to wait for a time, if it comes by itself. */
  until(time: number): number | null {
    const left = time - this.now();
    return left <= 0 ? 0 : this.paused ? null : left / this.rate;
  }

  told(): Clock {
    const { real, shown, rate, paused } = this;
    return { real, shown, rate, paused };
  }
}

/** What a clock shows now. */
export function timeOn({ real, shown, rate, paused }: Clock): number {
  return paused ? shown : shown + Math.max(0, Date.now() - real) * rate;
}
