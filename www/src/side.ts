/** The area beside the terminals: a rail with a button for each panel, and the panel that is open. Knows no panel. */

import { LitElement, css, html, nothing, type PropertyValues } from "lit";
import { panels, type Panel, type PanelElement, type Shell } from "./panels/index";
import { controls } from "./styles";

const NARROWEST = 260;
const STEP = 24;
/** Of the height there is below the header, in percent: where a panel stands below the terminals. */
const HALF = 50;
const FULL = 100;
const LOWEST = 22;
const STEP_PERCENT = 10;
/** A press that moves less than this is no drag. */
const SLACK_PX = 4;

export class SideArea extends LitElement {
  static override properties = {
    shell: { attribute: false },
    open: { attribute: false },
    width: { attribute: false },
    tall: { state: true },
    failure: { state: true },
    loading: { state: true },
  };

  declare shell: Shell;
  /** The id of the panel shown, if one is. */
  declare open: string | null;
  /** Of the open panel in pixels, where there is room beside the terminals. */
  declare width: number;
  /** Its share of the height in percent, where it stands below the terminals. */
  declare private tall: number;
  declare private failure: string;
  declare private loading: boolean;
  private readonly elements = new Map<string, PanelElement>();

  constructor() {
    super();
    this.open = null;
    this.width = 420;
    this.tall = HALF;
    this.failure = "";
    this.loading = false;
  }

  override render() {
    const panel = panels.find(({ id }) => id === this.open);
    return html`
      ${panel
        ? html`<section class="panel" id="body" aria-label=${panel.title}>
            <div
              class="edge"
              role="separator"
              aria-orientation="vertical"
              aria-label="Width of the panel"
              aria-valuenow=${this.width}
              aria-valuemin=${NARROWEST}
              aria-valuemax="1200"
              tabindex="0"
              @keydown=${this.edgeKey}
              @pointerdown=${this.grabbed}
            ></div>
            <div class="body" @busy=${(event: CustomEvent<boolean>) => this.toggleAttribute("busy", event.detail)}>
              <div
                class="grip"
                role="separator"
                aria-orientation="horizontal"
                aria-label="Height of the panel"
                aria-valuenow=${this.tall}
                aria-valuemin=${LOWEST}
                aria-valuemax=${FULL}
                title="Press for more or less of the panel, drag for as much as you like"
                tabindex="0"
                @keydown=${this.gripKey}
                @pointerdown=${this.gripped}
              ></div>
              ${this.loading ? html`<p class="note">Loading…</p>` : nothing}
              ${this.failure
                ? html`<p class="note" role="alert">${this.failure} <button type="button" @click=${() => this.show(panel)}>Try again</button></p>`
                : nothing}
              ${[...this.elements.values()]}
            </div>
          </section>`
        : nothing}
      <nav class="rail" aria-label="Panels">
        ${panels.map(
          ({ id, title, icon }) => html`<button
            type="button"
            data-panel=${id}
            aria-expanded=${id === this.open}
            aria-controls=${id === this.open ? "body" : nothing}
            @click=${() => this.choose(id === this.open ? null : id)}
          >
            <svg viewBox="0 0 20 20" aria-hidden="true">${icon}</svg><span>${title}</span>
          </button>`,
        )}
      </nav>
    `;
  }

  protected override willUpdate(changes: PropertyValues): void {
    if (!changes.has("open")) return;
    this.failure = "";
    for (const [id, element] of this.elements) {
      element.hidden = id !== this.open;
      element.shown = id === this.open;
    }
    const panel = panels.find(({ id }) => id === this.open);
    if (panel && !this.elements.has(panel.id)) void this.show(panel);
  }

  protected override updated(changes: PropertyValues): void {
    // Set by script, which a page's policy for styles allows.
    if (changes.has("width")) this.style.setProperty("--width", `${this.width}px`);
    if (changes.has("tall")) this.style.setProperty("--tall", `${this.tall}%`);
    if (changes.has("open")) this.toggleAttribute("open", this.open !== null);
  }

  private async show(panel: Panel): Promise<void> {
    this.failure = "";
    this.loading = true;
    try {
      await panel.load();
      if (this.elements.has(panel.id)) return;
      const element = document.createElement(panel.tag) as PanelElement;
      element.shell = this.shell;
      element.shown = this.open === panel.id;
      element.hidden = !element.shown;
      this.elements.set(panel.id, element);
    } catch {
      this.failure = "This panel could not be fetched.";
    } finally {
      this.loading = false;
    }
  }

  private choose(id: string | null): void {
    this.dispatchEvent(new CustomEvent("choose", { detail: id }));
  }

  private resize(width: number): void {
    const room = this.parentElement?.clientWidth ?? 1200;
    this.width = Math.round(Math.max(NARROWEST, Math.min(width, room - 320)));
    this.dispatchEvent(new CustomEvent("resized", { detail: this.width }));
  }

  private edgeKey(event: KeyboardEvent): void {
    const step = event.key === "ArrowLeft" ? STEP : event.key === "ArrowRight" ? -STEP : 0;
    if (step === 0) return;
    event.preventDefault();
    this.resize(this.width + step);
  }

  private grabbed(event: PointerEvent): void {
    const edge = event.currentTarget as HTMLElement;
    const [from, width] = [event.clientX, this.width];
    edge.setPointerCapture(event.pointerId);
    const move = (to: PointerEvent) => this.resize(width + from - to.clientX);
    edge.addEventListener("pointermove", move);
    edge.addEventListener("lostpointercapture", () => edge.removeEventListener("pointermove", move), { once: true });
  }

  private stretch(tall: number): void {
    this.tall = Math.round(Math.max(LOWEST, Math.min(tall, FULL)));
  }

  private turnTall(): void {
    this.stretch(this.tall > (HALF + FULL) / 2 ? HALF : FULL);
  }

  private gripKey(event: KeyboardEvent): void {
    switch (event.key) {
      case "ArrowUp": this.stretch(this.tall + STEP_PERCENT); break;
      case "ArrowDown": this.stretch(this.tall - STEP_PERCENT); break;
      case "Home": this.stretch(LOWEST); break;
      case "End": this.stretch(FULL); break;
      case "Enter":
      case " ": this.turnTall(); break;
      default: return;
    }
    event.preventDefault();
  }

  private gripped(event: PointerEvent): void {
    const grip = event.currentTarget as HTMLElement;
    const room = this.parentElement?.clientHeight || 1;
    const [from, height] = [event.clientY, this.clientHeight];
    let moved = false;
    // The prompt keeps the focus, and a phone its keyboard.
    event.preventDefault();
    grip.setPointerCapture(event.pointerId);
    const move = (to: PointerEvent) => {
      moved ||= Math.abs(to.clientY - from) > SLACK_PX;
      if (moved) this.stretch(((height + from - to.clientY) / room) * 100);
    };
    grip.addEventListener("pointermove", move);
    grip.addEventListener(
      "lostpointercapture",
      () => {
        grip.removeEventListener("pointermove", move);
        if (!moved) this.turnTall();
      },
      { once: true },
    );
  }

  static override styles = [
    controls,
    css`
      :host {
        display: flex;
        min-height: 0;
        min-width: 0;
      }
      .panel {
        display: flex;
        min-height: 0;
        min-width: 0;
      }
      .body {
        width: var(--width, 420px);
        min-height: 0;
        min-width: 0;
        display: flex;
        flex-direction: column;
        background: var(--rp-panel);
        border: 1px solid var(--rp-edge);
        border-radius: var(--rp-radius);
        overflow: hidden;
        animation: open 160ms ease-out;
      }
      .body > * {
        flex: 1;
        min-height: 0;
      }
      .note {
        flex: none;
        margin: 0;
        padding: var(--rp-space-4);
        color: var(--rp-muted);
        font-size: var(--rp-size-small);
      }
      @keyframes open {
        from {
          opacity: 0;
          translate: 0.5rem 0;
        }
      }
      .edge {
        width: var(--rp-space-3);
        cursor: col-resize;
        touch-action: none;
        display: grid;
        place-items: center;
        border-radius: var(--rp-radius-small);
      }
      .edge::after {
        content: "";
        width: 3px;
        height: 2rem;
        border-radius: 2px;
        background: var(--rp-edge);
        transition: background-color 120ms;
      }
      .edge:hover::after,
      .edge:focus-visible::after {
        background: var(--rp-edge-strong);
      }
      .rail {
        display: flex;
        flex-direction: column;
        gap: var(--rp-space-1);
        padding-left: var(--rp-space-2);
        flex: none;
        min-height: 0;
        overflow: auto;
        scrollbar-width: none;
      }
      .rail button {
        display: grid;
        justify-items: center;
        align-content: center;
        gap: 0.15rem;
        flex: 0 1 3.5rem;
        width: 3.75rem;
        min-height: 2.75rem;
        padding: 0;
        border-color: transparent;
        border-radius: var(--rp-radius);
        color: var(--rp-muted);
        font-size: 0.7rem;
      }
      .rail button:focus-visible {
        outline-offset: -2px;
      }
      .rail button[aria-expanded="true"] {
        background: var(--rp-raised);
        color: var(--rp-accent);
        font-weight: 600;
      }
      svg {
        width: 1.35rem;
        height: 1.35rem;
        fill: none;
        stroke: currentColor;
        stroke-width: 1.6;
        stroke-linecap: round;
        stroke-linejoin: round;
      }
      .grip {
        display: none;
        place-items: center;
        height: 1.5rem;
        cursor: row-resize;
        touch-action: none;
      }
      .body > .grip {
        flex: none;
      }
      .grip:focus-visible {
        outline-offset: -2px;
      }
      .grip::after {
        content: "";
        width: 2.5rem;
        height: 4px;
        border-radius: 2px;
        background: var(--rp-edge-strong);
      }
      /* Below the terminals, but beside them on a phone that lies on its side. */
      @container (max-width: 899px) {
        @media (min-height: 30rem), (max-width: 35rem) {
          :host {
            flex-direction: column;
          }
          :host([open]) {
            flex: 0 1 var(--tall, 50%);
          }
          :host([open][busy]) {
            flex-basis: 100%;
          }
          .edge {
            display: none;
          }
          .grip {
            display: grid;
          }
          .panel {
            flex: 1;
          }
          .body {
            flex: 1;
            width: auto;
            border-radius: var(--rp-radius) var(--rp-radius) 0 0;
            margin-top: var(--rp-space-2);
            box-shadow: 0 -0.5rem 1.5rem -1rem rgb(0 0 0 / 0.35);
          }
          @keyframes open {
            from {
              opacity: 0;
              translate: 0 1rem;
            }
          }
          .rail {
            flex-direction: row;
            justify-content: space-around;
            padding: var(--rp-space-1) 0 0;
          }
          .rail button {
            min-height: 2.9rem;
            min-width: 0;
            width: auto;
            flex: 1;
            font-size: min(0.7rem, 3.2vw);
          }
        }
      }
      @media (max-height: 30rem) and (min-width: 35.01rem) {
        .body {
          width: min(var(--width, 420px), 46vw);
        }
      }
      @media (pointer: coarse) {
        .grip {
          height: 2rem;
        }
      }
      @media (forced-colors: active) {
        .rail button[aria-expanded="true"] {
          border-color: Highlight;
        }
        .edge::after,
        .grip::after {
          background: ButtonText;
        }
      }
    `,
  ];
}
