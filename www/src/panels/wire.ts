/** RESP bytes as the engine took them apart: each part with a word beside it. */

import { css, html, nothing, type TemplateResult } from "lit";
import { countText, vars, type Wire } from "./look";

export function wireView(wire: Wire): TemplateResult {
  return html`<div class="wire" role="list">
    ${wire.parts.map(
      ({ depth, head, body, note }) => html`<div class="part" role="listitem" ${vars({ "--depth": depth })}>
        <code><span class="head">${head}</span>${head.length > 1 ? html`<span class="end">\\r\\n</span>` : nothing}<span class="body">${body}</span><span class="end">\\r\\n</span></code>
        <span class="note">${note}</span>
      </div>`,
    )}
    ${wire.rest > 0 ? html`<p class="small-note">and ${countText(wire.rest, "byte")} more</p>` : nothing}
  </div>`;
}

export const wireStyles = css`
  .part {
    display: flex;
    align-items: baseline;
    gap: var(--rp-space-3);
    padding: 0.1rem 0 0.1rem calc(var(--depth) * 1rem);
  }
  .part code {
    flex: 1;
    min-width: 0;
    overflow-wrap: anywhere;
    white-space: pre-wrap;
  }
  .head {
    color: var(--rp-accent);
    font-weight: 600;
  }
  .body {
    color: var(--rp-string);
  }
  .end {
    color: var(--rp-faint);
    font-size: 0.85em;
  }
  .part .note {
    flex: none;
    padding: 0;
    color: var(--rp-muted);
    font-size: 0.75rem;
  }
`;
