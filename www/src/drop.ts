/** What the page shows while files are held over it, and where they go when they are let fall. Loaded when the first one comes. */

import { LitElement, css, html } from "lit";
import type { Shell } from "./panels/index";
import { tokens } from "./styles";

class DropArea extends LitElement {
  override render() {
    return html`<div class="frame">
      <p><b>Drop it to look inside</b><span>dump.rdb, an append-only file, a list of commands or a transcript. It stays in your browser.</span></p>
    </div>`;
  }

  static override styles = [
    tokens,
    css`
      :host {
        position: fixed;
        inset: 0;
        z-index: 1000;
        padding: var(--rp-space-4);
        background: color-mix(in srgb, var(--rp-ground) 82%, transparent);
        color: var(--rp-text);
        font-family: var(--rp-sans);
        /* What is dropped must reach the page. */
        pointer-events: none;
      }
      .frame {
        display: grid;
        place-content: center;
        box-sizing: border-box;
        height: 100%;
        border: 3px dashed var(--rp-accent);
        border-radius: var(--rp-radius);
        text-align: center;
      }
      p {
        display: grid;
        gap: var(--rp-space-2);
        margin: 0;
        padding: var(--rp-space-4);
      }
      b {
        font-size: 1.5rem;
      }
      span {
        color: var(--rp-muted);
      }
    `,
  ];
}

customElements.define("rp-drop", DropArea);

const area = document.createElement("rp-drop");
/** A drag that leaves the window says nothing; one that goes on says so many times a second. */
let ends: ReturnType<typeof setTimeout> | null = null;
const SILENCE_MS = 400;

export function hold(): void {
  if (ends !== null) clearTimeout(ends);
  if (!area.isConnected) document.body.append(area);
  ends = setTimeout(() => area.remove(), SILENCE_MS);
}

export function letFall(shell: Shell, files: File[]): void {
  area.remove();
  if (files.length > 0) void import("./transfer-dialog").then(({ show }) => show(shell, "open", files));
}
