/**
 * The record of a terminal as DOM: echoed lines, printed blocks, notices. Bounded, so that a flood of output costs no
 * more than its last lines, and folded where the worker kept something back. Its text is what a copy gives.
 */

import type { Block, Viewable } from "./protocol";

/** Lines kept in the page. */
export const LINES_MAX = 5_000;
/** So little is drawn in the next frame, unless drawing takes very long. */
const AT_ONCE = 20;
const AT_ONCE_MS = 100;
/** How much one press of "Show more" brings. */
const UNFOLD_LENGTH = 64 * 1024;

/** Asks for more of a folded block: `text[from..to]`. */
export type Unfold = (id: number, from: number, to: number) => Promise<Block | null>;

interface Item {
  lines: number;
  make(): HTMLElement;
}

export class Transcript {
  private queue: Item[] = [];
  private queued = 0;
  private frame = 0;
  private drawnAt = 0;
  private drawing = 0;
  private lines = 0;
  private dropped = 0;
  private readonly viewable = new WeakMap<Element, Viewable & { view: string }>();
  private readonly counts = new WeakMap<Element, number>();
  private readonly droppedNote: HTMLElement;
  /** Of echoed lines: how many inputs the session had when they were sent. */
  private readonly moments = new WeakMap<Element, { moment: number }>();
  private sent: { moment: number } = { moment: 0 };

  constructor(
    private readonly log: HTMLElement,
    private readonly classes: () => readonly string[],
    private readonly unfold: Unfold,
    private readonly changed: () => void,
  ) {
    this.droppedNote = element("div", "dropped");
    this.droppedNote.hidden = true;
    log.append(this.droppedNote);
    log.addEventListener("copy", (event) => this.copy(event));
  }

  echo(prompt: string, line: string): void {
    const sent = { moment: 0 };
    this.sent = sent;
    this.add(countLines(line), () => {
      const entry = element("div", "echo");
      this.moments.set(entry, sent);
      entry.append(element("span", "prompt", prompt), element("span", "typed", line));
      return entry;
    });
  }

  /** The line echoed last was sent. */
  moment(moment: number): void {
    this.sent.moment = moment;
  }

  /** The moment of an echoed line, if it was sent. */
  momentOf(entry: Element): number | null {
    return this.moments.get(entry)?.moment || null;
  }

  /** Marks the lines after a moment as undone; without one, all of them. */
  undo(after: number | null): void {
    for (const entry of this.log.querySelectorAll(".echo:not(.undone)")) {
      const moment = this.momentOf(entry);
      if (moment === null || (after !== null && moment <= after)) continue;
      entry.classList.add("undone");
      this.moments.delete(entry);
    }
  }

  print(blocks: Block[]): void {
    for (const block of blocks) {
      if (block.text === "" && !block.fold) continue;
      this.add(countLines(block.text) - (block.text.endsWith("\n") ? 1 : 0), () => this.block(block));
    }
  }

  notice(text: string, kind: string): void {
    this.add(1, () => {
      const entry = element("div", `notice ${kind}`, text);
      if (kind === "error") entry.setAttribute("role", "alert");
      return entry;
    });
  }

  clear(): void {
    // To ask for nothing would be to lay out the page once more while it starts.
    if (this.lines === 0 && this.queued === 0) return;
    this.queue = [];
    this.queued = this.lines = this.dropped = 0;
    this.droppedNote.hidden = true;
    this.log.replaceChildren(this.droppedNote);
    this.changed();
  }

  /** The whole record as text, as a copy of all of it gives. */
  text(): string {
    return textOf(this.log);
  }

  /** What can be done with an entry, if it is a reply that may be viewed otherwise. */
  repliesOf(entry: Element): (Viewable & { view: string }) | null {
    return this.viewable.get(entry) ?? null;
  }

  /** The latest such reply, or the one before an entry. */
  latestReply(before: Element | null = null): HTMLElement | null {
    let entry = before ? before.previousElementSibling : this.log.lastElementChild;
    while (entry && !this.viewable.has(entry)) entry = entry.previousElementSibling;
    return entry as HTMLElement | null;
  }

  /** Shows a reply in another way, in its place. */
  show(entry: HTMLElement, view: string, shown: Block | HTMLTableElement): void {
    const reply = this.viewable.get(entry);
    if (!reply) return;
    reply.view = view;
    if ("rows" in shown) entry.replaceChildren(shown);
    else this.fill(entry, shown);
    const lines = "rows" in shown ? shown.rows.length : countLines(shown.text);
    this.lines += lines - (this.counts.get(entry) ?? 1);
    this.counts.set(entry, lines);
  }

  private add(lines: number, make: () => HTMLElement): void {
    this.queue.push({ lines, make });
    this.queued += lines;
    // Hidden pages get no frames: the queue must stay bounded without one.
    while (this.queued > LINES_MAX && this.queue.length > 1) {
      const first = this.queue.shift()!;
      this.queued -= first.lines;
      this.dropped += first.lines;
    }
    if (this.frame !== 0) return;
    // Drawing gets half the time at most: under a flood more lines fall out of the queue before they are drawn.
    const rest = this.drawnAt + this.drawing - performance.now();
    if (rest < 8 || (this.queued <= AT_ONCE && rest < AT_ONCE_MS)) this.frame = requestAnimationFrame(() => this.flush());
    else this.frame = setTimeout(() => requestAnimationFrame(() => this.flush()), rest) as unknown as number;
  }

  private flush(): void {
    this.frame = 0;
    const began = performance.now();
    const fragment = document.createDocumentFragment();
    for (const item of this.queue) {
      const made = item.make();
      this.counts.set(made, item.lines);
      // What is out of sight is not laid out, but takes about this much.
      if (item.lines > 1) made.style.containIntrinsicBlockSize = `auto ${item.lines * 1.55}em`;
      fragment.append(made);
    }
    this.lines += this.queued;
    this.queue = [];
    this.queued = 0;
    this.log.append(fragment);
    this.trim();
    this.changed();
    // What follows in this frame, style and layout, costs about as much again; a task after it knows.
    const done = new MessageChannel();
    done.port1.onmessage = () => {
      this.drawnAt = performance.now();
      this.drawing = this.drawnAt - began;
      done.port1.close();
    };
    done.port2.postMessage(null);
  }

  private trim(): void {
    while (this.lines > LINES_MAX) {
      const oldest = this.droppedNote.nextElementSibling;
      if (!oldest || oldest === this.log.lastElementChild) break;
      const lines = this.counts.get(oldest) ?? 1;
      this.lines -= lines;
      this.dropped += lines;
      oldest.remove();
    }
    if (this.dropped > 0) {
      this.droppedNote.hidden = false;
      this.droppedNote.textContent = `${this.dropped.toLocaleString("en")} earlier lines are no longer shown`;
    }
  }

  private block(block: Block): HTMLElement {
    // What explains is not part of the output: a copy leaves it out.
    const lesson = this.classes().indexOf("lesson");
    const explains = lesson >= 0 && Array.prototype.some.call(block.spans, (value, at) => at % 2 === 1 && value === lesson);
    const entry = element("div", explains ? "out lesson" : "out");
    this.fill(entry, block);
    if (block.reply) this.viewable.set(entry, { ...block.reply, view: block.reply.views[0]! });
    return entry;
  }

  private fill(entry: HTMLElement, block: Block): void {
    // The line break that ends a reply is the one between entries.
    const text = !block.fold && block.text.endsWith("\n") ? block.text.slice(0, -1) : block.text;
    entry.replaceChildren(this.painted({ ...block, text }));
    if (block.fold) entry.append(this.folded(entry, block));
  }

  private painted({ text, spans }: Block): DocumentFragment {
    const fragment = document.createDocumentFragment();
    const classes = this.classes();
    let from = 0;
    for (let i = 0; i + 1 < spans.length; i += 2) {
      const to = spans[i]!;
      const name = classes[spans[i + 1]!] ?? "";
      const part = text.slice(from, to);
      fragment.append(name === "" || name === "plain" ? part : element("span", `c-${name}`, part));
      from = to;
    }
    if (from < text.length) fragment.append(text.slice(from));
    return fragment;
  }

  private folded(entry: HTMLElement, block: Block): HTMLElement {
    const fold = block.fold!;
    const bar = element("div", "fold");
    const note = element("span", "fold-note", rest(fold.lines, fold.length - fold.shown));
    const more = button("Show more", async () => {
      const next = await this.unfold(fold.id, fold.shown, fold.shown + UNFOLD_LENGTH);
      if (!next) return gone();
      const lines = countLines(next.text) - 1;
      const end = !next.fold && next.text.endsWith("\n") ? -1 : undefined;
      bar.before(this.painted({ ...next, text: next.text.slice(0, end) }));
      this.lines += lines;
      this.counts.set(entry, (this.counts.get(entry) ?? 1) + lines);
      if (!next.fold) return bar.remove();
      Object.assign(fold, next.fold);
      note.textContent = rest(fold.lines, fold.length - fold.shown);
    });
    const copy = button("Copy all", async () => {
      const whole = await this.unfold(fold.id, 0, fold.length);
      if (!whole) return gone();
      await navigator.clipboard.writeText(whole.text);
      copy.textContent = "Copied";
    });
    const save = button("Save", async () => {
      const whole = await this.unfold(fold.id, 0, fold.length);
      if (!whole) return gone();
      saveText(whole.text);
    });
    const gone = () => {
      bar.replaceChildren(element("span", "fold-note", "The rest is no longer held."));
    };
    bar.append(note, more, copy, save);
    return bar;
  }

  private copy(event: ClipboardEvent): void {
    const root = this.log.getRootNode() as ShadowRoot & { getSelection?: () => Selection | null };
    const selection = root.getSelection?.() ?? document.getSelection();
    if (!selection || selection.rangeCount === 0 || selection.isCollapsed) return;
    const range = selection.getRangeAt(0);
    if (!this.log.contains(range.commonAncestorContainer)) return;
    const holder = document.createElement("div");
    holder.append(range.cloneContents());
    event.clipboardData?.setData("text/plain", textOf(holder));
    event.preventDefault();
  }
}

/** Cells with tabs between, as a spreadsheet takes them. */
function tableText(made: Element): string {
  const lines = [...made.querySelectorAll("tr")];
  return lines.map((line) => [...line.children].map((cell) => cell.textContent ?? "").join("\t")).join("\n");
}

/** The exact text of entries: a line break between entries and nothing of the buttons. */
function textOf(parent: Element): string {
  const lines: string[] = [];
  let loose = "";
  for (const node of parent.childNodes) {
    if (!(node instanceof HTMLElement) || node.tagName === "SPAN") {
      loose += node.textContent ?? "";
      continue;
    }
    if (node.classList.contains("dropped") || node.classList.contains("notice") || node.classList.contains("lesson")) continue;
    let text = "";
    for (const part of node.childNodes) {
      if (part instanceof HTMLTableElement) text += tableText(part);
      else if (!(part instanceof HTMLElement && part.classList.contains("fold"))) text += part.textContent ?? "";
    }
    lines.push(text);
  }
  return loose + lines.join("\n");
}

export function countLines(text: string): number {
  let lines = 1;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}

function rest(lines: number, characters: number): string {
  return lines > 1
    ? `${lines.toLocaleString("en")} more lines`
    : `${characters.toLocaleString("en")} more characters`;
}

function element(tag: string, className: string, text?: string): HTMLElement {
  const made = document.createElement(tag);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function button(label: string, act: () => void | Promise<void>): HTMLButtonElement {
  const made = element("button", "fold-button", label) as HTMLButtonElement;
  made.type = "button";
  made.addEventListener("click", () => void act());
  return made;
}

function saveText(text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  link.download = "reply.txt";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
