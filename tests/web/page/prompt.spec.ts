// One client: the prompt, its keys, and what a reply looks like.

import { expect, test } from "@playwright/test";
import { Playground } from "../playground.ts";

test("the first prompt has the focus and answers", async ({ page }) => {
  const playground = await Playground.open(page);
  await expect(playground.prompt()).toBeFocused();
  await page.keyboard.type('SET greeting "Hello, world"\n');
  await page.keyboard.type("GET greeting\n");
  await page.keyboard.type("GET nothing\n");
  await page.keyboard.type("INCR visits\n");
  await playground.expectText(
    [
      '127.0.0.1:6379> SET greeting "Hello, world"',
      "OK",
      "127.0.0.1:6379> GET greeting",
      '"Hello, world"',
      "127.0.0.1:6379> GET nothing",
      "(nil)",
      "127.0.0.1:6379> INCR visits",
      "(integer) 1",
    ].join("\n"),
  );
});

test("what is typed after a press on a button goes to the prompt, but not from a dialog", async ({ page }) => {
  const playground = await Playground.open(page);
  await page.locator('[data-panel="xray"]').click();
  await expect(playground.prompt()).not.toBeFocused();
  await page.keyboard.type("SET a 1\n");
  await expect(playground.log()).toContainText("OK");
  await page.getByRole("button", { name: "Help", exact: true }).click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await page.keyboard.type("SET");
  await page.keyboard.press("Escape");
  await expect(playground.prompt()).toHaveValue("");
});

test("an error is an error, and the prompt stands again", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run("NOSUCHCOMMAND");
  await expect(playground.log()).toContainText("(error) ERR unknown command 'NOSUCHCOMMAND'");
  await playground.run('SET "broken');
  await expect(playground.promptText()).toHaveText("... ");
  await playground.run('key" 1');
  await expect(playground.log()).toContainText("OK");
  await expect(playground.promptText()).toHaveText("127.0.0.1:6379> ");
});

test("history walks, and outlives a reload; secrets do not", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run("SET a 1");
  await playground.run("AUTH very-secret");
  await playground.run("GET a");
  const prompt = playground.prompt();
  await prompt.press("ArrowUp");
  await expect(prompt).toHaveValue("GET a");
  await prompt.press("ArrowUp");
  await expect(prompt).toHaveValue("AUTH very-secret");
  await prompt.press("Control+p");
  await expect(prompt).toHaveValue("SET a 1");
  await prompt.press("Control+n");
  await prompt.press("ArrowDown");
  await prompt.press("ArrowDown");
  await expect(prompt).toHaveValue("");

  await page.reload();
  await playground.ready();
  await prompt.press("ArrowUp");
  await expect(prompt).toHaveValue("GET a");
  await prompt.press("ArrowUp");
  await expect(prompt).toHaveValue("SET a 1");
  expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain("very-secret");
});

test("the history suggests in grey, and Right takes it", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run("ECHO a-long-line");
  await playground.prompt().pressSequentially("EC");
  await expect(playground.ghost()).toHaveText("HO a-long-line");
  await playground.prompt().press("ArrowRight");
  await expect(playground.prompt()).toHaveValue("ECHO a-long-line");
});

test("Control R searches back, Control S forth, Control G gives up", async ({ page }) => {
  const playground = await Playground.open(page);
  for (const line of ["SET a 1", "GET a", "SET b 2"]) await playground.run(line);
  const prompt = playground.prompt();
  await prompt.press("Control+r");
  await expect(playground.promptText()).toHaveText("(reverse-i-search): ");
  await prompt.pressSequentially("set");
  const found = playground.lane("Client A").locator(".found");
  await expect(found).toHaveText("SET b 2");
  await expect(found.locator("mark")).toHaveText("SET");
  await prompt.press("Control+r");
  await expect(found).toHaveText("SET a 1");
  await prompt.press("Control+s");
  await expect(found).toHaveText("SET b 2");
  await prompt.press("Control+g");
  await expect(prompt).toHaveValue("");
  await prompt.press("Control+r");
  await prompt.pressSequentially("get");
  await prompt.press("Enter");
  await expect.poll(() => playground.text()).toMatch(/GET a\n"1"$/);
});

test("the keys of a shell edit the line", async ({ page }) => {
  const playground = await Playground.open(page);
  const prompt = playground.prompt();
  await prompt.pressSequentially("SET key value");
  await prompt.press("Control+a");
  await prompt.press("Alt+d");
  await expect(prompt).toHaveValue(" key value");
  await prompt.press("Control+y");
  await expect(prompt).toHaveValue("SET key value");
  await prompt.press("Control+e");
  await prompt.press("Alt+Backspace");
  await expect(prompt).toHaveValue("SET key ");
  await prompt.press("Control+u");
  await expect(prompt).toHaveValue("");
  await prompt.pressSequentially("GET");
  await prompt.press("Control+c");
  await expect(prompt).toHaveValue("");
  await expect.poll(() => playground.text()).toBe("127.0.0.1:6379> GET^C");
  await prompt.press("Control+l");
  await playground.expectText("");
});

test("a pasted block runs line by line; an unfinished last line stays", async ({ page }) => {
  const playground = await Playground.open(page);
  await page.evaluate(() => navigator.clipboard.writeText("SET a 1\nINCR a\r\nGET a\nGET"));
  await playground.prompt().press("ControlOrMeta+v");
  await expect.poll(() => playground.text()).toMatch(/INCR a\n\(integer\) 2\n.*GET a\n"2"$/);
  await expect(playground.prompt()).toHaveValue("GET");
});

test("what is copied is what redis-cli would have printed", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run("SET a 1");
  await playground.run("GET a");
  await playground.expectText('127.0.0.1:6379> SET a 1\nOK\n127.0.0.1:6379> GET a\n"1"');
  await page.getByRole("button", { name: "Copy" }).click();
  await expect
    .poll(() => page.evaluate(() => navigator.clipboard.readText()))
    .toBe('127.0.0.1:6379> SET a 1\nOK\n127.0.0.1:6379> GET a\n"1"');
});

test("the keyspace outlives a reload; starting over empties it", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run("SET kept yes");
  await expect(playground.log()).toContainText("OK");
  await page.reload();
  await playground.ready();
  await playground.run("GET kept");
  await expect(playground.log()).toContainText('"yes"');
  await page.getByRole("button", { name: "Start over" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Start over" }).click();
  await playground.run("GET kept");
  await expect(playground.log()).toContainText("(nil)");
});

test("the record follows what comes, until someone scrolls up", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run("60 PING");
  await expect(playground.prompt()).toBeInViewport();
  await playground.prompt().fill("SET a-key ");
  await expect(playground.ghost()).toBeVisible();
  await expect(playground.prompt()).toBeInViewport();
  const latest = page.getByRole("button", { name: /Latest output/ });
  await expect(latest).toBeHidden();
  await playground.prompt().press("PageUp");
  await expect(latest).toBeVisible();
  await latest.click();
  await expect(playground.prompt()).toBeInViewport();
  await expect(playground.prompt()).toBeFocused();
});

test("what explains an error is not part of a copy", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run("GETT");
  await expect(playground.log()).toContainText("Did you mean GET?");
  expect(await playground.text()).not.toContain("Did you mean");
});

test("EXIT leaves, Enter comes back", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run("SELECT 3");
  await expect(playground.promptText()).toHaveText("127.0.0.1:6379[3]> ");
  await playground.run("EXIT");
  await expect(playground.promptText()).toHaveText("Left. Enter connects again. ");
  await playground.prompt().press("Enter");
  await expect(playground.promptText()).toHaveText("127.0.0.1:6379> ");
});

test("the prompt stays in sight below answers whose lines wrap", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run("HELP");
  await playground.run("SET name Ann");
  for (let times = 0; times < 3; times++) await playground.run("LPUSH name x");
  await expect(playground.log()).toContainText("holds a string");
  const scroller = page.locator("repl-terminal .scroller");
  await expect.poll(() => scroller.evaluate(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight)).toBeLessThan(2);
});
