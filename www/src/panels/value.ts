/** One value: its facts, its picture, and the commands that change it by hand. */

import { LitElement, html, nothing, type PropertyValues } from "lit";
import { inspect } from "../past";
import type { Shell } from "./index";
import { bytesOf, bytesTyped, countText, isLine, shown, sizeText, spanText, timeText, typed, type Value } from "./look";
import { picture, unitOf, type Edit, type Pictured } from "./pictures";
import { valueStyles } from "./keys-styles";

const PAGE = 100;
/** The shortest time between two looks. */
const LOOK_MS = 120;
/** Bytes of a string in one answer. */
const STRING_PAGE = 4096;

export class ValueView extends LitElement implements Pictured {
  static override styles = valueStyles;
  static override properties = {
    shell: { attribute: false },
    shown: { attribute: false },
    db: { attribute: false },
    name: { attribute: false },
    changes: { attribute: false },
    moment: { attribute: false },
    value: { state: true },
    gone: { state: true },
    edit: { state: true },
    line: { state: true },
    escapes: { state: true },
    view: { state: true },
    tick: { state: true },
  };

  declare shell: Shell;
  declare shown: boolean;
  declare db: number;
  declare name: string;
  /** Grows whenever keys changed. */
  declare changes: number;
  declare moment: number | null;
  declare private value: Value | null;
  declare private gone: boolean;
  declare private edit: Edit | null;
  /** The command of the edit. */
  declare private line: string;
  /** What is typed has escapes. */
  declare private escapes: boolean;
  /** What is chosen of several pictures. */
  declare view: string;
  declare private tick: number;
  private from = 0;
  private asked = 0;
  private waiting = false;
  private askedAt = -LOOK_MS;
  private timer: ReturnType<typeof setInterval> | null = null;
  private stop: (() => void) | null = null;
  /** The last picture's elements, to mark what is new. */
  previous: Set<string> | null = null;
  private elements: Set<string> | null = null;

  constructor() {
    super();
    this.value = null;
    this.gone = false;
    this.edit = null;
    this.line = "";
    this.escapes = false;
    this.view = "";
    this.tick = 0;
    this.moment = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    // Values change without a command, too: fields expire.
    this.stop = this.shell?.onTurn(() => void this.ask()) ?? null;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.stop?.();
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
  }

  protected override updated(changes: PropertyValues): void {
    if (!changes.has("edit")) return;
    const detail = this.edit !== null;
    this.toggleAttribute("editing", detail);
    // A panel of little height gets more of it meanwhile.
    this.dispatchEvent(new CustomEvent("busy", { bubbles: true, composed: true, detail }));
  }

  protected override willUpdate(changes: PropertyValues): void {
    if (changes.has("name") || changes.has("db")) {
      this.from = 0;
      this.edit = null;
      this.view = "";
      this.previous = this.elements = null;
      this.value = null;
    }
    if (["name", "db", "changes", "moment", "shown"].some((name) => changes.has(name))) void this.ask();
  }

  private async ask(): Promise<void> {
    if (!this.shown || this.waiting) return;
    this.waiting = true;
    // Several turns at once ask once; a flood of them, now and then.
    await new Promise((resolve) => setTimeout(resolve, Math.max(16, this.askedAt + LOOK_MS - performance.now())));
    this.waiting = false;
    const asked = ++this.asked;
    this.askedAt = performance.now();
    const { shell, db, moment } = this;
    const value = await inspect<Value>(shell, {
      q: "value",
      db,
      key: bytesOf(this.name),
      from: this.from,
      count: PAGE,
      moment,
    });
    if (asked !== this.asked) return;
    this.gone = value === null;
    if (value) this.value = value;
    const runs = !this.gone && value?.expires != null && moment === null;
    if (runs && !this.timer) this.timer = setInterval(() => this.tick++, 250);
    if (!runs && this.timer) {
      clearInterval(this.timer);
      this.timer = null;
    }
  }

  /** Tells what elements a picture shows; those it did not show before are new. */
  marks(elements: string[]): (element: string) => boolean {
    const now = new Set(elements);
    const known = this.elements;
    const same = known !== null && known.size === now.size && elements.every((element) => known.has(element));
    if (!same) {
      this.previous = known;
      this.elements = now;
    }
    const { previous } = this;
    return (element) => previous !== null && !previous.has(element);
  }

  choose(view: string): void {
    this.view = view;
  }

  // ---- Drawing

  override render() {
    const { value, gone } = this;
    const name = shown(bytesOf(this.name));
    return html`
      <div class="head">
        ${value && !gone ? html`<span class="type t-${value.type}">${value.type}</span>` : nothing}
        <h2 title=${name}>${name}</h2>
        ${value && !gone && this.moment === null ? this.acts() : nothing}
        <button class="icon close" type="button" aria-label="Close ${name}" @click=${() => this.dispatchEvent(new CustomEvent("close"))}>
          <svg viewBox="0 0 20 20" aria-hidden="true"><path d="M5 5l10 10M15 5L5 15" /></svg>
        </button>
      </div>
      ${gone ? html`<p class="gone">${value ? "This key is gone." : "There is no such key at this moment."}</p>` : value ? this.facts(value) : nothing}
      ${value && !gone
        ? html`<div class="picture" tabindex="0" role="group" aria-label="Value">
            ${value.note ? html`<p class="small-note">${value.note}</p>` : nothing} ${picture(value, this)} ${this.pages(value)}
          </div>`
        : nothing}
      ${this.edit ? this.editor(this.edit) : nothing}
    `;
  }

  private facts(value: Value) {
    const left = value.expires === null ? null : value.expires - (this.moment === null ? this.shell.host.timeIn(this.shell.space) : value.now);
    const live = this.moment === null;
    const key = bytesOf(this.name);
    return html`<div class="facts">
      <span title="How it is held inside">${value.encoding}</span>
      <span>${unitOf(value)}</span>
      <span>${sizeText(value.bytes)}</span>
      <span class="lives">
      ${left === null
        ? live
          ? html`<button type="button" @click=${() => this.begin({ name: "expire", title: "Let it expire", words: [key, null], labels: ["seconds"], given: ["60"] })}>no expiry</button>`
          : html`<span>no expiry</span>`
        : live
          ? html`<button
                type="button"
                title="Expires at ${timeText(value.expires!)}. Change it"
                @click=${() => this.begin({ name: "expire", title: "Expire later or earlier", words: [key, null], labels: ["seconds"], given: [String(Math.max(1, Math.round(left / 1000)))] })}
              >
                ${spanText(left)} left
              </button>
              <button type="button" @click=${() => this.begin({ name: "persist", title: "Keep it for good", words: [key], labels: [], given: [] })}>Keep</button>`
          : html`<span>${spanText(left)} left</span>`}
      </span>
    </div>`;
  }

  private acts() {
    const key = bytesOf(this.name);
    const act = (title: string, path: string, edit: Edit) => html`<button class="icon" type="button" aria-label=${title} title=${title} @click=${() => this.begin(edit)}>
      <svg viewBox="0 0 20 20" aria-hidden="true"><path d=${path} /></svg>
    </button>`;
    return html`${act("Rename", "M4 16l1-4L14 3l3 3-9 9z", { name: "rename", title: "Rename", words: [key, null], labels: ["new name"], given: [key] })}
    ${act("Delete", "M3.5 5.5h13M8 5.5V3h4v2.5M5 5.5l.8 11.5h8.4L15 5.5M8.5 9v5M11.5 9v5", { name: "delete", title: "Delete", words: [key], labels: [], given: [] })}`;
  }

  private pages(value: Value) {
    const page = value.rows ? PAGE : STRING_PAGE;
    if (value.size <= page || value.window) return nothing;
    const to = Math.min(value.size, value.from + page);
    const go = (from: number) => () => {
      this.from = from;
      this.previous = this.elements = null;
      void this.ask();
    };
    return html`<div class="pages">
      <button type="button" ?disabled=${value.from === 0} @click=${go(Math.max(0, value.from - page))}>Earlier</button>
      <span>${(value.from + 1).toLocaleString("en")} to ${to.toLocaleString("en")} of ${value.rows ? value.size.toLocaleString("en") : countText(value.size, "byte")}</span>
      <button type="button" ?disabled=${to >= value.size} @click=${go(value.from + page)}>Later</button>
    </div>`;
  }

  // ---- Editing

  get mayEdit(): boolean {
    return this.moment === null;
  }

  begin(edit: Edit): void {
    this.escapes = edit.given.some((given) => given instanceof Uint8Array && !isLine(given));
    this.edit = { ...edit, given: edit.given.map((given) => (given instanceof Uint8Array ? typed(given, this.escapes) : given)) };
    void this.describe();
    void this.updateComplete.then(() => {
      const editor = this.renderRoot.querySelector<HTMLElement>(".editor")!;
      (editor.querySelector<HTMLElement>("input") ?? editor.querySelector<HTMLElement>(".primary"))?.focus();
      editor.scrollIntoView({ block: "nearest" });
    });
  }

  private async describe(): Promise<void> {
    const { edit, shell } = this;
    if (!edit) return;
    let at = 0;
    const words = edit.words.map((word) => word ?? bytesTyped(edit.given[at++] as string, this.escapes));
    const line = await inspect<string>(shell, { q: "edit", name: edit.name, words });
    if (this.edit === edit) this.line = line ?? "";
  }

  private editor(edit: Edit) {
    return html`<form
      class="editor"
      aria-label=${edit.title}
      @submit=${(event: Event) => {
        event.preventDefault();
        this.shell.run(this.line);
        this.edit = null;
      }}
      @keydown=${(event: KeyboardEvent) => {
        if (event.key === "Escape") this.edit = null;
      }}
    >
      <b>${edit.title}</b>
      ${edit.labels.map(
        (label, at) => html`<label
          >${label}
          <input
            .value=${edit.given[at] as string}
            spellcheck="false"
            autocomplete="off"
            @input=${(event: Event) => {
              edit.given[at] = (event.target as HTMLInputElement).value;
              void this.describe();
            }}
        /></label>`,
      )}
      ${edit.labels.length > 0
        ? html`<label class="escapes"
            ><input
              type="checkbox"
              .checked=${this.escapes}
              @change=${(event: Event) => {
                this.escapes = (event.target as HTMLInputElement).checked;
                void this.describe();
              }}
            />
            with escapes, as <code>\\x00</code> and <code>\\n</code></label
          >`
        : nothing}
      <code class="line" aria-live="polite">${this.line}</code>
      <span class="buttons">
        <button type="button" @click=${() => (this.edit = null)}>Cancel</button>
        <button class="primary" type="submit">Run it</button>
      </span>
    </form>`;
  }
}
