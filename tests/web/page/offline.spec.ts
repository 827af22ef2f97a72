// Installable, and there without a network after the first visit.

import { expect, test } from "@playwright/test";
import { Playground } from "../playground.ts";

test.use({ serviceWorkers: "allow" });

test("after the first visit the page works without a network: engine, lessons, sandboxes", async ({ page, context }) => {
  const playground = await Playground.open(page);
  await playground.run("SET kept yes");
  await expect(playground.log()).toContainText("OK");
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
  });
  await context.setOffline(true);
  await page.reload();
  await playground.ready();
  await playground.run("GET kept");
  await expect(playground.log()).toContainText('"yes"');
  await playground.run('EVAL "return 42" 0');
  await expect(playground.log()).toContainText("(integer) 42");
  await page.locator('[data-panel="lessons"]').click();
  await expect(page.locator("rp-lessons").getByRole("heading", { name: "Learn Redis" })).toBeVisible();
  await page.locator('[data-panel="sandboxes"]').click();
  await expect(page.locator("rp-sandboxes").getByRole("heading", { name: "Sandboxes" })).toBeVisible();
  // Another tab, from its address alone.
  const second = await context.newPage();
  await Playground.open(second);
  await context.setOffline(false);
});

test("the manifest names icons that exist", async ({ page, request, baseURL }) => {
  await page.goto("./");
  const address = await page.locator('link[rel="manifest"]').evaluate((link: HTMLLinkElement) => link.href);
  const answer = await request.get(address);
  expect(answer.headers()["content-type"]).toContain("application/manifest+json");
  const manifest = await answer.json();
  expect(manifest).toMatchObject({ display: "standalone", start_url: "./" });
  for (const { src, type } of manifest.icons) {
    const icon = await request.get(new URL(src, baseURL).href);
    expect(icon.headers()["content-type"], src).toBe(type);
  }
  const session = await page.context().newCDPSession(page);
  const read = await session.send("Page.getAppManifest");
  expect(read.errors).toEqual([]);
  const { installabilityErrors } = await session.send("Page.getInstallabilityErrors");
  expect(installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== "in-incognito")).toEqual([]);
});
