/** The guide of the first minute: one step at a time, what it did, and the next. It runs nothing itself. */

import { LitElement, css, html, nothing } from "lit";
import { steps, type Step } from "./guide";
import { controls, primary } from "./styles";

export class Coach extends LitElement {
  static override properties = {
    at: { state: true },
    seen: { state: true },
  };

  declare private at: number;
  declare private seen: Set<number>;

  constructor() {
    super();
    this.at = 0;
    this.seen = new Set();
  }

  override render() {
    const { at } = this;
    const step = steps[at]!;
    const done = this.seen.has(at);
    const last = at === steps.length - 1;
    return html`
      <ol class="dots" aria-label="Steps">
        ${steps.map(
          (other, index) => html`<li>
            <button
              type="button"
              class="dot ${this.seen.has(index) ? "seen" : ""}"
              aria-label="Step ${index + 1}: ${other.shows}${this.seen.has(index) ? " Done." : ""}"
              aria-current=${index === at ? "step" : nothing}
              title=${other.shows}
              @click=${() => (this.at = index)}
            ></button>
          </li>`,
        )}
      </ol>
      <p class="say" aria-live="polite"><small>${at + 1} of ${steps.length}</small> <span class=${done ? "did" : "shows"}>${done ? step.did : step.shows}</span></p>
      <div class="acts">
        <button class="try ${done ? "" : "primary"}" type="button" @click=${() => this.run(step)}>
          <svg viewBox="0 0 12 12" aria-hidden="true"><path d="M2 1l9 5-9 5z" /></svg><code>${titleOf(step)}</code>${done ? html`<span class="again">again</span>` : nothing}
        </button>
        ${done && !last ? html`<button class="primary" type="button" @click=${() => this.at++}>Next</button>` : nothing}
        ${done && last ? html`<button class="primary" type="button" @click=${() => this.dispatchEvent(new CustomEvent("lessons"))}>Go on with the lessons</button>` : nothing}
      </div>
    `;
  }

  private run(step: Step): void {
    this.seen = new Set(this.seen).add(this.at);
    this.dispatchEvent(new CustomEvent("show", { detail: step }));
  }

  static override styles = [
    controls,
    primary,
    css`
      :host {
        display: flex;
        align-items: center;
        gap: var(--rp-space-2) var(--rp-space-4);
        padding: var(--rp-space-2) var(--rp-space-3);
        background: var(--rp-panel);
        border: 1px solid var(--rp-edge);
        border-radius: var(--rp-radius);
        font-size: var(--rp-size-small);
      }
      .dots {
        display: flex;
        margin: 0;
        padding: 0;
        list-style: none;
      }
      .dot {
        display: grid;
        place-items: center;
        width: 1.5rem;
        min-height: 1.5rem;
        padding: 0;
        border: 0;
        border-radius: 50%;
      }
      .dot::before {
        content: "";
        width: 0.5rem;
        height: 0.5rem;
        border: 1.5px solid var(--rp-edge-strong);
        border-radius: 50%;
        transition: scale 160ms, background-color 160ms;
      }
      .dot.seen::before {
        background: var(--rp-status);
        border-color: var(--rp-status);
      }
      .dot[aria-current]::before {
        scale: 1.5;
        border-color: var(--rp-accent);
      }
      .dot[aria-current].seen::before {
        background: var(--rp-accent);
      }
      .say {
        flex: 1;
        min-width: 12rem;
        margin: 0;
        color: var(--rp-text);
        line-height: 1.4;
      }
      .say small {
        color: var(--rp-muted);
        margin-right: var(--rp-space-1);
      }
      .shows {
        font-weight: 600;
      }
      .acts {
        display: flex;
        gap: var(--rp-space-2);
        min-width: 0;
      }
      .acts button {
        min-width: 0;
      }
      .try {
        display: inline-flex;
        align-items: center;
        gap: var(--rp-space-2);
      }
      .try svg {
        flex: none;
        width: 0.7rem;
        height: 0.7rem;
        fill: currentColor;
      }
      .try code {
        font: 600 var(--rp-size-small) / 1.4 var(--rp-mono);
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .again {
        color: var(--rp-muted);
      }
      @container (max-width: 899px) {
        :host {
          flex-wrap: wrap;
        }
        .say {
          order: -1;
          flex-basis: 100%;
        }
        .acts {
          flex: 1;
          justify-content: flex-end;
        }
      }
      @container (max-width: 719px) {
        .dots {
          display: none;
        }
        .acts {
          justify-content: stretch;
        }
        .try {
          flex: 1;
          min-height: 2.5rem;
          justify-content: center;
        }
      }
    `,
  ];
}

function titleOf(step: Step): string {
  return step.title ?? step.run.map(({ line }) => line).join("; ");
}
