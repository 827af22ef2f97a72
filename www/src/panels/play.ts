/** Plays a transcript across the clients, at a chosen speed, on a clock of its own. */

import { LitElement, css, html } from "lit";
import type { Shell } from "./index";
import { panelStyles } from "./keys-styles";
import type { PlayStep } from "./look";

const EXAMPLE = `# A queue: two workers wait, and jobs go to whoever waited longest.
2> BLPOP jobs 0
3> BLPOP jobs 0
> RPUSH jobs first second
# A lock that nobody gives back goes away by itself.
> SET lock worker-1 NX EX 10
2> SET lock worker-2 NX EX 10
@ +11s
2> SET lock worker-2 NX EX 10`;

const SPEEDS: [string, number][] = [["slow", 2000], ["at a reader's pace", 900], ["fast", 250], ["at once", 0]];

export class PlayDialog extends LitElement {
  static override properties = { playing: { state: true }, pace: { state: true }, at: { state: true }, count: { state: true }, trouble: { state: true } };

  shell: Shell | null = null;
  declare private playing: boolean;
  declare private pace: number;
  declare private at: number;
  declare private count: number;
  declare private trouble: string;
  private text = EXAMPLE;
  private stopped = false;

  constructor() {
    super();
    this.playing = false;
    this.pace = 900;
    this.at = this.count = 0;
    this.trouble = "";
  }

  open(): void {
    void this.updateComplete.then(() => this.renderRoot.querySelector("dialog")!.showModal());
  }

  override render() {
    return html`
      <dialog aria-labelledby="title">
        <form method="dialog" class="sheet">
          <h2 id="title">Play a transcript</h2>
          <p>
            <code>&gt;</code> is the first client, <code>2&gt;</code> the second, <code>@ +4s</code> lets time pass, <code>#</code> says something. The clock
            stands still while it plays, so that it plays alike every time.
          </p>
          <label
            >Transcript
            <textarea rows="12" spellcheck="false" .value=${this.text} @input=${(event: Event) => (this.text = (event.target as HTMLTextAreaElement).value)}></textarea>
          </label>
          ${this.trouble ? html`<p role="alert">${this.trouble}</p>` : ""}
          <div class="acts">
            <label
              >Speed
              <select @change=${(event: Event) => (this.pace = Number((event.target as HTMLSelectElement).value))}>
                ${SPEEDS.map(([name, pace]) => html`<option value=${pace} ?selected=${pace === this.pace}>${name}</option>`)}
              </select>
            </label>
            <button type="submit">Cancel</button>
            <button class="primary" type="button" @click=${this.play}>Play</button>
          </div>
        </form>
      </dialog>
      ${this.playing
        ? html`<div class="bar" role="status">
            <span>Playing ${this.at} of ${this.count}</span>
            <button type="button" @click=${() => (this.stopped = true)}>Stop playing</button>
          </div>`
        : ""}
    `;
  }

  private async play(): Promise<void> {
    const shell = this.shell!;
    const steps = await shell.host.inspect<PlayStep[]>(shell.space, 0, { q: "transcript", text: this.text });
    if (!steps || !Array.isArray(steps)) {
      this.trouble = typeof steps === "string" ? steps : "This is no transcript.";
      return;
    }
    this.trouble = "";
    this.renderRoot.querySelector("dialog")!.close();
    const clock = shell.host.clockOf(shell.space);
    shell.host.setClock(shell.space, true, clock?.rate ?? 1);
    this.playing = true;
    this.stopped = false;
    this.count = steps.length;
    // Clients by the order in which they come.
    const clients: string[] = [];
    try {
      for (const [index, step] of steps.entries()) {
        if (this.stopped) break;
        this.at = index + 1;
        if (step.say !== null) shell.notice(step.say);
        else if (step.pass !== null) {
          if (this.pace > 0) await new Promise((resolve) => setTimeout(resolve, this.pace));
          shell.host.pass(shell.space, step.pass);
          await shell.host.sync();
        } else {
          const number = Number(step.client);
          if (!Number.isInteger(number) && !clients.includes(step.client!)) clients.push(step.client!);
          const client = Number.isInteger(number) ? number : clients.indexOf(step.client!) + 1;
          await shell.play([{ client, line: step.line! }], this.pace);
        }
      }
    } finally {
      this.playing = false;
      shell.host.setClock(shell.space, clock?.paused ?? false, clock?.rate ?? 1);
    }
  }

  static override styles = [
    ...panelStyles,
    css`
      :host {
        display: contents;
      }
      dialog {
        width: min(40rem, calc(100vw - 2rem));
        padding: 0;
        color: var(--rp-text);
        background: var(--rp-panel);
        border: 1px solid var(--rp-edge-strong);
        border-radius: var(--rp-radius);
      }
      dialog::backdrop {
        background: rgb(0 0 0 / 0.5);
      }
      .sheet {
        display: grid;
        gap: var(--rp-space-3);
        padding: var(--rp-space-6);
        font-family: var(--rp-sans);
      }
      .sheet p {
        margin: 0;
      }
      label {
        display: grid;
        gap: var(--rp-space-1);
        color: var(--rp-muted);
      }
      textarea {
        font: var(--rp-size-small) / 1.5 var(--rp-mono);
        padding: var(--rp-space-2);
        color: var(--rp-text);
        background: var(--rp-ground);
        border: 1px solid var(--rp-edge-strong);
        border-radius: var(--rp-radius-small);
        resize: vertical;
        min-width: 0;
      }
      .acts {
        display: flex;
        align-items: end;
        gap: var(--rp-space-2);
      }
      .acts label {
        margin-right: auto;
      }
      .acts button {
        min-height: 2rem;
      }
      .bar {
        position: fixed;
        inset: auto auto 4rem 50%;
        translate: -50% 0;
        display: flex;
        align-items: center;
        gap: var(--rp-space-3);
        padding: var(--rp-space-2) var(--rp-space-3);
        font: var(--rp-size-small) / 1.5 var(--rp-sans);
        color: var(--rp-text);
        background: var(--rp-raised);
        border: 1px solid var(--rp-edge-strong);
        border-radius: 2rem;
        box-shadow: 0 0.5rem 1.5rem -0.5rem rgb(0 0 0 / 0.5);
      }
    `,
  ];
}

export function playTranscript(shell: Shell): void {
  let dialog = shell.place.querySelector<PlayDialog>("rp-play");
  if (!dialog) {
    dialog = document.createElement("rp-play") as PlayDialog;
    dialog.shell = shell;
    shell.place.append(dialog);
  }
  dialog.open();
}

if (!customElements.get("rp-play")) customElements.define("rp-play", PlayDialog);
