/** Time beside a server elsewhere: what was sent there and what it changed. Its clock cannot be turned back; a copy of it can. */

import { css, html, nothing } from "lit";
import { journalOf } from "../journal";
import { difference, differenceStyles } from "./difference";
import { LookingPanel } from "./looking";
import { panelStyles } from "./keys-styles";
import { inspect } from "../past";
import { countText, timeText, type Moment, type Step, type Timeline } from "./look";

const SHOWN_MAX = 500;

export class AttachedTime extends LookingPanel {
  static override properties = {
    shell: { attribute: false },
    shown: { attribute: false },
    timeline: { state: true },
    step: { state: true },
    copying: { state: true },
    trouble: { state: true },
  };

  declare private timeline: Timeline | null;
  declare private step: Step | null;
  declare private copying: boolean;
  declare private trouble: string;
  private asked = 0;

  constructor() {
    super();
    this.timeline = null;
    this.step = null;
    this.copying = false;
    this.trouble = "";
  }

  protected override async ask(): Promise<void> {
    const { shell } = this;
    const asked = ++this.asked;
    const rows = this.renderRoot.querySelector(".rows");
    const atEnd = !rows || rows.scrollHeight - rows.scrollTop - rows.clientHeight < 30;
    const timeline = await inspect<Timeline>(shell, { q: "timeline", from: 0, count: SHOWN_MAX });
    const step = await inspect<Step>(shell, { q: "step", moment: shell.moment });
    if (asked !== this.asked) return;
    this.timeline = timeline;
    this.step = step;
    await this.updateComplete;
    if (atEnd && shell.moment === null) this.renderRoot.querySelector(".rows")?.scrollTo({ top: 1e9 });
  }

  override render() {
    const rows = this.timeline?.shown ?? [];
    return html`<div class="say">
        <p><b>A server's clock cannot be turned back.</b> What these terminals sent is listed, with what it did to the keys it names.</p>
        <button class="primary" type="button" ?disabled=${this.copying} @click=${this.copy}>${this.copying ? "Taking a copy…" : "Take a copy into a sandbox"}</button>
        <p class="small-note">There, time can be paused, skipped and gone back to. The server is only read.</p>
        <div aria-live="polite">${this.trouble ? html`<p class="trouble">${this.trouble}</p>` : nothing}</div>
      </div>
      ${rows.length === 0
        ? html`<p class="note">Nothing was sent yet.</p>`
        : html`<div class="rows" role="listbox" aria-label="Commands sent" @keydown=${this.pressed}>${rows.map((row, at) => this.row(row, at, rows))}</div>`}
      ${this.changes()}`;
  }

  private row(row: Moment, at: number, rows: Moment[]) {
    const { moment } = this.shell;
    const current = moment === null ? at === rows.length - 1 : row.moment === moment;
    return html`<div
      class="row ${moment !== null && row.moment > moment ? "later" : ""}"
      role="option"
      aria-selected=${moment !== null && current}
      tabindex=${current ? 0 : -1}
      @click=${() => this.goTo(at)}
    >
      <span class="at">${timeText(row.at)}</span><span class="who" title="Client">${row.client}</span><code>${row.text}</code>
    </div>`;
  }

  private changes() {
    const { step, shell } = this;
    if (!step) return nothing;
    const past = shell.moment !== null;
    return html`<div class="changes">
      <h2>${past ? "After" : "Last:"} <code>${step.input.text}</code></h2>
      ${past ? html`<p class="small-note">The panel “Keys” shows what is known of that time. <button type="button" @click=${() => (shell.moment = null)}>Back to the present</button></p>` : nothing}
      <div class="list" tabindex="0" role="group" aria-label="What it changed">
        ${step.differences.map(difference)}
        ${step.attached?.notes.map((note) => html`<p class="small-note">${note}</p>`)}
        ${step.changes > step.differences.length && step.steps[0]?.keys[0]?.unseen !== true ? html`<p class="small-note">${countText(step.changes - step.differences.length, "key")} changed that are too long to compare.</p>` : nothing}
        ${step.changes === 0 ? html`<p class="small-note">It changed no key that it names.</p>` : nothing}
      </div>
    </div>`;
  }

  private goTo(index: number): void {
    const rows = this.timeline?.shown ?? [];
    const row = rows[index];
    if (!row) return;
    this.shell.moment = index === rows.length - 1 ? null : row.moment;
    this.look();
    void this.updateComplete.then(() => (this.renderRoot.querySelectorAll(".row")[index] as HTMLElement | undefined)?.focus());
  }

  private pressed(event: KeyboardEvent): void {
    const rows = this.timeline?.shown ?? [];
    const { moment } = this.shell;
    const at = moment === null ? rows.length - 1 : rows.findIndex((row) => row.moment === moment);
    const moves: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 10, PageUp: at - 10, Home: 0, End: rows.length - 1 };
    if (event.key === "Escape") this.shell.moment = null;
    const to = moves[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.goTo(Math.max(0, Math.min(rows.length - 1, to)));
  }

  private async copy(): Promise<void> {
    const { shell } = this;
    const { attached } = shell.sandboxes;
    this.copying = true;
    this.trouble = "";
    try {
      const { rdb, keys, left, reason } = await shell.host.job<{ rdb: Uint8Array; keys: number; left: number; reason: string | null }>({ do: "copy", space: shell.space });
      const journal = journalOf(rdb, crypto.getRandomValues(new Uint32Array(1))[0]!, Date.now());
      const name = `Copy of ${attached?.host}:${attached?.port}`;
      shell.moment = null;
      if (shell.sandboxes.keeps) await shell.sandboxes.create(name, journal);
      else shell.sandboxes.visit("copy", undefined, journal);
      shell.notice(`${countText(keys, "key")} of ${attached?.host}:${attached?.port} are here now, in a sandbox. What you do here stays here.`);
      if (left > 0) shell.notice(`${countText(left, "key")} could not be copied: ${reason}.`, "error");
    } catch (failure) {
      this.trouble = `No copy was taken: ${failure instanceof Error ? failure.message : String(failure)}`;
    } finally {
      this.copying = false;
    }
  }

  static override styles = [
    ...panelStyles,
    differenceStyles,
    css`
      :host {
        flex: 1;
      }
      .say {
        padding: var(--rp-space-3);
        border-bottom: 1px solid var(--rp-edge);
      }
      .say p {
        margin: 0 0 var(--rp-space-2);
      }
      .say .small-note {
        margin: var(--rp-space-1) 0 0;
      }
      .trouble {
        color: var(--rp-error);
      }
      .rows {
        flex: 1 1 45%;
        min-height: 5rem;
        overflow: auto;
        scrollbar-width: thin;
      }
      .row {
        display: flex;
        gap: var(--rp-space-3);
        align-items: center;
        height: 1.75rem;
        padding: 0 var(--rp-space-3);
        white-space: nowrap;
        cursor: pointer;
      }
      .row:hover {
        background: var(--rp-raised);
      }
      .row[aria-selected="true"] {
        background: color-mix(in srgb, var(--rp-accent) 14%, transparent);
        box-shadow: inset 3px 0 var(--rp-accent);
      }
      .row:focus-visible {
        outline-offset: -2px;
      }
      .row code {
        overflow: hidden;
        text-overflow: ellipsis;
      }
      .later code {
        color: var(--rp-muted);
      }
      .at,
      .who {
        flex: none;
        color: var(--rp-muted);
        font-variant-numeric: tabular-nums;
      }
      .changes {
        flex: 1 1 40%;
        min-height: 0;
        display: flex;
        flex-direction: column;
        padding: var(--rp-space-3);
        border-top: 1px solid var(--rp-edge);
      }
      .list {
        flex: 1;
        min-height: 3rem;
        overflow: auto;
        scrollbar-width: thin;
      }
      h2 {
        overflow-wrap: anywhere;
      }
    `,
  ];
}

if (!customElements.get("rp-time-attached")) customElements.define("rp-time-attached", AttachedTime);
