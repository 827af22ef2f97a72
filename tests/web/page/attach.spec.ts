// The terminals attached to a real server, through the bridge of the one that serves the page.

import { expect, test, type Page } from "@playwright/test";
import { Playground } from "../playground.ts";
import { serve, type Served } from "../servers.ts";

let served: Served;
test.beforeEach(async () => {
  served = await serve();
});
test.afterEach(() => {
  served.child.kill();
});

const dialog = (page: Page) => page.locator("rp-attach").getByRole("dialog");
const status = (page: Page) => page.getByRole("status").first();

test("the address that the server prints attaches; another client sees what is typed", async ({ page }) => {
  await page.goto(`${served.address}#attach=${served.token}`);
  await expect(status(page)).toContainText(`attached to 127.0.0.1:${served.port}`);
  expect(page.url()).not.toContain(served.token);
  const playground = new Playground(page);
  await expect(playground.promptText()).toHaveText(`127.0.0.1:${served.port}> `);
  await playground.run("SET real yes");
  await expect(playground.log()).toContainText("OK");
  await playground.addLane();
  await expect(playground.promptText("Client B")).toContainText(String(served.port));
  await playground.run("SUBSCRIBE news", "Client B");
  await expect(playground.lane("Client B")).toContainText("listening");
  await playground.run("PUBLISH news hello");
  await expect(playground.log("Client B")).toContainText('"hello"');
  await playground.run("10 INCR n");
  await expect(playground.log()).toContainText("(integer) 10");
  // And back to the sandbox, which knows nothing of it.
  await page.locator('[data-panel="sandboxes"]').click();
  await page.locator("rp-sandboxes").getByRole("button", { name: /Back to/ }).click();
  await playground.run("EXISTS real");
  await expect(playground.log()).toContainText("(integer) 0");
});

test("the keys panel shows what the server holds, and what others change", async ({ page }) => {
  await page.goto(`${served.address}#attach=${served.token}`);
  await expect(status(page)).toContainText("attached");
  const playground = new Playground(page);
  const keys = await playground.panel("Keys");
  await playground.run("HSET user:1 name Ada");
  await playground.run("SET soon gone EX 100");
  await expect(keys.getByRole("treeitem", { name: /soon/ })).toBeVisible();
  await expect(keys.getByRole("treeitem", { name: /user:/ }).first()).toBeVisible();
  await playground.run("DEL soon");
  await expect(keys.getByRole("treeitem", { name: /soon/ })).toHaveCount(0);
});

test("a wrong token, a server that is not there, and one that goes away are said clearly", async ({ page }) => {
  await page.goto(served.address);
  const playground = new Playground(page);
  await playground.ready();
  await page.getByRole("button", { name: "Menu" }).click();
  await page.locator("#menu").getByRole("button", { name: /Attach to a server/ }).click();
  await dialog(page).getByLabel("Token").fill("wrong");
  await dialog(page).getByRole("button", { name: "Attach" }).click();
  await expect(dialog(page)).toContainText("the token is wrong");
  await dialog(page).getByLabel("Token").fill(` ${served.address}#attach=${served.token}`);
  await dialog(page).getByLabel("Another").check();
  await dialog(page).getByLabel("Host").fill("127.0.0.1");
  await dialog(page).getByLabel("Port").fill("1");
  await dialog(page).getByRole("button", { name: "Attach" }).click();
  await expect(dialog(page)).toContainText("Connection refused");
  await dialog(page).getByLabel("The one that serves").check();
  await dialog(page).getByRole("button", { name: "Attach" }).click();
  await expect(status(page)).toContainText("attached");
  await playground.run("PING");
  await expect(playground.log()).toContainText("PONG");
  served.child.kill("SIGKILL");
  await playground.run("PING");
  await expect(playground.log()).toContainText(/Could not connect|closed the connection/);
});
