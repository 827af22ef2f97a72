// The X-ray: what a command sent, cost, touched, told and was answered.

import AxeBuilder from "@axe-core/playwright";
import { expect, test } from "@playwright/test";
import { Playground } from "../playground.ts";

test("bytes, cost, keys, conversions, events, propagation", async ({ page }) => {
  const playground = await Playground.open(page);
  const xray = await playground.panel("X-ray");
  await expect(xray).toContainText("Nothing to look through yet.");
  await playground.run("HSET h field short");
  await expect(xray.getByRole("heading", { level: 2 })).toHaveText("HSET h field short");
  await expect(xray).toContainText("array of 4 elements");
  await expect(xray).toContainText("O(N)");
  await expect(xray).toContainText("hset on h");
  await expect(xray).toContainText("not published");
  await playground.run(`HSET h long ${"x".repeat(100)}`);
  const command = xray.getByRole("group", { name: "HSET" });
  await expect(command).toContainText(/listpack 1 element → hash hashtable 2 elements/);
  await playground.run("GET nothing");
  await expect(xray).toContainText("Nothing: only changes go to replicas");
  await playground.run("SET k v EX 100");
  await expect(xray).toContainText("PXAT");
});

test("the same reply in both protocols", async ({ page }) => {
  const playground = await Playground.open(page);
  const xray = await playground.panel("X-ray");
  await playground.run("HSET h f v");
  await playground.run("HGETALL h");
  await expect(xray.getByRole("heading", { level: 2 })).toHaveText("HGETALL h");
  await expect(xray).toContainText("array of 2 elements");
  await xray.getByRole("button", { name: "RESP3" }).click();
  await expect(xray).toContainText("map of 1 pair");
  await xray.getByRole("button", { name: "RESP2" }).click();
  await expect(xray).not.toContainText("map of");
});

test("a transaction shows its commands, and one who waited is served", async ({ page }) => {
  const playground = await Playground.open(page);
  const xray = await playground.panel("X-ray");
  for (const line of ["MULTI", "SET a 1", "INCR a", "EXEC"]) await playground.run(line);
  await expect(xray.getByRole("group", { name: "INCR" })).toContainText("in the transaction");
  await playground.addLane();
  await playground.ready("Client B");
  await playground.run("BLPOP jobs 0", "Client B");
  await expect(xray).toContainText("waits");
  await playground.run("RPUSH jobs first");
  await expect(xray.getByRole("group", { name: "BLPOP" })).toContainText("had waited for this");
  await expect(xray).toContainText(/Client \d+ was sent/);
});

test("key specs, scripts, one who waits, and pushes", async ({ page }) => {
  const playground = await Playground.open(page);
  const xray = await playground.panel("X-ray");
  await playground.run("MSET a 1 b 2");
  await expect(xray).toContainText("by key spec: every 2. word, from word 1 to the last");
  await expect(xray).toContainText("word 3");
  await playground.run(`EVAL "redis.call('SET', KEYS[1], 'x') return redis.call('APPEND', KEYS[1], 'y')" 1 k`);
  await expect(xray).toContainText("from word 3 on, as many as word 2 says");
  await expect(xray.getByRole("group", { name: "APPEND", exact: true })).toContainText("by the script");
  await expect(xray.getByRole("group", { name: "APPEND", exact: true }).locator(".converted")).toHaveText("raw");
  await playground.addLane();
  await playground.run("BLPOP queue 0", "Client B");
  await expect(xray).toContainText("Nothing yet: the client waits.");
  await playground.run("RPUSH queue job");
  await expect(xray).toContainText("had waited for this");
  await expect(xray.getByRole("heading", { name: /Client \d+ was sent/ })).toBeVisible();
  await playground.run("HELLO 3", "Client B");
  await playground.run("SUBSCRIBE news", "Client B");
  await playground.run("PUBLISH news hello");
  await expect(xray).toContainText("push of 3 elements");
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing in it, ${colorScheme}`, async ({ browser }) => {
    test.setTimeout(60_000);
    const context = await browser.newContext({ colorScheme, reducedMotion: "reduce" });
    const page = await context.newPage();
    const playground = await Playground.open(page);
    const xray = await playground.panel("X-ray");
    await playground.run("HSET h f 1");
    await playground.run(`HSET h g ${"x".repeat(100)}`);
    await expect(xray).toContainText("hashtable");
    const { violations } = await new AxeBuilder({ page }).include({ fromShadowDom: ["redis-playground", "rp-side"] }).analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
    await context.close();
  });
}
