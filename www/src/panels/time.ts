/** The time of the session: its clock, every moment of it, what each changed, and branches that go on from one. */

import { html, nothing } from "lit";
import { Branches, type Branch } from "../branches";
import { inspect, pastsOf } from "../past";
import type { Where } from "../protocol";
import { live } from "lit/directives/live.js";
import { LookingPanel } from "./looking";
import { difference, differenceStyles } from "./difference";
import { panelStyles, rowStyles } from "./keys-styles";
import "./time-attached";
import { timeStyles } from "./time-styles";
import { spanText, timeText, vars, type Step, type Timeline } from "./look";

const ROW_PX = 28;
const MARGIN = 10;
const RATES = [1, 10, 60, 3600];
const STEPS: [string, number][] = [["1 s", 1000], ["10 s", 10_000], ["1 min", 60_000], ["1 h", 3_600_000], ["1 day", 86_400_000]];

export class TimePanel extends LookingPanel {
  static override properties = {
    shell: { attribute: false },
    shown: { attribute: false },
    timeline: { state: true },
    step: { state: true },
    branches: { state: true },
    renaming: { state: true },
    due: { state: true },
    tick: { state: true },
    cursor: { state: true },
  };

  declare private timeline: Timeline | null;
  declare private step: Step | null;
  declare private branches: Branches | null;
  /** The name of the branch whose name is being written. */
  declare private renaming: string | null;
  declare private due: number | null;
  declare private tick: number;
  declare private cursor: number;
  private timer: ReturnType<typeof setInterval> | null = null;
  private from = 0;
  /** How to bring back the branch that was removed last, and its name. */
  private undo: (() => Promise<void>) | null = null;
  private removed = "";
  /** Which keyspace the branches are of. */
  private branchesOf = "";
  private asking = false;
  private again = false;
  /** The row to go to once it is here. */
  private wanted: number | null = null;
  private readonly heard = () => this.requestUpdate();

  constructor() {
    super();
    this.timeline = null;
    this.step = null;
    this.branches = null;
    this.renaming = null;
    this.due = null;
    this.tick = 0;
    this.cursor = -1;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.shell.host.addEventListener("clock", this.heard);
    this.timer = setInterval(() => this.shown && this.tick++, 200);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.shell.host.removeEventListener("clock", this.heard);
    if (this.timer) clearInterval(this.timer);
  }

  /** Asks, and once more if something was to be asked meanwhile: never two questions at a time. */
  protected override async ask(): Promise<void> {
    this.again = this.asking;
    if (this.asking) return;
    this.asking = true;
    try {
      await this.askOnce();
    } finally {
      this.asking = false;
    }
    if (this.again) void this.ask();
  }

  private async askOnce(): Promise<void> {
    const { shell } = this;
    if (shell.sandboxes.attached) {
      this.requestUpdate();
      return;
    }
    await this.askBranches();
    const top = this.scroller?.scrollTop;
    // At the end, and not led away from it since.
    const staysAtEnd = this.timeline === null || this.isAtEnd() ? () => shell.moment === null && this.wanted === null && this.scroller?.scrollTop === top : () => false;
    const height = this.scroller?.clientHeight ?? 400;
    const count = Math.ceil(height / ROW_PX) + 2 * MARGIN;
    let timeline = await inspect<Timeline>(shell, { q: "timeline", from: this.from, count });
    if (timeline && staysAtEnd() && timeline.rows > this.from + timeline.shown.length) {
      // It has grown: the end stays in sight.
      this.from = Math.max(0, timeline.rows - count);
      timeline = await inspect<Timeline>(shell, { q: "timeline", from: this.from, count });
    }
    const row = timeline?.shown[(this.wanted ?? -1) - (timeline?.from ?? 0)];
    if (timeline && row) {
      shell.moment = this.wanted === timeline.rows - 1 ? null : row.moment;
      this.wanted = null;
      this.timeline = timeline;
    }
    const where = await inspect<Where>(shell, { q: "where" });
    const step = await this.stepAt(shell.moment);
    const toEnd = staysAtEnd();
    this.due = where?.due ?? null;
    this.timeline = timeline;
    this.step = step;
    if (toEnd) {
      await this.updateComplete;
      if (this.scroller) this.scroller.scrollTop = this.scroller.scrollHeight;
    }
  }

  /** What a moment changed. How much was played for it stands in `data-played`, for whoever measures it. */
  async stepAt(moment: number | null): Promise<Step | null> {
    const step = await inspect<Step>(this.shell, { q: "step", moment });
    this.dataset["played"] = String(pastsOf(this.shell.host).played);
    return step;
  }

  /** Those of the keyspace shown, once it is known whether it is kept. */
  private async askBranches(): Promise<void> {
    const { space, host, sandboxes } = this.shell;
    const of = `${space} ${sandboxes.keeping}`;
    if (of === this.branchesOf) return;
    this.branchesOf = of;
    const branches = new Branches(host, space);
    await branches.open(sandboxes);
    if (of === this.branchesOf) this.branches = branches;
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
        ${STEPS.map(([text, ms]) => html`<button type="button" aria-label="Skip ${text}" @click=${() => this.pass(ms)}>+${text}</button>`)}
        <button
          type="button"
          title="Skip to when the next key expires or the next client has waited long enough"
          ?disabled=${this.due === null}
          @click=${() => this.pass(this.due! - time + 1)}
        >
          Next expiry${this.due === null ? nothing : html` <small>in ${spanText(this.due - time)}</small>`}
        </button>
      </div>
    </div>`;
  }

  private moments(timeline: Timeline) {
    const { shell } = this;
    const cursor = this.cursor >= 0 && this.cursor < timeline.rows ? this.cursor : timeline.rows - 1;
    const shownRow = timeline.shown[cursor - timeline.from];
    return html`<div class="scrub">
        <button class="icon" type="button" aria-label="Moment before" ?disabled=${cursor <= 0} @click=${() => this.scrub(cursor - 1)}>‹</button>
        <input
          type="range"
          aria-label="Moment"
          aria-valuetext="${cursor + 1} of ${timeline.rows}${shownRow ? `: ${shownRow.text}` : ""}"
          min="1"
          max=${Math.max(1, timeline.rows)}
          .value=${live(String(cursor + 1))}
          @input=${(event: Event) => this.scrub(Number((event.target as HTMLInputElement).value) - 1)}
        />
        <button class="icon" type="button" aria-label="Moment after" ?disabled=${cursor >= timeline.rows - 1} @click=${() => this.scrub(cursor + 1)}>›</button>
        <output>${cursor + 1} of ${timeline.rows}</output>
      </div>
      <div
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
    const { branches } = this;
    if (!branches || (branches.others.length === 0 && !this.undo)) return nothing;
    return html`<section class="branches" aria-label="Branches">
      <h2>Branches</h2>
      <ul>
        ${branches.tree.map(({ branch, depth }) => this.branchOf(branch, depth, branches))}
      </ul>
      ${this.undo ? html`<p class="small-note" role="status">“${this.removed}” is deleted. <button type="button" @click=${this.bringBack}>Undo</button></p>` : nothing}
    </section>`;
  }

  private branchOf(branch: Branch, depth: number, branches: Branches) {
    const { name } = branch;
    const isHere = branch === branches.here;
    if (this.renaming === name) {
      return html`<li ${vars({ "--depth": depth })}>
        <input
          aria-label="Name of ${name}"
          .value=${name}
          @keydown=${(event: KeyboardEvent) => {
            if (event.key === "Escape") this.renaming = null;
            if (event.key === "Enter") void this.rename(branch, event.target as HTMLInputElement);
          }}
          @blur=${(event: Event) => this.renaming === name && void this.rename(branch, event.target as HTMLInputElement)}
        />
      </li>`;
    }
    return html`<li ${vars({ "--depth": depth })}>
      ${isHere ? html`<b aria-current="true">${name}</b>` : html`<button type="button" title="Go on with it" @click=${() => this.switchTo(branch)}>${name}</button>`}
      <small>${isHere ? "here" : `left at ${timeText(branch.left ?? 0)}`}${branch.from === null ? "" : `, from moment ${branch.moment} of ${branch.from}`}</small>
      <span class="acts" role="group" aria-label=${name}>
        <button type="button" @click=${() => this.beginRename(name)}>Rename</button>
        ${isHere
          ? nothing
          : html`<button type="button" title="Make a sandbox of its own of it" @click=${() => this.keep(branch)}>Keep as sandbox</button>
              <button type="button" @click=${() => this.drop(branch)}>Delete</button>`}
      </span>
    </li>`;
  }

  // ---- Moving

  private goTo(index: number, moment: number): void {
    this.cursor = index;
    const last = this.timeline && index === this.timeline.rows - 1;
    this.shell.moment = last ? null : moment;
    void this.ask();
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>(`[data-index="${index}"]`)?.focus({ preventScroll: true }));
  }

  /** Goes to a row as one drags along: the last one asked for is shown, whatever was passed on the way. */
  private scrub(index: number): void {
    const { timeline, scroller } = this;
    if (!timeline || index < 0 || index >= timeline.rows) return;
    this.cursor = this.wanted = index;
    if (scroller) {
      scroller.scrollTop = index * ROW_PX - scroller.clientHeight / 2;
      this.from = Math.max(0, index - MARGIN - Math.ceil(scroller.clientHeight / ROW_PX / 2));
    }
    void this.ask();
  }

  private pass(ms: number): void {
    const { host, space } = this.shell;
    host.pass(space, ms);
    void host.sync().then(() => this.look());
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

  private async branch(): Promise<void> {
    const { shell, branches } = this;
    const { moment } = shell;
    if (moment === null || !branches) return;
    await branches.begin(moment);
    shell.branched(moment);
    this.begun();
  }

  private async switchTo(branch: Branch): Promise<void> {
    const { shell, branches } = this;
    if (!(await branches?.goTo(branch))) return;
    shell.branched(null);
    shell.notice(`Back on ${branch.name}.`);
    this.begun();
  }

  /** Another session is shown, from its end. */
  private begun(): void {
    this.shell.moment = null;
    this.cursor = -1;
    this.wanted = null;
    this.from = 0;
    this.timeline = null;
    this.step = null;
    this.look();
  }

  private beginRename(name: string): void {
    this.renaming = name;
    void this.updateComplete.then(() => {
      const input = this.renderRoot.querySelector<HTMLInputElement>(".branches input");
      input?.focus();
      input?.select();
    });
  }

  private async rename(branch: Branch, input: HTMLInputElement): Promise<void> {
    this.renaming = null;
    const name = input.value.trim();
    if (name === "" || name === branch.name) return;
    if (!(await this.branches?.rename(branch, name))) this.shell.notice(`There is a branch “${name}” already.`, "error");
    this.requestUpdate();
  }

  private async drop(branch: Branch): Promise<void> {
    this.undo = (await this.branches?.remove(branch)) ?? null;
    this.removed = branch.name;
    this.requestUpdate();
  }

  private async bringBack(): Promise<void> {
    await this.undo?.();
    this.undo = null;
    this.requestUpdate();
  }

  private async keep(branch: Branch): Promise<void> {
    const { sandboxes } = this.shell;
    const journal = await this.branches?.read(branch);
    if (!journal) return;
    if (await sandboxes.create(`${sandboxes.current.name}: ${branch.name}`, journal)) this.begun();
    else this.shell.notice("This browser keeps no sandboxes here.", "error");
  }

  static override styles = [...panelStyles, differenceStyles, rowStyles, timeStyles];
}

if (!customElements.get("rp-time")) customElements.define("rp-time", TimePanel);
