// prompt.mjs URL [RUNS] [LATENCY] - time from navigation to a prompt that answers, in Chromium with nothing cached, at 10 Mbit/s with
// 40 ms of latency and a processor slowed down four times. Chromium slows the page's own thread only, not its workers.
//
//     cargo xtask www && npm --prefix tests/web ci
//     # On a machine that does something else meanwhile: sudo chrt -r 5 before both, as root.
//     target/release/resplay serve --port 7001 --http-port 7002 & node benches/page/prompt.mjs http://127.0.0.1:7002/

import { createRequire } from "node:module";

const require = createRequire(new URL("../../tests/web/package.json", import.meta.url));
const { chromium } = require("@playwright/test");
const [, , url = "http://127.0.0.1:8379/", runs = "7", latency = "40"] = process.argv;
const THROTTLED = { offline: false, latency: Number(latency), downloadThroughput: 10e6 / 8, uploadThroughput: 10e6 / 8 };

/** In the page: when the prompt was there, and when PING, entered at that moment, was answered. */
function watch() {
  const terminal = () => document.querySelector("redis-playground")?.shadowRoot?.querySelector("repl-terminal");
  const times = (window.times = {});
  const look = () => {
    const root = terminal()?.shadowRoot;
    const prompt = root?.querySelector(".line .prompt");
    const input = root?.querySelector("textarea");
    if (!times.prompt && input && !input.disabled && prompt?.textContent.includes(">")) {
      times.prompt = performance.now();
      input.value = "PING";
      input.dispatchEvent(new Event("input", { bubbles: true }));
      input.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
    }
    if (times.prompt && root?.querySelector("[role=log]")?.textContent.includes("PONG")) {
      times.answer = performance.now();
      // Asking the page now and then, from here, would take its time.
      console.log(`answered ${times.prompt} ${times.answer}`);
      return;
    }
    setTimeout(look, 2);
  };
  look();
}

const browser = await chromium.launch({
  executablePath: process.env.RESPLAY_CHROMIUM ?? "/usr/bin/chromium",
  chromiumSandbox: process.getuid?.() !== 0,
});
const answers = [];
for (let run = 0; run < Number(runs); run++) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", THROTTLED);
  await session.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  await page.addInitScript(watch);
  const told = page.waitForEvent("console", { predicate: (message) => message.text().startsWith("answered "), timeout: 30_000 });
  await page.goto(url, { waitUntil: "commit" });
  const [prompt, answer] = (await told).text().split(" ").slice(1).map(Number);
  answers.push(answer);
  console.log(`prompt after ${prompt.toFixed(0)} ms, answer after ${answer.toFixed(0)} ms`);
  await context.close();
}
await browser.close();
answers.sort((a, b) => a - b);
console.log(`median answer: ${answers[answers.length >> 1].toFixed(0)} ms`);
