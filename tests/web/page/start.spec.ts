// How the page starts: what the first answer needs is named in the page itself, so that it comes in one round of requests.

import { expect, test, type Page } from "@playwright/test";
import { Playground } from "../playground.ts";

/** What the page names: its script and style, the engine's first part and the worker. */
async function named(page: Page, baseURL: string): Promise<Set<string>> {
  const text = await (await page.request.get(baseURL)).text();
  const names = [...text.matchAll(/(?:src|href|data-worker|data-engine)="(\.\/[^"]+)"/g)].map(([, name]) => new URL(name!, baseURL).href);
  return new Set([new URL(baseURL).href, ...names]);
}

/** Holds whatever the page does not name, until it is let go. */
async function holdOthers(page: Page, allowed: Set<string>): Promise<{ asked: string[]; letGo: () => void }> {
  const asked: string[] = [];
  let letGo = () => {};
  const gone = new Promise<void>((resolve) => (letGo = resolve));
  await page.route("**/*", async (route) => {
    const url = route.request().url().split("#")[0]!;
    asked.push(url);
    if (!allowed.has(url)) await gone;
    await route.continue().catch(() => {});
  });
  return { asked, letGo };
}

test("the first answer comes with what the page names, and nothing else", async ({ page, baseURL }) => {
  const allowed = await named(page, baseURL!);
  const { asked, letGo } = await holdOthers(page, allowed);
  const playground = new Playground(page);
  await page.goto("./");
  await expect(playground.promptText()).toHaveText("127.0.0.1:6379> ");
  await playground.run("PING");
  await expect(playground.log()).toContainText("PONG");
  const needed = new Set(asked.filter((url) => allowed.has(url) && url.includes("/assets/")));
  expect(needed.size).toBe(4);
  letGo();
  await playground.ready();
  await playground.run("SET k v");
  await expect(playground.log()).toContainText("OK");
});

test("what is entered before the engine has come is answered once it has", async ({ page, baseURL }) => {
  const allowed = await named(page, baseURL!);
  for (const url of allowed) if (url.endsWith(".wasm")) allowed.delete(url);
  const { letGo } = await holdOthers(page, allowed);
  const playground = new Playground(page);
  await page.goto("./");
  await expect(playground.promptText()).toHaveText("127.0.0.1:6379> ");
  await playground.run("SET early bird");
  await playground.run("GET early");
  expect(await playground.text()).toBe("");
  letGo();
  await playground.expectText('127.0.0.1:6379> SET early bird\nOK\n127.0.0.1:6379> GET early\n"bird"');
  await page.reload();
  await playground.ready();
  await playground.run("GET early");
  await expect(playground.log()).toContainText('"bird"');
});

test("a sandbox that outlived the settings is opened after all", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run("SET kept yes");
  await expect(playground.log()).toContainText("OK");
  await page.evaluate(() => {
    localStorage.clear();
    sessionStorage.clear();
  });
  await page.reload();
  await playground.ready();
  await expect(playground.log()).toContainText("Your sandbox is as you left it");
  await playground.run("GET kept");
  await expect(playground.log()).toContainText('"yes"');
});
