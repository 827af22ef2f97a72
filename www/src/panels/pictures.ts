/** How values look: a picture for each shape of value. They say what the engine told, and nothing about commands. */

import { html, nothing, svg, type TemplateResult } from "lit";
import { cellText, countText, idOf, isText, shown, spanText, trimmed, vars, wholeCell, type Cell, type Group, type Value } from "./look";

/** An edit by hand: the engine makes its command of the words; `null` stands for what is typed. */
export interface Edit {
  name: string;
  title: string;
  words: (Uint8Array | null)[];
  labels: string[];
  /** What stands in the fields at first. */
  given: (string | Uint8Array)[];
}

/** What a picture may ask of the view around it. */
export interface Pictured {
  view: string;
  mayEdit: boolean;
  choose(view: string): void;
  begin(edit: Edit): void;
  /** Says which elements are shown; answers which of them are new. */
  marks(elements: string[]): (element: string) => boolean;
}

type Picture = TemplateResult | typeof nothing;

export function unitOf(value: Value): string {
  const words: Record<string, string> = { string: "byte", list: "element", hash: "field", set: "member", zset: "member", stream: "entry", array: "element" };
  const what = words[value.type] ?? "element";
  return what === "entry" ? `${value.size.toLocaleString("en")} ${value.size === 1 ? "entry" : "entries"}` : countText(value.size, what);
}

export function picture(value: Value, view: Pictured): Picture {
  // It could not be read, and the note says why.
  if (!value.rows && !value.text) return nothing;
  switch (value.type) {
    case "string":
      return string(value, view);
    case "hash":
      return hash(value, view);
    case "list":
      return list(value, view);
    case "set":
      return set(value, view);
    case "zset":
      return sortedSet(value, view);
    case "stream":
      return stream(value, view);
    case "array":
      return array(value, view);
    default:
      return nothing;
  }
}

function choices(view: Pictured, current: string, names: string[]): Picture {
  return html`<div class="choices" role="group" aria-label="Show as">
    ${names.map((name) => html`<button type="button" aria-pressed=${name === current} @click=${() => view.choose(name)}>${name}</button>`)}
  </div>`;
}

function pencil(view: Pictured, label: string, edit: Edit | null): Picture {
  if (!view.mayEdit || !edit) return nothing;
  return html`<button class="icon small" type="button" aria-label=${label} title=${label} @click=${() => view.begin(edit)}>
    <svg viewBox="0 0 20 20" aria-hidden="true"><path d="M4 16l1-4L14 3l3 3-9 9z" /></svg>
  </button>`;
}

function remove(view: Pictured, label: string, name: string, words: Uint8Array[]): Picture {
  if (!view.mayEdit) return nothing;
  return html`<button class="icon small" type="button" aria-label=${label} title=${label} @click=${() => view.begin({ name, title: label, words, labels: [], given: [] })}>
    <svg viewBox="0 0 20 20" aria-hidden="true"><path d="M6 6l8 8M14 6l-8 8" /></svg>
  </button>`;
}

function add(view: Pictured, title: string, edit: Edit): Picture {
  if (!view.mayEdit) return nothing;
  return html`<button class="add" type="button" @click=${() => view.begin(edit)}>+ ${title}</button>`;
}

const idOfCell = (cell: Cell) => (cell instanceof Uint8Array ? idOf(cell) : idOf(cell.bytes));

// ---- Strings

function string(value: Value, view: Pictured): Picture {
  const bytes = value.text!;
  const text = value.size > bytes.length ? trimmed(bytes) : bytes;
  const names = value.number !== undefined ? ["text", "bits"] : ["text", "bits", "hex"];
  const usual = value.estimate !== undefined ? "estimate" : isText(text) ? "text" : "bits";
  if (value.estimate !== undefined) names.unshift("estimate");
  const current = names.includes(view.view) ? view.view : usual;
  const whole = value.size <= bytes.length;
  const name = value.expires === null ? "set" : "set-keep";
  return html`${choices(view, current, names)}
    ${current === "estimate" ? estimate(value.estimate!) : current === "bits" ? bits(value, view) : current === "hex" ? hex(bytes, value.from) : nothing}
    ${current === "text"
      ? html`<p class="text ${value.number !== undefined ? "number" : ""}">${shown(text) || html`<i>empty</i>`}</p>
          ${whole ? add(view, "Change it", { name, title: "Change it", words: [value.key, null], labels: ["value"], given: [bytes] }) : nothing}`
      : nothing}`;
}

function estimate(count: bigint): Picture {
  return html`<p class="estimate"><b>≈ ${count.toLocaleString("en")}</b> different elements were counted; none of them is kept. The count is off by 0.81 % or so.</p>`;
}

const BITS_MAX = 1024;

function bits(value: Value, view: Pictured): Picture {
  const bytes = value.text!;
  const count = Math.min(BITS_MAX, bytes.length * 8);
  const bit = (at: number) => (bytes[at >> 3]! >> (7 - (at & 7))) & 1;
  const set = Array.from({ length: count }, (_, at) => bit(at)).filter((is) => is === 1).length;
  const offset = value.from * 8;
  return html`<p class="small-note">Bits ${offset.toLocaleString("en")} to ${(offset + count - 1).toLocaleString("en")}: ${set} set.${view.mayEdit ? " Press one to flip it." : ""}</p>
    <div class="bits">
      ${Array.from({ length: count }, (_, at) => {
        const is = bit(at);
        const flip = { name: "bit", title: `Bit ${offset + at}`, words: [value.key, new TextEncoder().encode(String(offset + at)), null], labels: ["value, 0 or 1"], given: [String(1 - is)] };
        return html`<button
          type="button"
          class=${is ? "on" : ""}
          tabindex=${at === 0 ? 0 : -1}
          aria-label="Bit ${offset + at} is ${is}"
          ?disabled=${!view.mayEdit}
          @keydown=${walkBits}
          @click=${() => view.begin(flip)}
        ></button>`;
      })}
    </div>`;
}

function walkBits(event: KeyboardEvent): void {
  const button = event.currentTarget as HTMLElement;
  const next = event.key === "ArrowRight" ? button.nextElementSibling : event.key === "ArrowLeft" ? button.previousElementSibling : null;
  if (next) (next as HTMLElement).focus();
}

function hex(bytes: Uint8Array, from: number): Picture {
  const lines: string[] = [];
  for (let at = 0; at < Math.min(bytes.length, 2048); at += 16) {
    const line = [...bytes.subarray(at, at + 16)];
    const codes = line.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const text = line.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "·")).join("");
    lines.push(`${(from + at).toString(16).padStart(6, "0")}  ${codes.padEnd(47)}  ${text}`);
  }
  return html`<pre class="hex">${lines.join("\n")}</pre>`;
}

// ---- Collections

function hash(value: Value, view: Pictured): Picture {
  const rows = value.rows as [Cell, Cell, number | null][];
  const isNew = view.marks(rows.map(([field, content]) => `${idOfCell(field)}\n${idOfCell(content)}`));
  return html`<table>
      <thead><tr><th>field</th><th>value</th><td></td></tr></thead>
      <tbody>
        ${rows.map(([field, content, expires]) => {
          const [name, text] = [wholeCell(field), wholeCell(content)];
          return html`<tr class=${isNew(`${idOfCell(field)}\n${idOfCell(content)}`) ? "hot" : ""}>
            <th scope="row">${cellText(field)}</th>
            <td>${cellText(content)}${expires === null ? nothing : html` <small>${spanText(expires - value.now)} left</small>`}</td>
            <td class="acts">
              ${pencil(view, `Change ${cellText(field)}`, name && text && { name: "field", title: `Change ${cellText(field)}`, words: [value.key, name, null], labels: ["value"], given: [text] })}
              ${name ? remove(view, `Remove ${cellText(field)}`, "unfield", [value.key, name]) : nothing}
            </td>
          </tr>`;
        })}
      </tbody>
    </table>
    ${add(view, "field", { name: "field", title: "Add a field", words: [value.key, null, null], labels: ["field", "value"], given: ["", ""] })}`;
}

function list(value: Value, view: Pictured): Picture {
  const rows = value.rows as Cell[];
  // From the end that did not grow, elements have the same place.
  const isNew = view.marks(rows.map((cell, at) => `${at}\n${idOfCell(cell)}`));
  return html`<ol class="chain" start=${value.from} aria-label="Elements">
      ${rows.map((cell, at) => {
        const index = value.from + at;
        const whole = wholeCell(cell);
        return html`<li class=${isNew(`${at}\n${idOfCell(cell)}`) ? "hot" : ""}>
          <span class="index">${index}</span><span class="cell">${cellText(cell)}</span>
          ${pencil(view, `Change element ${index}`, whole && { name: "item", title: `Change element ${index}`, words: [value.key, new TextEncoder().encode(String(index)), null], labels: ["value"], given: [whole] })}
          ${index === 0 ? remove(view, "Remove the first element", "pop-first", [value.key]) : index === value.size - 1 ? remove(view, "Remove the last element", "pop-last", [value.key]) : nothing}
        </li>`;
      })}
    </ol>
    ${add(view, "element at the start", { name: "push-first", title: "Add at the start", words: [value.key, null], labels: ["value"], given: [""] })}
    ${add(view, "element at the end", { name: "push", title: "Add at the end", words: [value.key, null], labels: ["value"], given: [""] })}`;
}

function set(value: Value, view: Pictured): Picture {
  const rows = value.rows as Cell[];
  const isNew = view.marks(rows.map(idOfCell));
  return html`<ul class="members" aria-label="Members">
      ${rows.map((cell) => {
        const whole = wholeCell(cell);
        return html`<li class=${isNew(idOfCell(cell)) ? "hot" : ""}>${cellText(cell)}${whole ? remove(view, `Remove ${cellText(cell)}`, "unmember", [value.key, whole]) : nothing}</li>`;
      })}
    </ul>
    ${add(view, "member", { name: "member", title: "Add a member", words: [value.key, null], labels: ["member"], given: [""] })}`;
}

type Ranked = [Cell, number, number?, number?];

function sortedSet(value: Value, view: Pictured): Picture {
  const rows = value.rows as Ranked[];
  const places = rows.length > 0 && rows[0]!.length === 4;
  const names = places ? ["map", "bars"] : [];
  const current = names.includes(view.view) ? view.view : places ? "map" : "bars";
  return html`${places ? choices(view, current, names) : nothing} ${current === "map" ? map(rows as [Cell, number, number, number][]) : bars(value, rows, view)}`;
}

function bars(value: Value, rows: Ranked[], view: Pictured): Picture {
  const isNew = view.marks(rows.map(([member, score]) => `${idOfCell(member)}\n${score}`));
  const least = Math.min(0, value.least ?? 0);
  const most = Math.max(0, value.most ?? 0);
  const part = (score: number) => (most > least && Number.isFinite(most - least) ? (score - least) / (most - least) : 1);
  const zero = part(0);
  return html`<ol class="ranks" start=${value.from} aria-label="Members by score">
      ${rows.map(([member, score], at) => {
        const whole = wholeCell(member);
        const to = part(score);
        return html`<li class=${isNew(`${idOfCell(member)}\n${score}`) ? "hot" : ""} ${vars({ "--start": Math.min(zero, to), "--width": Math.abs(to - zero) })}>
          <span class="index">${value.from + at}</span><span class="cell">${cellText(member)}</span><span class="score">${score}</span>
          ${pencil(view, `Change the score of ${cellText(member)}`, whole && { name: "score", title: `Score of ${cellText(member)}`, words: [value.key, whole, null], labels: ["score"], given: [String(score)] })}
          ${whole ? remove(view, `Remove ${cellText(member)}`, "unscore", [value.key, whole]) : nothing}
        </li>`;
      })}
    </ol>
    ${add(view, "member", { name: "score", title: "Add a member", words: [value.key, null, null], labels: ["member", "score"], given: ["", "0"] })}`;
}

/** Places on a net of degrees, as large as they need. */
function map(rows: [Cell, number, number, number][]): Picture {
  const east = rows.map((row) => row[2]);
  const north = rows.map((row) => row[3]);
  const middle = (values: number[]) => (Math.min(...values) + Math.max(...values)) / 2;
  const [x, y] = [middle(east), middle(north)];
  const squeeze = Math.max(0.2, Math.cos((y * Math.PI) / 180));
  const span = Math.max(0.02, (Math.max(...east) - Math.min(...east)) * squeeze, Math.max(...north) - Math.min(...north)) * 1.35;
  const [width, height] = [320, 220];
  const scale = height / span;
  const at = (longitude: number, latitude: number) => [width / 2 + (longitude - x) * squeeze * scale, height / 2 - (latitude - y) * scale] as const;
  const step = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30].find((size) => span / size <= 6) ?? 60;
  const net = (from: number, to: number) => {
    const lines: number[] = [];
    for (let line = Math.ceil(from / step) * step; line <= to; line += step) lines.push(line);
    return lines.slice(0, 40);
  };
  const wide = width / scale / squeeze;
  const degrees = (value: number, names: string) => `${Math.abs(+value.toFixed(3))}°${value < 0 ? names[1] : names[0]}`;
  return html`<svg class="map" viewBox="0 0 ${width} ${height}" role="img" aria-label="Map: ${rows.map(([member, , longitude, latitude]) => `${cellText(member)} at ${degrees(latitude, "NS")} ${degrees(longitude, "EW")}`).join("; ")}">
      ${net(x - wide / 2, x + wide / 2).map((line) => svg`<path class="net" d="M${at(line, y)[0]} 0v${height}" /><text class="degree" x=${at(line, y)[0] + 3} y=${height - 4}>${degrees(line, "EW")}</text>`)}
      ${net(y - span / 2, y + span / 2).map((line) => svg`<path class="net" d="M0 ${at(x, line)[1]}h${width}" /><text class="degree" x="3" y=${at(x, line)[1] - 3}>${degrees(line, "NS")}</text>`)}
      ${rows.slice(0, 100).map(([member, , longitude, latitude]) => {
        const [left, top] = at(longitude, latitude);
        const end = left > width * 0.7;
        return svg`<circle cx=${left} cy=${top} r="4" /><text class="place" x=${left + (end ? -8 : 8)} y=${top + 4} text-anchor=${end ? "end" : "start"}>${cellText(member)}</text>`;
      })}
    </svg>
    <p class="small-note">Each score is a place, interleaved from longitude and latitude.</p>`;
}

// ---- Streams and arrays

function stream(value: Value, view: Pictured): Picture {
  const rows = value.rows as [string, number, [Cell, Cell][]][];
  const isNew = view.marks(rows.map(([id]) => id));
  const waiting = new Map<string, string[]>();
  for (const group of value.groups ?? []) {
    for (const { id, consumer } of group.pending) waiting.set(id, [...(waiting.get(id) ?? []), `${shown(group.name)}: ${consumer ? shown(consumer) : "nobody"}`]);
  }
  return html`<ol class="time" aria-label="Entries">
      ${rows.map(([id, at, pairs], index) => {
        const pause = index > 0 ? at - rows[index - 1]![1] : 0;
        return html`${pause >= 1000 ? html`<li class="pause" aria-hidden="true">${spanText(pause)}</li>` : nothing}
          <li class=${isNew(id) ? "hot" : ""}>
            <code>${id}</code>
            <span class="cell">${pairs.map(([field, content]) => html`<span class="pair"><b>${cellText(field)}</b> ${cellText(content)}</span>`)}</span>
            ${(waiting.get(id) ?? []).map((who) => html`<span class="waits" title="Delivered, not acknowledged">${who}</span>`)}
            ${remove(view, `Remove ${id}`, "unentry", [value.key, new TextEncoder().encode(id)])}
          </li>`;
      })}
    </ol>
    ${add(view, "entry", { name: "entry", title: "Add an entry", words: [value.key, null, null], labels: ["field", "value"], given: ["", ""] })}
    ${(value.groups ?? []).map(group)}`;
}

function group({ name, lastId, lag, waiting, consumers, pending }: Group): Picture {
  return html`<section class="group" aria-label="Group ${shown(name)}">
    <h3>Group ${shown(name)}</h3>
    <p class="small-note">
      Delivered up to <code>${lastId}</code>${lag === null ? nothing : html`, ${lag} still to come`}; ${waiting} delivered but not acknowledged.
    </p>
    ${consumers.length === 0
      ? nothing
      : html`<ul class="members" aria-label="Consumers">
          ${consumers.map((consumer) => html`<li>${shown(consumer.name)}<small>${consumer.pending} pending</small></li>`)}
        </ul>`}
    ${pending.length === 0
      ? nothing
      : html`<table>
          <thead><tr><th>pending</th><th>consumer</th><th>deliveries</th></tr></thead>
          <tbody>
            ${pending.map((entry) => html`<tr><td><code>${entry.id}</code></td><td>${entry.consumer ? shown(entry.consumer) : "nobody"}</td><td>${entry.deliveries}</td></tr>`)}
          </tbody>
        </table>`}
  </section>`;
}

function array(value: Value, view: Pictured): Picture {
  const rows = value.rows as [number, Cell][];
  const isNew = view.marks(rows.map(([index, cell]) => `${index}\n${idOfCell(cell)}`));
  return html`<ol class="chain cells" aria-label="Elements">
      ${rows.map(([index, cell], at) => {
        const whole = wholeCell(cell);
        const gap = at > 0 ? index - rows[at - 1]![0] - 1 : 0;
        return html`${gap > 0 ? html`<li class="pause" aria-hidden="true">${gap.toLocaleString("en")} free</li>` : nothing}
          <li class=${isNew(`${index}\n${idOfCell(cell)}`) ? "hot" : ""}>
            <span class="index">${index}</span><span class="cell">${cellText(cell)}</span>
            ${pencil(view, `Change element ${index}`, whole && { name: "cell", title: `Change element ${index}`, words: [value.key, new TextEncoder().encode(String(index)), null], labels: ["value"], given: [whole] })}
            ${remove(view, `Remove element ${index}`, "uncell", [value.key, new TextEncoder().encode(String(index))])}
          </li>`;
      })}
    </ol>
    ${add(view, "element", { name: "cell", title: "Set an element", words: [value.key, null, null], labels: ["index", "value"], given: ["0", ""] })}`;
}
