/** The rules of the embedded terminal. */

import { css } from "lit";
import { controls, tokens } from "./styles";

export const embedStyles = [
  tokens,
  controls,
  css`
    :host {
      display: block;
      color-scheme: light dark;
      margin: 1rem 0;
      color: var(--rp-text);
      font-family: var(--rp-sans);
      font-size: 1rem;
      text-align: start;
    }
    :host([hidden]) {
      display: none;
    }
    :host([theme="light"]) {
      color-scheme: light;
    }
    :host([theme="dark"]) {
      color-scheme: dark;
    }
    .frame {
      display: flex;
      flex-direction: column;
      height: var(--rp-height, auto);
      background: var(--rp-panel);
      border: 1px solid var(--rp-edge);
      border-top: 3px solid var(--rp-lane-1);
      border-radius: var(--rp-radius);
      overflow: hidden;
    }
    .bar {
      display: flex;
      align-items: center;
      gap: var(--rp-space-2);
      padding: var(--rp-space-1) var(--rp-space-2) var(--rp-space-1) var(--rp-space-4);
      border-bottom: 1px solid var(--rp-edge);
      font-size: var(--rp-size-small);
      color: var(--rp-muted);
      min-height: 2.6rem;
    }
    .title {
      margin-right: auto;
      overflow: hidden;
      text-overflow: ellipsis;
      white-space: nowrap;
    }
    .run {
      font-weight: 600;
      color: var(--rp-accent);
      border-color: currentColor;
    }
    .stop.urgent {
      color: var(--rp-error);
      border-color: currentColor;
      font-weight: 600;
    }
    pre {
      margin: 0;
      padding: var(--rp-space-3) var(--rp-space-4);
      font: var(--rp-size) / var(--rp-leading) var(--rp-mono);
      white-space: pre-wrap;
      overflow-wrap: anywhere;
    }
    .note {
      margin: 0;
      padding: 0 var(--rp-space-4) var(--rp-space-3);
      color: var(--rp-muted);
      font-size: var(--rp-size-small);
    }
    repl-terminal {
      max-height: var(--rp-max-height, 26rem);
      flex: 1;
    }
  `,
];
