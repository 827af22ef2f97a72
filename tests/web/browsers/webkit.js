// WebKitGTK's little browser, spoken to through its WebDriver, on a screen that nobody sees.

import { spawn } from "node:child_process";
import { readdirSync, existsSync, writeFileSync } from "node:fs";
import { ended, freePort, limited, program } from "./start.js";

const LIBRARIES = "/usr/lib";
const ELEMENT_LIMIT_MS = 20_000;

export class WebKit {
  #child;
  #driver;
  #session;
  version = "";

  /** The browser itself, which stands in a folder of the library that it belongs to. */
  static path() {
    if (process.env.RESPLAY_WEBKIT) return process.env.RESPLAY_WEBKIT;
    if (!program("", ["WebKitWebDriver"]) || !program("", ["xvfb-run"])) return undefined;
    const folders = ["", ...readdirSync(LIBRARIES).filter((name) => name.includes("-linux-"))].map((name) => `${LIBRARIES}/${name}`);
    const libraries = folders.flatMap((folder) => ["webkit2gtk-4.1", "webkitgtk-6.0", "webkit2gtk-4.0"].map((name) => `${folder}/${name}/MiniBrowser`));
    return libraries.find(existsSync);
  }

  static async start() {
    const browser = new WebKit();
    try {
      await browser.#start();
    } catch (reason) {
      await browser.close();
      throw reason;
    }
    return browser;
  }

  async #start() {
    const port = await freePort();
    this.#driver = `http://127.0.0.1:${port}`;
    // It paints without a graphics card, and root may run it.
    const env = { ...process.env, WEBKIT_DISABLE_DMABUF_RENDERER: "1", LIBGL_ALWAYS_SOFTWARE: "1", WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1" };
    const words = ["--auto-servernum", "--server-args", "-screen 0 1400x1000x24", "WebKitWebDriver", `--port=${port}`];
    this.#child = spawn("xvfb-run", words, { stdio: "ignore", detached: true, env });
    await limited("WebKitWebDriver to listen", this.#listens());
    const options = { binary: WebKit.path(), args: ["--automation"] };
    const alwaysMatch = { browserName: "MiniBrowser", "webkitgtk:browserOptions": options };
    const { sessionId, capabilities } = await this.#ask("POST", "/session", { capabilities: { alwaysMatch } });
    this.#session = `/session/${sessionId}`;
    this.version = `WebKitGTK ${capabilities.browserVersion}`;
    await this.#say("/timeouts", { script: ELEMENT_LIMIT_MS, pageLoad: ELEMENT_LIMIT_MS });
  }

  async #listens() {
    for (;;) {
      try {
        return await this.#ask("GET", "/status");
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  async #ask(method, path, body) {
    const answer = await limited(path, fetch(this.#driver + path, { method, body: body && JSON.stringify(body) }));
    const { value } = await answer.json();
    if (value?.error) throw new Error(`${value.error}: ${value.message}`);
    return value;
  }

  #say(path, body = {}) {
    return this.#ask("POST", this.#session + path, body);
  }

  async open(url) {
    await this.#say("/url", { url });
  }

  async reload() {
    await this.#say("/refresh");
  }

  /** What an async function body answers on the page. */
  async evaluate(body) {
    const script = `const told = arguments[arguments.length - 1];
      (async () => { ${body} })().then((value) => told({ value: value ?? null }), (reason) => told({ failed: String(reason) }));`;
    const { value, failed } = await this.#say("/execute/async", { script, args: [] });
    if (failed) throw new Error(failed);
    return value;
  }

  async press(...keys) {
    const actions = keys.flatMap((value) => [
      { type: "keyDown", value },
      { type: "keyUp", value },
    ]);
    await this.#say("/actions", { actions: [{ type: "key", id: "keys", actions }] });
  }

  async chord(held, key) {
    const actions = [
      { type: "keyDown", value: held },
      { type: "keyDown", value: key },
      { type: "keyUp", value: key },
      { type: "keyUp", value: held },
    ];
    await this.#say("/actions", { actions: [{ type: "key", id: "keys", actions }] });
  }

  async resize(width, height) {
    await this.#say("/window/rect", { width, height });
  }

  async picture(file) {
    writeFileSync(file, Buffer.from(await this.#ask("GET", `${this.#session}/screenshot`), "base64"));
  }

  async tab() {
    const before = await this.#ask("GET", `${this.#session}/window`);
    const { handle } = await this.#say("/window/new", { type: "tab" });
    await this.show(handle);
    return before;
  }

  async show(handle) {
    const before = await this.#ask("GET", `${this.#session}/window`).catch(() => null);
    await this.#say("/window", { handle });
    return before;
  }

  async close() {
    if (this.#session) await this.#ask("DELETE", this.#session).catch(() => {});
    await ended(this.#child, true);
  }
}
