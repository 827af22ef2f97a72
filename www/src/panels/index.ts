/**
 * What stands beside the terminals. One list of panels and one of menu entries: whoever adds a view adds a line here and a
 * file beside it, and nothing in the shell changes.
 *
 * A panel is a custom element, fetched when it is first opened. The shell sets two properties on it: `shell` once (see
 * {@link Shell}: the engine's host, the active client, how to run lines), and `shown` whenever it is shown or hidden. It is
 * kept in the page while hidden, so it keeps its state; while hidden it should ask the engine for nothing. It fills its box
 * and scrolls by itself. `onTurn` of the shell tells when commands have run and what is shown may be old.
 *
 * An entry of the menu runs `act`, with the shell as its argument.
 */

import { svg, type SVGTemplateResult } from "lit";
import type { Host, Lane } from "../host";
import type { Sandboxes } from "../sandboxes";

export interface Panel {
  id: string;
  /** A word or two: it stands below the icon. */
  title: string;
  /** What an icon of 20 by 20 consists of, to be stroked: svg`<path …>`. */
  icon: SVGTemplateResult;
  /** The element that `load` defines. */
  tag: string;
  load: () => Promise<unknown>;
}

export interface MenuEntry {
  id: string;
  title: string;
  /** A few words below the title. */
  note?: string;
  act: (shell: Shell) => void;
}

export interface PlayedLine {
  client: number;
  line: string;
}

/** What a panel may know of the page. */
export interface Shell {
  readonly host: Host;
  /** The keyspace that the terminals show. */
  readonly space: string;
  /** Which keyspaces are kept, and which of them is shown. */
  readonly sandboxes: Sandboxes;
  /** Where dialogs of the page may be put. */
  readonly place: HTMLElement | ShadowRoot;
  /** The client that has the prompt; nothing while the page starts. */
  readonly lane: Lane | null;
  /** The moment looked at: how many inputs the session had then. Null is the present. */
  moment: number | null;
  /** Runs lines in the active terminal as if they had been typed there. */
  run(...lines: string[]): void;
  /** Runs lines in several terminals in order, `client` counted from 1; opens those that are missing. Waits `pace` before each. The
   * prompt has the focus then, unless it is not to take it. */
  play(lines: PlayedLine[], pace?: number, focus?: boolean): Promise<void>;
  /** The names of the clients, in order. */
  readonly clients: string[];
  /** Names a client, counted from 1, if it is there. */
  nameClient(client: number, name: string): void;
  /** Puts a line into the active prompt without running it. */
  type(line: string): void;
  /** Adds a line of the page itself to the active terminal. */
  notice(text: string, kind?: "info" | "error"): void;
  /** The id of the panel that is open, if one is. */
  readonly panel: string | null;
  /** The session went back to a moment, or to where another branch was left: lines after it are undone. */
  branched(moment: number | null): void;
  /** Shows a panel, or none. */
  openPanel(id: string | null): void;
  /** A key that somebody wants to see, until the panel of keys takes it. */
  inspected: Uint8Array | null;
  /** Calls back after commands ran, the keyspace was replaced, or another client became the active one; answers how to stop. */
  onTurn(heard: () => void): () => void;
}

/** An element of a panel. */
export interface PanelElement extends HTMLElement {
  shell: Shell;
  shown: boolean;
}

export const panels: Panel[] = [
  {
    id: "keys",
    title: "Keys",
    icon: svg`<circle cx="6.5" cy="10" r="3.5" /><path d="M10 10h8M15 10v3.5M18 10v2.5" />`,
    tag: "rp-keys",
    load: () => import("./keys"),
  },
  {
    id: "xray",
    title: "X-ray",
    icon: svg`<rect x="3.5" y="3.5" width="13" height="13" rx="2" /><path d="M1 10h18M7 7h3M7 13h6" />`,
    tag: "rp-xray",
    load: () => import("./xray"),
  },
  {
    id: "time",
    title: "Time",
    icon: svg`<circle cx="10" cy="10" r="7" /><path d="M10 6v4l3 2" />`,
    tag: "rp-time",
    load: () => import("./time"),
  },
  {
    id: "lessons",
    title: "Learn",
    icon: svg`<path d="M2 7l8-4 8 4-8 4zM5 9v4.5c3 2 7 2 10 0V9M18 7v5" />`,
    tag: "rp-lessons",
    load: () => import("../lessons/panel"),
  },
  {
    id: "sandboxes",
    title: "Sandbox",
    icon: svg`<path d="M3 7l7-4 7 4-7 4zM3 7v6l7 4 7-4V7M10 11v6" />`,
    tag: "rp-sandboxes",
    load: () => import("../sandbox-panel"),
  },
];

const transfer = (mode: "share" | "save" | "open") => (shell: Shell) => void import("../transfer-dialog").then(({ show }) => show(shell, mode));

export const menu: MenuEntry[] = [
  {
    id: "play",
    title: "Play a transcript…",
    note: "Several clients, at a chosen speed",
    act: (shell) => void import("./play").then(({ playTranscript }) => playTranscript(shell)),
  },
  { id: "share", title: "Share as a link…", note: "The session in the address, for anyone", act: transfer("share") },
  { id: "save", title: "Save to a file…", note: "RDB, AOF, commands, transcript", act: transfer("save") },
  { id: "open", title: "Open a file…", note: "dump.rdb, appendonly.aof, .redis, a transcript", act: transfer("open") },
  {
    id: "attach",
    title: "Attach to a server…",
    note: "The same terminal on a Redis of this machine",
    act: (shell) => void import("../attach").then(({ showAttach }) => showAttach(shell)),
  },
];
