/** The rules of the keys panel and of values. */

import { css } from "lit";
import { controls, primary } from "../styles";

/** What panels have in common. */
export const panelStyles = [
  controls,
  primary,
  css`
    :host {
      display: flex;
      flex-direction: column;
      min-height: 0;
      min-width: 0;
      color: var(--rp-text);
      font-size: var(--rp-size-small);
      line-height: 1.5;
    }
    :host([hidden]) {
      display: none;
    }
    button {
      min-height: 1.75rem;
      padding: 0 var(--rp-space-2);
    }
    .icon {
      display: inline-grid;
      place-items: center;
      width: 1.75rem;
      padding: 0;
      border-color: transparent;
      flex: none;
    }
    .icon svg {
      width: 1rem;
      height: 1rem;
      fill: none;
      stroke: currentColor;
      stroke-width: 1.6;
      stroke-linecap: round;
      stroke-linejoin: round;
    }
    code,
    pre {
      font-family: var(--rp-mono);
      font-size: 0.95em;
    }
    h2 {
      margin: 0;
      font-size: 0.95rem;
    }
    h3 {
      margin: var(--rp-space-3) 0 var(--rp-space-1);
      font-size: var(--rp-size-small);
    }
    .note {
      margin: 0;
      padding: var(--rp-space-4);
      color: var(--rp-muted);
    }
    .small-note {
      margin: var(--rp-space-1) 0;
      color: var(--rp-muted);
    }
    input,
    select {
      font: inherit;
      min-height: 1.75rem;
      min-width: 0;
      padding: 0 var(--rp-space-2);
      color: var(--rp-text);
      background: var(--rp-ground);
      border: 1px solid var(--rp-edge-strong);
      border-radius: var(--rp-radius-small);
    }
    input[type="checkbox"] {
      min-height: 0;
      accent-color: var(--rp-accent);
    }
    .notes {
      flex: none;
      padding: var(--rp-space-2) var(--rp-space-3);
      border-bottom: 1px solid var(--rp-edge);
      background: var(--rp-raised);
      color: var(--rp-text);
    }
    .notes p {
      margin: 0 0 var(--rp-space-1);
    }
    .type {
      flex: none;
      min-width: 3.3rem;
      padding: 0 0.35rem;
      text-align: center;
      font: 600 0.6875rem / 1.15rem var(--rp-mono);
      border-radius: 4px;
      color: var(--tint, var(--rp-muted));
      background: color-mix(in srgb, var(--tint, var(--rp-muted)) 12%, transparent);
    }
    .t-string { --tint: var(--rp-string); }
    .t-list { --tint: var(--rp-lane-2); }
    .t-hash { --tint: var(--rp-field); }
    .t-set { --tint: var(--rp-lane-4); }
    .t-zset { --tint: var(--rp-key); }
    .t-stream { --tint: var(--rp-lane-6); }
    .t-array { --tint: var(--rp-number); }
    .hot {
      animation: glow 2.4s ease-out;
      background: color-mix(in srgb, var(--rp-accent) 9%, transparent);
      box-shadow: inset 3px 0 var(--rp-accent);
    }
    @keyframes glow {
      from {
        box-shadow: inset 8px 0 var(--rp-accent);
      }
    }
    .choices {
      display: inline-flex;
      border: 1px solid var(--rp-edge-strong);
      border-radius: var(--rp-radius-small);
      overflow: hidden;
    }
    .choices button {
      min-height: 1.5rem;
      border: 0;
      border-radius: 0;
    }
    .choices [aria-pressed="true"] {
      background: var(--rp-text);
      color: var(--rp-panel);
    }
    .empty {
      margin: auto;
      padding: var(--rp-space-6) var(--rp-space-4);
      display: grid;
      justify-items: center;
      gap: var(--rp-space-2);
      text-align: center;
      max-width: 22rem;
    }
    .empty p {
      margin: 0;
      color: var(--rp-muted);
    }
    .empty b {
      color: var(--rp-text);
      font-size: 0.95rem;
    }
    .empty svg {
      width: 7.5rem;
      fill: none;
      stroke: var(--rp-edge-strong);
      stroke-width: 1.5;
      stroke-dasharray: 4 3;
    }
    @media (forced-colors: active) {
      .hot {
        outline: 1px solid Highlight;
        outline-offset: -1px;
      }
    }
  `,
];

/** Rows of a long list of which only those in sight are drawn; `--height` is that of all, `--at` where one is. */
export const rowStyles = css`
  .all {
    position: relative;
    height: var(--height);
  }
  .row {
    position: absolute;
    inset: var(--at) 0 auto 0;
    display: flex;
    align-items: center;
    gap: var(--rp-space-2);
    cursor: pointer;
    white-space: nowrap;
  }
  .row:hover {
    background: var(--rp-raised);
  }
  .row:focus-visible {
    outline-offset: -2px;
  }
`;

export const keysStyles = [
  ...panelStyles,
  rowStyles,
  css`
    :host {
      container: panel / size;
    }
    .tools {
      display: flex;
      gap: var(--rp-space-2);
      align-items: center;
      padding: var(--rp-space-2);
      border-bottom: 1px solid var(--rp-edge);
    }
    .tools input[type="search"] {
      flex: 1;
      min-width: 5rem;
    }
    .tools select {
      max-width: 5.5rem;
    }
    .follow {
      display: flex;
      align-items: center;
      gap: var(--rp-space-1);
      white-space: nowrap;
    }
    .count {
      display: flex;
      justify-content: space-between;
      margin: 0;
      padding: var(--rp-space-1) var(--rp-space-3);
      color: var(--rp-muted);
    }
    .legend::before {
      content: "";
      display: inline-block;
      width: 0.6rem;
      height: 0.6rem;
      margin-right: 0.35rem;
      border-radius: 2px;
      background: var(--rp-accent);
    }
    .rows {
      flex: 1 1 40%;
      min-height: 5.5rem;
      max-height: 45%;
      overflow: auto;
      overscroll-behavior: contain;
      scrollbar-width: thin;
    }
    .rows.alone {
      max-height: none;
    }
    .samples {
      display: flex;
      flex-wrap: wrap;
      justify-content: center;
      gap: var(--rp-space-2);
    }
    @container panel (max-height: 22rem) {
      .empty svg {
        display: none;
      }
      .empty {
        padding: var(--rp-space-2) var(--rp-space-3);
      }
    }
    .rows:has(+ rp-value[editing]) {
      min-height: 0;
    }
    @media (pointer: coarse) {
      :host {
        --row: 40px;
      }
      .tools > * {
        min-height: 2.5rem;
        /* Below 16 px iOS zooms into the field. */
        font-size: max(16px, 1em);
      }
      .tools select {
        max-width: 6.5rem;
      }
    }
    @container panel (max-height: 30rem) {
      .rows:not(.alone) {
        flex: none;
        height: 5.75rem;
        min-height: 0;
      }
    }
    /* Where there is no room for both, the value stands in place of the keys until it is closed. */
    @container panel (max-height: 22rem) {
      .tools:has(~ rp-value),
      .count:has(~ rp-value),
      .rows:has(+ rp-value) {
        display: none;
      }
      rp-value {
        border-top: 0;
      }
    }
    @media (forced-colors: active) {
      .twist {
        forced-color-adjust: none;
        border-left-color: CanvasText;
      }
      .legend::before {
        outline: 1px solid Highlight;
      }
      .row[aria-selected="true"] {
        outline: 2px solid Highlight;
        outline-offset: -2px;
      }
      .bar {
        forced-color-adjust: none;
        border-right: 2px solid ButtonText;
      }
    }
    .row {
      height: var(--row, 30px);
      padding: 0 var(--rp-space-3) 0 calc(var(--rp-space-3) + var(--depth) * 1.1rem);
    }
    .row[aria-selected="true"] {
      background: var(--rp-raised);
      box-shadow: inset 3px 0 var(--rp-edge-strong);
    }
    .row.hot[aria-selected="true"] {
      box-shadow: inset 3px 0 var(--rp-accent);
    }
    .name {
      flex: 1;
      min-width: 3rem;
      overflow: hidden;
      text-overflow: ellipsis;
      font-family: var(--rp-mono);
    }
    .group .name {
      color: var(--rp-muted);
    }
    .size {
      color: var(--rp-muted);
      flex: none;
    }
    .twist {
      width: 0;
      height: 0;
      border: 4px solid transparent;
      border-left: 6px solid var(--rp-muted);
      transition: rotate 120ms;
    }
    [aria-expanded="true"] .twist {
      rotate: 90deg;
      translate: -2px 2px;
    }
    .ttl {
      position: relative;
      flex: none;
      width: 5.5rem;
      padding: 0 0.35rem;
      font-size: 0.72rem;
      line-height: 1.15rem;
      color: var(--rp-text);
      border: 1px solid color-mix(in srgb, var(--rp-number) 55%, transparent);
      border-radius: 4px;
      overflow: hidden;
      isolation: isolate;
      text-align: right;
    }
    .bar {
      position: absolute;
      inset: 0 auto 0 0;
      z-index: -1;
      width: calc(var(--left) * 100%);
      background: color-mix(in srgb, var(--rp-number) 24%, transparent);
      transition: width 250ms linear;
    }
    rp-value {
      flex: 1 1 55%;
      min-height: 0;
      border-top: 1px solid var(--rp-edge);
    }
  `,
];

export const valueStyles = [
  ...panelStyles,
  css`
    :host {
      container: value / size;
    }
    .head {
      flex: none;
      display: flex;
      align-items: center;
      gap: var(--rp-space-1);
      padding: var(--rp-space-2) var(--rp-space-2) 0 var(--rp-space-3);
    }
    .head h2 {
      flex: 1;
      min-width: 0;
      padding-left: var(--rp-space-1);
      font-family: var(--rp-mono);
      font-size: 0.9rem;
      overflow: hidden;
      text-overflow: ellipsis;
      white-space: nowrap;
    }
    .facts {
      flex: none;
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      gap: 0 var(--rp-space-3);
      min-height: 2.25rem;
      padding: 0 var(--rp-space-3) var(--rp-space-1);
      color: var(--rp-muted);
      border-bottom: 1px solid var(--rp-edge);
    }
    .facts > span {
      white-space: nowrap;
    }
    .facts button {
      min-height: 1.5rem;
    }
    .lives {
      margin-left: auto;
      display: flex;
      gap: var(--rp-space-1);
    }
    .gone {
      margin: 0;
      padding: var(--rp-space-3);
      color: var(--rp-muted);
    }
    .picture {
      flex: 1;
      min-height: 4rem;
      overflow: auto;
      overscroll-behavior: contain;
      padding: var(--rp-space-3);
      scrollbar-width: thin;
    }
    .picture:focus-visible {
      outline-offset: -2px;
    }
    .choices {
      margin-bottom: var(--rp-space-2);
    }
    .text {
      margin: 0 0 var(--rp-space-2);
      font-family: var(--rp-mono);
      white-space: pre-wrap;
      overflow-wrap: anywhere;
      color: var(--rp-string);
    }
    .number {
      font-size: 1.6rem;
      color: var(--rp-number);
    }
    .estimate b {
      display: block;
      font-size: 1.6rem;
      color: var(--rp-number);
    }
    .hex {
      margin: 0;
      overflow: auto;
    }
    .bits {
      display: grid;
      grid-template-columns: repeat(auto-fill, 1.25rem);
      gap: 2px;
    }
    .bits button {
      width: 1.25rem;
      height: 1.25rem;
      min-height: 0;
      padding: 0;
      border: 1px solid var(--rp-edge-strong);
      border-radius: 3px;
    }
    .bits .on {
      background: var(--rp-number);
      border-color: var(--rp-number);
    }
    table {
      width: 100%;
      border-collapse: collapse;
      font-family: var(--rp-mono);
    }
    th,
    td {
      padding: 0.2rem var(--rp-space-2);
      text-align: left;
      vertical-align: top;
      border-bottom: 1px solid var(--rp-edge);
      overflow-wrap: anywhere;
    }
    thead th {
      font: 600 0.72rem / 1.5 var(--rp-sans);
      color: var(--rp-muted);
    }
    tbody th {
      color: var(--rp-field);
      font-weight: 500;
    }
    small {
      color: var(--rp-muted);
      font-size: 0.72rem;
    }
    .acts {
      width: 3.6rem;
      white-space: nowrap;
      text-align: right;
    }
    .small {
      width: 1.5rem;
      min-height: 1.5rem;
      color: var(--rp-muted);
    }
    .add {
      margin-top: var(--rp-space-2);
      border-style: dashed;
    }
    ol,
    ul {
      margin: 0;
      padding: 0;
      list-style: none;
    }
    .cell {
      flex: 1;
      min-width: 0;
      overflow-wrap: anywhere;
      font-family: var(--rp-mono);
    }
    .index {
      min-width: 1.6rem;
      text-align: right;
      color: var(--rp-index);
      font: 0.75rem / 1.5 var(--rp-mono);
    }
    .chain li {
      position: relative;
      display: flex;
      align-items: center;
      gap: var(--rp-space-2);
      margin-bottom: 0.5rem;
      padding: 0.15rem var(--rp-space-2);
      border: 1px solid var(--rp-edge);
      border-radius: var(--rp-radius-small);
      min-height: 1.9rem;
    }
    .chain li:not(:last-child)::after {
      content: "";
      position: absolute;
      left: 1.35rem;
      top: 100%;
      height: 0.5rem;
      border-left: 2px solid var(--rp-edge-strong);
    }
    .chain .pause {
      border: 0;
      min-height: 0;
      color: var(--rp-muted);
    }
    .members {
      display: flex;
      flex-wrap: wrap;
      gap: var(--rp-space-1);
    }
    .members li {
      display: flex;
      align-items: center;
      gap: var(--rp-space-1);
      padding: 0.1rem 0.25rem 0.1rem 0.6rem;
      font-family: var(--rp-mono);
      border: 1px solid var(--rp-edge);
      border-radius: 1rem;
      overflow-wrap: anywhere;
    }
    .members small {
      padding-right: 0.35rem;
    }
    .ranks li {
      position: relative;
      isolation: isolate;
      display: flex;
      align-items: center;
      gap: var(--rp-space-2);
      min-height: 1.8rem;
      margin-bottom: 2px;
      padding-right: var(--rp-space-1);
    }
    .ranks li::before {
      content: "";
      position: absolute;
      z-index: -1;
      inset: 0 auto 0 calc(2.1rem + (100% - 2.1rem) * var(--start));
      width: calc((100% - 2.1rem) * var(--width));
      min-width: 2px;
      background: color-mix(in srgb, var(--rp-key) 20%, transparent);
      border-radius: 4px;
      transition: width 400ms ease-out, left 400ms ease-out;
    }
    .ranks .cell {
      padding-left: 0.4rem;
    }
    .score {
      font-family: var(--rp-mono);
      color: var(--rp-number);
    }
    .map {
      display: block;
      width: 100%;
      max-width: 32rem;
      background: color-mix(in srgb, var(--rp-lane-2) 7%, var(--rp-panel));
      border: 1px solid var(--rp-edge);
      border-radius: var(--rp-radius-small);
    }
    .map .net {
      stroke: var(--rp-edge);
      fill: none;
    }
    .map circle {
      fill: var(--rp-accent);
      stroke: var(--rp-panel);
      stroke-width: 1.5;
    }
    .map text {
      font: 11px var(--rp-sans);
      fill: var(--rp-text);
    }
    .map .degree {
      font-size: 8px;
      fill: var(--rp-muted);
    }
    .time {
      border-left: 2px solid var(--rp-edge-strong);
      margin-left: 0.4rem;
    }
    .time li {
      position: relative;
      display: flex;
      flex-wrap: wrap;
      align-items: baseline;
      gap: 0 var(--rp-space-2);
      padding: 0.2rem 0 0.2rem var(--rp-space-3);
    }
    .time li:not(.pause)::before {
      content: "";
      position: absolute;
      left: -0.36rem;
      top: 0.6rem;
      width: 0.6rem;
      height: 0.6rem;
      border-radius: 50%;
      background: var(--rp-lane-6);
    }
    .time code {
      margin-right: auto;
      color: var(--rp-muted);
    }
    .time .cell {
      order: 1;
      flex-basis: 100%;
    }
    .time .pause {
      color: var(--rp-muted);
      font-size: 0.72rem;
    }
    .pair {
      display: inline-block;
      margin-right: var(--rp-space-3);
    }
    .pair b {
      color: var(--rp-field);
      font-weight: 500;
    }
    .waits {
      padding: 0 0.4rem;
      border: 1px solid var(--rp-lane-6);
      border-radius: 1rem;
      color: var(--rp-lane-6);
      font-size: 0.72rem;
    }
    .pages {
      display: flex;
      align-items: center;
      justify-content: space-between;
      gap: var(--rp-space-2);
      margin-top: var(--rp-space-3);
      color: var(--rp-muted);
    }
    .editor {
      flex: 0 1 auto;
      min-height: 0;
      overflow: auto;
      display: grid;
      gap: var(--rp-space-2);
      padding: var(--rp-space-3) var(--rp-space-3) 0;
      border-top: 2px solid var(--rp-accent);
      background: var(--rp-raised);
    }
    .editor label {
      display: grid;
      gap: 2px;
      color: var(--rp-muted);
    }
    .editor .escapes {
      display: flex;
      align-items: center;
      gap: var(--rp-space-1);
      font-size: 0.75rem;
    }
    .editor input {
      font-family: var(--rp-mono);
      background: var(--rp-panel);
    }
    .editor .line {
      padding: var(--rp-space-1) var(--rp-space-2);
      background: var(--rp-panel);
      border-radius: var(--rp-radius-small);
      overflow-wrap: anywhere;
      white-space: pre-wrap;
    }
    /* They stay in sight, however much is above them. */
    .buttons {
      position: sticky;
      bottom: 0;
      display: flex;
      gap: var(--rp-space-2);
      justify-content: flex-end;
      padding: var(--rp-space-1) 0 var(--rp-space-3);
      background: var(--rp-raised);
    }
    .picture:has(+ .editor) {
      min-height: 0;
    }
    @container value (max-height: 20rem) {
      .picture:has(+ .editor) {
        display: none;
      }
      .editor {
        flex-grow: 1;
        align-content: start;
        border-top: 0;
      }
    }
    @container value (max-height: 17rem) {
      .head:has(~ .editor),
      .facts:has(~ .editor) {
        display: none;
      }
    }
    @media (pointer: coarse) {
      .editor input:not([type="checkbox"]) {
        /* Below 16 px iOS zooms into the field. */
        font-size: max(16px, 1em);
        min-height: 2.25rem;
      }
      .head button,
      .buttons button {
        min-width: 2.75rem;
        min-height: 2.75rem;
      }
      .small {
        width: 2.25rem;
        min-height: 2.25rem;
      }
      .acts {
        width: 5rem;
      }
    }
    @media (forced-colors: active) {
      .bits .on {
        forced-color-adjust: none;
        background: Highlight;
      }
      .ranks li::before {
        background: transparent;
        border: 1px solid ButtonText;
      }
      .time li:not(.pause)::before {
        background: ButtonText;
      }
    }
  `,
];
