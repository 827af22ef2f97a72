/** One command taken apart: its bytes, what it cost, the keys it named, what it told and to whom. */

import { css, html, nothing } from "lit";
import { inspect } from "../past";
import { LookingPanel } from "./looking";
import { panelStyles } from "./keys-styles";
import { countText, shown, spanText, timeText, type Command, type Look, type Step, type Wire } from "./look";
import { wireStyles, wireView } from "./wire";

export class XrayPanel extends LookingPanel {
  static override properties = {
    shell: { attribute: false },
    shown: { attribute: false },
    step: { state: true },
    resp: { state: true },
    other: { state: true },
  };

  declare private step: Step | null;
  /** The protocol to show the reply in; 0 is the one it had. */
  declare private resp: number;
  declare private other: Wire | null;

  constructor() {
    super();
    this.step = null;
    this.resp = 0;
    this.other = null;
  }

  protected override async ask(): Promise<void> {
    const { shell } = this;
    const step = await inspect<Step>(shell, { q: "step", moment: shell.moment });
    if (step && !step.attached && step.input.moment === this.step?.input.moment && step.now === this.step.now) return;
    this.step = step;
    this.other = null;
    if (this.resp !== 0) void this.askOther(this.resp);
  }

  private async askOther(resp: number): Promise<void> {
    this.resp = resp;
    const { shell, step } = this;
    if (!step) return;
    const wire = await inspect<Wire>(shell, { q: "replyAs", moment: step.input.moment, resp });
    if (this.step === step) this.other = wire;
  }

  // ---- Drawing

  override render() {
    const { step } = this;
    if (!step || !step.input.request) {
      return html`<div class="empty">
        <svg viewBox="0 0 120 80" aria-hidden="true">
          <rect x="30" y="10" width="60" height="60" rx="6" />
          <path d="M20 40h80M40 25h16M40 55h28M64 25h14" />
        </svg>
        <p><b>Nothing to look through yet.</b></p>
        <p>Run a command: its bytes, its cost, its keys and what it told others appear here.</p>
      </div>`;
    }
    return html`<div class="all" tabindex="0" role="group" aria-label="The command taken apart">
      <h2><code>${step.input.text}</code></h2>
      <p class="small-note">
        client ${step.input.client} · ${timeText(step.input.at)} · moment ${step.input.moment}${step.input.more > 0 ? html` · and ${countText(step.input.more, "request")} more` : nothing}
      </p>
      <section>
        <h3>Sent <small>${countText(step.request?.length ?? 0, "byte")}</small></h3>
        ${step.request ? wireView(step.request) : nothing}
      </section>
      <section>
        <h3>Ran</h3>
        ${step.steps.length === 0 && !step.attached ? html`<p class="small-note">Nothing: it was refused, queued, or answered before any command ran.</p>` : nothing}
        ${step.attached?.notes.map((note) => html`<p class="small-note">${note}</p>`)}
        ${step.steps.map((command) => this.command(command, step))}
        ${step.missed > 0 ? html`<p class="small-note">and ${countText(step.missed, "command")} more</p>` : nothing}
      </section>
      ${this.replies(step)}
      <section>
        <h3>Propagated <small>${step.propagated?.length ? countText(step.propagated.length, "byte") : nothing}</small></h3>
        ${step.propagated?.length
          ? wireView(step.propagated)
          : html`<p class="small-note">${step.attached?.propagated ?? "Nothing: only changes go to replicas and to the append-only file."}</p>`}
      </section>
    </div>`;
  }

  private command(command: Command, step: Step) {
    const first = command.keys[0];
    const size = first?.before?.size ?? null;
    const elements = step.output.find(({ client }) => client === command.client)?.elements;
    const why: Record<string, string> = { exec: "in the transaction", script: "by the script", resumed: `client ${command.client} had waited for this` };
    return html`<div class="command" role="group" aria-label=${command.name}>
      <div class="name depth-${Math.min(3, command.depth)}">
        <b>${command.name}</b>${why[command.origin] ? html`<small>${why[command.origin]}</small>` : nothing}${command.blocked ? html`<small>waits</small>` : nothing}
      </div>
      ${command.depth === 0 ? html`<p class="small-note">${command.summary}</p>` : nothing}
      <dl>
        <dt>Cost</dt>
        <dd>
          <b>${command.complexity || "O(1)"}</b>
          <span>${first?.unseen ? nothing : first && !first.before ? html`here: <code>${shown(first.key)}</code> was not there before` : first && size !== null ? html`here: ${countText(size, first.before?.type === "string" ? "byte" : "element")} in <code>${shown(first.key)}</code> before` : nothing}</span>
          <span>${this.touched(command, elements)}</span>
        </dd>
        <dt>Keys</dt>
        <dd>
          ${command.keys.length === 0 ? html`<span>none</span>` : nothing}
          ${command.keys.length > 0 ? html`<small>by key spec: ${command.specs.join("; ")}</small>` : nothing}
          ${command.keys.map(
            ({ key, word, flags, unseen, before, after }) => html`<span class="key"
              ><code>${shown(key)}</code> <small>word ${word} · ${flags.join(" ")}</small><br />${unseen ? html`<i>not looked at before</i>` : this.held(before)} ${sameLook(before, after) ? nothing : html`<span class="becomes" aria-label="becomes">→</span> ${this.held(after, before)}`}</span
            >`,
          )}
        </dd>
        ${step.attached && command.depth > 0 ? nothing : this.events(command, step)}
      </dl>
    </div>`;
  }

  private events(command: Command, step: Step) {
    return html`<dt>Events</dt>
        <dd>
          ${command.notices.length > 0
            ? nothing
            : step.attached?.notices
              ? html`<span>${step.attached.notices}${step.attached.offer ? this.offer(step.attached.offer) : nothing}</span>`
              : html`<span>none</span>`}
          ${command.notices.map(
            ({ event, key, sent }) => html`<span><code>${event}</code> on <code>${shown(key)}</code> <small>${sent ? "published" : "not published: notifications are off"}</small></span>`,
          )}
        </dd>`;
  }

  /** What a command counted: keys read, changes made, elements answered. Of one that ran elsewhere only the last is known. */
  private touched({ lookups, changes, depth }: Command, elements: number | null | undefined) {
    const words: string[] = [];
    if (lookups) words.push(`${countText(lookups, "key")} read`);
    if (changes !== null) words.push(countText(changes, "change"));
    if (depth === 0 && elements != null) words.push(`${countText(elements, "element")} in the reply`);
    return words.join(", ");
  }

  private offer(line: string) {
    return html`<button class="offer" type="button" @click=${() => this.shell.run(line)}>Turn them on: <code>${line}</code></button>`;
  }

  private held(look: Look | null, before: Look | null = null) {
    if (!look) return html`<i>nothing</i>`;
    const converted = before !== null && before.encoding !== look.encoding;
    return html`<span class="held"
      >${look.type} <b class=${converted ? "converted" : ""}>${look.encoding}</b>${look.size === null
        ? nothing
        : html` ${countText(look.size, look.type === "string" ? "byte" : "element")}`}${look.bytes ? html`, takes ${countText(look.bytes, "byte")}` : nothing}${look.expires === null
        ? nothing
        : html`, ${spanText(look.expires - (this.step?.now ?? 0))} left`}</span
    >`;
  }

  private replies(step: Step) {
    const sent = step.output.filter(({ wire }) => wire.length > 0);
    const own = sent.find(({ client }) => client === step.input.client);
    const others = sent.filter((output) => output !== own);
    const resp = (step.attached ? 0 : this.resp) || own?.resp || 2;
    const wire = resp === own?.resp ? own.wire : this.other;
    return html`<section>
        <h3>
          Answered <small>${own ? countText(wire?.length ?? 0, "byte") : nothing}</small>
          ${own
            ? html`<span class="choices" role="group" aria-label="Protocol of the reply">
                ${[2, 3].map(
                  (version) => html`<button
                    type="button"
                    aria-pressed=${version === resp}
                    ?disabled=${step.attached !== undefined && version !== own.resp}
                    title=${step.attached && version !== own.resp ? `The server was asked in RESP${own.resp}; HELLO ${version} changes that` : nothing}
                    @click=${() => {
                      if (version === own.resp) this.resp = version;
                      else void this.askOther(version);
                    }}
                  >
                    RESP${version}
                  </button>`,
                )}
              </span>`
            : nothing}
        </h3>
        ${own ? (wire ? wireView(wire) : nothing) : html`<p class="small-note">Nothing yet: the client waits.</p>`}
      </section>
      ${others.map(
        (output) => html`<section>
          <h3>Client ${output.client} was sent <small>${countText(output.wire.length, "byte")}</small></h3>
          ${wireView(output.wire)}
        </section>`,
      )}`;
  }

  static override styles = [
    ...panelStyles,
    wireStyles,
    css`
      .all {
        flex: 1;
        overflow: auto;
        padding: var(--rp-space-3);
        scrollbar-width: thin;
      }
      .all:focus-visible {
        outline-offset: -2px;
      }
      h2 {
        overflow-wrap: anywhere;
      }
      section {
        padding: var(--rp-space-2) 0;
        border-top: 1px solid var(--rp-edge);
      }
      h3 {
        display: flex;
        align-items: center;
        gap: var(--rp-space-2);
        margin: 0 0 var(--rp-space-1);
        min-height: 1.75rem;
      }
      small {
        color: var(--rp-muted);
        font-size: 0.75rem;
        font-weight: 400;
      }
      .choices {
        margin-left: auto;
      }
      .command {
        margin-bottom: var(--rp-space-2);
      }
      .name {
        display: flex;
        gap: var(--rp-space-2);
        align-items: baseline;
        font-family: var(--rp-mono);
      }
      .depth-1 { padding-left: 1rem; }
      .depth-2 { padding-left: 2rem; }
      .depth-3 { padding-left: 3rem; }
      dl {
        display: grid;
        grid-template-columns: max-content 1fr;
        gap: 0.2rem var(--rp-space-3);
        margin: var(--rp-space-1) 0 0;
      }
      dt {
        color: var(--rp-muted);
      }
      dd {
        margin: 0;
        display: grid;
        gap: 0.1rem;
        min-width: 0;
        overflow-wrap: anywhere;
      }
      .becomes {
        color: var(--rp-accent);
      }
      .offer {
        display: block;
        margin-top: var(--rp-space-1);
        text-align: left;
      }
      .converted {
        padding: 0 0.3rem;
        border-radius: 4px;
        color: var(--rp-on-accent);
        background: var(--rp-accent);
      }
    `,
  ];
}

function sameLook(one: Look | null, other: Look | null): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

if (!customElements.get("rp-xray")) customElements.define("rp-xray", XrayPanel);
