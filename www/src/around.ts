/** What stands around the prompt: fetched behind it, and defined a piece at a time, so that no command waits for all of it. */

import { Coach } from "./coach";
import { SideArea } from "./side";

export const pieces: (() => void)[] = [
  () => customElements.define("rp-coach", Coach),
  () => customElements.define("rp-side", SideArea),
];
