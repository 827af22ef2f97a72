/**
 * What can be done with a reply in the record: other views of it, its value and each part of it copied, its keys inspected.
 * Loaded when somebody first points at a reply; until then a terminal is the lighter for it.
 */

import type { Place, Table, Value } from "./protocol";
import type { ReplTerminal } from "./terminal";
import type { Transcript } from "./transcript";

const VALUES = ["key", "field", "string", "integer", "double", "boolean", "verbatim", "index"];
const SELECTOR = [...VALUES.map((name) => `.c-${name}`), "td"].join(",");
const COPIED_MS = 1200;

const sheet = new CSSStyleSheet();
sheet.replaceSync(`
  .views {
    position: absolute;
    right: var(--rp-space-3);
    max-width: calc(100% - 2 * var(--rp-space-3));
    display: flex;
    flex-wrap: wrap;
    gap: 2px;
    padding: 2px;
    border: 1px solid var(--rp-edge-strong);
    border-radius: var(--rp-radius-small);
    background: var(--rp-raised);
    font-family: var(--rp-sans);
    cursor: default;
    z-index: 1;
  }
  @media (max-width: 40rem) {
    /* There is no room beside the reply. */
    .views.above {
      transform: translateY(-100%);
    }
  }
  .views button {
    min-height: 1.6rem;
    padding: 0 var(--rp-space-2);
    border-color: transparent;
    font-size: 0.75rem;
  }
  .views button[aria-pressed="true"] {
    background: var(--rp-panel);
    border-color: var(--rp-edge-strong);
    font-weight: 600;
  }
  @media (forced-colors: active) {
    .views button[aria-pressed="true"] {
      forced-color-adjust: none;
      color: HighlightText;
      background: Highlight;
    }
  }
  .views .edge {
    border-left: 1px solid var(--rp-edge-strong);
    margin: 0.2rem 2px;
  }
  .picked {
    outline: 1px solid var(--rp-focus);
    outline-offset: 1px;
    border-radius: 2px;
  }
  :host([inspects]) .c-key:hover {
    text-decoration: underline;
    cursor: pointer;
  }
  .grid {
    border-collapse: collapse;
    margin: var(--rp-space-1) 0;
    user-select: text;
  }
  .grid th,
  .grid td {
    padding: 0.15em var(--rp-space-3);
    border: 1px solid var(--rp-edge);
    text-align: start;
    vertical-align: top;
    white-space: pre-wrap;
    overflow-wrap: anywhere;
  }
  .grid th {
    font-family: var(--rp-sans);
    font-size: var(--rp-size-small);
    color: var(--rp-muted);
    background: var(--rp-raised);
  }
`);

export class Values {
  private readonly root: ShadowRoot;
  private readonly transcript: Transcript;
  private readonly bar: HTMLElement;
  private entry: HTMLElement | null = null;
  private picked: HTMLElement | null = null;
  private value: Value | null = null;

  constructor(private readonly terminal: ReplTerminal) {
    this.root = terminal.renderRoot as ShadowRoot;
    this.transcript = terminal.transcript!;
    this.bar = document.createElement("div");
    this.bar.className = "views";
    this.bar.hidden = true;
    this.bar.setAttribute("role", "toolbar");
    this.bar.setAttribute("aria-label", "Show this reply as");
    this.bar.addEventListener("keydown", (event) => this.barKey(event));
    this.bar.addEventListener("pointerdown", (event) => event.preventDefault());
    this.bar.addEventListener("pointerleave", () => {
      if (!this.hasFocus() && !this.picked) this.leave();
    });
    this.root.adoptedStyleSheets.push(sheet);
    this.root.querySelector(".scroller")!.append(this.bar);
    const log = this.root.querySelector(".log")!;
    new MutationObserver(() => {
      if (this.entry && !this.entry.isConnected) this.leave();
    }).observe(log, { childList: true });
    log.addEventListener("keydown", (event) => this.valueKey(event as KeyboardEvent));
  }

  /** The pointer is over this. */
  point(target: Element): void {
    const entry = target.closest<HTMLElement>(".out");
    if (this.picked || this.hasFocus() || entry === this.entry) return;
    if (entry && this.transcript.repliesOf(entry)) this.offer(entry);
    else this.leave();
  }

  /** A click on a value picks it; true when it did. A key is inspected at once. */
  async press(target: Element): Promise<boolean> {
    const value = target.closest<HTMLElement>(SELECTOR);
    const entry = value?.closest<HTMLElement>(".out") ?? null;
    if (!value || !entry || !this.transcript.repliesOf(entry)) {
      this.leave();
      return false;
    }
    await this.pick(entry, value);
    const key = this.value?.key;
    if (key && this.terminal.inspects) this.inspect(key);
    return true;
  }

  /** The keyboard comes: to the latest reply, or to the one before an entry. */
  open(before: Element | null = null): void {
    const entry = this.transcript.latestReply(before);
    if (!entry) return;
    this.drop();
    this.offer(entry);
    entry.scrollIntoView({ block: "nearest" });
    this.bar.querySelector<HTMLElement>("[tabindex='0']")?.focus();
  }

  private hasFocus(): boolean {
    const focused = this.root.activeElement;
    return focused !== null && (this.bar.contains(focused) || focused === this.picked);
  }

  private leave(): void {
    this.drop();
    this.entry = null;
    this.bar.hidden = true;
  }

  private inspect(key: Uint8Array): void {
    this.terminal.dispatchEvent(new CustomEvent("inspect", { detail: key, bubbles: true, composed: true }));
  }

  // ---- The toolbar

  private offer(entry: HTMLElement): void {
    this.entry = entry;
    const reply = this.transcript.repliesOf(entry);
    if (!reply) return this.leave();
    const buttons = reply.views.map((view) => {
      const made = button(view === "tty" ? "text" : view, () => this.show(view));
      made.setAttribute("aria-pressed", String(view === reply.view));
      made.tabIndex = view === reply.view ? 0 : -1;
      return made;
    });
    buttons.push(button("copy", (made) => this.copy(made, this.terminal.lane?.copy(reply.id))));
    this.bar.replaceChildren(...this.ofValue(), ...buttons);
    this.bar.hidden = false;
    this.bar.classList.toggle("above", !this.picked);
    // An entry is drawn apart from the rest, so offsets within it say nothing.
    const scroller = this.bar.parentElement!;
    // It must not hide the value that it is about.
    const at = this.picked ? this.picked.getBoundingClientRect().bottom + 3 : entry.getBoundingClientRect().top;
    this.bar.style.top = `${at - scroller.getBoundingClientRect().top + scroller.scrollTop}px`;
  }

  /** What can be done with the value picked. */
  private ofValue(): HTMLElement[] {
    const { value } = this;
    if (!value) return [];
    const made = [button("copy value", (made) => this.copy(made, Promise.resolve(value.text)))];
    if (value.key && this.terminal.inspects) made.push(button("inspect key", () => this.inspect(value.key!)));
    const edge = document.createElement("span");
    edge.className = "edge";
    return [...made, edge];
  }

  private async show(view: string): Promise<void> {
    const { entry } = this;
    const reply = entry && this.transcript.repliesOf(entry);
    if (!entry || !reply) return;
    const focused = this.hasFocus();
    const shown = await this.terminal.lane?.viewAs(reply.id, view);
    this.drop();
    if (!shown) return this.leave();
    this.transcript.show(entry, view, "rows" in shown ? tableOf(shown) : shown);
    this.offer(entry);
    if (focused) this.bar.querySelector<HTMLElement>("[tabindex='0']")?.focus();
  }

  private async copy(made: HTMLElement, asked: Promise<string | null> | undefined): Promise<void> {
    const text = await asked;
    if (text == null) return;
    await navigator.clipboard.writeText(text);
    const label = made.textContent;
    made.textContent = "copied";
    setTimeout(() => (made.textContent = label), COPIED_MS);
  }

  private barKey(event: KeyboardEvent): void {
    const buttons = [...this.bar.querySelectorAll<HTMLElement>("button")];
    const at = buttons.indexOf(this.root.activeElement as HTMLElement);
    switch (event.key) {
      case "ArrowRight":
        buttons[(at + 1) % buttons.length]!.focus();
        break;
      case "ArrowLeft":
        buttons[(at - 1 + buttons.length) % buttons.length]!.focus();
        break;
      case "ArrowUp":
        this.open(this.entry);
        break;
      case "ArrowDown":
        void this.go(0);
        break;
      case "Escape":
        this.back();
        break;
      default:
        return;
    }
    event.preventDefault();
  }

  private back(): void {
    this.leave();
    this.terminal.focus();
  }

  // ---- One value

  private drop(): void {
    this.picked?.classList.remove("picked");
    this.picked?.removeAttribute("tabindex");
    this.picked = null;
    this.value = null;
  }

  private async pick(entry: HTMLElement, picked: HTMLElement): Promise<void> {
    const reply = this.transcript.repliesOf(entry)!;
    const place = placeOf(entry, picked, reply.view);
    this.drop();
    this.picked = picked;
    picked.classList.add("picked");
    this.value = (await this.terminal.lane?.value(reply.id, place)) ?? null;
    if (this.picked === picked) this.offer(entry);
  }

  /** Walks to a value by the keyboard. */
  private async go(index: number): Promise<void> {
    const { entry } = this;
    const values = entry ? [...entry.querySelectorAll<HTMLElement>(SELECTOR)] : [];
    const value = values[index];
    if (!entry || !value) return;
    await this.pick(entry, value);
    value.tabIndex = -1;
    value.focus();
  }

  private valueKey(event: KeyboardEvent): void {
    const { entry, picked } = this;
    if (!entry || !picked || event.target !== picked) return;
    const at = [...entry.querySelectorAll(SELECTOR)].indexOf(picked);
    switch (event.key) {
      case "ArrowDown":
      case "ArrowRight":
        void this.go(at + 1);
        break;
      case "ArrowUp":
      case "ArrowLeft":
        if (at > 0) void this.go(at - 1);
        else {
          this.drop();
          this.offer(entry);
          this.bar.querySelector<HTMLElement>("[tabindex='0']")?.focus();
        }
        break;
      case "Enter":
      case " ":
      case "c":
        if (event.key !== "c" && this.value?.key && this.terminal.inspects) this.inspect(this.value.key);
        else this.bar.querySelector<HTMLElement>("button")?.click();
        break;
      case "Tab":
        this.bar.querySelector<HTMLElement>("button")?.focus();
        break;
      case "Escape":
        this.back();
        break;
      default:
        return;
    }
    event.preventDefault();
  }
}

/** Where a value stands: its cell, or the place of its text in the entry's. */
function placeOf(entry: HTMLElement, picked: HTMLElement, view: string): Place {
  const row = picked.closest("tr");
  if (row) return { row: (row as HTMLTableRowElement).sectionRowIndex, column: [...row.children].indexOf(picked) };
  const before = document.createRange();
  before.setStart(entry, 0);
  before.setEndBefore(picked);
  return { view, at: before.toString().length };
}

function button(label: string, act: (made: HTMLElement) => unknown): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.tabIndex = -1;
  made.textContent = label;
  made.addEventListener("click", () => void act(made));
  return made;
}

function tableOf({ heading, rows }: Table): HTMLTableElement {
  const made = document.createElement("table");
  made.className = "grid";
  const row = (cells: string[], tag: string) => {
    const line = document.createElement("tr");
    for (const cell of cells) {
      const made = document.createElement(tag);
      made.textContent = cell;
      line.append(made);
    }
    return line;
  };
  const head = document.createElement("thead");
  head.append(row(heading, "th"));
  const body = document.createElement("tbody");
  body.append(...rows.map((cells) => row(cells, "td")));
  made.append(head, body);
  return made;
}
