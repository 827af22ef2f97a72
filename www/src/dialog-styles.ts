/**
 * What dialogs look like that come after the first prompt; `--width` is how wide one gets. Those of the page itself have the
 * same rules in `playground-styles.ts`: a file for both would be one more to wait for at the start.
 */

import { css } from "lit";

export const dialogStyles = css`
  dialog {
    width: min(var(--width, 32rem), calc(100vw - 2rem));
    max-height: calc(100dvh - 2rem);
    padding: 0;
    color: var(--rp-text);
    background: var(--rp-panel);
    border: 1px solid var(--rp-edge-strong);
    border-radius: var(--rp-radius);
    font-family: var(--rp-sans);
  }
  dialog::backdrop {
    background: rgb(0 0 0 / 0.5);
  }
`;
