/** What stands around the prompt: fetched behind it, and defined a piece at a time, so that no command waits for all of it. */

import { Coach } from "./coach";
import { SideArea } from "./side";

/** What is typed after a press on a button belongs to the prompt: the key goes on there, since the focus moves before it counts. */
export function typedAnywhere(focus: () => void): void {
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.key.length > 1 || event.key === " ") return;
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const path = event.composedPath();
    const [target] = path;
    if (target !== document.body && !(target instanceof HTMLButtonElement)) return;
    if (document.querySelector(":popover-open") || path.some((element) => element instanceof HTMLDialogElement)) return;
    focus();
  });
}

export const pieces: (() => void)[] = [
  () => customElements.define("rp-coach", Coach),
  () => customElements.define("rp-side", SideArea),
];
