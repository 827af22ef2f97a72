/** How lessons look. */

import { css } from "lit";
import { panelStyles } from "../panel-styles";
import { controls, primary } from "../styles";

export const lessonStyles = [
  controls,
  primary,
  panelStyles,
  css`
    :host {
      font-size: 0.9rem;
    }
    h3 {
      margin: var(--rp-space-4) 0 var(--rp-space-1);
      font-size: 1rem;
    }
    h3:focus {
      outline: none;
    }
    .title {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      justify-content: space-between;
      gap: 0 var(--rp-space-3);
      margin-top: var(--rp-space-3);
    }
    .bar {
      display: flex;
      align-items: center;
      gap: var(--rp-space-3);
      color: var(--rp-muted);
      margin-bottom: var(--rp-space-3);
    }
    progress {
      flex: 1;
      height: 0.5rem;
      accent-color: var(--rp-accent);
    }
    .cards {
      list-style: none;
      margin: 0;
      padding: 0;
      display: grid;
      gap: var(--rp-space-2);
    }
    .card,
    .data {
      width: 100%;
      display: grid;
      text-align: left;
      white-space: normal;
      padding: var(--rp-space-2) var(--rp-space-3);
      line-height: 1.4;
      border-color: var(--rp-edge);
      border-radius: var(--rp-radius);
      background: var(--rp-ground);
    }
    .card {
      grid-template-columns: 1.6rem 1fr;
      gap: var(--rp-space-3);
    }
    .card > span:last-child {
      display: flex;
      flex-wrap: wrap;
      align-items: baseline;
      justify-content: space-between;
      gap: 0 var(--rp-space-2);
    }
    .card .summary {
      flex-basis: 100%;
    }
    .card:hover,
    .data:hover {
      border-color: var(--rp-accent);
    }
    .card small,
    .data small {
      color: var(--rp-muted);
      font-size: var(--rp-size-small);
    }
    .card .state {
      color: var(--rp-muted);
      font-size: 0.75rem;
    }
    .number {
      display: grid;
      place-items: center;
      width: 1.6rem;
      height: 1.6rem;
      border-radius: 50%;
      border: 1.5px solid var(--rp-edge-strong);
      color: var(--rp-muted);
      font-weight: 600;
      font-size: 0.8rem;
    }
    .finished .number {
      background: var(--rp-lane-5);
      border-color: var(--rp-lane-5);
      color: var(--rp-panel);
    }
    .dots {
      display: flex;
      flex-wrap: wrap;
      list-style: none;
      padding: 0;
      margin: 0 0 0 -5px;
    }
    .dots button {
      min-height: 24px;
      min-width: 24px;
      width: 24px;
      height: 24px;
      padding: 0;
      border-color: transparent;
      background: none;
      display: grid;
      place-items: center;
    }
    .dots button::after {
      content: "";
      width: 9px;
      height: 9px;
      border-radius: 50%;
      border: 1.5px solid var(--rp-edge-strong);
    }
    .dots button.finished::after {
      background: var(--rp-lane-5);
      border-color: var(--rp-lane-5);
    }
    .dots [aria-current]::after {
      border-color: var(--rp-accent);
      width: 14px;
      border-radius: 5px;
    }
    article p {
      margin: var(--rp-space-2) 0;
      max-width: 65ch;
    }
    .points {
      margin: var(--rp-space-2) 0;
      padding-left: 1.2rem;
    }
    code,
    pre {
      font-family: var(--rp-mono);
      font-size: 0.85em;
    }
    p code,
    .points code {
      background: var(--rp-raised);
      border-radius: 4px;
      padding: 0.1em 0.3em;
      overflow-wrap: anywhere;
    }
    figure {
      margin: var(--rp-space-3) 0;
      border: 1px solid var(--rp-edge);
      border-radius: var(--rp-radius-small);
      background: var(--rp-ground);
      display: flex;
      flex-wrap: wrap;
      align-items: start;
    }
    pre {
      margin: 0;
      padding: var(--rp-space-3);
      flex: 1 1 12rem;
      min-width: 0;
      white-space: pre-wrap;
      overflow-wrap: anywhere;
      line-height: 1.5;
    }
    figure button {
      margin: var(--rp-space-2);
      flex: none;
    }
    .prompt {
      color: var(--rp-accent);
    }
    .command {
      font-weight: 600;
    }
    .out {
      color: var(--rp-muted);
    }
    .aside {
      color: var(--rp-faint);
      font-style: italic;
    }
    .task {
      border: 1.5px solid var(--rp-accent);
      border-radius: var(--rp-radius);
      padding: var(--rp-space-2) var(--rp-space-3) var(--rp-space-3);
      margin: var(--rp-space-4) 0 var(--rp-space-2);
    }
    .task.solved {
      border-color: var(--rp-lane-5);
    }
    .task .label {
      color: var(--rp-accent);
      margin-right: var(--rp-space-1);
    }
    .task.solved .label {
      color: var(--rp-lane-5);
    }
    .hint,
    .lacking {
      border-left: 3px solid var(--rp-edge-strong);
      padding-left: var(--rp-space-2);
    }
    .lacking {
      border-color: var(--rp-accent);
    }
    [aria-disabled="true"] {
      opacity: 0.5;
    }
    article .keys {
      color: var(--rp-faint);
      font-size: 0.75rem;
      margin: var(--rp-space-3) 0 0;
    }
    @media not (pointer: fine) {
      article .keys {
        display: none;
      }
    }
    .row,
    .done {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      gap: var(--rp-space-2);
      margin-top: var(--rp-space-2);
    }
    .done {
      animation: appear 240ms ease-out;
    }
    .done span {
      font-weight: 600;
      color: var(--rp-lane-5);
    }
    .told {
      min-height: 1.5em;
      color: var(--rp-muted);
    }
    @keyframes appear {
      from {
        opacity: 0;
        translate: 0 0.4rem;
      }
    }
    @media (prefers-reduced-motion: reduce) {
      .done {
        animation: none;
      }
    }
  `,
];
