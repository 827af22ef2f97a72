/**
 * One client's terminal: the record, the prompt, and the keys of a shell. It knows lines and keys; what a line means,
 * how it may go on and what a reply looks like, the lane tells it.
 */

import { LitElement, html, nothing, type PropertyValues } from "lit";
import { apply, editOf, type Edit } from "./editor";
import { History, Walk } from "./history";
import type { Host, Lane, LaneView, NoticeKind } from "./host";
import type { Block, Completion, Hint, LaneState } from "./protocol";
import { Transcript } from "./transcript";
import { terminalStyles } from "./styles";
import type { Values } from "./values";

const OPTIONS_SHOWN = 200;

interface Cycle extends Completion {
  original: string;
  cursor: number;
  index: number;
}

interface Search {
  direction: -1 | 1;
  query: string;
  found: { index: number; at: number } | null;
  failed: boolean;
  original: string;
}

export class ReplTerminal extends LitElement implements LaneView {
  static override styles = terminalStyles;
  static override properties = {
    host: { attribute: false },
    history: { attribute: false },
    space: { type: String },
    label: { type: String },
    lineText: { state: true },
    prompt: { state: true },
    laneState: { state: true },
    hint: { state: true },
    cycle: { state: true },
    search: { state: true },
    stuck: { state: true },
    statusLine: { state: true },
    awaits: { state: true },
    begun: { state: true },
    started: { state: true },
  };

  declare host: Host | null;
  declare history: History;
  declare space: string;
  declare label: string;
  declare private lineText: string;
  declare prompt: string;
  declare laneState: LaneState;
  declare private hint: Hint | null;
  declare private cycle: Cycle | null;
  declare private search: Search | null;
  declare private stuck: boolean;
  declare private statusLine: string | null;
  /** What stands in the empty prompt while something comes in by itself. */
  declare private awaits: string;
  /** Lines of a command that is not whole yet. */
  declare private begun: string[];
  declare private started: boolean;

  lane: Lane | null = null;
  /** Somebody shows a key that is pressed: the event `inspect` names it. */
  inspects = false;
  /** Lines to run unseen before the first prompt. */
  setup: string[] = [];
  transcript: Transcript | null = null;
  private values: Values | null = null;
  private loading: Promise<void> | null = null;
  private early: (() => void)[] = [];
  private walk: Walk | null = null;
  private firstPrompt = "";
  private yankText = "";
  private escaped = false;
  private following = false;
  private scrolledTo = 0;
  private hintFor = "";
  private askedFor = "";

  constructor() {
    super();
    this.host = null;
    this.history = new History();
    this.space = "page";
    this.label = "";
    this.lineText = "";
    this.prompt = "";
    this.laneState = "waiting";
    this.hint = null;
    this.cycle = null;
    this.search = null;
    this.stuck = true;
    this.statusLine = null;
    this.awaits = "";
    this.begun = [];
    this.started = false;
  }

  // ---- What others call

  /** Connects to the engine; a second call does nothing. */
  connect(): void {
    if (this.lane || !this.host) return;
    this.lane = this.host.openLane(this.space, this, this.setup);
  }

  disconnect(): void {
    this.lane?.close();
    this.lane = null;
  }

  /** Runs lines as if they had been typed. */
  run(...lines: string[]): void {
    this.connect();
    this.begun = [...this.begun, ...lines];
    this.lane?.submit(...lines);
    this.emit("sent");
    this.pinToEnd();
  }

  /** Puts a line into the prompt, to be sent by the user. */
  type(line: string): void {
    this.setLine(line);
    this.focus();
  }

  override focus(): void {
    this.field?.focus({ preventScroll: true });
  }

  /** The record as exact text. */
  text(): string {
    return this.transcript?.text() ?? "";
  }

  interrupt(): void {
    this.closeCompletion(false);
    if (this.laneState === "waiting" || this.laneState === "listening" || this.laneState === "more") {
      this.lane?.interrupt();
    }
    if (this.lineText !== "" || this.laneState === "ready") {
      this.record((to) => to.echo(this.prompt, `${this.lineText}^C`));
    }
    this.setLine("");
  }

  clear(): void {
    this.record((to) => to.clear());
  }

  // ---- What the lane tells (LaneView)

  echo(prompt: string, line: string): void {
    this.begun = [];
    this.history.add(line);
    this.walk = null;
    this.record((to) => to.echo(prompt, line));
  }

  moment(moment: number): void {
    this.record((to) => to.moment(moment));
  }

  /** Lines after a moment are undone; without one, all are. */
  undo(after: number | null): void {
    this.record((to) => to.undo(after));
  }

  remember(line: string): void {
    this.history.keep(line);
  }

  print(blocks: Block[]): void {
    this.record((to) => to.print(blocks));
  }

  state(prompt: string, state: LaneState, awaits: string): void {
    if (state === "more" && this.laneState !== "more") this.firstPrompt = this.prompt;
    this.prompt = prompt;
    this.laneState = state;
    this.awaits = awaits;
    this.started = true;
    if (state !== "more") this.begun = [];
    this.askHint(true);
    this.emit("lanestate");
  }

  /** Shows a prompt that is sure to come: what is entered meanwhile is done first. */
  expect(prompt: string): void {
    if (this.started) return;
    this.prompt = prompt;
    this.laneState = "ready";
    this.started = true;
  }

  status(text: string | null): void {
    this.statusLine = text;
  }

  notice(text: string, kind: NoticeKind): void {
    this.begun = [];
    this.statusLine = null;
    this.record((to) => to.notice(text, kind));
  }

  private record(write: (to: Transcript) => void): void {
    if (this.transcript) write(this.transcript);
    else this.early.push(() => write(this.transcript!));
  }

  private emit(name: string): void {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true }));
  }

  // ---- Drawing

  override render() {
    const { search, cycle } = this;
    const idle = !this.started || this.laneState === "waiting";
    return html`
      <div class="scroller" part="scroller" @click=${this.clicked} @scroll=${this.scrolled}>
        <div
          class="log"
          part="log"
          role="log"
          aria-live="polite"
          aria-relevant="additions"
          aria-label=${this.named("Output")}
          @pointerover=${this.pointed}
        ></div>
        ${this.statusLine === null ? nothing : html`<div class="status-line">${this.statusLine}</div>`}
        ${this.laneState === "more"
          ? this.begun.map((line, at) => html`<div class="begun"><span class="prompt">${at === 0 ? this.firstPrompt : this.prompt}</span>${line}</div>`)
          : nothing}
        <div class="line ${this.laneState}" part="line" ?data-idle=${idle}>
          <span class="prompt" part="prompt" aria-hidden="true">${this.promptText()}</span>
          <div class="field">
            <div class="mirror" aria-hidden="true">${this.mirrored()}</div>
            <textarea
              part="input"
              rows="1"
              aria-label=${this.named("Command")}
              aria-describedby="keys"
              aria-autocomplete="list"
              aria-controls=${cycle ? "options" : nothing}
              aria-activedescendant=${cycle && cycle.index >= 0 ? `option-${cycle.index}` : nothing}
              autocomplete="off"
              autocapitalize="off"
              autocorrect="off"
              spellcheck="false"
              enterkeyhint="send"
              .value=${search ? search.query : this.lineText}
              @keydown=${this.pressed}
              @beforeinput=${this.beforeInput}
              @input=${this.typed}
              @paste=${this.pasted}
              @blur=${this.left}
            ></textarea>
          </div>
        </div>
        ${cycle ? this.options(cycle) : nothing}
        <div id="keys" class="visually-hidden">
          Tab completes, Up and Down walk the history, Control R searches it, Alt V shows the last reply otherwise, Down there walks its values. Escape, then Tab, leaves the field.
        </div>
      </div>
      ${this.stuck ? nothing : html`<button class="to-end" type="button" @click=${this.toEnd}>Latest output ↓</button>`}
      <div class="touch-keys" role="toolbar" aria-label="Keys">
        ${this.touchKey("Tab", "Tab", () => void this.completeNext(1))} ${this.touchKey("↑", "Up", () => this.walkHistory(-1))}
        ${this.touchKey("↓", "Down", () => this.walkHistory(1))} ${this.touchKey("^C", "Interrupt", () => this.interrupt())}
        ${this.touchKey("→", "Accept the suggestion", () => this.acceptGhost() || this.moveBy("forward"))}
      </div>
    `;
  }

  private touchKey(text: string, label: string, act: () => void) {
    return html`<button
      type="button"
      tabindex="-1"
      aria-label=${label}
      @pointerdown=${(event: Event) => event.preventDefault()}
      @click=${() => {
        act();
        this.focus();
      }}
    >
      ${text}
    </button>`;
  }

  // ---- What can be done with replies

  /** Loaded when somebody first points at one. */
  private withValues(use: (values: Values) => void): void {
    if (this.values) return use(this.values);
    this.loading ??= import("./values").then(({ Values }) => {
      this.values = new Values(this);
    });
    void this.loading.then(() => use(this.values!));
  }

  private pointed(event: PointerEvent): void {
    const target = event.target as Element;
    if (this.values || target.closest(".out")) this.withValues((values) => values.point(target));
  }

  private named(what: string): string {
    return this.label ? `${what}, ${this.label}` : what;
  }

  private promptText(): string {
    const { search } = this;
    if (search) {
      const name = search.direction < 0 ? "reverse-i-search" : "i-search";
      return `(${search.failed ? "failed " : ""}${name}): `;
    }
    if (!this.started || this.laneState === "waiting") return "";
    return this.laneState === "closed" ? "Left. Enter connects again. " : this.prompt;
  }

  /** What stands behind the field: the same text unseen, then what could follow it, in grey. */
  private mirrored() {
    const { search } = this;
    if (search) {
      const match = search.found === null ? null : this.history.at(search.found.index)!;
      const at = search.found?.at ?? 0;
      const found = match === null ? nothing : html`<span class="found">  ${match.slice(0, at)}<mark>${match.slice(at, at + search.query.length)}</mark>${match.slice(at + search.query.length)}</span>`;
      return html`<span class="under">${search.query}</span>${found}`;
    }
    const ghost = this.ghost();
    const fault = this.hintFor === this.lineText ? (this.hint?.fault ?? this.lineText.length) : this.lineText.length;
    const wrong = this.lineText.slice(fault);
    return html`<span class="under">${this.lineText.slice(0, fault)}</span>${wrong ? html`<span class="under wrong">${wrong}</span>` : nothing}${ghost.text ? html`<span class="ghost ${ghost.kind}">${ghost.text}</span>` : nothing}&#8203;`;
  }

  private ghost(): { kind: "syntax" | "past"; text: string } {
    if (this.cycle || this.laneState === "waiting") return { kind: "syntax", text: "" };
    if (this.lineText === "" && this.laneState === "listening") return { kind: "syntax", text: this.awaits };
    const teach = this.hintFor === this.lineText ? this.hint?.teach : "";
    if (teach) return { kind: "syntax", text: `  ${teach}` };
    const syntax = this.hintFor === this.lineText || this.hint === null ? this.hint?.text ?? "" : "";
    if (syntax !== "") return { kind: "syntax", text: syntax };
    return { kind: "past", text: this.lineText.includes("\n") ? "" : this.history.suggest(this.lineText) };
  }

  private options(cycle: Cycle) {
    const first = Math.max(0, Math.min(cycle.index - OPTIONS_SHOWN / 2, cycle.labels.length - OPTIONS_SHOWN));
    return html`<ul id="options" role="listbox" tabindex="0" aria-label="Completions" part="options">
      ${cycle.labels.slice(first, first + OPTIONS_SHOWN).map((label, offset) => {
        const index = first + offset;
        return html`<li
          id="option-${index}"
          role="option"
          aria-selected=${index === cycle.index}
          aria-setsize=${cycle.labels.length}
          aria-posinset=${index + 1}
          @pointerdown=${(event: Event) => event.preventDefault()}
          @click=${() => this.pick(index)}
        >
          <span class="label">${label}</span>${cycle.notes[index] ? html`<span class="note">${cycle.notes[index]}</span>` : nothing}
        </li>`;
      })}
    </ul>`;
  }

  protected override firstUpdated(): void {
    const log = this.renderRoot.querySelector<HTMLElement>(".log")!;
    this.transcript = new Transcript(
      log,
      () => this.host?.classes ?? [],
      (id, from, to) => this.lane?.unfold(id, from, to) ?? Promise.resolve(null),
      () => {
        if (this.stuck) this.scrollToEnd();
        this.emit("reply");
      },
    );
    // Lines take their true height only once they are drawn; there is nothing to measure then.
    const resized = new ResizeObserver(() => this.stuck && this.scrollToEnd());
    for (const element of [this, log]) resized.observe(element);
    for (const write of this.early.splice(0)) write();
  }

  protected override updated(changes: PropertyValues): void {
    if (changes.has("cycle") && this.cycle) {
      this.renderRoot.querySelector(`#option-${this.cycle.index}`)?.scrollIntoView({ block: "nearest" });
    }
    this.followSoon();
  }

  // ---- The field

  private get field(): HTMLTextAreaElement | null {
    return this.renderRoot?.querySelector("textarea") ?? null;
  }

  private setLine(text: string, cursor = text.length): void {
    this.lineText = text;
    const { field } = this;
    if (field && !this.search) {
      field.value = text;
      field.setSelectionRange(cursor, cursor);
    }
    this.askHint();
  }

  private typed(): void {
    const { field } = this;
    if (!field) return;
    this.cycle = null;
    this.escaped = false;
    if (this.search) {
      this.search = { ...this.search, query: field.value };
      this.searchAgain(this.history.length);
      return;
    }
    this.lineText = field.value;
    this.walk = null;
    this.pinToEnd();
    this.askHint();
  }

  /** Soft keyboards send no Enter key, but this. */
  private beforeInput(event: InputEvent): void {
    if (event.inputType !== "insertLineBreak" || event.isComposing) return;
    event.preventDefault();
    this.enter();
  }

  private pasted(event: ClipboardEvent): void {
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (!/[\r\n]/.test(text) || this.search) return;
    event.preventDefault();
    const field = this.field!;
    const lines = text.replace(/\r\n?/g, "\n").split("\n");
    const first = field.value.slice(0, field.selectionStart) + lines[0];
    const last = lines.length > 1 ? lines[lines.length - 1]! : "";
    const whole = [first, ...lines.slice(1, -1)].filter((line) => line.trim() !== "" || this.laneState === "more");
    const tail = field.value.slice(field.selectionEnd);
    this.setLine(last + tail, last.length);
    if (whole.length > 0) this.run(...whole);
  }

  private left(): void {
    this.escaped = false;
    if (this.cycle) this.closeCompletion(true);
    if (this.search) this.endSearch(true);
  }

  private enter(): void {
    if (this.search) this.endSearch(true);
    this.cycle = null;
    const line = this.lineText;
    this.setLine("");
    this.run(line);
  }

  private askHint(force = false): void {
    const line = this.lineText;
    if (line.trim() === "" || !this.lane || this.laneState === "waiting") {
      this.hint = null;
      this.hintFor = this.askedFor = "";
      return;
    }
    if (line === this.askedFor && !force) return;
    this.askedFor = line;
    // A stale hint must not stand behind a line it was not made for.
    if (this.hintFor !== line) this.hint = null;
    void this.lane.hint(line).then((hint) => {
      if (this.lineText !== line) return;
      this.hintFor = line;
      this.hint = hint;
    });
  }

  // ---- Keys

  private pressed(event: KeyboardEvent): void {
    if (event.isComposing) return;
    if (this.search ? this.pressedInSearch(event) : this.pressedInLine(event)) event.preventDefault();
    else if (!["Shift", "Control", "Alt", "Meta", "Escape", "Tab"].includes(event.key)) this.escaped = false;
  }

  /** True when the key is taken. */
  private pressedInLine(event: KeyboardEvent): boolean {
    const plain = !event.ctrlKey && !event.altKey && !event.metaKey;
    const control = event.ctrlKey && !event.altKey && !event.metaKey && !event.shiftKey;
    if (plain) {
      switch (event.key) {
        case "Enter":
          this.enter();
          return true;
        case "Tab":
          return this.tabbed(event.shiftKey);
        case "Escape":
          this.escapePressed();
          return true;
        case "ArrowUp":
          return this.cycle ? this.step(-1) : this.onFirstLine() && this.walkHistory(-1);
        case "ArrowDown":
          return this.cycle ? this.step(1) : this.onLastLine() && this.walkHistory(1);
        case "ArrowRight":
        case "End":
          return this.atEnd() && this.acceptGhost();
        case "PageUp":
        case "PageDown":
          this.scrollPage(event.key === "PageUp" ? -1 : 1);
          return true;
      }
    }
    if (control) {
      switch (event.key.toLowerCase()) {
        case "c":
          if (this.hasSelection()) return false;
          this.interrupt();
          return true;
        case "l":
          this.clear();
          return true;
        case "p":
          return this.walkHistory(-1) || true;
        case "n":
          return this.walkHistory(1) || true;
        case "r":
          return this.beginSearch(-1);
        case "s":
          return this.beginSearch(1);
        case "d":
          this.endOfInput();
          return true;
        case "j":
        case "m":
          this.enter();
          return true;
        case "e":
          if (this.atEnd() && this.acceptGhost()) return true;
      }
    }
    if (event.altKey && !event.ctrlKey && event.code === "KeyV") {
      this.withValues((values) => values.open());
      return true;
    }
    const edit = editOf(event);
    if (!edit) return false;
    if (edit === "forward" && this.atEnd() && this.acceptGhost()) return true;
    this.moveBy(edit);
    return true;
  }

  private moveBy(edit: Edit): void {
    const field = this.field!;
    this.cycle = null;
    const done = apply(edit, { text: this.lineText, cursor: field.selectionEnd }, this.yankText);
    if (done.killed) this.yankText = done.killed;
    this.setLine(done.text, done.cursor);
  }

  /** Ctrl-D deletes, or on an empty line ends what is going on. */
  private endOfInput(): void {
    if (this.lineText !== "") this.moveBy("deleteForward");
    else if (this.laneState !== "ready") this.interrupt();
  }

  private escapePressed(): void {
    if (this.cycle) {
      this.closeCompletion(true);
      return;
    }
    this.escaped = true;
  }

  private tabbed(backwards: boolean): boolean {
    if (this.escaped || (backwards && !this.cycle)) {
      this.escaped = false;
      return false;
    }
    void this.completeNext(backwards ? -1 : 1);
    return true;
  }

  private hasSelection(): boolean {
    const field = this.field!;
    if (field.selectionStart !== field.selectionEnd) return true;
    const root = this.renderRoot as ShadowRoot & { getSelection?: () => Selection | null };
    const selection = root.getSelection?.() ?? document.getSelection();
    return selection !== null && !selection.isCollapsed && selection.toString() !== "";
  }

  private atEnd(): boolean {
    const field = this.field!;
    return field.selectionStart === this.lineText.length && field.selectionEnd === this.lineText.length;
  }

  private onFirstLine(): boolean {
    return !this.lineText.slice(0, this.field!.selectionStart).includes("\n");
  }

  private onLastLine(): boolean {
    return !this.lineText.slice(this.field!.selectionEnd).includes("\n");
  }

  private acceptGhost(): boolean {
    const ghost = this.ghost();
    if (ghost.kind !== "past" || ghost.text === "") return false;
    this.setLine(this.lineText + ghost.text);
    return true;
  }

  private walkHistory(direction: -1 | 1): boolean {
    this.walk ??= new Walk(this.history);
    const line = this.walk.move(direction, this.lineText);
    if (line !== null) this.setLine(line);
    return true;
  }

  // ---- Completion

  private async completeNext(direction: -1 | 1): Promise<void> {
    if (this.cycle) {
      this.step(direction);
      return;
    }
    const field = this.field;
    if (!field || !this.lane) return;
    const original = this.lineText;
    const cursor = field.selectionEnd;
    const found = await this.lane.complete(original, cursor);
    if (this.lineText !== original || found.lines.length === 0) return;
    if (found.lines.length === 1) {
      this.setLine(found.lines[0]!, found.cursors[0]);
      return;
    }
    this.cycle = { ...found, original, cursor, index: -1 };
    this.step(direction);
  }

  /** One place further; past the last comes what was typed, then the first again. */
  private step(direction: -1 | 1): boolean {
    const cycle = this.cycle!;
    const count = cycle.lines.length + 1;
    const index = ((cycle.index + 1 + direction + count) % count) - 1;
    this.cycle = { ...cycle, index };
    if (index < 0) this.setLine(cycle.original, cycle.cursor);
    else this.setLine(cycle.lines[index]!, cycle.cursors[index]);
    return true;
  }

  private pick(index: number): void {
    const { cycle } = this;
    this.cycle = null;
    if (cycle) this.setLine(cycle.lines[index]!, cycle.cursors[index]);
    this.focus();
  }

  private closeCompletion(restore: boolean): void {
    const { cycle } = this;
    this.cycle = null;
    if (cycle && restore) this.setLine(cycle.original, cycle.cursor);
  }

  // ---- Incremental search

  private beginSearch(direction: -1 | 1): boolean {
    this.cycle = null;
    this.search = { direction, query: "", found: null, failed: false, original: this.lineText };
    return true;
  }

  private pressedInSearch(event: KeyboardEvent): boolean {
    const control = event.ctrlKey && !event.altKey && !event.metaKey;
    const key = control ? `^${event.key.toLowerCase()}` : event.key;
    switch (key) {
      case "^r":
      case "^s": {
        const direction = key === "^r" ? -1 : 1;
        this.search = { ...this.search!, direction };
        this.searchAgain(this.search.found?.index ?? (direction < 0 ? this.history.length : -1));
        return true;
      }
      case "^g":
      case "^c":
      case "Escape":
        this.endSearch(false);
        return true;
      case "Enter":
      case "^j":
      case "^m":
        this.enter();
        return true;
      case "Tab":
      case "ArrowLeft":
      case "ArrowRight":
      case "ArrowUp":
      case "ArrowDown":
      case "Home":
      case "End":
      case "^a":
      case "^e":
        this.endSearch(true);
        return true;
    }
    return false;
  }

  private searchAgain(from: number): void {
    const search = this.search!;
    const start = search.direction > 0 && from === this.history.length ? -1 : from;
    const found = this.history.search(search.query, start, search.direction);
    this.search = { ...search, found: found ?? search.found, failed: found === null && search.query !== "" };
  }

  private endSearch(accept: boolean): void {
    const search = this.search!;
    this.search = null;
    const line = accept && search.found ? this.history.at(search.found.index) : undefined;
    void this.updateComplete.then(() => this.setLine(this.lineText));
    this.setLine(line ?? search.original);
  }

  // ---- Scrolling

  private get scroller(): HTMLElement {
    return this.renderRoot.querySelector<HTMLElement>(".scroller")!;
  }

  private scrolled(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    const atEnd = scrollHeight - scrollTop - clientHeight < 24;
    // Only moving up leaves the end: what grows below it does not.
    if (atEnd || scrollTop < this.scrolledTo) this.stuck = atEnd;
    this.scrolledTo = scrollTop;
  }

  private scrollToEnd(): void {
    const { scroller } = this;
    scroller.scrollTop = scroller.scrollHeight;
  }

  /** Measuring is dear while much comes in: once a frame is enough. */
  private followSoon(): void {
    if (this.following || !this.stuck) return;
    this.following = true;
    requestAnimationFrame(() => {
      this.following = false;
      if (this.stuck) this.scrollToEnd();
    });
  }

  private pinToEnd(): void {
    this.stuck = true;
  }

  private toEnd(): void {
    this.pinToEnd();
    this.scrollToEnd();
    this.focus();
  }

  private scrollPage(direction: -1 | 1): void {
    const { scroller } = this;
    scroller.scrollTop += direction * Math.max(24, scroller.clientHeight - 48);
  }

  /** A click anywhere goes to the field, unless it selects or presses something. */
  private clicked(event: MouseEvent): void {
    const target = event.composedPath()[0] as Element;
    const echo = target.closest(".echo > .prompt")?.parentElement;
    const moment = echo ? this.transcript?.momentOf(echo) : null;
    if (moment) this.dispatchEvent(new CustomEvent("moment", { detail: moment, bubbles: true, composed: true }));
    if (target.closest("button, a, textarea, [role=option]")) return;
    const root = this.renderRoot as ShadowRoot & { getSelection?: () => Selection | null };
    const selection = root.getSelection?.() ?? document.getSelection();
    if (selection && !selection.isCollapsed) return;
    this.focus();
    if (this.values) void this.values.press(target);
    else if (target.closest(".out")) this.withValues((values) => void values.press(target));
  }
}
