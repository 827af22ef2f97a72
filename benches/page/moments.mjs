// moments.mjs URL [COMMANDS…] - how long it takes to go to a moment of a session, anywhere, and how many inputs are played for
// it: from the question of a panel to its answer, in Chromium. The first is before any picture of memory was taken.
//
//     cargo xtask www && npm --prefix tests/web ci
//     target/release/resplay serve --port 7001 --http-port 7002 & node benches/page/moments.mjs http://127.0.0.1:7002/

import { createRequire } from "node:module";

const require = createRequire(new URL("../../tests/web/package.json", import.meta.url));
const { chromium } = require("@playwright/test");
const [, , url = "http://127.0.0.1:8379/", ...sizes] = process.argv;
const JUMPS = 60;

/** In the page: asks the panel's own questions, one after the other, at moments in no order. */
async function walk(jumps) {
  const panel = document.querySelector("redis-playground").shadowRoot.querySelector("rp-side").shadowRoot.querySelector("rp-time");
  const told = [];
  const go = async (moment) => {
    const started = performance.now();
    const step = await panel.stepAt(moment);
    if (step.input.moment !== moment) throw new Error(`asked for ${moment}, got ${step.input.moment}`);
    told.push({ ms: performance.now() - started, played: Number(panel.dataset.played) });
  };
  const { moments } = panel.timeline;
  await go(moments - 1);
  // What is prepared meanwhile is what a reader would leave time for.
  await new Promise((resolve) => setTimeout(resolve, 3000));
  for (let jump = 0, at = 12345; jump < jumps; jump++) {
    at = (Math.imul(at, 1103515245) + 12345) >>> 0;
    await go(2 + (at % (moments - 2)));
  }
  return told;
}

const browser = await chromium.launch({
  executablePath: process.env.RESPLAY_CHROMIUM ?? "/usr/bin/chromium",
  chromiumSandbox: process.getuid?.() !== 0,
});
for (const commands of sizes.length > 0 ? sizes : ["1000", "10000", "100000"]) {
  const page = await browser.newPage();
  page.setDefaultTimeout(120_000);
  await page.goto(url);
  const prompt = page.getByRole("textbox", { name: "Command, Client A" });
  await prompt.fill(`${commands} LPUSH list element`);
  await prompt.press("Enter");
  await page.getByRole("log").getByText(`(integer) ${commands}`, { exact: false }).last().waitFor();
  await page.getByRole("navigation", { name: "Panels" }).getByRole("button", { name: "Time", exact: true }).click();
  await page.getByRole("listbox", { name: "Moments" }).getByRole("option").last().waitFor();
  const [first, ...jumps] = await page.evaluate(walk, JUMPS);
  const sorted = (what) => jumps.map((jump) => jump[what]).sort((a, b) => a - b);
  const [ms, played] = [sorted("ms"), sorted("played")];
  console.log(
    `${commands} commands: the first time ${first.ms.toFixed(0)} ms (${first.played} inputs); then ${ms[JUMPS / 2].toFixed(1)} ms, ` +
      `at most ${ms.at(-1).toFixed(1)} ms (${played[JUMPS / 2]} inputs, at most ${played.at(-1)})`,
  );
  await page.close();
}
await browser.close();
