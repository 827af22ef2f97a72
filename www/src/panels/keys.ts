/** The keys of a database as a live tree, and the value of one of them. Draws a window of rows, whatever the number of keys. */

import { html, nothing } from "lit";
import { inspect } from "../past";
import { keyed } from "lit/directives/keyed.js";
import { bytesOf, countText, idOf, shown, sizeText, spanText, utf8, vars, type Row, type Tree } from "./look";
import { keysStyles } from "./keys-styles";
import { LookingPanel } from "./looking";
import { datasets, loadDataset, type Dataset } from "./samples";
import { ValueView } from "./value";

/** As in the style: a finger wants more. */
const ROW_PX = matchMedia("(pointer: coarse)").matches ? 40 : 30;
/** Rows drawn above and below what is in sight. */
const MARGIN = 12;
/** The shortest time between two looks; with many keys each costs more. */
const LOOK_MS = 120;
const LOOK_MANY_MS = 600;
const MANY = 20_000;

export class KeysPanel extends LookingPanel {
  static override styles = keysStyles;
  static override properties = {
    shell: { attribute: false },
    shown: { attribute: false },
    tree: { state: true },
    filter: { state: true },
    db: { state: true },
    selected: { state: true },
    follow: { state: true },
    cursor: { state: true },
    tick: { state: true },
    asksMore: { state: true },
    loads: { state: true },
  };

  declare private tree: Tree | null;
  declare private filter: string;
  /** The database looked at; null follows the client. */
  declare private db: number | null;
  declare private selected: string | null;
  declare private follow: boolean;
  /** The row that arrow keys move. */
  declare private cursor: number;
  declare private tick: number;
  private readonly open = new Set<string>();
  private changed = new Set<string>();
  private changes = 0;
  /** The longest time to live seen of a key: what its bar is full at. */
  private readonly spans = new Map<string, number>();
  /** More names of a server elsewhere are on their way. */
  declare private asksMore: boolean;
  /** A sample is on its way. */
  declare private loads: boolean;
  private asking = false;
  private stale = false;
  private askedAt = 0;
  private space = "";
  private from = 0;
  private timer: ReturnType<typeof setInterval> | null = null;

  private readonly turned = () => this.requestUpdate();

  constructor() {
    super();
    this.tree = null;
    this.filter = "";
    this.db = null;
    this.selected = null;
    this.follow = true;
    this.cursor = 0;
    this.tick = 0;
    this.asksMore = this.loads = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.shell.host.addEventListener("state", this.turned);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.shell.host.removeEventListener("state", this.turned);
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
  }

  // ---- Asking

  protected override look(): void {
    if (!this.shown) return;
    const { inspected, space } = this.shell;
    if (space !== this.space) {
      // The keys of another server, among which the selected one need not be.
      this.space = space;
      this.selected = null;
      this.spans.clear();
    }
    if (inspected) {
      this.shell.inspected = null;
      this.selected = idOf(inspected);
      this.follow = false;
      for (const group of groupsOf(this.selected)) this.open.add(group);
    }
    if (this.asking) {
      this.stale = true;
      return;
    }
    this.asking = true;
    const pause = (this.tree?.total ?? 0) > MANY ? LOOK_MANY_MS : LOOK_MS;
    setTimeout(() => void this.ask(), Math.max(0, this.askedAt + pause - performance.now()));
  }

  protected override async ask(): Promise<void> {
    this.stale = false;
    const { shell } = this;
    const count = Math.ceil((this.scroller?.clientHeight ?? 400) / ROW_PX) + 2 * MARGIN;
    const tree = await inspect<Tree>(shell, {
      q: "tree",
      db: this.db,
      open: [...this.open].map(bytesOf),
      filter: utf8(this.filter),
      from: this.from,
      count,
      moment: shell.moment,
    });
    this.askedAt = performance.now();
    this.asking = false;
    if (tree) this.take(tree);
    if (this.stale) this.look();
  }

  private take(tree: Tree): void {
    const changed = tree.changed.filter(([db]) => db === tree.db).map(([, key]) => idOf(key));
    if (changed.length > 0) {
      this.changed = new Set(changed);
      this.changes++;
      if (this.follow) this.selected = changed.at(-1)!;
      // A few keys are shown unfolded: nothing to learn from a closed group.
      for (const key of changed.slice(-8)) for (const group of groupsOf(key)) if (tree.total < 40) this.open.add(group);
      if (tree.total < 40 && tree.shown.some((row) => row.group && !row.open)) this.stale = true;
    }
    for (const { key, expires } of tree.shown) {
      if (!key) continue;
      const id = idOf(key);
      if (expires == null) this.spans.delete(id);
      else this.spans.set(id, Math.max(this.spans.get(id) ?? 0, expires - tree.now));
    }
    this.tree = tree;
    if (changed.length > 0 && this.follow) this.reveal(tree);
    this.cursor = Math.min(this.cursor, Math.max(0, tree.rows - 1));
    const runs = tree.shown.some(({ expires }) => expires != null);
    if (runs && !this.timer) this.timer = setInterval(() => this.tick++, 250);
    if (!runs && this.timer) {
      clearInterval(this.timer);
      this.timer = null;
    }
  }

  /** Brings the selected row into sight, where it is among those at hand. */
  private reveal(tree: Tree): void {
    const at = tree.shown.findIndex(({ key }) => key && idOf(key) === this.selected);
    if (at < 0) return;
    const top = (tree.from + at) * ROW_PX;
    void this.updateComplete.then(() => {
      const { scroller } = this;
      if (!scroller) return;
      if (top < scroller.scrollTop) scroller.scrollTop = top;
      else if (top + ROW_PX > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = top + ROW_PX - scroller.clientHeight;
    });
  }

  private get scroller(): HTMLElement | null {
    return this.renderRoot?.querySelector<HTMLElement>(".rows") ?? null;
  }

  private scrolled(): void {
    const from = Math.max(0, Math.floor(this.scroller!.scrollTop / ROW_PX) - MARGIN);
    if (Math.abs(from - this.from) < MARGIN / 2) return;
    this.from = from;
    this.askedAt = 0;
    this.look();
  }

  // ---- Drawing

  override render() {
    const { tree } = this;
    return html`
      <div class="tools">
        <input
          type="search"
          placeholder="Find keys"
          aria-label="Find keys: a part of a name, or a pattern"
          .value=${this.filter}
          @input=${(event: Event) => {
            this.filter = (event.target as HTMLInputElement).value;
            this.from = 0;
            this.look();
          }}
        />
        <select
          aria-label="Database"
          title="Auto: the database that the client has selected"
          @change=${(event: Event) => {
            const { value } = event.target as HTMLSelectElement;
            this.db = value === "" ? null : Number(value);
            this.look();
          }}
        >
          <option value="" ?selected=${this.db === null}>auto: ${tree?.db ?? 0}</option>
          ${Array.from({ length: 16 }, (_, db) => html`<option value=${db} ?selected=${this.db === db}>db ${db}</option>`)}
        </select>
        <label class="follow" title="Shows the key that the last command changed">
          <input type="checkbox" .checked=${this.follow} @change=${(event: Event) => (this.follow = (event.target as HTMLInputElement).checked)} />
          Follow
        </label>
      </div>
      ${tree?.notes?.length ? this.notes(tree) : nothing} ${tree ? this.body(tree) : html`<p class="note">${this.shell.host.state === "failed" ? "There is no engine to look into." : "Looking…"}</p>`}
    `;
  }

  private body(tree: Tree) {
    if (tree.total === 0) return this.empty();
    return html`
      <p class="count">
        ${this.filter ? `${tree.found.toLocaleString("en")} of ${countText(tree.total, "key")}` : countText(tree.total, "key")}
        ${this.changed.size > 0 ? html`<span class="legend">changed last</span>` : nothing}
      </p>
      <div
        class="rows ${this.selected === null ? "alone" : ""}"
        role="tree"
        aria-label="Keys"
        tabindex=${tree.rows > 0 ? nothing : 0}
        @scroll=${this.scrolled}
        @keydown=${this.pressed}
      >
        <div class="all" ${vars({ "--height": `${tree.rows * ROW_PX}px` })} role="presentation">
          ${tree.found === 0 ? html`<p class="note">No key fits.</p>` : nothing}
          ${tree.shown.map((row, at) => this.row(row, tree.from + at, tree))}
        </div>
      </div>
      ${this.selected !== null
        ? html`<rp-value
            .shell=${this.shell}
            .shown=${this.shown}
            .db=${tree.db}
            .name=${this.selected}
            .changes=${this.changes}
            .moment=${this.shell.moment}
            @close=${() => {
              this.selected = null;
              this.follow = false;
              void this.updateComplete.then(() => this.focusCursor(20));
            }}
          ></rp-value>`
        : nothing}
    `;
  }

  /** What there is to say of a server elsewhere. */
  private notes({ notes, more }: Tree) {
    return html`<div class="notes" role="status">
      ${notes!.map((note) => html`<p>${note}</p>`)}
      ${more ? html`<button type="button" ?disabled=${this.asksMore} @click=${this.askMore}>${this.asksMore ? "Looking…" : "Look at more"}</button>` : nothing}
    </div>`;
  }

  private async askMore(): Promise<void> {
    const { shell } = this;
    this.asksMore = true;
    await shell.host.inspect(shell.space, shell.lane?.id ?? 0, { q: "more" });
    this.asksMore = false;
    this.look();
  }

  private empty() {
    // Why there is nothing was said already.
    if (this.tree?.notes?.length) return nothing;
    const past = this.shell.moment !== null;
    return html`<div class="empty">
      <svg viewBox="0 0 120 80" aria-hidden="true">
        <rect x="8" y="12" width="46" height="14" rx="4" />
        <rect x="22" y="34" width="58" height="14" rx="4" />
        <rect x="22" y="56" width="36" height="14" rx="4" />
        <path d="M14 26v37h8M14 41h8" />
      </svg>
      <p><b>${past ? "No keys at this moment." : "No keys yet."}</b></p>
      <p>${past ? "Nothing was kept here then." : "What you keep appears here, as it is kept: its type, its size, the time it has to live."}</p>
      ${past
        ? nothing
        : html`<button type="button" @click=${() => this.shell.run('SET greeting "Hello, world"')}>Make the first one</button>
            ${this.shell.sandboxes.attached ? nothing : this.samples()}`}
    </div>`;
  }

  private samples() {
    return html`<p id="samples">or look at a sample:</p>
      <div class="samples" role="group" aria-labelledby="samples">
        ${datasets.map((data) => html`<button type="button" title=${data.summary} ?disabled=${this.loads} @click=${() => this.load(data)}>${data.title}</button>`)}
      </div>`;
  }

  private async load(data: Dataset): Promise<void> {
    this.loads = true;
    await loadDataset(this.shell, data);
    this.loads = false;
  }

  private row(row: Row, index: number, tree: Tree) {
    const place = vars({ "--at": `${index * ROW_PX}px`, "--depth": row.depth });
    const isCursor = index === this.cursor;
    if (row.group) {
      const hot = [...this.changed].some((key) => key.startsWith(idOf(row.group!)));
      return html`<div
        class="row group ${hot && !row.open ? "hot" : ""}"
        ${place}
        role="treeitem"
        aria-level=${row.depth + 1}
        aria-expanded=${row.open}
        aria-setsize=${tree.rows}
        aria-posinset=${index + 1}
        data-index=${index}
        tabindex=${isCursor ? 0 : -1}
        @click=${() => this.act(row, index)}
      >
        <span class="twist" aria-hidden="true"></span><span class="name">${shown(row.name)}</span>
        <span class="size">${countText(row.keys!, "key")}</span>
      </div>`;
    }
    const id = idOf(row.key!);
    const hot = this.changed.has(id);
    const left = row.expires == null ? null : row.expires - this.shell.host.timeIn(this.shell.space);
    const remains = this.shell.moment === null ? left : row.expires! - tree.now;
    return html`${keyed(
      hot ? this.changes : 0,
      html`<div
        class="row key ${hot ? "hot" : ""}"
        ${place}
        role="treeitem"
        aria-level=${row.depth + 1}
        aria-selected=${id === this.selected}
        aria-setsize=${tree.rows}
        aria-posinset=${index + 1}
        data-index=${index}
        tabindex=${isCursor ? 0 : -1}
        @click=${() => this.act(row, index)}
      >
        <span class="type t-${row.type}">${row.type}</span><span class="name">${shown(row.name)}</span>
        ${remains === null || row.expires == null
          ? nothing
          : html`<span class="ttl" title="Expires in ${spanText(remains)}"
              ><span class="bar" ${vars({ "--left": Math.max(0, Math.min(1, remains / (this.spans.get(id) || 1))) })}></span>${spanText(remains)}</span
            >`}
        <span class="size">${row.bytes == null ? "" : sizeText(row.bytes)}</span>
      </div>`,
    )}`;
  }

  // ---- Moving

  private act(row: Row, index: number): void {
    this.cursor = index;
    if (row.group) this.fold(idOf(row.group), !row.open);
    else {
      const id = idOf(row.key!);
      this.selected = this.selected === id ? null : id;
      this.follow = false;
      // It stands in place of the keys where there is no room for both.
      void this.updateComplete.then(() => {
        if (this.scroller?.offsetHeight === 0) this.renderRoot.querySelector("rp-value")?.shadowRoot?.querySelector<HTMLElement>(".close")?.focus();
      });
    }
  }

  private fold(group: string, open: boolean): void {
    if (open) this.open.add(group);
    else this.open.delete(group);
    this.askedAt = 0;
    this.look();
  }

  private pressed(event: KeyboardEvent): void {
    const { tree } = this;
    if (!tree) return;
    const row = tree.shown[this.cursor - tree.from];
    const page = Math.max(1, Math.floor(this.scroller!.clientHeight / ROW_PX) - 1);
    let to = this.cursor;
    switch (event.key) {
      case "ArrowDown": to++; break;
      case "ArrowUp": to--; break;
      case "PageDown": to += page; break;
      case "PageUp": to -= page; break;
      case "Home": to = 0; break;
      case "End": to = tree.rows - 1; break;
      case "ArrowRight":
        if (row?.group && !row.open) this.fold(idOf(row.group), true);
        else if (row?.group) to++;
        break;
      case "ArrowLeft":
        if (row?.group && row.open) this.fold(idOf(row.group), false);
        else while (to > tree.from && tree.shown[to - tree.from]!.depth >= (row?.depth ?? 0) && to > 0) to--;
        break;
      case "Enter":
      case " ":
        if (row) this.act(row, this.cursor);
        break;
      default:
        return;
    }
    event.preventDefault();
    this.goTo(Math.max(0, Math.min(tree.rows - 1, to)));
  }

  private goTo(index: number): void {
    this.cursor = index;
    const { scrollTop, clientHeight } = this.scroller!;
    const top = index * ROW_PX;
    if (top < scrollTop) this.scroller!.scrollTop = top;
    else if (top + ROW_PX > scrollTop + clientHeight) this.scroller!.scrollTop = top + ROW_PX - clientHeight;
    void this.updateComplete.then(() => this.focusCursor(20));
  }

  /** The row may still be on its way from the engine. */
  private focusCursor(tries: number): void {
    const row = this.renderRoot.querySelector<HTMLElement>(`[data-index="${this.cursor}"]`);
    if (row) row.focus({ preventScroll: true });
    else if (tries > 0) requestAnimationFrame(() => this.focusCursor(tries - 1));
  }
}

/** The groups that a key may stand in. */
function groupsOf(key: string): string[] {
  const groups: string[] = [];
  for (let at = key.indexOf(":"); at >= 0; at = key.indexOf(":", at + 1)) groups.push(key.slice(0, at + 1));
  return groups;
}

if (!customElements.get("rp-value")) customElements.define("rp-value", ValueView);
if (!customElements.get("rp-keys")) customElements.define("rp-keys", KeysPanel);
