// Clients side by side on one keyspace.

import { expect, test } from "@playwright/test";
import { Playground } from "../playground.ts";

test("one listens, the other speaks", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.addLane();
  await playground.ready("Client B");
  await expect(playground.prompt("Client B")).toBeFocused();
  await playground.run("SUBSCRIBE news", "Client B");
  await expect(playground.promptText("Client B")).toHaveText("127.0.0.1:6379(subscribed mode)> ");
  await expect(playground.lane("Client B")).toContainText("listening");
  await playground.run("PUBLISH news hello");
  await expect(playground.log()).toContainText("(integer) 1");
  await expect(playground.log("Client B")).toContainText('"hello"');
  await playground.prompt("Client B").press("Control+c");
  await expect(playground.promptText("Client B")).toHaveText("127.0.0.1:6379> ");
});

test("one waits until the other brings", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.addLane();
  await playground.ready("Client B");
  await playground.run("BLPOP jobs 0", "Client B");
  await expect(playground.lane("Client B")).toContainText("waiting");
  await playground.run("RPUSH jobs first");
  await expect(playground.log("Client B")).toContainText('2) "first"');
  await playground.run("BLPOP jobs 0", "Client B");
  await expect(playground.lane("Client B")).toContainText("waiting");
  await playground.prompt("Client B").press("Control+c");
  await expect(playground.promptText("Client B")).toHaveText("127.0.0.1:6379> ");
  await playground.run("RPUSH jobs second");
  await playground.run("LRANGE jobs 0 -1");
  await expect(playground.log()).toContainText('1) "second"');
});

test("a wait ends when its time is over", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run("BLPOP nothing 0.6");
  await expect(playground.log()).toContainText("(nil)");
  await expect(playground.log()).toContainText(/\(0\.[6-9]\d*s\)/);
});

test("a watched key that another client changes fails the transaction", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.addLane();
  await playground.ready("Client B");
  for (const line of ["WATCH stock", "MULTI", "DECR stock"]) await playground.run(line);
  await expect(playground.promptText()).toHaveText("127.0.0.1:6379(TX)> ");
  await playground.run("SET stock 5", "Client B");
  await expect(playground.log("Client B")).toContainText("OK");
  await playground.run("EXEC");
  await expect(playground.log()).toContainText("(nil)");
  await expect(playground.promptText()).toHaveText("127.0.0.1:6379> ");
});

test("lanes can be named and closed, and their names outlive a reload", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.addLane();
  await playground.lane("Client B").getByRole("textbox", { name: "Name of this client" }).fill("worker");
  await page.keyboard.press("Enter");
  await expect(playground.prompt("worker")).toBeFocused();
  expect(await playground.text("worker")).toBe("");
  await page.reload();
  await playground.ready("worker");
  await playground.lane("worker").getByRole("button", { name: "Close worker" }).click();
  await expect(playground.lane("worker")).toBeHidden();
  await expect(playground.prompt()).toBeFocused();
});

test("a step of the guide opens the second client it needs", async ({ page }) => {
  const playground = await Playground.open(page);
  await page.getByRole("button", { name: /Let one client speak/ }).click();
  await page.getByRole("button", { name: /SUBSCRIBE \+ PUBLISH/ }).click();
  await expect(playground.log("Client B")).toContainText('"It works"');
  await expect(playground.log()).toContainText("(integer) 1");
});

test("many clients stand in rows, with a list of all of them that leads to each", async ({ page }) => {
  await page.addInitScript(() => localStorage.setItem("resplay.lanes", JSON.stringify(Array(12).fill(""))));
  const playground = await Playground.open(page);
  const box = async (name: string) => (await playground.lane(name).boundingBox())!;
  expect((await box("Client B")).y).toBe((await box("Client A")).y);
  expect((await box("Client C")).y).toBeGreaterThan((await box("Client A")).y);
  await expect(playground.prompt("Client L")).not.toBeInViewport();
  await page.getByRole("tab", { name: "Client L" }).click();
  await expect(playground.prompt("Client L")).toBeFocused();
  await expect(playground.prompt("Client L")).toBeInViewport();
  await playground.run("SUBSCRIBE news", "Client L");
  await expect(page.getByRole("tab", { name: "Client L" }).locator(".badge")).toHaveClass(/listening/);
  await playground.prompt("Client L").press("Alt+PageDown");
  await expect(playground.prompt()).toBeFocused();
  await expect(playground.prompt()).toBeInViewport();
  // The narrow page shows one, and its tab.
  await page.setViewportSize({ width: 360, height: 740 });
  await page.getByRole("tab", { name: "Client A" }).press("ArrowLeft");
  await expect(page.getByRole("tab", { name: "Client L" })).toBeInViewport({ ratio: 0.9 });
  await playground.addLane();
  await expect(page.getByRole("tab", { name: "Client M" })).toBeInViewport({ ratio: 0.9 });
});

test("what listens moves to a client of its own, and the prompt is free again", async ({ page }) => {
  const playground = await Playground.open(page);
  const move = page.getByRole("button", { name: "Move to its own client" });
  await expect(move).toBeHidden();
  await playground.run("SUBSCRIBE news sport");
  await playground.run("UNSUBSCRIBE sport");
  await move.click();
  await expect(playground.promptText()).toHaveText("127.0.0.1:6379> ");
  await expect(playground.prompt()).toBeFocused();
  await expect(playground.promptText("Client B")).toHaveText("127.0.0.1:6379(subscribed mode)> ");
  await playground.run("PUBLISH sport nothing");
  await playground.run("PUBLISH news hello");
  await expect(playground.log()).toContainText("(integer) 1");
  await expect(playground.log("Client B")).toContainText('"hello"');
  await expect(playground.log("Client B")).not.toContainText("nothing");
  await expect(move).toBeHidden();
  await playground.run("MONITOR");
  await playground.lane("Client A").getByRole("button", { name: "Move to its own client" }).click();
  await playground.run("SET seen 1");
  await expect(playground.log("Client C")).toContainText('"SET" "seen" "1"');
  await expect(playground.promptText()).toHaveText("127.0.0.1:6379> ");
});
