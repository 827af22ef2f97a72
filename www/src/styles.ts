/**
 * The design: tokens first, then the terminal's rules. Every colour, size and space that a page may want
 * to change is a custom property `--rp-*`; `color-scheme` alone switches light and dark.
 */

import { css } from "lit";

export const tokens = css`
  :host {
    --rp-ground: light-dark(#f3f0e8, #0c0f14);
    --rp-panel: light-dark(#fffdf8, #12161e);
    --rp-raised: light-dark(#f1ece0, #1a202b);
    --rp-edge: light-dark(#ddd5c4, #272f3d);
    --rp-edge-strong: light-dark(#8d8573, #667086);
    --rp-text: light-dark(#1c2028, #e4e8ef);
    --rp-muted: light-dark(#585d68, #9ca7b8);
    --rp-faint: light-dark(#6a6d74, #808b9d);
    --rp-accent: light-dark(#b3341f, #ff7a5c);
    --rp-on-accent: light-dark(#ffffff, #1a0d09);
    --rp-focus: light-dark(#1f5fd0, #7fb2ff);

    --rp-lane-1: light-dark(#b3341f, #ff8466);
    --rp-lane-2: light-dark(#0a6c72, #4fd0cf);
    --rp-lane-3: light-dark(#6a3fc0, #b8a1ff);
    --rp-lane-4: light-dark(#7d5a00, #ecc14f);
    --rp-lane-5: light-dark(#1d6b31, #7fd68b);
    --rp-lane-6: light-dark(#a72c66, #ff93c0);

    --rp-string: light-dark(#256328, #a5d68c);
    --rp-number: light-dark(#8a4b00, #f2b66d);
    --rp-status: light-dark(#0a6a70, #63cfd0);
    --rp-error: light-dark(#b3221f, #ff8d84);
    --rp-nil: light-dark(#6a6d74, #8893a5);
    --rp-index: light-dark(#6a6d74, #808b9d);
    --rp-key: light-dark(#1f55a8, #8fbcff);
    --rp-field: light-dark(#5b3f9e, #c3b3ff);
    --rp-selection: light-dark(#ffe2a8, #3a4a68);

    --rp-mono: Menlo, Consolas, monospace;
    --rp-sans: system-ui, sans-serif;
    --rp-size: 0.9375rem;
    --rp-size-small: 0.8125rem;
    --rp-leading: 1.55;
    --rp-space-1: 0.25rem;
    --rp-space-2: 0.5rem;
    --rp-space-3: 0.75rem;
    --rp-space-4: 1rem;
    --rp-space-6: 1.5rem;
    --rp-radius: 10px;
    --rp-radius-small: 6px;
  }
`;

/** Buttons and focus rings, alike everywhere. */
export const controls = css`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  [hidden] {
    display: none !important;
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation: none !important;
      transition: none !important;
    }
  }
  button,
  .button {
    font: inherit;
    font-size: var(--rp-size-small);
    color: var(--rp-text);
    background: transparent;
    border: 1px solid var(--rp-edge);
    border-radius: var(--rp-radius-small);
    min-height: 2rem;
    padding: 0 var(--rp-space-3);
    cursor: pointer;
    transition: background-color 120ms, border-color 120ms;
  }
  button:hover,
  .button:hover {
    background: var(--rp-raised);
    border-color: var(--rp-edge-strong);
  }
  button:disabled {
    color: var(--rp-faint);
    cursor: default;
    background: transparent;
    border-color: var(--rp-edge);
  }
  :focus-visible {
    outline: 2px solid var(--rp-focus);
    outline-offset: 2px;
  }
  .visually-hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: -1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
`;

/** The button for what comes next, and what is chosen where colours are few. */
export const primary = css`
  .primary {
    background: var(--rp-accent);
    border-color: var(--rp-accent);
    color: var(--rp-on-accent);
    font-weight: 600;
  }
  .primary:hover {
    background: color-mix(in srgb, var(--rp-accent) 85%, var(--rp-text));
  }
  @media (forced-colors: active) {
    .primary,
    [aria-pressed="true"] {
      forced-color-adjust: none;
      color: HighlightText !important;
      background: Highlight !important;
      border-color: Highlight !important;
    }
  }
`;

const terminal = css`
  :host {
    --lane: var(--rp-lane-1);
    position: relative;
    display: flex;
    flex-direction: column;
    min-height: 0;
    color: var(--rp-text);
    font-family: var(--rp-mono);
    font-size: var(--rp-size);
    line-height: var(--rp-leading);
    font-variant-ligatures: none;
    tab-size: 8;
  }
  ::selection {
    background: var(--rp-selection);
  }
  .scroller {
    flex: 1;
    min-height: 0;
    overflow: auto;
    overscroll-behavior: contain;
    padding: var(--rp-space-3) var(--rp-space-4) var(--rp-space-4);
    scrollbar-width: thin;
    scrollbar-color: var(--rp-edge-strong) transparent;
    cursor: text;
  }
  .log > * {
    white-space: pre-wrap;
    overflow-wrap: anywhere;
    content-visibility: auto;
    contain-intrinsic-size: auto 1.5em;
  }
  .status-line {
    white-space: pre-wrap;
    color: var(--rp-muted);
  }
  .lesson {
    padding-left: var(--rp-space-3);
    border-left: 2px solid var(--rp-edge);
  }
  .begun {
    white-space: pre-wrap;
    overflow-wrap: anywhere;
  }
  .echo {
    margin-top: var(--rp-space-2);
  }
  .log > .echo:first-of-type,
  .dropped[hidden] + .echo {
    margin-top: 0;
  }
  .prompt {
    color: var(--lane);
    white-space: pre;
    font-weight: 600;
  }
  .line > .prompt {
    white-space: pre-wrap;
  }
  .echo > .prompt {
    cursor: pointer;
  }
  .echo > .prompt:hover {
    text-decoration: underline dotted;
  }
  .undone,
  .undone > * {
    color: var(--rp-faint);
    text-decoration: line-through;
  }
  .typed {
    color: var(--rp-text);
  }
  .dropped,
  .notice {
    user-select: none;
    -webkit-user-select: none;
    font-family: var(--rp-sans);
    font-size: var(--rp-size-small);
    color: var(--rp-muted);
    margin: var(--rp-space-2) 0;
    padding: var(--rp-space-2) var(--rp-space-3);
    border-left: 3px solid var(--rp-edge-strong);
    background: var(--rp-raised);
    border-radius: 0 var(--rp-radius-small) var(--rp-radius-small) 0;
  }
  .notice.error {
    border-left-color: var(--rp-error);
    color: var(--rp-text);
  }
  .scroller {
    position: relative;
  }
  .fold {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: var(--rp-space-2);
    margin: var(--rp-space-1) 0;
    font-family: var(--rp-sans);
    font-size: var(--rp-size-small);
    color: var(--rp-muted);
    user-select: none;
    -webkit-user-select: none;
    white-space: normal;
  }
  .fold-button {
    min-height: 1.75rem;
    padding: 0 var(--rp-space-2);
  }

  .line {
    display: flex;
    flex-wrap: wrap;
    align-items: flex-start;
    margin-top: var(--rp-space-2);
  }
  .field {
    position: relative;
    flex: 1 1 8em;
    min-width: 0;
    display: grid;
  }
  .mirror,
  textarea {
    grid-area: 1 / 1;
    margin: 0;
    padding: 0;
    border: 0;
    font: inherit;
    letter-spacing: inherit;
    tab-size: 8;
    white-space: pre-wrap;
    overflow-wrap: anywhere;
    word-break: normal;
  }
  .mirror {
    pointer-events: none;
    color: var(--rp-faint);
    min-height: calc(1em * var(--rp-leading));
  }
  .under {
    color: transparent;
  }
  .wrong {
    text-decoration: underline wavy var(--rp-error);
  }
  .ghost.past {
    font-style: italic;
  }
  .found mark {
    color: inherit;
    background: var(--rp-selection);
    color: var(--rp-text);
  }
  textarea {
    display: block;
    width: 100%;
    height: 100%;
    min-height: calc(1em * var(--rp-leading));
    resize: none;
    overflow: hidden;
    color: var(--rp-text);
    background: transparent;
    caret-color: var(--lane);
    border-radius: 2px;
  }
  textarea:focus-visible {
    outline: none;
  }
  /* The caret and the lit line say where the focus is. */
  .line:focus-within {
    box-shadow: calc(-1 * var(--rp-space-2)) 0 0 0 var(--rp-panel), calc(-1 * var(--rp-space-2) - 3px) 0 0 0 var(--lane);
  }
  .line[data-idle] .prompt::before {
    content: "";
    display: inline-block;
    width: 0.55em;
    height: 1.05em;
    vertical-align: text-bottom;
    margin-right: 0.5em;
    background: var(--lane);
    animation: breathe 1.1s ease-in-out infinite alternate;
  }
  @keyframes breathe {
    from {
      opacity: 0.15;
    }
    to {
      opacity: 0.8;
    }
  }
  ul[role="listbox"] {
    list-style: none;
    margin: var(--rp-space-2) 0 0;
    padding: var(--rp-space-1);
    max-height: 14em;
    max-width: 60em;
    overflow: auto;
    border: 1px solid var(--rp-edge-strong);
    border-radius: var(--rp-radius-small);
    background: var(--rp-raised);
    scrollbar-width: thin;
  }
  li[role="option"] {
    padding: 0.1em var(--rp-space-2);
    border-radius: 4px;
    cursor: pointer;
    display: flex;
    gap: var(--rp-space-4);
    white-space: pre;
  }
  .label {
    flex: none;
    min-width: 9em;
    max-width: 100%;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .note {
    overflow: hidden;
    text-overflow: ellipsis;
    font-family: var(--rp-sans);
    font-size: var(--rp-size-small);
    color: var(--rp-muted);
  }
  li[aria-selected="true"] .note {
    color: inherit;
  }
  li[role="option"]:hover {
    background: var(--rp-edge);
  }
  li[aria-selected="true"] {
    background: var(--lane);
    color: var(--rp-panel);
  }
  li[aria-selected="true"]:hover {
    background: var(--lane);
  }
  .to-end {
    position: absolute;
    right: var(--rp-space-4);
    bottom: var(--rp-space-3);
    font-family: var(--rp-sans);
    background: var(--rp-raised);
    border-color: var(--rp-edge-strong);
  }
  .touch-keys {
    display: none;
    gap: var(--rp-space-2);
    padding: var(--rp-space-2) var(--rp-space-3);
    border-top: 1px solid var(--rp-edge);
  }
  .touch-keys button {
    flex: 1;
    min-height: 2.5rem;
    padding: 0;
    font-family: var(--rp-mono);
  }
  @media (pointer: coarse) {
    .touch-keys {
      display: flex;
    }
    @container lane (max-height: 11rem) {
      .touch-keys {
        display: none;
      }
    }
    textarea {
      /* Below 16 px iOS zooms into the field. */
      font-size: max(16px, 1em);
    }
    .mirror {
      font-size: max(16px, 1em);
    }
  }

  .c-string {
    color: var(--rp-string);
  }
  .c-integer,
  .c-double,
  .c-number,
  .c-boolean {
    color: var(--rp-number);
  }
  .c-status {
    color: var(--rp-status);
  }
  .c-error {
    color: var(--rp-error);
  }
  .c-nil,
  .c-empty {
    color: var(--rp-nil);
    font-style: italic;
  }
  .c-verbatim {
    color: var(--rp-text);
  }
  .c-index,
  .c-arrow,
  .c-cut,
  .c-timing,
  .c-help-arguments {
    color: var(--rp-index);
  }
  .c-key,
  .c-help-name {
    color: var(--rp-key);
  }
  .c-help-name {
    font-weight: 600;
  }
  .c-field {
    color: var(--rp-field);
  }
  .c-notice,
  .c-lesson,
  .c-help-label {
    color: var(--rp-muted);
  }

  @media (forced-colors: active) {
    .line:focus-within {
      outline: 2px solid Highlight;
      outline-offset: 2px;
      box-shadow: none;
    }
    .under {
      visibility: hidden;
    }
    .mirror {
      color: GrayText;
    }
    li[aria-selected="true"] {
      forced-color-adjust: none;
      background: Highlight;
      color: HighlightText;
    }
  }
`;

export const terminalStyles = [controls, terminal];
