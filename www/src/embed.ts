/**
 * `<redis-terminal>`: a terminal on anyone's page. Its text is what it runs first; until a reader shows interest it is a
 * plain block of text, and without script it stays one. All terminals of a page share one worker.
 */

import { LitElement, html, nothing } from "lit";
import { commandsOf, textLines, trimmed } from "./authored";
import { sharedHost } from "./engine";
import { History } from "./history";
import type { Host } from "./host";
import { embedStyles } from "./embed-styles";
import { ReplTerminal } from "./terminal";

let unnamed = 0;
/** One history for all terminals of a page; it ends with the page. */
const history = new History();

export class RedisTerminal extends LitElement {
  static override styles = embedStyles;
  static override properties = {
    run: { type: String, reflect: true },
    db: { type: String, reflect: true },
    setup: { type: String },
    heading: { type: String },
    theme: { type: String, reflect: true },
    wasmSrc: { attribute: "wasm-src" },
    live: { state: true },
  };

  /** When the first lines run: on `click` (default), when `visible`, or on `load`. */
  declare run: string;
  /** `self` (default), `page`, or a name shared with other terminals. */
  declare db: string;
  /** Lines run unseen before all others. */
  declare setup: string;
  declare heading: string;
  declare theme: string;
  declare wasmSrc: string | null;
  declare private live: boolean;

  private host: Host | null = null;
  private authored = "";
  private lines: string[] = [];
  private observer: IntersectionObserver | null = null;
  private space = "";
  private readonly onState = () => {
    this.requestUpdate();
  };

  constructor() {
    super();
    this.run = "click";
    this.db = "self";
    this.setup = "";
    this.heading = "";
    this.theme = "";
    this.wasmSrc = null;
    this.live = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.authored === "") {
      this.authored = trimmed((this.querySelector("pre") ?? this).textContent ?? "");
      this.lines = commandsOf(this.authored);
    }
    if (this.run === "load") void this.start();
    else this.watch();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.observer?.disconnect();
    this.host?.removeEventListener("state", this.onState);
    this.terminal?.disconnect();
    this.host = null;
    this.live = false;
  }

  /** Starts the engine and runs the first lines; `focus` puts the reader into the prompt. */
  async start(focus = false): Promise<void> {
    if (this.live) return;
    this.prepare();
    this.live = true;
    await this.updateComplete;
    const terminal = this.terminal!;
    terminal.setup = textLines(this.setup);
    terminal.connect();
    if (this.lines.length > 0) terminal.run(...this.lines);
    if (focus) terminal.focus();
  }

  /** Runs a line as if it had been typed. */
  async exec(line: string): Promise<void> {
    await this.start();
    this.terminal?.run(line);
  }

  /** Forgets what was done and runs the first lines again. */
  async reset(): Promise<void> {
    await this.start();
    this.host?.resetSpace(this.space);
    this.terminal?.clear();
    this.terminal?.run(...this.lines);
  }

  /** The record as exact text. */
  text(): string {
    return this.live ? (this.terminal?.text() ?? "") : this.authored;
  }

  private get terminal(): ReplTerminal | null {
    return this.renderRoot?.querySelector("repl-terminal") ?? null;
  }

  /** First intent: the engine is fetched and made ready, nothing runs yet. */
  private prepare(): void {
    if (this.host) return;
    this.space = this.db === "self" ? `self-${++unnamed}` : this.db;
    this.host = sharedHost(this.wasmSrc ? new URL(this.wasmSrc, document.baseURI).href : null);
    this.host.addEventListener("state", this.onState);
    this.host.addSpace(this.space);
    this.host.warm();
  }

  private watch(): void {
    this.observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        this.observer?.disconnect();
        if (this.run === "visible") void this.start();
      },
      { rootMargin: "100px" },
    );
    this.observer.observe(this);
  }

  override render() {
    const state = this.host?.state ?? "idle";
    return html`<div class="frame" part="frame" @pointerenter=${this.prepare} @focusin=${this.prepare}>
      <div class="bar" part="bar">
        <span class="title"><slot name="title">${this.heading || "Redis terminal"}</slot></span>
        ${this.live
          ? html`<button class="stop ${state === "busy" ? "urgent" : ""}" type="button" ?hidden=${state !== "busy"} @click=${() => this.host?.stop()}>Stop</button>
              <button type="button" @click=${() => this.reset()}>${this.lines.length > 0 ? "Run again" : "Start over"}</button>`
          : html`<button class="run" part="run" type="button" @click=${() => this.start(true)}>
              <span aria-hidden="true">▶ </span>${this.lines.length > 0 ? "Run" : "Start"}
            </button>`}
      </div>
      ${state === "failed"
        ? html`<p class="note" role="alert">The engine does not run: ${this.host?.failure} <button type="button" @click=${() => this.host?.retry()}>Try again</button></p>`
        : nothing}
      ${this.live
        ? html`<repl-terminal .host=${this.host} .history=${history} .space=${this.space} .label=${this.heading}></repl-terminal>`
        : html`<pre part="source" tabindex="0" aria-label="Commands">${this.authored || "An empty keyspace to try things in."}</pre>`}
    </div>`;
  }
}

if (!customElements.get("repl-terminal")) customElements.define("repl-terminal", ReplTerminal);
if (!customElements.get("redis-terminal")) customElements.define("redis-terminal", RedisTerminal);
