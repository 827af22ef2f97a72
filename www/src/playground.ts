/** The playground: clients side by side on one keyspace, a first-minute guide, and the state of the engine. */

import { LitElement, html, nothing, svg, type PropertyValues } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type {} from "./early";
import { newHost } from "./engine";
import type { Step } from "./guide";
import { History, localStore } from "./history";
import type { Lane, NoticeKind } from "./host";
import { menu, panels, type PlayedLine, type Shell } from "./panels/index";
import { Sandboxes, type Stage } from "./sandboxes";
import { playgroundStyles } from "./playground-styles";
import { ReplTerminal } from "./terminal";

const LANES_MAX = 100;
const COLORS = 6;
const OFFLINE_AFTER_MS = 2000;
/** How often what stands around the prompt gives way to commands. */
const WAITS_MAX = 20;

interface LaneEntry {
  id: number;
  name: string;
  /** Its place in the alphabet. */
  letter: number;
  color: number;
  /** It was opened to listen. */
  listens?: boolean;
}

/** A to Z, then AA, AB … */
function letterName(letter: number): string {
  const last = String.fromCharCode(65 + (letter % 26));
  return letter < 26 ? last : letterName(Math.floor(letter / 26) - 1) + last;
}

type Theme = "auto" | "light" | "dark";

export class RedisPlayground extends LitElement implements Shell, Stage {
  static override styles = playgroundStyles;
  static override properties = {
    entries: { state: true },
    active: { state: true },
    theme: { state: true },
    guideOpen: { state: true },
    quiet: { state: true },
    panel: { state: true },
    moment: { attribute: false },
    whole: { type: Boolean, reflect: true },
  };

  declare private entries: LaneEntry[];
  declare private active: number;
  declare private theme: Theme;
  declare private guideOpen: boolean;
  /** Nothing was typed yet, so the welcome stands. */
  declare private quiet: boolean;
  /** The id of the panel that is open, if one is. */
  declare panel: string | null;

  declare moment: number | null;
  inspected: Uint8Array | null = null;
  /** All is drawn; what stands around the prompt comes after it. */
  declare whole: boolean;
  readonly host = newHost(null, window.early);
  readonly sandboxes = new Sandboxes(this.host, this);
  private readonly history = new History(localStore("resplay.history"));
  private readonly listeners = new Set<() => void>();
  private nextId = 1;
  private around = false;
  private visited = false;

  constructor() {
    super();
    this.entries = [];
    this.active = 0;
    this.theme = readTheme();
    this.guideOpen = readSetting("guide") !== "closed";
    this.quiet = true;
    this.moment = null;
    this.whole = false;
    const panel = readSetting("panel") ?? (innerWidth >= 900 ? "keys" : null);
    this.panel = panels.some(({ id }) => id === panel) ? panel : null;
    applyTheme(this.theme);
    for (const name of readLanes()) this.addLane(name, false);
    this.host.addEventListener("state", () => {
      this.requestUpdate();
      if (this.host.state === "failed") void this.complete();
    });
    this.host.addEventListener("turn", () => this.tellTurn());
    this.sandboxes.addEventListener("change", () => {
      this.requestUpdate();
      if (this.sandboxes.visits === this.visited) return;
      // A lesson and a guest's session have words of their own.
      this.visited = this.sandboxes.visits;
      this.guideOpen = !this.visited && readSetting("guide") !== "closed";
    });
    void this.begin();
  }

  /** For tests: makes the engine trap, as a bug would. */
  crashForTest(): void {
    this.host.crashForTest();
  }

  // ---- What panels may ask for (Shell)

  get lane(): Lane | null {
    return this.terminal(this.active)?.lane ?? null;
  }

  run(...lines: string[]): void {
    this.quiet = false;
    const terminal = this.terminal(this.active);
    // One that listens or waits takes no other command.
    if (terminal && terminal.laneState !== "ready") terminal.interrupt();
    terminal?.run(...lines);
  }

  get space(): string {
    return this.sandboxes.space;
  }

  get clients(): string[] {
    return this.entries.map(({ name }) => name);
  }

  nameClient(client: number, name: string): void {
    const entry = this.entries[client - 1];
    if (entry) this.rename(entry, name);
  }

  async play(lines: PlayedLine[], pace = 0, focus = true): Promise<void> {
    this.quiet = false;
    const { space } = this;
    for (const { client, line } of lines) {
      while (this.entries.length < Math.min(client, LANES_MAX)) await this.openLane(focus);
      const entry = this.entries[Math.min(client, LANES_MAX) - 1]!;
      // Or the terminal would not know yet that the last line made it wait.
      await this.host.sync();
      if (pace > 0) await new Promise((resolve) => setTimeout(resolve, pace));
      // What was meant for a keyspace runs in no other.
      if (this.space !== space) return;
      const terminal = this.terminal(entry.id);
      // One that listens or waits takes no other command.
      if (terminal && terminal.laneState !== "ready") terminal.interrupt();
      terminal?.run(line);
      this.select(entry.id);
    }
    await this.host.sync();
    if (focus && !matchMedia("(pointer: coarse)").matches) this.terminal(this.active)?.focus();
  }

  get place(): ShadowRoot {
    return this.shadowRoot!;
  }

  type(line: string): void {
    this.terminal(this.active)?.type(line);
  }

  notice(text: string, kind: NoticeKind = "info"): void {
    this.terminal(this.active)?.notice(text, kind);
  }

  branched(moment: number | null): void {
    for (const terminal of this.terminals()) {
      terminal.undo(moment);
      if (moment !== null) terminal.notice("Back at an earlier moment; what follows is a branch of its own.", "info");
    }
  }

  openPanel(id: string | null): void {
    this.panel = id;
    writeSetting("panel", id ?? "");
  }

  onTurn(heard: () => void): () => void {
    this.listeners.add(heard);
    return () => this.listeners.delete(heard);
  }

  private tellTurn(): void {
    for (const heard of this.listeners) heard();
  }

  private async begin(): Promise<void> {
    // The engine comes while the sandbox is opened.
    this.host.warm();
    const opened = this.sandboxes.start();
    if (!this.sandboxes.entersEarly) await opened;
    this.requestUpdate();
    await this.updateComplete;
    this.enter();
    const prompt = this.querySelector(".early-lane b")?.textContent?.trim();
    if (this.sandboxes.entersEarly && prompt) for (const terminal of this.terminals()) terminal.expect(`${prompt} `);
    this.host.releaseOthers(this.space);
    if (!matchMedia("(pointer: coarse)").matches) this.terminal(this.active)?.focus();
    await opened;
    if (this.sandboxes.returning && this.sandboxes.keeping === "kept") {
      this.terminals()[0]?.notice("Your sandbox is as you left it. “Start over” empties it.", "info");
    }
    this.welcomeGuests();
  }

  /** Draws what stands around the prompt, a piece at a time and not while a command is on its way. */
  private async complete(): Promise<void> {
    if (this.around) return;
    this.around = true;
    const gap = async () => {
      for (let turns = 0; turns < WAITS_MAX; turns++) {
        await idle();
        if (!this.host.owes) break;
      }
    };
    await gap();
    const { pieces, typedAnywhere } = await import("./around");
    typedAnywhere(() => this.terminal(this.active)?.focus());
    for (const piece of [...pieces, () => (this.whole = true)]) {
      await gap();
      piece();
      await this.updateComplete;
    }
  }

  /** Links that hold a session, files dropped on the page, and visits without a network. */
  private welcomeGuests(): void {
    // Later than all that the first prompt needs.
    setTimeout(() => void import("./offline").then(({ keepOffline }) => keepOffline(this)), OFFLINE_AFTER_MS);
    const arrived = () => {
      if (location.hash.startsWith("#v1.")) void import("./transfer-dialog").then(({ show }) => show(this, "shared"));
      if (location.hash.startsWith("#attach=")) void import("./attach").then(({ attachByLink }) => attachByLink(this));
    };
    addEventListener("hashchange", arrived);
    arrived();
    for (const type of ["dragover", "drop"] as const) {
      addEventListener(type, (event) => {
        if (!event.dataTransfer?.types.includes("Files")) return;
        event.preventDefault();
        const files = [...event.dataTransfer.files];
        void import("./drop").then(({ hold, letFall }) => (type === "drop" ? letFall(this, files) : hold()));
      });
    }
  }

  // ---- A change of keyspaces (Stage)

  leave(): void {
    for (const terminal of this.terminals()) terminal.disconnect();
  }

  enter(): void {
    for (const terminal of this.terminals()) {
      terminal.space = this.space;
      terminal.clear();
      terminal.connect();
    }
    this.tellTurn();
  }

  // ---- Lanes

  private terminals(): ReplTerminal[] {
    return [...this.renderRoot.querySelectorAll("repl-terminal")] as ReplTerminal[];
  }

  private terminal(id: number): ReplTerminal | null {
    return this.renderRoot?.querySelector<ReplTerminal>(`#lane-${id} repl-terminal`) ?? null;
  }

  private addLane(name = "", show = true): LaneEntry {
    const letter = [...Array(LANES_MAX).keys()].find((at) => !this.entries.some((entry) => entry.letter === at)) ?? 0;
    const color = (letter % COLORS) + 1;
    const id = this.nextId++;
    const entry = { id, name: name || `Client ${letterName(letter)}`, letter, color };
    this.entries = [...this.entries, entry];
    if (show || this.active === 0) this.active = id;
    return entry;
  }

  private async openLane(focus = true): Promise<LaneEntry> {
    const entry = this.addLane();
    this.keepLanes();
    await this.updateComplete;
    this.terminal(entry.id)!.connect();
    this.goTo(entry.id, focus);
    return entry;
  }

  /** Another client listens to what this one listens to, before this one ends: nothing is missed. */
  private async moveOut(id: number): Promise<void> {
    const { lane } = this.terminal(id)!;
    const lines = lane!.listens!.split("\n");
    const entry = await this.openLane(false);
    entry.listens = true;
    this.terminal(entry.id)!.run(...lines);
    lane!.interrupt();
    this.select(id);
    this.terminal(id)!.focus();
  }

  private closeLane(id: number): void {
    const at = this.entries.findIndex((entry) => entry.id === id);
    if (at < 0 || this.entries.length === 1) return;
    this.terminal(id)?.disconnect();
    this.entries = this.entries.filter((entry) => entry.id !== id);
    if (this.active === id) this.active = this.entries[Math.max(0, at - 1)]!.id;
    this.keepLanes();
    void this.updateComplete.then(() => this.terminal(this.active)?.focus());
  }

  private rename(entry: LaneEntry, name: string): void {
    entry.name = name.trim() || entry.name;
    this.entries = [...this.entries];
    this.keepLanes();
  }

  private keepLanes(): void {
    writeSetting("lanes", JSON.stringify(this.entries.map((entry) => entry.name)));
  }

  private select(id: number): void {
    if (this.active === id) return;
    this.active = id;
    this.tellTurn();
  }

  private async show(step: Step): Promise<void> {
    this.quiet = false;
    // What it did is to be seen.
    if (this.panel === null) this.openPanel("keys");
    if (step.run.some(({ client }) => client > 1)) {
      const shown = step.run.at(-1)!.client;
      await this.play(step.run);
      if (shown === 1) this.select(this.entries[0]!.id);
      return;
    }
    this.run(...step.run.map(({ line }) => line));
    if (!matchMedia("(pointer: coarse)").matches) this.terminal(this.active)?.focus();
  }

  // ---- Actions

  private reset(): void {
    this.host.resetSpace(this.space);
    for (const terminal of this.terminals()) terminal.clear();
    this.closeDialog("ask");
    this.terminal(this.active)?.focus();
  }

  private async copy(id: number, button: HTMLElement): Promise<void> {
    await navigator.clipboard.writeText(this.terminal(id)?.text() ?? "");
    const label = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = label), 1200);
  }

  private nextTheme(): void {
    const order: Theme[] = ["auto", "light", "dark"];
    this.theme = order[(order.indexOf(this.theme) + 1) % order.length]!;
    writeSetting("theme", this.theme);
    applyTheme(this.theme);
  }

  private toggleGuide(): void {
    this.guideOpen = !this.guideOpen;
    if (!this.visited) writeSetting("guide", this.guideOpen ? "open" : "closed");
  }

  private async openDialog(id: string): Promise<void> {
    this.whole = true;
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLDialogElement>(`#${id}`)?.showModal();
  }

  private closeDialog(id: string): void {
    this.renderRoot.querySelector<HTMLDialogElement>(`#${id}`)?.close();
  }

  private goTo(id: number, focus = true): void {
    this.select(id);
    void this.updateComplete.then(() => {
      const terminal = this.terminal(id);
      if (focus) terminal?.focus();
      terminal?.parentElement?.scrollIntoView({ inline: "nearest", block: "nearest" });
    });
  }

  /** Alt and PageUp or PageDown go to the next client, Alt N opens one. */
  private laneKey(event: KeyboardEvent): void {
    if (!event.altKey || event.ctrlKey || event.metaKey) return;
    const step = event.key === "PageDown" ? 1 : event.key === "PageUp" ? -1 : 0;
    if (step !== 0) {
      const at = this.entries.findIndex((entry) => entry.id === this.active);
      const next = this.entries[(at + step + this.entries.length) % this.entries.length]!;
      this.goTo(next.id);
    } else if (event.code === "KeyN" && this.entries.length < LANES_MAX) void this.openLane();
    else return;
    event.preventDefault();
  }

  private tabKey(event: KeyboardEvent): void {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const at = this.entries.findIndex((entry) => entry.id === this.active);
    const next = this.entries[(at + step + this.entries.length) % this.entries.length]!;
    this.active = next.id;
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>(`#tab-${next.id}`)?.focus());
  }

  // ---- Drawing

  /** The first time in a task of its own: between them the worker gets what it needs to start. */
  protected override async scheduleUpdate(): Promise<void> {
    if (!this.hasUpdated) await new Promise((resolve) => setTimeout(resolve));
    super.scheduleUpdate();
  }

  override render() {
    return html`
      <header>
        <h1 class="brand">${mark}<span class="name">resplay</span><small>a Redis-compatible server inside this tab</small></h1>
        <button type="button" aria-expanded=${this.guideOpen} aria-controls="guide" @click=${this.toggleGuide}>Guide</button>
        <button type="button" @click=${() => this.openDialog("help")}>Help</button>
        <button
          class="icon"
          type="button"
          aria-label="Theme: ${this.theme}. Change it"
          title="Theme: ${this.theme}"
          @click=${this.nextTheme}
        >
          ${themeIcon(this.theme)}
        </button>
        ${menu.length > 0 ? this.menuButton() : nothing}
        <button type="button" ?disabled=${this.entries.length >= LANES_MAX} @click=${() => this.openLane()}>
          <span aria-hidden="true">+&nbsp;</span>Client
        </button>
      </header>
      ${this.guide()}
      <div class="work">
        <main class="${this.entries.length > 1 ? "several" : ""} ${this.entries.length > 3 ? "many" : ""}">
          ${this.moment === null ? nothing : this.past()}
          ${this.entries.length > 1 ? this.tabs() : nothing}
          <div class="lanes" @keydown=${this.laneKey}>${repeat(this.entries, (entry) => entry.id, (entry) => this.laneOf(entry))}</div>
        </main>
        ${panels.length > 0
          ? html`<rp-side
              class=${this.panel === null ? "" : "open"}
              .shell=${this}
              .open=${this.panel}
              .width=${Number(readSetting("side")) || 420}
              @choose=${(event: CustomEvent<string | null>) => this.openPanel(event.detail)}
              @resized=${(event: CustomEvent<number>) => writeSetting("side", String(event.detail))}
            ></rp-side>`
          : nothing}
      </div>
      ${this.footer()} ${this.whole ? this.dialogs() : nothing}
    `;
  }

  protected override updated(changes: PropertyValues): void {
    if (changes.has("moment")) this.tellTurn();
    if (changes.has("active")) this.renderRoot.querySelector(".tabs [tabindex='0']")?.scrollIntoView({ inline: "nearest", block: "nearest" });
  }

  private past() {
    return html`<p class="past" >
      <span>You look at moment ${this.moment}. Commands run in the present.</span>
      <button type="button" @click=${() => (this.moment = null)}>Back to the present</button>
    </p>`;
  }

  private menuButton() {
    return html`<button class="icon" type="button" aria-label="Menu" popovertarget="menu">
        ${icon(svg`<path d="M3 6h14M3 10h14M3 14h14" />`)}
      </button>
      <div id="menu" class="menu" popover>
        ${menu.map(
          (entry) => html`<button type="button" popovertarget="menu" popovertargetaction="hide" @click=${() => entry.act(this)}>
            ${entry.title}${entry.note ? html`<small>${entry.note}</small>` : nothing}
          </button>`,
        )}
      </div>`;
  }

  private guide() {
    return html`<nav id="guide" aria-label="First commands" ?hidden=${!this.guideOpen}>
      <rp-coach .host=${this.host} @hide=${this.toggleGuide} @show=${(event: CustomEvent<Step>) => this.show(event.detail)} @lessons=${() => this.openPanel("lessons")}></rp-coach>
    </nav>`;
  }

  private tabs() {
    return html`<div class="tabs" role="tablist" aria-label="Clients" @keydown=${this.tabKey}>
      ${this.entries.map(
        (entry) => html`<button
          id="tab-${entry.id}"
          class="lane-${entry.color}"
          role="tab"
          type="button"
          aria-selected=${entry.id === this.active}
          aria-controls="lane-${entry.id}"
          tabindex=${entry.id === this.active ? 0 : -1}
          @click=${() => this.goTo(entry.id, !matchMedia("(pointer: coarse)").matches)}
        >
          <span class="badge ${this.terminal(entry.id)?.laneState ?? ""}"></span>${entry.name}
        </button>`,
      )}
    </div>`;
  }

  private laneOf(entry: LaneEntry) {
    const several = this.entries.length > 1;
    const state = this.terminal(entry.id)?.laneState ?? "waiting";
    const words = this.host.state === "ready" || this.host.state === "busy" ? stateWords[state] : "";
    return html`<section
      id="lane-${entry.id}"
      class="lane lane-${entry.color} ${entry.id === this.active ? "active" : ""} ${this.host.state === "failed" ? "failed" : ""}"
      aria-label=${entry.name}
      @focusin=${() => this.select(entry.id)}
      @lanestate=${() => {
        this.requestUpdate();
        void this.complete();
      }}
    >
      <div class="lane-head">
        <span class="badge"></span>
        <input
          class="lane-name"
          aria-label="Name of this client"
          maxlength="24"
          spellcheck="false"
          .value=${entry.name}
          @change=${(event: Event) => this.rename(entry, (event.target as HTMLInputElement).value)}
          @keydown=${(event: KeyboardEvent) => {
            if (event.key !== "Enter") return;
            // Or the key would be pressed in the prompt as well.
            event.preventDefault();
            this.rename(entry, (event.target as HTMLInputElement).value);
            this.terminal(entry.id)?.focus();
          }}
        />
        <span class="pill ${words ? state : ""}">${words}</span>
        ${this.protocol(entry)}
        <button type="button" @click=${(event: Event) => this.copy(entry.id, event.currentTarget as HTMLElement)}>Copy</button>
        <button class="clear" type="button" @click=${() => this.terminal(entry.id)?.clear()}>Clear</button>
        ${several
          ? html`<button class="icon" type="button" aria-label="Close ${entry.name}" @click=${() => this.closeLane(entry.id)}>
              ${icon(svg`<path d="M5 5l10 10M15 5L5 15" />`)}
            </button>`
          : nothing}
      </div>
      ${this.host.state === "failed" && (entry.id === this.active || !several) ? this.trouble() : nothing}
      ${this.quiet && entry === this.entries[0] && this.host.state !== "failed" ? this.welcome() : nothing}
      <repl-terminal
        .host=${this.host}
        .history=${this.history}
        .space=${this.space}
        .label=${entry.name}
        .inspects=${true}
        ?inspects=${true}
        @inspect=${(event: CustomEvent<Uint8Array>) => {
          this.inspected = event.detail;
          this.openPanel("keys");
          this.tellTurn();
        }}
        @reply=${() => {
          this.quiet = false;
        }}
        @sent=${() => (this.moment = null)}
        @moment=${(event: CustomEvent<number>) => {
          this.moment = event.detail;
          this.openPanel("time");
        }}
      ></repl-terminal>
    </section>`;
  }

  private protocol(entry: LaneEntry) {
    const terminal = this.terminal(entry.id);
    if (terminal?.laneState === "listening" && terminal.lane?.listens && !entry.listens && this.entries.length < LANES_MAX) {
      return html`<button
        class="own"
        type="button"
        aria-label="Move to its own client"
        title="It goes on in a client of its own, and this one is free again"
        @click=${() => this.moveOut(entry.id)}
      >
        Own client
      </button>`;
    }
    const resp = terminal?.lane?.resp ?? 2;
    const other = resp === 2 ? 3 : 2;
    return html`<button
      class="resp"
      type="button"
      title="It speaks RESP${resp}. HELLO ${other} changes that"
      ?disabled=${terminal?.laneState !== "ready"}
      @click=${() => terminal?.run(`HELLO ${other}`)}
    >
      RESP${resp}
    </button>`;
  }

  private welcome() {
    return html`<p class="welcome">
      <b>Type a command${this.guideOpen ? ", or press the one above" : ""}.</b> Nothing leaves your browser. Tab completes, grey text shows what is still
      missing, HELP explains.
    </p>`;
  }

  private trouble() {
    return html`<div class="trouble" role="alert">
      <p><b>The engine does not run.</b> Your browser may be too old or too strict for WebAssembly, or the page is incomplete.</p>
      <p class="reason">${this.host.failure}</p>
      <button class="primary" type="button" @click=${() => this.host.retry()}>Try again</button>
    </div>`;
  }

  private footer() {
    const { state } = this.host;
    return html`<footer>
      <div class="engine ${state}" role="status"><span class="dot"></span><span>${hostWords[state]}${this.keepingWords()}</span></div>
      <button
        class="stop ${state === "busy" ? "urgent" : ""}"
        type="button"
        ?disabled=${state === "idle" || state === "failed"}
        title="Ends the running command by restarting the engine; the session is played back"
        @click=${() => this.host.stop()}
      >
        Stop
      </button>
      <button type="button" ?disabled=${this.sandboxes.attached !== null} @click=${() => this.openDialog("ask")}>Start over</button>
    </footer>`;
  }

  private keepingWords(): string {
    if (this.host.state === "failed") return "";
    const { attached } = this.sandboxes;
    if (attached) return ` · attached to ${attached.host}:${attached.port}`;
    if (this.sandboxes.visits) return " · a keyspace of its own, not kept";
    const { keeping, current, trouble } = this.sandboxes;
    if (trouble) return ` · “${current.name}” is not kept now: see the panel “Sandbox”`;
    switch (keeping) {
      case "kept":
        return ` · “${current.name}” is kept in this browser`;
      case "copied":
        return ` · a copy of “${current.name}”, which another tab keeps`;
      case "taken":
        return ` · another tab keeps “${current.name}” now; this is a copy`;
      case "unkept":
        return " · not kept: this browser allows no storage";
      case "opening":
        return "";
    }
  }

  private dialogs() {
    return html`<dialog id="help" aria-labelledby="help-title">
        <div class="sheet">
          <h2 id="help-title">Help</h2>
          <p>
            This is a whole server, compiled to WebAssembly: it runs in a worker of this tab and keeps its data in this browser.
            <code>HELP</code> and <code>HELP command</code> explain the commands. Every client has its own connection to
            the same data: open a second one to see them meet.
          </p>
          <h3>Keys</h3>
          <dl>
            ${keys.map(([combination, meaning]) => html`<dt>${combination.map((key) => html`<kbd>${key}</kbd> `)}</dt><dd>${meaning}</dd>`)}
          </dl>
          <h3>On your own page</h3>
          <p>
            One script and one tag put a terminal anywhere: <code>&lt;redis-terminal&gt;SET a 1&lt;/redis-terminal&gt;</code>.
            <a href="https://github.com/resplay/resplay/blob/main/docs/embedding.md">Read how</a>.
          </p>
          <form method="dialog"><button class="primary">Close</button></form>
        </div>
      </dialog>
      <dialog id="ask" aria-labelledby="ask-title">
        <div class="sheet">
          <h2 id="ask-title">Start over?</h2>
          <p>All keys are removed and all clients connect afresh. The history of your commands stays.</p>
          <form method="dialog">
            <button>Cancel</button>&nbsp;<button class="primary" type="button" @click=${this.reset}>Start over</button>
          </form>
        </div>
      </dialog>`;
  }
}

const keys: [string[], string][] = [
  [["Tab"], "complete; again for the next, Esc goes back"],
  [["↑", "↓"], "earlier and later lines"],
  [["→"], "take the grey line from the history"],
  [["Ctrl", "R"], "search the lines typed before"],
  [["Ctrl", "C"], "drop the line; end waiting or listening"],
  [["Ctrl", "L"], "clear the screen"],
  [["Alt", "V"], "show the last reply as text, raw, CSV, JSON or a table; ↑ an earlier one, ↓ its values"],
  [["Alt", "PgDn"], "the next client; Alt PgUp the one before, Alt N a new one"],
  [["Ctrl", "A"], "to the start; Ctrl E to the end"],
  [["Ctrl", "K"], "cut to the end; Ctrl U the line, Ctrl Y pastes"],
  [["Esc", "Tab"], "leave the field by keyboard"],
];

const stateWords = { ready: "", more: "unfinished line", waiting: "waiting", listening: "listening", closed: "closed" };

const hostWords = {
  idle: "Starting",
  loading: "Starting the engine…",
  ready: "Ready",
  busy: "Running…",
  failed: "The engine does not run",
};

const mark = svg`<svg viewBox="0 0 28 28" aria-hidden="true">
  <rect width="28" height="28" rx="7" fill="var(--rp-accent)" />
  <path d="M8 8.2v11.6L16.6 14z" fill="var(--rp-on-accent)" />
  <path d="M17 19.6h5" stroke="var(--rp-on-accent)" stroke-width="2.4" stroke-linecap="round" />
</svg>`;

function icon(paths: unknown) {
  return html`<svg viewBox="0 0 20 20" aria-hidden="true">${paths}</svg>`;
}

function themeIcon(theme: Theme) {
  switch (theme) {
    case "auto":
      return icon(svg`<circle cx="10" cy="10" r="6.5" /><path d="M10 3.5v13a6.5 6.5 0 0 0 0-13z" fill="currentColor" />`);
    case "light":
      return icon(svg`<circle cx="10" cy="10" r="3.5" /><path d="M10 2v2M10 16v2M2 10h2M16 10h2M4.3 4.3l1.4 1.4M14.3 14.3l1.4 1.4M4.3 15.7l1.4-1.4M14.3 5.7l1.4-1.4" />`);
    case "dark":
      return icon(svg`<path d="M16 12.5A7 7 0 0 1 7.5 4 6.8 6.8 0 1 0 16 12.5z" />`);
  }
}

/** Settles when there is nothing better to do. */
function idle(): Promise<void> {
  return new Promise((resolve) => {
    if ("requestIdleCallback" in window) requestIdleCallback(() => resolve(), { timeout: 200 });
    else setTimeout(resolve, 20);
  });
}

// ---- Settings: a browser may refuse to keep them

function readSetting(name: string): string | null {
  try {
    return localStorage.getItem(`resplay.${name}`);
  } catch {
    return null;
  }
}

function writeSetting(name: string, value: string): void {
  try {
    localStorage.setItem(`resplay.${name}`, value);
  } catch {
    /* holds until the page is left */
  }
}

function readTheme(): Theme {
  const kept = readSetting("theme");
  return kept === "light" || kept === "dark" ? kept : "auto";
}

function applyTheme(theme: Theme): void {
  document.documentElement.style.colorScheme = theme === "auto" ? "light dark" : theme;
}

function readLanes(): string[] {
  try {
    const names: unknown = JSON.parse(readSetting("lanes") ?? "[]");
    const usable = Array.isArray(names) ? names.filter((name) => typeof name === "string").slice(0, LANES_MAX) : [];
    return usable.length > 0 ? usable : [""];
  } catch {
    return [""];
  }
}

if (!customElements.get("repl-terminal")) customElements.define("repl-terminal", ReplTerminal);
customElements.define("redis-playground", RedisPlayground);
