/** Plays a transcript across the clients, at a chosen speed, on a clock of its own. */

import { LitElement, css, html } from "lit";
import { dialogStyles } from "../dialog-styles";
import type { Shell } from "./index";
import { sharedOf } from "../share";
import { panelStyles } from "./keys-styles";
import type { PlayStep } from "./look";

const EXAMPLE = `@ client 1 producer
@ client 2 worker 1
@ client 3 worker 2
# A queue: two workers wait, and jobs go to whoever waited longest.
2> BLPOP jobs 0
3> BLPOP jobs 0
> RPUSH jobs first second
# A lock that nobody gives back goes away by itself.
> SET lock worker-1 NX EX 10
2> SET lock worker-2 NX EX 10
@ +11s
2> SET lock worker-2 NX EX 10`;

const SPEEDS: [string, number][] = [["slow", 2000], ["at a reader's pace", 900], ["fast", 250], ["at once", 0]];

/** A keyspace for transcripts that want one of their own: the same seed each time, unless they name one. */
const OWN_SPACE = "transcript";

type State = "idle" | "playing" | "paused" | "over";

export class PlayDialog extends LitElement {
  static override properties = {
    state: { state: true },
    pace: { state: true },
    at: { state: true },
    count: { state: true },
    trouble: { state: true },
    own: { state: true },
  };

  shell: Shell | null = null;
  declare private state: State;
  declare private pace: number;
  /** Steps done. */
  declare private at: number;
  declare private count: number;
  declare private trouble: string;
  declare private own: boolean;
  private text = EXAMPLE;
  private stopped = false;
  private stepping = false;
  private wake: () => void = () => {};

  constructor() {
    super();
    this.state = "idle";
    this.pace = 900;
    this.at = this.count = 0;
    this.trouble = "";
    this.own = true;
  }

  open(): void {
    if (this.state === "playing" || this.state === "paused") return;
    void this.updateComplete.then(() => this.renderRoot.querySelector("dialog")!.showModal());
  }

  override render() {
    return html`
      <dialog aria-labelledby="title">
        <form method="dialog" class="sheet">
          <h2 id="title">Play a transcript</h2>
          <p>
            <code>&gt;</code> is the first client, <code>2&gt;</code> the second, <code>@ client 2 worker</code> names it, <code>@ +4s</code> lets time pass, <code>#</code> says something. The clock stands still while it plays, so that it plays alike every time.
          </p>
          <label
            >Transcript
            <textarea rows="12" spellcheck="false" .value=${this.text} @input=${(event: Event) => (this.text = (event.target as HTMLTextAreaElement).value)}></textarea>
          </label>
          <label class="line">
            <input type="checkbox" .checked=${this.own} @change=${(event: Event) => (this.own = (event.target as HTMLInputElement).checked)} />
            in an empty keyspace of its own; the sandbox waits
          </label>
          ${this.trouble ? html`<p role="alert">${this.trouble}</p>` : ""}
          <div class="acts">
            <label>Speed ${this.speeds()}</label>
            <button type="submit">Cancel</button>
            <button class="primary" type="button" @click=${this.play}>Play</button>
          </div>
        </form>
      </dialog>
      ${this.state === "idle" ? "" : this.bar()}
    `;
  }

  private speeds() {
    return html`<select
      aria-label="Speed"
      @change=${(event: Event) => {
        this.pace = Number((event.target as HTMLSelectElement).value);
        this.wake();
      }}
    >
      ${SPEEDS.map(([name, pace]) => html`<option value=${pace} ?selected=${pace === this.pace}>${name}</option>`)}
    </select>`;
  }

  private bar() {
    const over = this.state === "over";
    const paused = this.state === "paused";
    return html`<div class="bar" role="group" aria-label="Playing">
      <span role="status">${over ? "Played" : paused ? "Paused at" : "Playing"} ${this.at} of ${this.count}</span>
      ${over
        ? html`${this.shell!.sandboxes.visits ? html`<button type="button" @click=${this.goHome}>Back to the sandbox</button>` : ""}
            <button type="button" @click=${this.playAgain}>Play again</button>
            <button type="button" @click=${this.dismiss}>Stay</button>`
        : html`<button class="pause" type="button" @click=${this.pause}>${paused ? "Go on" : "Pause"}</button>
            <button type="button" @click=${this.step}>Step</button>
            ${this.speeds()}
            <button type="button" @click=${this.stop}>Stop</button>`}
    </div>`;
  }

  private pause(): void {
    this.state = this.state === "paused" ? "playing" : "paused";
    this.wake();
  }

  private step(): void {
    this.state = "paused";
    this.stepping = true;
    this.wake();
  }

  private stop(): void {
    this.stopped = true;
    this.wake();
  }

  private dismiss(): void {
    this.state = "idle";
  }

  private goHome(): void {
    this.dismiss();
    this.shell!.sandboxes.home();
  }

  private playAgain(): void {
    this.dismiss();
    void this.play();
  }

  /** Until the next step's time has come, or somebody asks for it. */
  private async turn(): Promise<void> {
    let due = performance.now() + this.pace;
    while (!this.stopped && !this.stepping) {
      const left = due - performance.now();
      if (this.state !== "paused" && left <= 0) break;
      const pace = this.pace;
      await new Promise<void>((resolve) => {
        const timer = this.state === "paused" ? null : setTimeout(resolve, left);
        this.wake = () => {
          if (timer !== null) clearTimeout(timer);
          resolve();
        };
      });
      due += this.pace - pace;
    }
    this.stepping = false;
  }

  private async play(): Promise<void> {
    const shell = this.shell!;
    const steps = await shell.host.inspect<PlayStep[]>(shell.space, 0, { q: "transcript", text: this.text });
    if (!steps || !Array.isArray(steps)) {
      this.trouble = typeof steps === "string" ? steps : "This is no transcript.";
      return;
    }
    // Clients by their numbers, and those with letters by the order in which they come.
    const names: string[] = [];
    for (const { client } of steps) if (client !== null && !isNumber(client) && !names.includes(client)) names.push(client);
    const clientOf = (client: string) => (isNumber(client) ? Number(client) : names.indexOf(client) + 1);
    this.trouble = "";
    this.renderRoot.querySelector("dialog")!.close();
    const shared = sharedOf(this.text);
    if (this.own) shell.sandboxes.visit(OWN_SPACE, shared?.seed ?? 1);
    const clock = shell.host.clockOf(shell.space);
    shell.host.setClock(shell.space, true, clock?.rate ?? 1);
    this.state = "playing";
    this.stopped = this.stepping = false;
    this.count = steps.length;
    this.at = 0;
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>(".pause")?.focus());
    const { space } = shell;
    try {
      for (const step of steps) {
        // What is said needs no waiting for.
        if (step.say === null) await this.turn();
        if (this.stopped || shell.space !== space) break;
        if (step.say !== null) shell.notice(step.say);
        else if (step.pass !== null) {
          shell.host.pass(space, step.pass);
          await shell.host.sync();
        } else {
          const client = clientOf(step.client!);
          await shell.play([{ client, line: step.line! }], 0, false);
          const name = shared?.clients[client - 1];
          if (name) shell.nameClient(client, name);
        }
        this.at++;
      }
    } finally {
      this.state = "over";
      if (shell.space === space) shell.host.setClock(space, clock?.paused ?? false, clock?.rate ?? 1);
    }
  }

  static override styles = [
    ...panelStyles,
    dialogStyles,
    css`
      :host {
        display: contents;
      }
      dialog {
        --width: 40rem;
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
      .line {
        display: flex;
        align-items: center;
        gap: var(--rp-space-2);
      }
      .bar {
        flex-wrap: wrap;
        justify-content: center;
        max-width: calc(100vw - 1rem);
        width: max-content;
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
        border-radius: 1.4rem;
        box-shadow: 0 0.5rem 1.5rem -0.5rem rgb(0 0 0 / 0.5);
      }
    `,
  ];
}

function isNumber(client: string): boolean {
  return /^\d+$/.test(client);
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
