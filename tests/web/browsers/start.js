// Programs that tests start, and end again.

import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";

const root = join(import.meta.dirname, "../../..");
const LIMIT_MS = 30_000;

function runs(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Where a program is: named by a variable, on the path, or in one of some places. */
export function program(variable, names, places = []) {
  if (process.env[variable]) return process.env[variable];
  const folders = (process.env.PATH ?? "").split(delimiter);
  return [...folders.flatMap((folder) => names.map((name) => join(folder, name))), ...places].find(runs);
}

/** What takes too long says what it was. */
export function limited(what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited too long for ${what}`)), LIMIT_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Ends a child, with all it has started where it leads a group. */
export async function ended(child, group = false) {
  if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return;
  const end = new Promise((resolve) => child.once("exit", resolve));
  const kill = (signal) => {
    try {
      process.kill(group ? -child.pid : child.pid, signal);
    } catch {
      // It was quicker.
    }
  };
  kill("SIGTERM");
  const hard = setTimeout(() => kill("SIGKILL"), 3000);
  await end;
  clearTimeout(hard);
}

export function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** The built page, as `resplay serve` serves it. */
export class Served {
  #child;
  address = "";
  /** What attaches terminals to it. */
  token = "";

  static async start() {
    const served = new Served();
    const [port, own] = [await freePort(), await freePort()];
    const binary = process.env.RESPLAY_BINARY ?? join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "debug/resplay");
    const words = ["serve", "--port", String(own), "--save", "", "--http-port", String(port), "--http-root", join(root, "www/dist")];
    served.#child = spawn(binary, words, { stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    served.#child.stdout.on("data", (bytes) => {
      said += bytes;
      served.token = /#attach=([0-9a-f]+)/.exec(said)?.[1] ?? "";
    });
    served.address = `http://127.0.0.1:${port}/`;
    const failed = new Promise((_, reject) => {
      served.#child.on("error", reject);
      served.#child.on("exit", (code) => reject(new Error(`resplay serve ended with ${code}`)));
    });
    failed.catch(() => {});
    await limited("the page to be served", Promise.race([served.#answers(), failed]));
    return served;
  }

  async #answers() {
    while (!(await fetch(this.address).then((answer) => answer.ok && this.token !== "", () => false))) await new Promise((resolve) => setTimeout(resolve, 50));
  }

  /** From now on there is no network. */
  async end() {
    await ended(this.#child);
  }
}
