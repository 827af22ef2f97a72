/** Which steps were finished, kept in this browser. */

const KEY = "resplay.lessons";

export interface Progress {
  /** The step to go on with. */
  at: number;
  done: number[];
}

export function readProgress(): Record<string, Progress> {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    if (typeof kept !== "object" || kept === null) return {};
    const entries = Object.entries(kept).filter(([, value]) => Number.isInteger(value?.at) && Array.isArray(value?.done));
    return Object.fromEntries(entries);
  } catch {
    return {};
  }
}

export function writeProgress(progress: Record<string, Progress>): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(progress));
  } catch {
    /* holds until the page is left */
  }
}
