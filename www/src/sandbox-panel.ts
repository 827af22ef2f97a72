/** The panel of the sandboxes: what this browser keeps, which is open, and what can be done with each. */

import { LitElement, css, html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { Shell } from "./panels/index";
import { panelStyles, sizeText } from "./panel-styles";
import type { Trouble } from "./sandboxes";
import type { Sandbox } from "./storage";
import { controls, primary } from "./styles";

const WHY: Record<Trouble, string> = {
  full: "The browser has no room left, so what is new here is not kept.",
  cleared: "The storage of this page was cleared, and its sandboxes with it.",
  failing: "The browser does not keep what is written.",
};

export class SandboxPanel extends LitElement {
  static override properties = {
    shell: { attribute: false },
    shown: { attribute: false },
    all: { state: true },
    renaming: { state: true },
    removed: { state: true },
    trouble: { state: true },
    room: { state: true },
  };

  declare shell: Shell;
  declare shown: boolean;
  declare private all: Sandbox[];
  declare private renaming: string | null;
  /** What was removed just now, to be brought back. */
  declare private removed: Sandbox | null;
  declare private trouble: string;
  /** What the browser gives, in bytes, and whether it keeps that when its disk gets full. */
  declare private room: { used: number; most: number; lasting: boolean } | null;
  private readonly refresh = () => void this.read();

  constructor() {
    super();
    this.shown = false;
    this.all = [];
    this.renaming = null;
    this.removed = null;
    this.trouble = "";
    this.room = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.shell.sandboxes.addEventListener("change", this.refresh);
    void this.read();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.shell.sandboxes.removeEventListener("change", this.refresh);
  }

  private async read(): Promise<void> {
    this.all = (await this.shell.sandboxes.list()).filter(({ removed }) => removed === null);
    this.requestUpdate();
    try {
      const [{ usage = 0, quota = 0 }, lasting] = await Promise.all([navigator.storage.estimate(), navigator.storage.persisted()]);
      this.room = { used: usage, most: quota, lasting };
    } catch {
      this.room = null;
    }
  }

  private async persist(): Promise<void> {
    await this.act(async () => {
      if (!(await navigator.storage.persist())) throw new Error("it does not promise to. It may once the page is installed or used more often; a file is safe in any case");
    });
  }

  private async act(run: () => Promise<unknown>): Promise<void> {
    this.trouble = "";
    try {
      await run();
    } catch (reason) {
      this.trouble = `The browser did not keep this: ${reason instanceof Error ? reason.message : String(reason)}`;
    }
    await this.read();
  }

  private get sandboxes() {
    return this.shell.sandboxes;
  }

  private async takeAway(sandbox: Sandbox): Promise<void> {
    await this.act(() => this.sandboxes.remove(sandbox.id));
    this.removed = sandbox;
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLElement>(".undo button")?.focus();
  }

  private async restore(): Promise<void> {
    const { removed } = this;
    this.removed = null;
    if (removed) await this.act(() => this.sandboxes.restore(removed.id));
  }

  private create(): Promise<void> {
    const names = new Set(this.all.map(({ name }) => name));
    let number = this.all.length + 1;
    while (names.has(`Sandbox ${number}`)) number++;
    return this.act(() => this.sandboxes.create(`Sandbox ${number}`));
  }

  override render() {
    if (!this.sandboxes.keeps) {
      return html`<div class="content"><h2>Sandboxes</h2>
        <p class="empty">This browser allows the page no storage, so nothing outlives it. “Save a file” in the menu takes a session along.</p></div>`;
    }
    return html`<div class="content">
      <div class="heading"><h2>Sandboxes</h2><button class="primary" type="button" @click=${this.create}>New</button></div>
      <p class="lead">Each is a server of its own, kept in this browser with all its keys.</p>
      ${this.banner()}
      ${this.trouble ? html`<p class="trouble" role="alert">${this.trouble}</p>` : nothing}
      <div aria-live="polite">
        ${this.removed
          ? html`<p class="undo">“${this.removed.name}” was removed. <button type="button" @click=${this.restore}>Undo</button></p>`
          : nothing}
      </div>
      <ul>
        ${repeat(this.all, ({ id }) => id, (sandbox) => this.row(sandbox))}
      </ul>
      ${this.roomLeft()}
    </div>`;
  }

  private roomLeft() {
    if (!this.room) return nothing;
    const { used, most, lasting } = this.room;
    return html`<p class="lead room">
      This page takes ${sizeText(used)} of the ${sizeText(most)} that the browser allows.
      ${lasting
        ? "The browser keeps it until you remove it."
        : html`When its disk gets full, the browser may clear it. <button type="button" @click=${this.persist}>Ask it not to</button>`}
    </p>`;
  }

  private banner() {
    const { keeping, current, visits, attached, trouble } = this.sandboxes;
    if (attached) {
      return html`<div class="banner"><p>The terminals are attached to <b>${attached.host}:${attached.port}</b>: what you type there is real.</p>
        <button class="primary" type="button" @click=${() => this.sandboxes.home()}>Back to “${current.name}”</button></div>`;
    }
    if (visits) {
      return html`<div class="banner"><p>The terminals show a keyspace of its own now, such as a lesson's. Nobody keeps it.</p>
        <button type="button" @click=${() => this.sandboxes.home()}>Back to “${current.name}”</button>
        <button type="button" @click=${() => this.act(() => this.sandboxes.keepAs("Kept from a lesson"))}>Keep it as a sandbox</button></div>`;
    }
    if (trouble) {
      return html`<div class="banner">
        <p><b>${WHY[trouble]}</b> Nothing is lost while this tab is open, and a file takes it along.</p>
        <button class="primary" type="button" @click=${() => this.act(() => this.sandboxes.keepAgain())}>
          ${trouble === "cleared" ? "Keep it again" : "Try again"}
        </button>
        <button type="button" @click=${() => void import("./transfer-dialog").then(({ show }) => show(this.shell, "save"))}>Save to a file</button>
      </div>`;
    }
    if (keeping !== "copied" && keeping !== "taken") return nothing;
    return html`<div class="banner" aria-live="polite">
      <p>
        ${keeping === "copied"
          ? html`<b>“${current.name}” is open in another tab.</b> You see a copy as it was a moment ago; what you change here is not kept.`
          : html`<b>Another tab uses “${current.name}” now.</b> All that was answered here is in it; what you change here from now on is not kept.`}
      </p>
      <button class="primary" type="button" @click=${() => this.act(() => this.sandboxes.open(current.id, true))}>Use it here</button>
      <button type="button" @click=${() => this.act(() => this.sandboxes.keepAs(`${current.name} (copy)`))}>Keep this copy</button>
    </div>`;
  }

  private row(sandbox: Sandbox) {
    const open = sandbox.id === this.sandboxes.current.id && !this.sandboxes.visits;
    if (this.renaming === sandbox.id) {
      return html`<li>
        <form
          @submit=${(event: SubmitEvent) => {
            event.preventDefault();
            const name = new FormData(event.target as HTMLFormElement).get("name");
            this.renaming = null;
            void this.act(() => this.sandboxes.rename(sandbox.id, String(name)));
          }}
        >
          <input name="name" aria-label="New name" maxlength="60" .value=${sandbox.name} />
          <button type="submit">Rename</button>
          <button type="button" @click=${() => (this.renaming = null)}>Cancel</button>
        </form>
      </li>`;
    }
    return html`<li class=${open ? "open" : ""}>
      <button class="name" type="button" aria-current=${open ? "true" : nothing} @click=${() => this.act(() => this.sandboxes.open(sandbox.id))}>
        <span>${sandbox.name}</span>
        <small>${open ? "open" : ago(sandbox.used)} · ${sizeText(sandbox.bytes)} of history</small>
      </button>
      <span class="actions" role="group" aria-label=${sandbox.name}>
        <button
          type="button"
          @click=${async () => {
            this.renaming = sandbox.id;
            await this.updateComplete;
            this.renderRoot.querySelector("input")?.select();
          }}
        >
          Rename
        </button>
        <button type="button" @click=${() => this.act(() => this.sandboxes.duplicate(sandbox.id))}>Duplicate</button>
        <button type="button" @click=${() => this.takeAway(sandbox)}>Remove</button>
      </span>
    </li>`;
  }

  static override styles = [
    controls,
    primary,
    panelStyles,
    css`
      ul {
        list-style: none;
        margin: 0;
        padding: 0;
        display: grid;
        gap: var(--rp-space-2);
      }
      li {
        border: 1px solid var(--rp-edge);
        border-radius: var(--rp-radius-small);
        padding: var(--rp-space-1);
      }
      li.open {
        border-color: var(--rp-accent);
      }
      .banner button {
        margin: 0 var(--rp-space-1) var(--rp-space-1) 0;
      }
      .room {
        margin-top: var(--rp-space-4);
      }
      .room button {
        margin-top: var(--rp-space-2);
      }
      .name {
        display: grid;
        width: 100%;
        padding-inline: var(--rp-space-1);
        border-color: transparent;
        text-align: left;
        font-weight: 600;
        white-space: normal;
        overflow-wrap: anywhere;
      }
      .name small {
        font-weight: 400;
        color: var(--rp-muted);
      }
      .actions,
      form {
        display: flex;
        flex-wrap: wrap;
        gap: var(--rp-space-1);
        padding: var(--rp-space-1);
      }
      form input {
        flex: 1 1 10rem;
        min-width: 0;
      }
    `,
  ];
}

/** How long ago, roughly. */
function ago(at: number): string {
  const minutes = Math.max(0, Math.round((Date.now() - at) / 60_000));
  const [value, unit]: [number, Intl.RelativeTimeFormatUnit] =
    minutes < 60 ? [minutes, "minute"] : minutes < 48 * 60 ? [Math.round(minutes / 60), "hour"] : [Math.round(minutes / 1440), "day"];
  return value === 0 ? "just now" : new Intl.RelativeTimeFormat("en").format(-value, unit);
}

customElements.define("rp-sandboxes", SandboxPanel);
