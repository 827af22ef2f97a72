/** What one input changed: the elements of a key before and after, beside each other. */

import { css, html, nothing, type TemplateResult } from "lit";
import { cellText, countText, shown, spanText, type Cell, type Difference, type Value } from "./look";

/** Elements by what names them; what a list holds is named by its place. */
function elements(value: Value | null): Map<string, string> {
  const found = new Map<string, string>();
  if (!value) return found;
  if (value.text) return found.set("", shown(value.text));
  for (const [at, row] of (value.rows ?? []).entries()) {
    if (value.type === "list") found.set(String(value.from + at), cellText(row as Cell));
    else if (value.type === "set") found.set(cellText(row as Cell), "");
    else if (value.type === "stream") {
      const [id, , pairs] = row as [string, number, [Cell, Cell][]];
      found.set(id, pairs.map(([field, content]) => `${cellText(field)} ${cellText(content)}`).join(" "));
    } else {
      const [name, content] = row as [Cell | number, Cell | number];
      const text = (part: Cell | number) => (typeof part === "number" ? String(part) : cellText(part));
      found.set(text(name), text(content));
    }
  }
  return found;
}

export function difference({ key, before, after }: Difference): TemplateResult {
  const [old, now] = [elements(before), elements(after)];
  const lines: TemplateResult[] = [];
  const line = (sign: string, name: string, text: string) => html`<li class=${sign === "+" ? "new" : "old"}>
    <span class="sign" aria-label=${sign === "+" ? "new" : "gone"}>${sign === "+" ? "+" : "−"}</span>${name ? html`<b>${name}</b> ` : nothing}${text}
  </li>`;
  for (const [name, text] of old) if (now.get(name) !== text) lines.push(line("-", name, text));
  for (const [name, text] of now) if (old.get(name) !== text) lines.push(line("+", name, text));
  const what = !before ? "new" : !after ? "gone" : "changed";
  const size = (value: Value) => countText(value.size, value.type === "string" ? "byte" : "element");
  return html`<section class="difference">
    <h3>
      <code>${shown(key)}</code> <small>${what}</small>
      <small>${before ? `${before.encoding}, ${size(before)}` : ""}${before && after ? " → " : ""}${after ? `${after.encoding}, ${size(after)}` : ""}</small>
    </h3>
    <ul>
      ${lines.slice(0, 40)}
      ${before && after && before.expires !== after.expires
        ? html`<li class="new"><span class="sign">±</span>${after.expires === null ? "no longer expires" : `expires in ${spanText(after.expires - after.now)}`}</li>`
        : nothing}
      ${lines.length > 40 ? html`<li>and ${countText(lines.length - 40, "line")} more</li>` : nothing}
    </ul>
  </section>`;
}

export const differenceStyles = css`
  .difference ul {
    margin: 0;
    padding: 0;
    list-style: none;
    font-family: var(--rp-mono);
  }
  .difference li {
    padding: 0 var(--rp-space-2);
    overflow-wrap: anywhere;
  }
  .difference h3 {
    display: flex;
    flex-wrap: wrap;
    gap: 0 var(--rp-space-2);
    margin: var(--rp-space-2) 0 var(--rp-space-1);
  }
  .difference small {
    color: var(--rp-muted);
    font-weight: 400;
  }
  .sign {
    display: inline-block;
    width: 1.2rem;
    font-weight: 700;
  }
  .new {
    background: color-mix(in srgb, var(--rp-string) 12%, transparent);
  }
  .old {
    background: color-mix(in srgb, var(--rp-error) 11%, transparent);
  }
  .new .sign {
    color: var(--rp-string);
  }
  .old .sign {
    color: var(--rp-error);
  }
`;
