// pictures.mjs URL [NAME ...] - takes the pictures of docs/images anew, or those named, from a page that is served at URL. With
// pngquant on the path they become a third as large.
//
//     cargo xtask play --no-server & node tests/web/pictures.mjs http://127.0.0.1:8379/

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { chromium } from "@playwright/test";

const [, , url = "http://127.0.0.1:8379/"] = process.argv;
const folder = fileURLToPath(new URL("../../docs/images/", import.meta.url));

const KEYS = [
  "SET greeting hello EX 90",
  "ZADD board 42 ada 17 bob 99 eve",
  "XADD log * level info",
  "HSET user:1 name Ada born 1815",
  "HSET user:2 name Grace born 1906",
  "HSET user:1 city London",
];

const SUBSCRIBED = ["ZADD board 42 ada 17 bob 99 eve", 'PUBLISH scores "eve leads"', "ZINCRBY board 60 ada", "ZRANGE board 0 -1 REV WITHSCORES"];

const views = [
  { name: "playground", width: 1240, height: 680, dark: true, take: subscription },
  { name: "start", width: 1040, height: 560, take: () => {} },
  { name: "keys", width: 1040, height: 640, guide: false, take: (look) => look.run(...KEYS) },
  { name: "xray", width: 1040, height: 720, guide: false, take: inPanel("xray", "SET greeting hello EX 90", "HSET user:1 name Ada born 1815") },
  { name: "time", width: 1040, height: 720, guide: false, dark: true, take: branch },
  { name: "lessons", width: 1040, height: 640, take: inPanel("lessons") },
  { name: "lesson", width: 1040, height: 640, dark: true, take: lesson },
  { name: "sandboxes", width: 1040, height: 480, guide: false, take: inPanel("sandboxes", ...KEYS) },
  { name: "share", width: 1040, height: 560, guide: false, take: share },
  { name: "phone", width: 360, height: 740, take: phone },
];

async function subscription(look) {
  await look.page.getByRole("button", { name: "Client", exact: true }).click();
  look.client = "Client B";
  await look.run("SUBSCRIBE scores");
  look.client = "Client A";
  await look.run(...SUBSCRIBED);
}

function inPanel(panel, ...lines) {
  return async (look) => {
    await look.run(...lines);
    await look.open(panel);
  };
}

async function branch(look) {
  await look.run(...KEYS);
  await look.open("time");
  const row = (text) => look.page.locator("rp-time .row").filter({ hasText: text });
  await row("Grace").click();
  await look.page.getByRole("button", { name: "Go on from here" }).click();
  await look.page.getByRole("log", { name: "Output, Client A" }).getByText("Back at an earlier moment").waitFor();
  await look.pause(1000);
  await look.run("INCR visits", "DEL greeting");
  await row("INCR").click();
}

async function lesson(look) {
  await look.open("lessons");
  await look.page.locator("rp-lessons").getByRole("button", { name: /Your first keys/ }).click();
  await look.page.locator("rp-lessons").getByRole("button", { name: "Run" }).first().click();
  await look.pause(1500);
}

async function share(look) {
  await look.run(...KEYS);
  await look.page.getByRole("button", { name: "Menu" }).click();
  await look.page.getByRole("button", { name: /Share as a link/ }).click();
}

async function phone(look) {
  await look.run("ZADD board 42 ada 17 bob 99 eve");
  await look.open("keys");
}

class Look {
  client = "Client A";

  constructor(page) {
    this.page = page;
  }

  pause(ms = 400) {
    return this.page.waitForTimeout(ms);
  }

  async run(...lines) {
    const prompt = this.page.getByRole("textbox", { name: `Command, ${this.client}`, exact: true });
    for (const line of lines) {
      await prompt.fill(line);
      await prompt.press("Enter");
      await this.page.waitForTimeout(250);
    }
  }

  async open(panel) {
    const button = this.page.locator(`[data-panel="${panel}"]`);
    if ((await button.getAttribute("aria-expanded")) !== "true") await button.click();
    await this.pause(800);
  }
}

const browser = await chromium.launch({ executablePath: process.env.RESPLAY_CHROMIUM ?? "/usr/bin/chromium", chromiumSandbox: process.getuid?.() !== 0 });
const wanted = process.argv.slice(3);
for (const { name, width, height, dark = false, guide = true, take } of views.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: dark ? "dark" : "light", serviceWorkers: "block" });
  const page = await context.newPage();
  if (!guide) await page.addInitScript(() => localStorage.setItem("resplay.guide", "closed"));
  await page.goto(url);
  await page.locator("redis-playground[whole]").waitFor();
  const look = new Look(page);
  await look.pause();
  await take(look);
  await look.pause(800);
  const path = `${folder}${name}.png`;
  await page.screenshot({ path });
  spawnSync("pngquant", ["--force", "--skip-if-larger", "--output", path, "64", path]);
  console.log(path);
  await context.close();
}
await browser.close();
