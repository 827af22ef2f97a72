/** The dialog for a line that wants a file: one of this machine, or text typed in its place. */

import { LitElement, css, html, nothing } from "lit";
import { dialogStyles } from "./dialog-styles";
import type { FileUse } from "./protocol";
import { controls, primary, tokens } from "./styles";

const TITLES: Record<FileUse, string> = {
  script: "Which script?",
  argument: "What is the last argument?",
  commands: "Which commands?",
};

const WORDS: Record<FileUse, string> = {
  script: "The Lua script that --eval runs.",
  argument: "-x takes the last argument from a file, as it is: text or any bytes.",
  commands: "--pipe runs a file: one command a line, or the Redis protocol.",
};

class FileWanted extends LitElement {
  static override properties = { trouble: { state: true } };

  name: string | null = null;
  use: FileUse = "argument";
  answer: (bytes: Uint8Array | null) => void = () => {};
  declare private trouble: string;

  constructor() {
    super();
    this.trouble = "";
  }

  override firstUpdated(): void {
    this.renderRoot.querySelector("dialog")!.showModal();
  }

  override render() {
    return html`<dialog aria-labelledby="title" @close=${() => this.end(null)}>
      <div class="sheet">
        <h2 id="title">${TITLES[this.use]}</h2>
        <p>${WORDS[this.use]}${this.name ? html` The line names <code>${this.name}</code>.` : nothing} Nothing leaves your browser.</p>
        <label>A file <input type="file" @change=${this.chosen} /></label>
        <label>or text <textarea rows="5" spellcheck="false" autocapitalize="off"></textarea></label>
        ${this.trouble ? html`<p role="alert">${this.trouble}</p>` : nothing}
        <div class="acts">
          <button type="button" @click=${() => this.end(null)}>Cancel</button>
          <button class="primary" type="button" @click=${this.typed}>Use the text</button>
        </div>
      </div>
    </dialog>`;
  }

  private async chosen(event: Event): Promise<void> {
    const file = (event.target as HTMLInputElement).files?.[0];
    if (!file) return;
    try {
      this.end(new Uint8Array(await file.arrayBuffer()));
    } catch (reason) {
      this.trouble = `The file cannot be read: ${reason instanceof Error ? reason.message : String(reason)}`;
    }
  }

  private typed(): void {
    this.end(new TextEncoder().encode(this.renderRoot.querySelector("textarea")!.value));
  }

  private end(bytes: Uint8Array | null): void {
    this.remove();
    this.answer(bytes);
  }

  static override styles = [
    tokens,
    controls,
    primary,
    dialogStyles,
    css`
      .sheet {
        display: grid;
        gap: var(--rp-space-3);
        padding: var(--rp-space-6);
      }
      h2,
      p {
        margin: 0;
      }
      h2 {
        font-size: 1.1rem;
      }
      label {
        display: grid;
        gap: var(--rp-space-1);
        color: var(--rp-muted);
        min-width: 0;
      }
      input,
      textarea {
        font: var(--rp-size-small) / 1.5 var(--rp-mono);
        color: var(--rp-text);
        min-width: 0;
        max-width: 100%;
      }
      textarea {
        padding: var(--rp-space-2);
        background: var(--rp-ground);
        border: 1px solid var(--rp-edge-strong);
        border-radius: var(--rp-radius-small);
        resize: vertical;
      }
      .acts {
        display: flex;
        justify-content: end;
        gap: var(--rp-space-2);
      }
    `,
  ];
}

customElements.define("rp-file-wanted", FileWanted);

/** What the user gives; nothing when they do not. */
export async function want(name: string | null, use: FileUse): Promise<Uint8Array | null> {
  const back = deepFocus();
  const bytes = await new Promise<Uint8Array | null>((resolve) => {
    const dialog = document.createElement("rp-file-wanted") as FileWanted;
    Object.assign(dialog, { name, use, answer: resolve });
    document.body.append(dialog);
  });
  back?.focus();
  return bytes;
}

function deepFocus(): HTMLElement | null {
  let found = document.activeElement;
  while (found?.shadowRoot?.activeElement) found = found.shadowRoot.activeElement;
  return found as HTMLElement | null;
}
