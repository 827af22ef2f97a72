/**
 * The guide of the first minute: one step at a time, what it did, and the next. It runs nothing itself, and hears what is
 * typed: who does a step in their own way has done it.
 */

import { LitElement, css, html, nothing, type PropertyValues } from "lit";
import { steps, type GuideLine, type Step } from "./guide";
import type { Host, Lane } from "./host";
import { Judge } from "./lessons/judge";
import { commandOf, wordsOf } from "./lessons/words";
import type { Report } from "./protocol";
import { controls, primary } from "./styles";

/** Who has typed so many lines of their own needs no button that calls for attention. */
const OWN_MAX = 3;

export class Coach extends LitElement {
  static override properties = {
    host: { attribute: false },
    at: { state: true },
    seen: { state: true },
    own: { state: true },
  };

  declare host: Host | null;
  declare private at: number;
  declare private seen: Set<number>;
  /** Lines that were typed and not pressed here. */
  declare private own: number;
  private readonly judges = steps.map(({ run }) => new Judge(run.map(({ line, like }) => ({ kind: "used", ways: like?.map(wordsOf) ?? [line.split(" ", 1)], line: 0 }))));
  private readonly latest = new Map<Lane, string>();
  /** Lines of the guide that are on their way. */
  private readonly pressed: string[] = [];
  /** What the keys of the guide are called by one who has named them otherwise. */
  private readonly names = new Map<string, string>();

  constructor() {
    super();
    this.host = null;
    this.at = 0;
    this.seen = new Set();
    this.own = 0;
  }

  protected override willUpdate(changes: PropertyValues): void {
    if (!changes.has("host")) return;
    this.host?.addEventListener("heard", (event) => {
      const { lane, report } = (event as CustomEvent<{ lane: Lane; report: Report }>).detail;
      this.hear(lane, report);
    });
  }

  private hear(lane: Lane, report: Report): void {
    // Not what is typed in a lesson, where the guide gives way.
    if (this.getClientRects().length === 0) return;
    if (report.t === "echo") {
      const at = this.pressed.indexOf(report.line);
      if (at >= 0) {
        this.pressed.splice(at, 1);
        this.latest.delete(lane);
        return;
      }
      this.own++;
      this.latest.set(lane, report.line);
      for (const judge of this.judges) judge.typed(lane, report.line);
    } else if (report.t === "print") {
      const text = report.blocks.map((block) => block.text).join("");
      for (const judge of this.judges) judge.answered(lane, text);
      this.note(this.latest.get(lane) ?? "");
    }
  }

  /** Speaks of what was done with a line, if it belongs to a step. */
  private note(line: string): void {
    this.judges.forEach((judge, at) => {
      if (this.seen.has(at) || judge.missing([]).length > 0) return;
      this.seen = new Set(this.seen).add(at);
      this.at = at;
      const { names } = steps[at]!;
      const [, name = ""] = commandOf(line);
      // Others would want quotes.
      if (names && /^[\w:.-]+$/.test(name)) this.names.set(names, name);
    });
  }

  override render() {
    const { at, seen } = this;
    const step = steps[at]!;
    const done = seen.has(at);
    const all = seen.size === steps.length;
    return html`
      <ol class="dots" aria-label="Steps" @keydown=${this.walked}>
        ${steps.map(
          (other, index) => html`<li>
            <button
              type="button"
              class="dot ${seen.has(index) ? "seen" : ""}"
              tabindex=${index === at ? 0 : -1}
              aria-label="Step ${index + 1}: ${other.shows}${seen.has(index) ? " Done." : ""}"
              aria-current=${index === at ? "step" : nothing}
              title=${other.shows}
              @click=${() => (this.at = index)}
            ></button>
          </li>`,
        )}
      </ol>
      <p class="say" aria-live="polite"><small>${at + 1} of ${steps.length}</small> <span class=${done ? "did" : "shows"}>${done ? step.did : step.shows}</span></p>
      <div class="acts">
        <button class="try ${done || this.own >= OWN_MAX ? "" : "primary"}" type="button" @click=${() => this.run(step)}>
          <svg viewBox="0 0 12 12" aria-hidden="true"><path d="M2 1l9 5-9 5z" /></svg><code>${this.titleOf(step)}</code>${done ? html`<span class="again">again</span>` : nothing}
        </button>
        ${done && !all ? html`<button class="primary" type="button" @click=${this.next}>Next</button>` : nothing}
        ${done && all ? html`<button class="primary" type="button" @click=${() => this.dispatchEvent(new CustomEvent("lessons"))}>Go on with the lessons</button>` : nothing}
      </div>
      <button class="hide" type="button" aria-label="Hide the guide" title="Hide the guide" @click=${this.hide}>
        <svg viewBox="0 0 20 20" aria-hidden="true"><path d="M6 6l8 8M14 6l-8 8" /></svg>
      </button>
    `;
  }

  /** Arrows go from step to step, so that Tab passes them at once. */
  private walked(event: KeyboardEvent): void {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    this.at = (this.at + by + steps.length) % steps.length;
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>("[aria-current]")?.focus());
  }

  /** To the next step that was not done, wherever it is. */
  private next(): void {
    const open = (at: number) => !this.seen.has(at);
    const later = steps.findIndex((_, at) => at > this.at && open(at));
    this.at = later >= 0 ? later : steps.findIndex((_, at) => open(at));
    // The button that was pressed is gone.
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>(".try")?.focus());
  }

  private hide(): void {
    this.dispatchEvent(new CustomEvent("hide"));
    // The button that was pressed is gone.
    const prompt = (this.getRootNode() as ShadowRoot).querySelector<HTMLElement>(".lane.active repl-terminal");
    if (!matchMedia("(pointer: coarse)").matches) prompt?.focus();
  }

  private run(step: Step): void {
    this.seen = new Set(this.seen).add(this.at);
    const run = step.run.map((line) => this.named(line));
    this.pressed.push(...run.map(({ line }) => line));
    this.dispatchEvent(new CustomEvent("show", { detail: { ...step, run } }));
  }

  private named(line: GuideLine): GuideLine {
    return { ...line, line: line.line.replace(/\{(\w+)\}/g, (_, name) => this.names.get(name) ?? name) };
  }

  private titleOf(step: Step): string {
    return step.title ?? step.run.map((line) => this.named(line).line).join("; ");
  }

  static override styles = [
    controls,
    primary,
    css`
      :host {
        display: flex;
        align-items: center;
        position: relative;
        gap: var(--rp-space-2) var(--rp-space-4);
        box-sizing: border-box;
        /* Room for two lines, so that nothing moves when a step has more to say. */
        min-height: 3.5rem;
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
        min-width: min(12rem, 100%);
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
      .hide {
        flex: none;
        display: grid;
        place-items: center;
        width: 1.75rem;
        min-height: 1.75rem;
        margin-left: calc(-1 * var(--rp-space-2));
        padding: 0;
        border-color: transparent;
        background: none;
        color: var(--rp-muted);
      }
      .hide:hover {
        color: var(--rp-text);
        background: var(--rp-raised);
      }
      .hide svg {
        width: 1.1rem;
        fill: none;
        stroke: currentColor;
        stroke-width: 1.7;
        stroke-linecap: round;
      }
      .again {
        color: var(--rp-muted);
      }
      @container (max-width: 1099px) {
        :host {
          flex-wrap: wrap;
        }
        .say {
          order: -1;
          flex-basis: 100%;
          padding-right: 1.75rem;
          box-sizing: border-box;
        }
        .hide {
          position: absolute;
          inset: var(--rp-space-1) var(--rp-space-1) auto auto;
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
        .say {
          min-height: 2.8em;
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
