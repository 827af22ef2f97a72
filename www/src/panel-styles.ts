/** What panels of text and lists share, and how sizes read. */

import { css } from "lit";

export const panelStyles = css`
  :host {
    display: block;
    overflow: auto;
    min-height: 0;
    font-size: var(--rp-size-small);
    line-height: 1.5;
  }
  :host([hidden]) {
    display: none;
  }
  .content {
    padding: var(--rp-space-4);
  }
  .heading {
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: var(--rp-space-2);
  }
  h2 {
    margin: 0;
    font-size: 1.05rem;
  }
  .lead,
  .empty {
    color: var(--rp-muted);
    margin: var(--rp-space-1) 0 var(--rp-space-3);
  }
  .banner,
  .undo,
  .trouble {
    border: 1px solid var(--rp-edge-strong);
    border-radius: var(--rp-radius-small);
    padding: var(--rp-space-3);
    margin: 0 0 var(--rp-space-3);
    background: var(--rp-raised);
  }
  .banner p {
    margin: 0 0 var(--rp-space-2);
  }
  .trouble {
    color: var(--rp-error);
  }
  input:not([type="checkbox"]) {
    min-height: 2.2rem;
    padding: 0 var(--rp-space-2);
    font: inherit;
    color: inherit;
    background: var(--rp-ground);
    border: 1px solid var(--rp-edge-strong);
    border-radius: var(--rp-radius-small);
  }
`;

const UNITS = ["bytes", "KB", "MB", "GB"];

export function sizeText(bytes: number): string {
  let unit = 0;
  while (bytes >= 1000 && unit < UNITS.length - 1) {
    bytes /= 1000;
    unit++;
  }
  return `${bytes < 10 && unit > 0 ? bytes.toFixed(1) : Math.round(bytes)} ${UNITS[unit]}`;
}
