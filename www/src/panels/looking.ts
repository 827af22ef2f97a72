/** A panel that looks again after each turn of the engine, no more often than it can draw, and only while it is shown. */

import { LitElement, type PropertyValues } from "lit";
import type { PanelElement, Shell } from "./index";

const LOOK_MS = 100;

export abstract class LookingPanel extends LitElement implements PanelElement {
  declare shell: Shell;
  declare shown: boolean;
  private stop: (() => void) | null = null;
  private wait: ReturnType<typeof setTimeout> | null = null;

  constructor() {
    super();
    this.shown = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.stop = this.shell.onTurn(() => this.look());
    this.look();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.stop?.();
    if (this.wait) clearTimeout(this.wait);
    this.wait = null;
  }

  protected override updated(changes: PropertyValues): void {
    if (changes.has("shown") && this.shown) this.look();
  }

  /** Asks soon, once for all that happens until then. */
  protected look(): void {
    if (!this.shown || this.wait) return;
    this.wait = setTimeout(() => {
      this.wait = null;
      void this.ask();
    }, LOOK_MS);
  }

  /** Asks the engine for what there is to draw. */
  protected abstract ask(): Promise<void>;
}
