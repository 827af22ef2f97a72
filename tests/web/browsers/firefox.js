// Firefox as installed, spoken to in WebDriver BiDi: it needs no other program for that.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import WebSocket from "ws";
import { ended, limited, program } from "./start.js";

const PLACES = ["/Applications/Firefox.app/Contents/MacOS/firefox"];
/** Nothing of its own over the network, and no questions. */
const SETTINGS = {
  "app.update.disabledForTesting": true,
  "browser.aboutwelcome.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "browser.startup.homepage_override.mstone": "ignore",
  "datareporting.policy.dataSubmissionEnabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "services.settings.server": "data:,",
  "toolkit.telemetry.enabled": false,
};

export class Firefox {
  #child;
  #profile;
  #socket;
  #context;
  #sent = 0;
  #waiting = new Map();
  version = "";

  static path() {
    return program("RESPLAY_FIREFOX", ["firefox-esr", "firefox"], PLACES);
  }

  static async start({ settings = {} } = {}) {
    const browser = new Firefox();
    try {
      await browser.#start(settings);
    } catch (reason) {
      await browser.close();
      throw reason;
    }
    return browser;
  }

  async #start(settings) {
    this.#profile = mkdtempSync(join(tmpdir(), "resplay-firefox-"));
    const lines = Object.entries({ ...SETTINGS, ...settings }).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`);
    writeFileSync(join(this.#profile, "user.js"), lines.join("\n"));
    const words = ["--headless", "--no-remote", "--profile", this.#profile, "--remote-debugging-port", "0"];
    this.#child = spawn(Firefox.path(), words, { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, MOZ_HEADLESS_WIDTH: "1280", MOZ_HEADLESS_HEIGHT: "800" } });
    const address = await limited(
      "Firefox to listen",
      new Promise((resolve, reject) => {
        let said = "";
        this.#child.stderr.on("data", (bytes) => {
          said += bytes;
          const [, found] = /WebDriver BiDi listening on (ws:\/\/\S+)/.exec(said) ?? [];
          if (found) resolve(found);
        });
        this.#child.on("error", reject);
        this.#child.on("exit", () => reject(new Error(`Firefox ended: ${said}`)));
      }),
    );
    this.#socket = new WebSocket(`${address}/session`, { perMessageDeflate: false });
    this.#socket.on("message", (text) => this.#hear(JSON.parse(text)));
    await new Promise((resolve, reject) => this.#socket.on("open", resolve).on("error", reject));
    const { capabilities } = await this.#call("session.new", { capabilities: {} });
    this.version = `Firefox ${capabilities.browserVersion}`;
    const { contexts } = await this.#call("browsingContext.getTree", {});
    this.#context = contexts[0].context;
    await this.resize(1280, 800);
  }

  #call(method, params) {
    const id = ++this.#sent;
    this.#socket.send(JSON.stringify({ id, method, params }));
    return limited(method, new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject })));
  }

  #hear({ id, type, result, message }) {
    const asked = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (type === "error") asked?.reject(new Error(message));
    else asked?.resolve(result);
  }

  #onPage(method, params = {}) {
    return this.#call(method, { context: this.#context, ...params });
  }

  async open(url) {
    await this.#onPage("browsingContext.navigate", { url, wait: "interactive" });
  }

  async reload() {
    await this.#onPage("browsingContext.reload", { wait: "interactive" });
  }

  /** What an async function body answers on the page. */
  async evaluate(body) {
    const expression = `(async () => JSON.stringify((await (async () => { ${body} })()) ?? null))()`;
    const { type, result, exceptionDetails } = await this.#call("script.evaluate", { expression, awaitPromise: true, userActivation: true, target: { context: this.#context } });
    if (type === "exception") throw new Error(exceptionDetails.text);
    return JSON.parse(result.value);
  }

  async press(...keys) {
    const actions = keys.flatMap((value) => [
      { type: "keyDown", value },
      { type: "keyUp", value },
    ]);
    await this.#onPage("input.performActions", { actions: [{ type: "key", id: "keys", actions }] });
  }

  async chord(held, key) {
    const actions = [
      { type: "keyDown", value: held },
      { type: "keyDown", value: key },
      { type: "keyUp", value: key },
      { type: "keyUp", value: held },
    ];
    await this.#onPage("input.performActions", { actions: [{ type: "key", id: "keys", actions }] });
  }

  async resize(width, height) {
    await this.#onPage("browsingContext.setViewport", { viewport: { width, height } });
  }

  async picture(file) {
    const { data } = await this.#onPage("browsingContext.captureScreenshot");
    writeFileSync(file, Buffer.from(data, "base64"));
  }

  async tab() {
    const { context } = await this.#call("browsingContext.create", { type: "tab" });
    const before = this.#context;
    this.#context = context;
    return before;
  }

  async show(tab) {
    const before = this.#context;
    this.#context = tab;
    await this.#onPage("browsingContext.activate");
    return before;
  }

  async close() {
    this.#socket?.terminate();
    await ended(this.#child);
    if (this.#profile) rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
