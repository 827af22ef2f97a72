/** The rules of the time panel. */

import { css } from "lit";

export const timeStyles = css`
  :host {
    container: panel / size;
    overflow: auto;
  }
  .clock {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: var(--rp-space-2) var(--rp-space-3);
    padding: var(--rp-space-3);
    border-bottom: 1px solid var(--rp-edge);
  }
  .face {
    flex: 1;
    display: grid;
    min-width: 9rem;
  }
  .face time {
    font: 600 1.7rem / 1.15 var(--rp-mono);
    letter-spacing: -0.02em;
    font-variant-numeric: tabular-nums;
  }
  .face small {
    color: var(--rp-muted);
  }
  .paused time {
    color: var(--rp-accent);
  }
  .clock label {
    color: var(--rp-muted);
  }
  .steps {
    display: flex;
    flex-wrap: wrap;
    gap: var(--rp-space-1);
    flex-basis: 100%;
  }
  .rows {
    flex: 1 1 50%;
    min-height: 6rem;
    overflow: auto;
    overscroll-behavior: contain;
    scrollbar-width: thin;
  }
  .row {
    height: 28px;
    padding: 0 var(--rp-space-3);
  }
  .row[aria-selected="true"] {
    background: var(--rp-raised);
    box-shadow: inset 3px 0 var(--rp-accent);
    font-weight: 600;
  }
  .later code {
    color: var(--rp-faint);
    text-decoration: line-through;
  }
  .at {
    color: var(--rp-muted);
    font-variant-numeric: tabular-nums;
  }
  .who {
    min-width: 1.2rem;
    text-align: center;
    color: var(--rp-index);
  }
  .row code {
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .changes {
    display: flex;
    flex-direction: column;
    flex: 0 1 45%;
    min-height: 5rem;
    border-top: 1px solid var(--rp-edge);
    padding: var(--rp-space-2) 0 0;
  }
  h2 {
    padding: 0 var(--rp-space-3);
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .buttons {
    display: flex;
    gap: var(--rp-space-2);
    margin: 0;
    padding: var(--rp-space-2) var(--rp-space-3) 0;
  }
  .list {
    flex: 1;
    min-height: 0;
    overflow: auto;
    padding: 0 var(--rp-space-3) var(--rp-space-3);
    scrollbar-width: thin;
  }
  .list:focus-visible {
    outline-offset: -2px;
  }
  .scrub {
    display: flex;
    align-items: center;
    gap: var(--rp-space-2);
    padding: var(--rp-space-1) var(--rp-space-3);
  }
  .scrub input {
    flex: 1;
    min-width: 4rem;
    accent-color: var(--rp-accent);
  }
  .scrub output {
    color: var(--rp-muted);
    font-variant-numeric: tabular-nums;
    white-space: nowrap;
  }
  .steps small {
    color: var(--rp-muted);
  }
  .branches {
    flex: none;
    max-height: 35%;
    overflow: auto;
    padding: var(--rp-space-2) 0;
    border-top: 1px solid var(--rp-edge);
    scrollbar-width: thin;
  }
  .branches ul {
    margin: 0;
    padding: 0;
    list-style: none;
  }
  .branches li {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: var(--rp-space-1) var(--rp-space-2);
    padding: var(--rp-space-1) var(--rp-space-3);
    padding-left: calc(var(--rp-space-3) + 1rem * var(--depth));
  }
  .branches small {
    flex: 1;
    color: var(--rp-muted);
  }
  .acts {
    display: flex;
    gap: var(--rp-space-1);
  }
  .acts button {
    border-color: transparent;
    color: var(--rp-muted);
  }
  .branches p {
    padding: 0 var(--rp-space-3);
  }
  /* Where there is little room all of it scrolls, and the clock is small. */
  @container panel (max-height: 30rem) {
    .clock {
      gap: var(--rp-space-1) var(--rp-space-2);
      padding: var(--rp-space-1) var(--rp-space-3) var(--rp-space-2);
    }
    .face {
      min-width: 7rem;
    }
    .face time {
      font-size: 1.15rem;
    }
    .rows {
      flex: none;
      height: 6.5rem;
    }
    .changes {
      flex: none;
    }
  }
`;
