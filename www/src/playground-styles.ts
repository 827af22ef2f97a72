/** The rules of the playground page. */

import { css } from "lit";
import { controls, primary, tokens } from "./styles";

export const playgroundStyles = [
  tokens,
  controls,
  primary,
  css`
    :host {
      display: grid;
      grid-template: auto auto minmax(0, 1fr) auto / minmax(0, 1fr);
      height: 100dvh;
      min-height: 15rem;
      background: var(--rp-ground);
      color: var(--rp-text);
      font-family: var(--rp-sans);
      line-height: 1.45;
      container: page / inline-size;
    }
    /* Also while the guide is closed. */
    .work {
      grid-row: 3;
    }
    footer {
      grid-row: 4;
    }
    header button,
    footer button {
      flex: none;
      white-space: nowrap;
    }
    header {
      display: flex;
      align-items: center;
      gap: var(--rp-space-2);
      padding: var(--rp-space-3) var(--rp-space-4) var(--rp-space-2);
    }
    .brand {
      display: flex;
      align-items: center;
      gap: var(--rp-space-3);
      margin: 0 auto 0 0;
      font-size: 1.125rem;
      font-weight: 600;
      letter-spacing: -0.01em;
      min-width: 0;
    }
    .brand svg {
      width: 1.75rem;
      height: 1.75rem;
      flex: none;
    }
    .brand small {
      font-size: var(--rp-size-small);
      font-weight: 400;
      letter-spacing: 0;
      color: var(--rp-muted);
      white-space: nowrap;
      overflow: hidden;
      text-overflow: ellipsis;
    }
    .icon {
      display: inline-grid;
      place-items: center;
      width: 2rem;
      padding: 0;
    }
    .icon svg {
      width: 1.05rem;
      height: 1.05rem;
      fill: none;
      stroke: currentColor;
      stroke-width: 1.7;
      stroke-linecap: round;
      stroke-linejoin: round;
    }

    #guide {
      padding: 0 var(--rp-space-4) var(--rp-space-3);
    }
    /* They take their room before they are there. */
    rp-coach:not(:defined) {
      display: block;
      height: 3.5rem;
    }
    rp-side:not(:defined) {
      display: block;
      flex: none;
      width: 4.25rem;
    }
    rp-side.open:not(:defined) {
      width: calc(420px + 5rem);
    }
    .resp {
      color: var(--rp-muted);
      font-weight: 600;
    }

    .work {
      min-height: 0;
      display: flex;
      padding: 0 var(--rp-space-4);
    }
    main {
      flex: 1;
      min-width: 0;
      min-height: 0;
      display: flex;
      flex-direction: column;
    }
    .menu {
      inset: 3.25rem var(--rp-space-4) auto auto;
      margin: 0;
      padding: var(--rp-space-1);
      min-width: 14rem;
      max-width: calc(100vw - 2rem);
      background: var(--rp-panel);
      color: var(--rp-text);
      border: 1px solid var(--rp-edge-strong);
      border-radius: var(--rp-radius);
      box-shadow: 0 1rem 2rem -1rem rgb(0 0 0 / 0.5);
    }
    .menu button {
      display: grid;
      width: 100%;
      padding: var(--rp-space-2) var(--rp-space-3);
      border-color: transparent;
      text-align: left;
      white-space: normal;
    }
    .menu small {
      color: var(--rp-muted);
    }
    .tabs {
      display: none;
      gap: var(--rp-space-1);
      overflow-x: auto;
      scrollbar-width: none;
      margin-bottom: -1px;
    }
    .tabs button {
      display: flex;
      align-items: center;
      gap: var(--rp-space-2);
      min-height: 2.5rem;
      border-radius: var(--rp-radius) var(--rp-radius) 0 0;
      border-bottom-color: transparent;
      white-space: nowrap;
    }
    .tabs button[aria-selected="true"] {
      background: var(--rp-panel);
      border-color: var(--rp-edge);
      border-bottom-color: var(--rp-panel);
      font-weight: 600;
    }
    .past {
      display: flex;
      align-items: center;
      justify-content: space-between;
      gap: var(--rp-space-3);
      margin: 0 0 var(--rp-space-2);
      padding: var(--rp-space-1) var(--rp-space-1) var(--rp-space-1) var(--rp-space-3);
      font-size: var(--rp-size-small);
      color: var(--rp-on-accent);
      background: var(--rp-accent);
      border-radius: var(--rp-radius-small);
    }
    .past button {
      flex: none;
      color: inherit;
      border-color: currentColor;
    }
    .past button:hover {
      color: var(--rp-text);
    }
    .lanes {
      flex: 1;
      min-height: 0;
      display: grid;
      grid-auto-flow: column;
      grid-auto-columns: minmax(18rem, 1fr);
      gap: var(--rp-space-3);
      overflow-x: auto;
    }
    .lane {
      --lane: var(--rp-lane-1);
      container: lane / size;
      display: flex;
      flex-direction: column;
      min-width: 0;
      min-height: 0;
      background: var(--rp-panel);
      border: 1px solid var(--rp-edge);
      border-top: 3px solid var(--lane);
      border-radius: var(--rp-radius);
      overflow: hidden;
    }
    .lane-1 { --lane: var(--rp-lane-1); }
    .lane-2 { --lane: var(--rp-lane-2); }
    .lane-3 { --lane: var(--rp-lane-3); }
    .lane-4 { --lane: var(--rp-lane-4); }
    .lane-5 { --lane: var(--rp-lane-5); }
    .lane-6 { --lane: var(--rp-lane-6); }
    .lane repl-terminal {
      flex: 1;
      --lane: inherit;
    }
    .failed repl-terminal {
      display: none;
    }
    .lane-head {
      display: flex;
      align-items: center;
      gap: var(--rp-space-1);
      padding: var(--rp-space-1) var(--rp-space-2) var(--rp-space-1) var(--rp-space-4);
      border-bottom: 1px solid var(--rp-edge);
    }
    .badge {
      width: 0.6rem;
      height: 0.6rem;
      border-radius: 50%;
      background: var(--lane);
      flex: none;
    }
    .lane-name {
      flex: 0 1 9rem;
      min-width: 3rem;
      font: 600 var(--rp-size-small) / 1.4 var(--rp-sans);
      color: var(--rp-text);
      background: transparent;
      border: 1px solid transparent;
      border-radius: 4px;
      padding: 0.15rem 0.35rem;
      min-height: 1.5rem;
    }
    .lane-name:hover {
      border-color: var(--rp-edge-strong);
    }
    .pill {
      margin-right: auto;
      padding: 0 0.5rem;
      font-size: 0.75rem;
      line-height: 1.35rem;
      border-radius: 1rem;
      color: var(--rp-muted);
      white-space: nowrap;
    }
    .pill:not(:empty) {
      color: var(--lane);
      border: 1px solid currentColor;
    }
    .lane-head button {
      border-color: transparent;
      padding: 0 var(--rp-space-2);
      flex: none;
    }
    .lane-head .icon {
      padding: 0;
      width: 1.75rem;
    }
    .lane-head button:hover {
      border-color: var(--rp-edge-strong);
    }

    .welcome {
      margin: 0;
      padding: var(--rp-space-4) var(--rp-space-4) 0;
      color: var(--rp-muted);
      font-size: var(--rp-size-small);
      max-width: 60ch;
    }
    .welcome b {
      font-weight: 600;
      color: var(--rp-text);
    }
    .trouble {
      margin: var(--rp-space-4);
      padding: var(--rp-space-4);
      border: 1px solid var(--rp-error);
      border-radius: var(--rp-radius);
      display: grid;
      justify-items: start;
      gap: var(--rp-space-3);
    }
    .trouble p {
      margin: 0;
    }
    .trouble .reason {
      color: var(--rp-muted);
      font: var(--rp-size-small) / 1.5 var(--rp-mono);
      overflow-wrap: anywhere;
    }

    footer {
      display: flex;
      align-items: center;
      gap: var(--rp-space-2);
      padding: var(--rp-space-2) var(--rp-space-4) var(--rp-space-3);
      font-size: var(--rp-size-small);
      color: var(--rp-muted);
      min-height: 3rem;
    }
    .engine {
      flex: 1;
      min-width: 0;
      display: flex;
      align-items: center;
      gap: var(--rp-space-2);
      margin-right: auto;
    }
    .dot {
      width: 0.55rem;
      height: 0.55rem;
      border-radius: 50%;
      background: var(--rp-faint);
      flex: none;
    }
    .ready .dot { background: var(--rp-string); }
    .busy .dot { background: var(--rp-number); }
    .failed .dot { background: var(--rp-error); }
    .stop.urgent {
      background: var(--rp-error);
      border-color: var(--rp-error);
      color: var(--rp-panel);
      font-weight: 600;
    }

    dialog {
      width: min(44rem, calc(100vw - 2rem));
      max-height: min(44rem, calc(100dvh - 2rem));
      padding: 0;
      color: var(--rp-text);
      background: var(--rp-panel);
      border: 1px solid var(--rp-edge-strong);
      border-radius: var(--rp-radius);
    }
    dialog::backdrop {
      background: rgb(0 0 0 / 0.5);
    }
    .sheet {
      padding: var(--rp-space-6);
    }
    .sheet h2 {
      margin: 0 0 var(--rp-space-3);
      font-size: 1.2rem;
    }
    .sheet h3 {
      margin: var(--rp-space-4) 0 var(--rp-space-2);
      font-size: 0.95rem;
    }
    .sheet p {
      margin: 0 0 var(--rp-space-2);
      max-width: 65ch;
    }
    .sheet dl {
      display: grid;
      grid-template-columns: max-content 1fr;
      gap: var(--rp-space-1) var(--rp-space-4);
      margin: 0;
      font-size: var(--rp-size-small);
    }
    .sheet dt {
      white-space: nowrap;
    }
    .sheet dd {
      margin: 0;
      color: var(--rp-muted);
    }
    kbd,
    .sheet code {
      font: 600 0.78rem / 1.4 var(--rp-mono);
    }
    kbd {
      padding: 0.05rem 0.35rem;
      border: 1px solid var(--rp-edge-strong);
      border-radius: 4px;
    }
    .sheet a {
      color: var(--rp-key);
    }
    .sheet form {
      display: flex;
      justify-content: flex-end;
      margin-top: var(--rp-space-4);
    }

    @container lane (max-width: 23rem) {
      .lane-head .resp,
      .own ~ .clear {
        display: none;
      }
    }
    @container lane (max-width: 19rem) {
      .pill:empty,
      .lane-head .clear {
        display: none;
      }
    }
    /* Who waits, and who listens. */
    .badge.waiting,
    .badge.listening {
      background: transparent;
      border: 2px solid var(--lane);
    }
    .badge.listening {
      border-style: double;
      border-width: 4px;
    }
    @container page (min-width: 720px) {
      .many .tabs {
        display: flex;
        flex-wrap: wrap;
        flex: none;
        max-height: 4.5rem;
        margin-bottom: var(--rp-space-2);
        overflow: auto;
        scrollbar-width: thin;
        button {
          min-height: 1.875rem;
          border: 1px solid var(--rp-edge);
          border-radius: 1rem;
        }
        [aria-selected="true"] {
          border-color: var(--lane);
        }
      }
      .many .lanes {
        grid: auto-flow minmax(13rem, 1fr) / repeat(auto-fit, minmax(18rem, 1fr));
        overflow: auto;
      }
      .many .active {
        border-color: var(--lane);
      }
    }
    @container page (max-width: 719px) {
      @media (min-height: 30rem), (max-width: 35rem) {
        /* What is not needed makes room for an open panel. */
        .work:has(> .open) .lane-head,
        .work:has(> .open) + footer:not(:has(.urgent)) {
          display: none;
        }
      }
    }
    @container page (max-width: 899px) {
      @media (min-height: 30rem), (max-width: 35rem) {
        .work {
          flex-direction: column;
        }
        /* An open panel leaves the prompt in sight. */
        .work:has(> .open) main {
          min-height: 6.5rem;
        }
      }
    }
    @container (max-width: 719px) {
      header {
        flex-wrap: wrap;
        padding: var(--rp-space-2) var(--rp-space-3);
      }
      .brand small {
        display: none;
      }
      .several .lane-name {
        flex-basis: 6rem;
      }
      #guide {
        padding: 0 var(--rp-space-2) var(--rp-space-2);
      }
      .work {
        padding: 0 var(--rp-space-2);
      }
      .several .tabs {
        display: flex;
      }
      .lanes {
        grid-auto-columns: minmax(0, 1fr);
        grid-auto-flow: row;
      }
      .several .lane:not(.active) {
        display: none;
      }
      .several .lane {
        border-top-left-radius: 0;
      }
      footer {
        padding: var(--rp-space-2) var(--rp-space-3);
      }
      .sheet {
        padding: var(--rp-space-4);
      }
      .sheet dl {
        grid-template-columns: 1fr;
      }
      .sheet dd {
        margin-bottom: var(--rp-space-2);
      }
    }
    @container (max-width: 419px) {
      .brand .name {
        position: absolute;
        clip-path: inset(50%);
      }
      footer {
        font-size: 0.75rem;
      }
    }
    @media (pointer: coarse) {
      header button,
      footer button,
      .lane-head button {
        min-height: 2.5rem;
      }
    }
    @media (max-height: 30rem) {
      #guide {
        display: none;
      }
    }
    /* Above the keyboard of a phone. */
    @media (max-height: 30rem) and (max-width: 35rem) {
      :host(:focus-within) footer:not(:has(.urgent)) {
        display: none;
      }
    }
    @media (forced-colors: active) {
      .badge,
      .dot {
        forced-color-adjust: none;
      }
      .tabs button[aria-selected="true"] {
        border-bottom: 3px solid Highlight;
      }
    }
  `,
];
