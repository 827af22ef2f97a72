/** The time of the session: its clock, every moment of it, what each changed, and branches that go on from one. */

import { LitElement, css, html, nothing, type PropertyValues } from "lit";
import { inspect } from "../past";
import type { PanelElement, Shell } from "./index";
import { difference, differenceStyles } from "./difference";
import { panelStyles } from "./keys-styles";
import "./time-attached";
import { timeText, vars, type Step, type Timeline } from "./look";

const ROW_PX = 28;
const MARGIN = 10;
const LOOK_MS = 100;
const RATES = [1, 10, 60, 3600];
const STEPS: [string, number][] = [["1 s", 1000], ["10 s", 10_000], ["1 min", 60_000], ["1 h", 3_600_000], ["1 day", 86_400_000]];

/** A session left behind, to come back to. */
interface Branch {
  name: string;
  journal: Uint8Array;
  /** The time at which it was left. */
  time: number;
}

export class TimePanel extends LitElement implements PanelElement {
  static override properties = {
    shell: { attribute: false },
    shown: { attribute: false },
    timeline: { state: true },
    step: { state: true },
    branches: { state: true },
    tick: { state: true },
    cursor: { state: true },
  };

  declare shell: Shell;
  declare shown: boolean;
  declare private timeline: Timeline | null;
  declare private step: Step | null;
  declare private branches: Branch[];
  declare private tick: number;
  declare private cursor: number;
  private stop: (() => void) | null = null;
  private timer: ReturnType<typeof setInterval> | null = null;
  private wait: ReturnType<typeof setTimeout> | null = null;
  private from = 0;
  private asked = 0;
  private count = 1;
  private name = "the first line";
  private readonly heard = () => this.requestUpdate();

  constructor() {
    super();
    this.shown = false;
    this.timeline = null;
    this.step = null;
    this.branches = [];
    this.tick = 0;
    this.cursor = -1;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.stop = this.shell.onTurn(() => this.look());
    this.shell.host.addEventListener("clock", this.heard);
    this.timer = setInterval(() => this.shown && this.tick++, 200);
    this.look();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.stop?.();
    this.shell.host.removeEventListener("clock", this.heard);
    if (this.timer) clearInterval(this.timer);
    if (this.wait) clearTimeout(this.wait);
  }

  protected override updated(changes: PropertyValues): void {
    if (changes.has("shown") && this.shown) this.look();
  }

  private look(): void {
    if (!this.shown || this.wait) return;
    this.wait = setTimeout(() => {
      this.wait = null;
      void this.ask();
    }, LOOK_MS);
  }

  private async ask(): Promise<void> {
    const { shell } = this;
    if (shell.sandboxes.attached) {
      this.requestUpdate();
      return;
    }
    const asked = ++this.asked;
    const top = this.scroller?.scrollTop;
    // At the end, and not led away from it since.
    const staysAtEnd = this.timeline === null || this.isAtEnd() ? () => shell.moment === null && this.scroller?.scrollTop === top : () => false;
    const height = this.scroller?.clientHeight ?? 400;
    const count = Math.ceil(height / ROW_PX) + 2 * MARGIN;
    let timeline = await inspect<Timeline>(shell, { q: "timeline", from: this.from, count });
    if (timeline && staysAtEnd() && timeline.rows > this.from + timeline.shown.length) {
      // It has grown: the end stays in sight.
      this.from = Math.max(0, timeline.rows - count);
      timeline = await inspect<Timeline>(shell, { q: "timeline", from: this.from, count });
    }
    const step = await inspect<Step>(shell, { q: "step", moment: shell.moment });
    if (asked !== this.asked) return;
    const toEnd = staysAtEnd();
    this.timeline = timeline;
    this.step = step;
    if (toEnd) {
      await this.updateComplete;
      if (this.scroller) this.scroller.scrollTop = this.scroller.scrollHeight;
    }
  }

  private get scroller(): HTMLElement | null {
    return this.renderRoot?.querySelector<HTMLElement>(".rows") ?? null;
  }

  private isAtEnd(): boolean {
    const { scroller } = this;
    return !scroller || scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < ROW_PX;
  }

  private scrolled(): void {
    const from = Math.max(0, Math.floor(this.scroller!.scrollTop / ROW_PX) - MARGIN);
    if (Math.abs(from - this.from) < MARGIN / 2) return;
    this.from = from;
    this.look();
  }

  // ---- Drawing

  override render() {
    const { timeline, shell, shown } = this;
    if (shell.sandboxes.attached) return html`<rp-time-attached .shell=${shell} .shown=${shown}></rp-time-attached>`;
    return html`${this.clock()} ${timeline ? this.moments(timeline) : html`<p class="note">Looking…</p>`} ${this.changes()} ${this.others()}`;
  }

  private clock() {
    const { shell } = this;
    const clock = shell.host.clockOf(shell.space);
    const time = shell.host.timeIn(shell.space);
    const { paused, rate } = clock ?? { paused: false, rate: 1 };
    const away = time - Date.now();
    return html`<div class="clock ${paused ? "paused" : ""}" role="group" aria-label="Clock">
      <div class="face">
        <time>${timeText(time)}</time>
        <small>${new Date(time).toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short" })}${paused ? " · paused" : rate > 1 ? ` · ×${rate}` : Math.abs(away) > 1500 ? " · not the world's time" : " · as in the world"}</small>
      </div>
      <button class="primary" type="button" @click=${() => shell.host.setClock(shell.space, !paused, rate)}>${paused ? "Run" : "Pause"}</button>
      <label
        >Speed
        <select @change=${(event: Event) => shell.host.setClock(shell.space, paused, Number((event.target as HTMLSelectElement).value))}>
          ${RATES.map((choice) => html`<option value=${choice} ?selected=${choice === rate}>×${choice}</option>`)}
        </select>
      </label>
      <div class="steps" role="group" aria-label="Skip">
        ${STEPS.map(([text, ms]) => html`<button type="button" aria-label="Skip ${text}" @click=${() => shell.host.pass(shell.space, ms)}>+${text}</button>`)}
      </div>
    </div>`;
  }

  private moments(timeline: Timeline) {
    const { shell } = this;
    const cursor = this.cursor >= 0 && this.cursor < timeline.rows ? this.cursor : timeline.rows - 1;
    return html`<div
      class="rows"
      role="listbox"
      aria-label="Moments"
      tabindex=${timeline.rows > 0 ? nothing : 0}
      @scroll=${this.scrolled}
      @keydown=${this.pressed}
    >
      <div class="all" role="presentation" ${vars({ "--height": `${timeline.rows * ROW_PX}px` })}>
        ${timeline.shown.map((row, at) => {
          const index = timeline.from + at;
          const later = shell.moment !== null && row.moment > shell.moment;
          return html`<div
            class="row ${later ? "later" : ""}"
            ${vars({ "--at": `${index * ROW_PX}px` })}
            role="option"
            aria-selected=${row.moment === shell.moment}
            aria-posinset=${index + 1}
            aria-setsize=${timeline.rows}
            data-index=${index}
            tabindex=${index === cursor ? 0 : -1}
            @click=${() => this.goTo(index, row.moment)}
          >
            <span class="at">${timeText(row.at)}</span><span class="who" title="Client">${row.client || ""}</span><code>${row.text}${row.more > 0 ? ` (+${row.more})` : ""}</code>
          </div>`;
        })}
      </div>
    </div>`;
  }

  private changes() {
    const { step, shell } = this;
    if (!step) return nothing;
    const past = shell.moment !== null;
    return html`<div class="changes">
      <h2>
        ${past ? html`After <code>${step.input.text || "time passed"}</code>` : html`Last: <code>${step.input.text || "time passed"}</code>`}
      </h2>
      ${past
        ? html`<p class="buttons">
            <button class="primary" type="button" @click=${this.branch}>Go on from here</button>
            <button type="button" @click=${() => (shell.moment = null)}>Back to the present</button>
          </p>`
        : nothing}
      <div class="list" tabindex="0" role="group" aria-label="What it changed">
        ${step.differences.length === 0 ? html`<p class="small-note">It changed no key.</p>` : step.differences.map(difference)}
        ${step.changes > step.differences.length ? html`<p class="small-note">and ${step.changes - step.differences.length} more keys</p>` : nothing}
      </div>
    </div>`;
  }

  private others() {
    if (this.branches.length === 0) return nothing;
    return html`<div class="branches" role="group" aria-label="Branches">
      <span>Also kept:</span>
      ${this.branches.map((branch) => html`<button type="button" title="Left at ${timeText(branch.time)}" @click=${() => this.switchTo(branch)}>${branch.name}</button>`)}
    </div>`;
  }

  // ---- Moving

  private goTo(index: number, moment: number): void {
    this.cursor = index;
    const last = this.timeline && index === this.timeline.rows - 1;
    this.shell.moment = last ? null : moment;
    this.look();
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>(`[data-index="${index}"]`)?.focus({ preventScroll: true }));
  }

  private pressed(event: KeyboardEvent): void {
    const { timeline } = this;
    if (!timeline) return;
    const at = this.cursor >= 0 ? this.cursor : timeline.rows - 1;
    const page = Math.max(1, Math.floor(this.scroller!.clientHeight / ROW_PX) - 1);
    const moves: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: timeline.rows - 1 };
    const to = moves[event.key];
    if (event.key === "Escape") this.shell.moment = null;
    if (to === undefined) return;
    event.preventDefault();
    const index = Math.max(0, Math.min(timeline.rows - 1, to));
    const { scrollTop, clientHeight } = this.scroller!;
    if (index * ROW_PX < scrollTop) this.scroller!.scrollTop = index * ROW_PX;
    else if ((index + 1) * ROW_PX > scrollTop + clientHeight) this.scroller!.scrollTop = (index + 1) * ROW_PX - clientHeight;
    void this.reach(index, 400);
  }

  /** The row may still be on its way from the engine. */
  private reach(index: number, tries: number): void {
    const row = this.timeline?.shown[index - this.timeline.from];
    if (row) this.goTo(index, row.moment);
    else if (tries > 0) setTimeout(() => this.reach(index, tries - 1), 25);
  }

  // ---- Branches

  private leave(): Branch {
    const { host, space } = this.shell;
    return { name: this.name, journal: host.journal(space), time: host.timeIn(space) };
  }

  private branch(): void {
    const { shell } = this;
    if (shell.moment === null) return;
    const { moment } = shell;
    this.branches = [...this.branches, this.leave()];
    this.name = `branch ${this.count++}, from moment ${moment}`;
    shell.host.branch(shell.space, moment);
    shell.branched(moment);
    shell.moment = null;
    this.cursor = -1;
    this.from = 0;
    this.timeline = null;
  }

  private switchTo(branch: Branch): void {
    const { shell } = this;
    this.branches = [...this.branches.filter((other) => other !== branch), this.leave()];
    this.name = branch.name;
    shell.moment = null;
    shell.host.restore(shell.space, branch.journal, branch.time);
    shell.branched(null);
    shell.notice(`Back on ${branch.name}.`);
    this.cursor = -1;
    this.from = 0;
    this.timeline = null;
  }

  static override styles = [
    ...panelStyles,
    differenceStyles,
    css`
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
      .all {
        position: relative;
        height: var(--height);
      }
      .row {
        position: absolute;
        inset: var(--at) 0 auto 0;
        height: 28px;
        display: flex;
        align-items: center;
        gap: var(--rp-space-2);
        padding: 0 var(--rp-space-3);
        cursor: pointer;
        white-space: nowrap;
      }
      .row:hover {
        background: var(--rp-raised);
      }
      .row[aria-selected="true"] {
        background: var(--rp-raised);
        box-shadow: inset 3px 0 var(--rp-accent);
        font-weight: 600;
      }
      .row:focus-visible {
        outline-offset: -2px;
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
      .branches {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: var(--rp-space-2);
        padding: var(--rp-space-2) var(--rp-space-3);
        border-top: 1px solid var(--rp-edge);
        color: var(--rp-muted);
      }
    `,
  ];
}

if (!customElements.get("rp-time")) customElements.define("rp-time", TimePanel);
