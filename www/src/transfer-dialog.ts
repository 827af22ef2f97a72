/** The dialog of what leaves and enters the page: a link, files, and a link or files of others, shown before they run. */

import { LitElement, css, html, nothing } from "lit";
import { dialogStyles } from "./dialog-styles";
import { kindOf, openFiles, runOpened, save, type Kind, type Opened } from "./files";
import { JournalError, journalOf, readJournal, type Session } from "./journal";
import type { Shell } from "./panels/index";
import { panelStyles, sizeText } from "./panel-styles";
import { LINK_MAX, fragmentOf, readFragment, sharedOf, textOf, type Shared } from "./share";
import { controls, primary, tokens } from "./styles";

export type Mode = "share" | "shared" | "save" | "open";

const PACE_MS = 700;
/** Lines of a session that are shown before it runs. */
const SHOWN_MAX = 500;
/** Failures that are shown of commands that ran unseen. */
const FAILED_MAX = 5;
const GUEST_SPACE = "shared";
const TRANSCRIPT_MAX = 16 * 1024 * 1024;

const KINDS: Record<Kind, string> = {
  rdb: "an RDB file",
  aof: "an append-only file",
  script: "a list",
  transcript: "a transcript",
};

export class TransferDialog extends LitElement {
  static override properties = {
    mode: { state: true },
    link: { state: true },
    shared: { state: true },
    opened: { state: true },
    trouble: { state: true },
    told: { state: true },
    working: { state: true },
    step: { state: true },
    whole: { state: true },
    keys: { state: true },
    file: { state: true },
  };

  declare shell: Shell;
  declare private mode: Mode;
  declare private link: string;
  declare private shared: Shared | null;
  declare private opened: Opened | null;
  declare private trouble: string;
  declare private told: string;
  declare private working: boolean;
  /** What takes so long. */
  declare private step: string;
  /** The keys as they are go into the link, not what was typed. */
  declare private whole: boolean;
  /** Of the data that a link or this session begins with. */
  declare private keys: number;
  /** The file that a session came from, or nothing for a link. */
  declare private file: string;

  constructor() {
    super();
    this.mode = "share";
    this.link = "";
    this.shared = null;
    this.opened = null;
    this.trouble = "";
    this.told = "";
    this.working = false;
    this.step = "";
    this.whole = false;
    this.keys = 0;
    this.file = "";
  }

  async open(mode: Mode, files: File[] = []): Promise<void> {
    this.mode = mode;
    this.link = this.trouble = this.told = this.file = "";
    this.shared = null;
    this.opened = null;
    this.whole = false;
    this.keys = 0;
    await this.updateComplete;
    const dialog = this.renderRoot.querySelector("dialog")!;
    if (!dialog.open) dialog.showModal();
    if (this.shell.sandboxes.attached && (mode === "share" || mode === "save")) {
      this.trouble = "The terminals are attached to a server: what it holds can be saved there, and sandboxes here.";
      return;
    }
    if (mode === "share") await this.attempt(() => this.makeLink());
    if (mode === "shared") await this.attempt(() => this.readLink());
    if (files.length > 0) await this.attempt(() => this.look(files));
  }

  private async attempt(run: () => Promise<void>): Promise<void> {
    this.working = true;
    this.trouble = this.step = "";
    try {
      await run();
    } catch (reason) {
      this.trouble = reason instanceof Error ? reason.message : String(reason);
    } finally {
      this.working = false;
    }
  }

  private close(): void {
    this.renderRoot.querySelector("dialog")?.close();
  }

  /** The session as its clients typed it. */
  private async session(): Promise<Session> {
    const { host, space } = this.shell;
    await host.sync();
    try {
      return readJournal(host.journal(space));
    } catch (reason) {
      if (reason instanceof JournalError) throw new Error(`The session cannot be read back: ${reason.message}.`);
      throw reason;
    }
  }

  // ---- Sharing

  /** What was typed is not there any more. */
  private onlyKeys = false;

  private async makeLink(): Promise<void> {
    const { seed, lines, data, checkpoint } = await this.session();
    const { clients, panel } = this.shell;
    this.link = "";
    // A checkpoint is of this engine alone, and of a session too long to be played.
    if (checkpoint || (data && lines.length === 0)) this.whole = true;
    if (!data && lines.length === 0) throw new Error("Nothing was typed here yet, so there is nothing to share.");
    const session = { seed, clients, panel, left: 0 };
    const rdb = this.whole ? await this.snapshot() : data;
    this.keys = rdb ? await this.shell.host.job<number>({ do: "examine", rdb }) : 0;
    this.shared = { ...session, lines: this.whole ? [] : lines, data: rdb };
    this.onlyKeys = checkpoint;
    this.link = new URL(await fragmentOf(this.shared), location.href).href;
  }

  private choose(whole: boolean): Promise<void> {
    this.whole = whole;
    return this.attempt(() => this.makeLink());
  }

  private async copy(button: HTMLElement): Promise<void> {
    await navigator.clipboard.writeText(this.link);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy the link"), 1500);
  }

  private async readLink(): Promise<void> {
    try {
      const shared = await readFragment(location.hash);
      if (shared.data) {
        this.shell.host.warm();
        this.keys = await this.shell.host.job<number>({ do: "examine", rdb: shared.data });
      }
      this.shared = shared;
    } catch (reason) {
      const why = reason instanceof Error ? reason.message : String(reason);
      throw new Error(`This link cannot be read: ${why}. Nothing has run. Ask for it again, best as a file when it was long.`);
    } finally {
      // Or a reload would ask again, and the next link made here would carry this one.
      history.replaceState(null, "", location.pathname + location.search);
    }
  }

  private async run(pace: number): Promise<void> {
    const { shared, shell } = this;
    if (!shared) return;
    this.close();
    const journal = shared.data ? journalOf(shared.data, shared.seed, Date.now()) : undefined;
    shell.sandboxes.visit(GUEST_SPACE, shared.seed, journal);
    if (shared.panel) shell.openPanel(shared.panel);
    shell.notice(`${this.file ? `“${this.file}”` : "A session that somebody shared"}, in a keyspace of its own. The panel “Sandbox” can keep it.`);
    if (shared.lines.length > 0) await shell.play(shared.lines, pace);
    shared.clients.forEach((name, at) => name && shell.nameClient(at + 1, name));
  }

  // ---- Saving

  private get fileName(): string {
    const { current, visits } = this.shell.sandboxes;
    const name = (visits ? "session" : current.name).toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "");
    return name || "sandbox";
  }

  private async snapshot(): Promise<Uint8Array> {
    await this.shell.host.sync();
    const rdb = await this.shell.host.job<Uint8Array | null>({ do: "snapshot", space: this.shell.space });
    if (!rdb) throw new Error("The engine does not run.");
    return rdb;
  }

  private saveRdb(name: string): Promise<void> {
    return this.attempt(async () => {
      const rdb = await this.snapshot();
      save(name, rdb as BlobPart, "application/octet-stream");
      this.told = `${name}, ${sizeText(rdb.length)}, is on its way to your downloads.`;
    });
  }

  private saveScript(): Promise<void> {
    return this.attempt(async () => {
      const { lines, data } = await this.session();
      const head = data ? "# Goes on from keys that are not part of this: a file, or a long history.\n" : "";
      save(`${this.fileName}.redis`, `${head}${lines.map(({ line }) => `${line}\n`).join("")}`, "text/plain");
      this.told = `${lines.length} commands are on their way to your downloads.`;
    });
  }

  private saveTranscript(): Promise<void> {
    return this.attempt(async () => {
      const { lines, data } = await this.session();
      let before = lines[0]?.at ?? 0;
      const text = lines.map(({ client, line, at }) => {
        const seconds = Math.floor((at - before) / 1000);
        before += seconds * 1000;
        return `${seconds > 0 ? `@ +${seconds}s\n` : ""}${client === 1 ? "" : client}> ${line}\n`;
      });
      const head = data ? "# Went on from keys that are not part of this, so the replies may be others than they were.\n" : "";
      const played = await this.shell.host.job<string>({ do: "transcript", text: head + text.join("") });
      save(`${this.fileName}.txt`, played, "text/plain");
      this.told = "The transcript is on its way to your downloads.";
    });
  }

  // ---- Opening

  private async look(files: File[]): Promise<void> {
    if (files.length === 0) return;
    const first = new Uint8Array(await files[0]!.slice(0, 1 << 16).arrayBuffer());
    if (files.length === 1 && kindOf(first) === "transcript") {
      const { name, size } = files[0]!;
      if (size > TRANSCRIPT_MAX) throw new Error(`${name} has ${sizeText(size)}; a transcript may have at most ${sizeText(TRANSCRIPT_MAX)}.`);
      this.shared = sharedOf(await files[0]!.text());
      if (!this.shared) throw new Error(`${name} holds no command.`);
      if (this.shared.data) this.keys = await this.shell.host.job<number>({ do: "examine", rdb: this.shared.data });
      this.file = name;
      this.mode = "shared";
      return;
    }
    this.opened = await openFiles(this.shell.host, files, (step) => (this.step = step));
  }

  private enter(): Promise<void> {
    return this.attempt(async () => {
      const { opened, shell } = this;
      if (!opened) return;
      this.step = "Writing it down…";
      if (shell.sandboxes.keeps) await shell.sandboxes.create(opened.name, opened.journal);
      else shell.sandboxes.visit(GUEST_SPACE, undefined, opened.journal);
      await shell.host.sync();
      const errors = await runOpened(shell.host, shell.space, opened, (step) => (this.step = step));
      this.close();
      shell.notice(`“${opened.name}” is open: ${opened.notes.join("; ") || `${opened.lines.length} commands`}.`);
      if (errors.length === 0) return;
      const many = errors.length === 20 ? "20 or more commands" : count(errors.length);
      shell.notice(`${many[0]!.toUpperCase()}${many.slice(1)} failed${errors.length > FAILED_MAX ? "; the first of them" : ""}:`, "error");
      for (const error of errors.slice(0, FAILED_MAX)) shell.notice(error, "error");
    });
  }

  // ---- Drawing

  override render() {
    return html`<dialog aria-labelledby="title" @close=${() => (this.working = false)}>
      <div class="sheet">
        ${this.body()}
        <div aria-live="polite">
          ${this.working ? html`<p class="lead working">${this.step || "One moment…"}</p>` : nothing}
          ${this.told ? html`<p class="told">${this.told}</p>` : nothing}
          ${this.trouble ? html`<p class="trouble">${this.trouble}</p>` : nothing}
        </div>
        <div class="row end"><button type="button" @click=${this.close}>${this.mode === "shared" && this.shared ? "Not now" : "Close"}</button></div>
      </div>
    </dialog>`;
  }

  private body() {
    switch (this.mode) {
      case "share":
        return this.sharing();
      case "shared":
        return this.arrived();
      case "save":
        return this.saving();
      case "open":
        return this.opening();
    }
  }

  private sharing() {
    const { shared, link } = this;
    const tooLong = link.length > LINK_MAX;
    return html`<h2 id="title">Share this session</h2>
      ${shared ? this.choices() : nothing}
      ${link && !tooLong
        ? html`<p>
              Whoever opens this link sees ${this.contents(shared!)} first and ${shared!.lines.length > 0 ? "runs them" : "takes them"} on a click. It is all in
              the link itself: nothing is uploaded.
            </p>
            <input readonly aria-label="Link" .value=${link} @focus=${(event: Event) => (event.target as HTMLInputElement).select()} />
            <div class="row">
              <button class="primary" type="button" @click=${(event: Event) => this.copy(event.currentTarget as HTMLElement)}>Copy the link</button>
              <span class="lead">${sizeText(link.length)} of at most ${sizeText(LINK_MAX)}</span>
            </div>`
        : nothing}
      ${tooLong
        ? html`<p>
              ${this.whole ? "These keys are" : "This session is"} too long for a link (${sizeText(link.length)}; many places cut links beyond
              ${sizeText(LINK_MAX)}). As a file it is as good: whoever gets it drops it on this page.
            </p>
            <div class="row">
              ${this.whole
                ? nothing
                : html`<button class="primary" type="button" @click=${() => save(`${this.fileName}.txt`, textOf(shared!), "text/plain")}>Save the session</button>`}
              <button class=${this.whole ? "primary" : ""} type="button" @click=${() => this.saveRdb(`${this.fileName}.rdb`)}>Save the keys ${this.whole ? "" : "alone"}</button>
            </div>`
        : nothing}`;
  }

  private choices() {
    const choice = (whole: boolean, words: string, note: string) => html`<label>
      <input type="radio" name="what" .checked=${this.whole === whole} ?disabled=${this.onlyKeys && !whole} @change=${() => this.choose(whole)} />
      <span>${words}<small>${note}</small></span>
    </label>`;
    return html`<fieldset>
      <legend>What goes into the link</legend>
      ${choice(false, "What was typed", this.onlyKeys ? "too long ago: this sandbox has begun anew from its keys" : "every command of every client; it plays again as it was")}
      ${choice(true, "The keys as they are", "values, times to live; not the way there")}
    </fieldset>`;
  }

  /** What a session holds, in words. */
  private contents({ lines, data }: Shared): string {
    const clients = new Set(lines.map(({ client }) => client)).size;
    const keys = data ? `${this.keys} ${this.keys === 1 ? "key" : "keys"}` : "";
    const commands = `${count(lines.length)}${clients > 1 ? ` of ${clients} clients` : ""}`;
    return lines.length === 0 ? keys : keys ? `${keys} and ${commands}` : commands;
  }

  private arrived() {
    const { shared } = this;
    if (!shared) return html`<h2 id="title">A shared session</h2>`;
    const clients = new Set(shared.lines.map(({ client }) => client)).size;
    return html`<h2 id="title">${this.file ? "Open a file" : "Somebody shares a session with you"}</h2>
      <p>
        ${this.file ? `“${this.file}” is a transcript of` : "It is"} ${this.contents(shared)}, ${sizeText(textOf(shared).length)} in all. Nothing has run yet. It would run in a keyspace of its own, inside this
        tab; your sandboxes stay as they are.
      </p>
      ${shared.left > 0 ? html`<p class="trouble">It has ${shared.left} more commands than this page takes at once; they are left out.</p>` : nothing}
      ${shared.lines.length > 0
        ? html`<ol class="lines" tabindex="0" role="region" aria-label="Commands">
            ${shared.lines.slice(0, SHOWN_MAX).map(
              ({ client, line }) => html`<li>${clients > 1 ? html`<span class="lane-${((client - 1) % 6) + 1}">${shared.clients[client - 1] ?? `Client ${client}`}</span>` : nothing}<code>${line}</code></li>`,
            )}
            ${shared.lines.length > SHOWN_MAX ? html`<li>… and ${shared.lines.length - SHOWN_MAX} more</li>` : nothing}
          </ol>`
        : nothing}
      <div class="row">
        <button class="primary" type="button" @click=${() => this.run(0)}>${shared.lines.length > 0 ? "Run" : "Look into it"}</button>
        ${shared.lines.length > 1 ? html`<button type="button" @click=${() => this.run(PACE_MS)}>Play slowly</button>` : nothing}
      </div>`;
  }

  private saving() {
    return html`<h2 id="title">Save to a file</h2>
      <p>Nothing is uploaded: the browser writes the file.</p>
      <dl>
        <dt><button type="button" @click=${() => this.saveRdb("dump.rdb")}>RDB file</button></dt>
        <dd>All keys, for a real server: put <code>dump.rdb</code> into its folder and start it.</dd>
        <dt><button type="button" @click=${() => this.saveRdb("appendonly.aof")}>Append-only file</button></dt>
        <dd>The same for a server with <code>appendonly yes</code>, as <code>appendonly.aof</code>.</dd>
        <dt><button type="button" @click=${this.saveScript}>Commands</button></dt>
        <dd>What was typed, one command a line: <code>redis-cli &lt; file</code> repeats it.</dd>
        <dt><button type="button" @click=${this.saveTranscript}>Transcript</button></dt>
        <dd>Commands and replies of all clients, with the pauses between.</dd>
      </dl>`;
  }

  private opening() {
    const { opened } = this;
    return html`<h2 id="title">Open a file</h2>
      ${opened
        ? html`<p>“${opened.name}” is ${KINDS[opened.kind]}${opened.notes.length > 0 ? nothing : ` of ${count(opened.lines.length)}`}.</p>
            ${opened.lines.length > 0
              ? html`<ol class="lines" tabindex="0" role="region" aria-label="Commands">
                  ${opened.lines.slice(0, SHOWN_MAX).map((line) => html`<li><code>${line}</code></li>`)}
                  ${opened.lines.length > SHOWN_MAX ? html`<li>… and ${opened.lines.length - SHOWN_MAX} more</li>` : nothing}
                </ol>`
              : nothing}
            ${opened.notes.length > 0 ? html`<ul>${opened.notes.map((note) => html`<li>${note}</li>`)}</ul>` : nothing}
            <div class="row"><button class="primary" type="button" ?disabled=${this.working} @click=${this.enter}>Open as a sandbox</button></div>`
        : html`<p>
              Drop a <code>dump.rdb</code>, the files of an <code>appendonlydir</code>, a list of commands or a transcript anywhere on the page, or
              choose it. It stays in your browser.
            </p>
            <div class="row">
              <button class="primary" type="button" @click=${() => this.renderRoot.querySelector<HTMLInputElement>("input[type=file]")!.click()}>Choose files</button>
            </div>
            <input
              type="file"
              multiple
              hidden
              @change=${(event: Event) => this.attempt(() => this.look([...((event.target as HTMLInputElement).files ?? [])]))}
            />`}`;
  }

  static override styles = [
    tokens,
    controls,
    primary,
    panelStyles,
    dialogStyles,
    css`
      :host {
        display: contents;
        font-family: var(--rp-sans);
        color: var(--rp-text);
      }
      dialog {
        --width: 40rem;
      }
      .sheet {
        padding: var(--rp-space-6);
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: var(--rp-space-3);
      }
      p,
      ul {
        margin: 0;
      }
      .working::before {
        content: "";
        display: inline-block;
        width: 0.8em;
        height: 0.8em;
        margin-right: var(--rp-space-2);
        border: 2px solid var(--rp-accent);
        border-right-color: transparent;
        border-radius: 50%;
        animation: turn 0.9s linear infinite;
      }
      @keyframes turn {
        to {
          transform: rotate(1turn);
        }
      }
      @media (prefers-reduced-motion: reduce) {
        .working::before {
          animation: none;
        }
      }
      fieldset {
        margin: 0;
        padding: 0;
        border: 0;
        display: grid;
        gap: var(--rp-space-1);
      }
      legend {
        position: absolute;
        width: 1px;
        height: 1px;
        overflow: hidden;
        clip-path: inset(50%);
      }
      fieldset label {
        display: flex;
        gap: var(--rp-space-2);
        padding: var(--rp-space-1) 0;
      }
      fieldset input[type="radio"] {
        min-height: 0;
        align-self: start;
        margin: 0.35em 0 0;
      }
      fieldset small {
        display: block;
        color: var(--rp-muted);
      }
      input[readonly] {
        width: 100%;
        font-family: var(--rp-mono);
      }
      .row {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: var(--rp-space-2);
      }
      .end {
        justify-content: end;
      }
      .lead,
      .trouble {
        margin: 0;
      }
      .lines {
        margin: 0;
        padding: var(--rp-space-2) var(--rp-space-3);
        list-style: none;
        max-height: 40dvh;
        overflow: auto;
        background: var(--rp-ground);
        border: 1px solid var(--rp-edge);
        border-radius: var(--rp-radius-small);
      }
      .lines li {
        display: flex;
        gap: var(--rp-space-3);
      }
      .lines span {
        flex: 0 0 5.5rem;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
        color: var(--lane);
      }
      .lane-1 { --lane: var(--rp-lane-1); }
      .lane-2 { --lane: var(--rp-lane-2); }
      .lane-3 { --lane: var(--rp-lane-3); }
      .lane-4 { --lane: var(--rp-lane-4); }
      .lane-5 { --lane: var(--rp-lane-5); }
      .lane-6 { --lane: var(--rp-lane-6); }
      code {
        font-family: var(--rp-mono);
        overflow-wrap: anywhere;
      }
      dl {
        display: grid;
        grid-template-columns: max-content 1fr;
        gap: var(--rp-space-2) var(--rp-space-3);
        margin: 0;
        align-items: center;
      }
      dt button {
        width: 100%;
      }
      dd {
        margin: 0;
        color: var(--rp-muted);
      }
      @media (max-width: 480px) {
        .sheet {
          padding: var(--rp-space-4);
        }
        dl {
          grid-template-columns: 1fr;
        }
      }
    `,
  ];
}

function count(lines: number): string {
  return lines === 1 ? "one command" : `${lines} commands`;
}

/** Shows the one dialog of the page. */
export function show(shell: Shell, mode: Mode, files: File[] = []): void {
  let dialog = document.querySelector<TransferDialog>("rp-transfer");
  if (!dialog) {
    dialog = document.createElement("rp-transfer") as TransferDialog;
    dialog.shell = shell;
    document.body.append(dialog);
  }
  void dialog.open(mode, files);
}

customElements.define("rp-transfer", TransferDialog);
