/** The dialog that attaches the terminals to a server elsewhere, through the bridge of the server that serves this page. */

import { LitElement, css, html, nothing } from "lit";
import { Frames } from "./attached/frames";
import { dialogStyles } from "./dialog-styles";
import type { Shell } from "./panels/index";
import { panelStyles } from "./panel-styles";
import { Link, type Remote } from "./remote";
import { encoded } from "./resp";
import { controls, primary, tokens } from "./styles";

const TOKEN = "resplay.token";
const SPACE = "attached";
const PATIENCE_MS = 12_000;

function bridgeUrl(): string {
  const url = new URL("ws", document.baseURI);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.search = url.hash = "";
  return url.href;
}

/** Whether the server of this page has a bridge: one that wants an upgrade says 426 or 400, any other 404. */
async function hasBridge(): Promise<boolean> {
  try {
    const { status } = await fetch(new URL("ws", document.baseURI), { method: "GET", cache: "no-store" });
    return status !== 404 && status !== 405;
  } catch {
    return false;
  }
}

/** Tries the connection; settles with where the server is, or fails with the reason. */
function tried(remote: Remote): Promise<Remote> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error("it does not answer")), PATIENCE_MS);
    const frames = new Frames();
    let reached = remote;
    const done = () => {
      clearTimeout(late);
      link.close();
      resolve(reached);
    };
    const link = new Link(remote, remote.host, remote.port, {
      connected: (host, port) => {
        if (remote.own) reached = { ...remote, host, port };
        if (remote.credentials) link.send(encoded(["AUTH", ...remote.credentials]));
        else done();
      },
      received: (bytes) => {
        const [answer] = frames.feed(bytes);
        if (!answer) return;
        if (answer.bytes[0] !== 0x2d) {
          done();
          return;
        }
        clearTimeout(late);
        link.close();
        reject(new Error(new TextDecoder().decode(answer.bytes.subarray(1)).trim()));
      },
      ended: (reason) => {
        clearTimeout(late);
        reject(new Error(reason));
      },
    });
  });
}

function attach(shell: Shell, remote: Remote): void {
  shell.sandboxes.visit(SPACE, undefined, undefined, remote);
  shell.notice(`Attached to ${remote.host}:${remote.port}. What you type here is done there. The panel “Sandbox” leads back.`);
}

/** From the address that the server printed when it started. */
export async function attachByLink(shell: Shell): Promise<void> {
  const token = location.hash.slice("#attach=".length);
  history.replaceState(null, "", location.pathname + location.search);
  keepToken(token);
  showAttach(shell, true);
}

function keepToken(token: string): void {
  try {
    sessionStorage.setItem(TOKEN, token);
  } catch {
    /* asked for again */
  }
}

function keptToken(): string {
  try {
    return sessionStorage.getItem(TOKEN) ?? "";
  } catch {
    return "";
  }
}

export class AttachDialog extends LitElement {
  static override properties = {
    bridge: { state: true },
    token: { state: true },
    elsewhere: { state: true },
    trouble: { state: true },
    working: { state: true },
  };

  declare shell: Shell;
  declare private bridge: boolean | null;
  declare private token: string;
  /** Another server than the one of the page. */
  declare private elsewhere: boolean;
  declare private trouble: string;
  declare private working: boolean;

  constructor() {
    super();
    this.bridge = null;
    this.token = "";
    this.elsewhere = false;
    this.trouble = "";
    this.working = false;
  }

  /** With `now`, attaches to the page's own server at once if that works. */
  async open(now: boolean): Promise<void> {
    this.bridge = null;
    this.token = keptToken();
    this.trouble = "";
    await this.updateComplete;
    const dialog = this.renderRoot.querySelector("dialog")!;
    if (!dialog.open) dialog.showModal();
    this.bridge = await hasBridge();
    if (now && this.bridge && this.token) await this.try("127.0.0.1", 6379);
  }

  private async try(host: string, port: number, credentials?: string[]): Promise<void> {
    const remote: Remote = { url: bridgeUrl(), token: this.token.trim(), host, port, own: !this.elsewhere, ...(credentials ? { credentials } : {}) };
    this.working = true;
    this.trouble = "";
    try {
      const reached = await tried(remote);
      keepToken(remote.token);
      this.renderRoot.querySelector("dialog")!.close();
      attach(this.shell, reached);
    } catch (reason) {
      this.trouble = `Not attached: ${reason instanceof Error ? reason.message : String(reason)}.`;
    } finally {
      this.working = false;
    }
  }

  private submit(event: SubmitEvent): void {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    // The whole address that the server printed is taken as well.
    this.token = String(form.get("token")).replace(/^.*#attach=/, "");
    const [user, password] = [String(form.get("user") ?? "").trim(), String(form.get("password") ?? "")];
    const credentials = password === "" && user === "" ? undefined : user === "" ? [password] : [user, password];
    void this.try(String(form.get("host") ?? "127.0.0.1").trim() || "127.0.0.1", Number(form.get("port") ?? 6379) || 6379, credentials);
  }

  override render() {
    return html`<dialog aria-labelledby="title">
      <div class="sheet">
        <h2 id="title">Attach to a server</h2>
        ${this.bridge === false ? this.without() : this.form()}
        <div aria-live="polite">
          ${this.working ? html`<p class="lead">Connecting…</p>` : nothing} ${this.trouble ? html`<p class="trouble">${this.trouble}</p>` : nothing}
        </div>
        <form method="dialog" class="end"><button>Close</button></form>
      </div>
    </dialog>`;
  }

  private without() {
    return html`<p>A browser cannot speak to Redis by itself. The server does it, when it serves this page as well:</p>
      <pre tabindex="0">resplay serve</pre>
      <p>Open the address that it prints, and the terminals here attach to it, or to any Redis on your machine.</p>`;
  }

  private form() {
    return html`<form @submit=${this.submit}>
      <label>
        Token
        <input name="token" required autocomplete="off" spellcheck="false" .value=${this.token} />
        <small>The server printed it when it started, behind <code>#attach=</code>; the whole address will do. It keeps other pages out.</small>
      </label>
      <fieldset>
        <legend>Server</legend>
        <label class="choice"><input type="radio" name="which" ?checked=${!this.elsewhere} @change=${() => (this.elsewhere = false)} /> The one that serves this page</label>
        <label class="choice"><input type="radio" name="which" ?checked=${this.elsewhere} @change=${() => (this.elsewhere = true)} /> Another</label>
        ${this.elsewhere
          ? html`<div class="address">
              <label>Host <input name="host" value="127.0.0.1" spellcheck="false" /></label>
              <label>Port <input name="port" value="6379" inputmode="numeric" /></label>
            </div>`
          : nothing}
      </fieldset>
      <details>
        <summary>With a password</summary>
        <div class="address">
          <label>Password <input name="password" type="password" autocomplete="off" /></label>
          <label>User <input name="user" autocomplete="off" spellcheck="false" placeholder="default" /></label>
        </div>
        <small>For the terminals and the panels. It stays in the memory of this tab.</small>
      </details>
      <button class="primary" type="submit" ?disabled=${this.working || this.bridge === null}>Attach</button>
    </form>`;
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
      }
      dialog {
        --width: 30rem;
      }
      .sheet,
      form:not(.end) {
        display: grid;
        gap: var(--rp-space-3);
      }
      .sheet {
        padding: var(--rp-space-4);
      }
      p {
        margin: 0;
      }
      label:not(.choice) {
        display: grid;
        gap: var(--rp-space-1);
        min-width: 0;
      }
      label input:not([type="radio"]) {
        width: 100%;
        font-family: var(--rp-mono);
      }
      input[type="radio"] {
        min-height: 0;
        accent-color: var(--rp-accent);
      }
      .choice {
        display: flex;
        align-items: center;
        gap: var(--rp-space-2);
        min-height: 2rem;
      }
      small {
        color: var(--rp-muted);
      }
      fieldset {
        border: 1px solid var(--rp-edge);
        border-radius: var(--rp-radius-small);
        padding: var(--rp-space-2) var(--rp-space-3);
        margin: 0;
        min-width: 0;
      }
      .address {
        display: grid;
        grid-template-columns: 1fr 7rem;
        gap: var(--rp-space-2);
      }
      summary {
        min-height: 1.75rem;
        cursor: pointer;
      }
      .end {
        text-align: right;
      }
      pre,
      code {
        font-family: var(--rp-mono);
      }
      pre {
        margin: 0;
        padding: var(--rp-space-3);
        background: var(--rp-ground);
        border-radius: var(--rp-radius-small);
        overflow-x: auto;
      }
    `,
  ];
}

export function showAttach(shell: Shell, now = false): void {
  let dialog = document.querySelector<AttachDialog>("rp-attach");
  if (!dialog) {
    dialog = document.createElement("rp-attach") as AttachDialog;
    dialog.shell = shell;
    document.body.append(dialog);
  }
  void dialog.open(now);
}

customElements.define("rp-attach", AttachDialog);
