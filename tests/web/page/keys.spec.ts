// The keys panel: the tree, the values, what changed, and edits that show their command.

import AxeBuilder from "@axe-core/playwright";
import { expect, test } from "@playwright/test";
import { Playground } from "../playground.ts";

test("a first key appears, is marked as changed, and its value is shown", async ({ page }) => {
  const playground = await Playground.open(page);
  const keys = await playground.panel("Keys");
  await expect(keys).toContainText("No keys yet.");
  await keys.getByRole("button", { name: "Make the first one" }).click();
  await expect(playground.log()).toContainText("OK");
  const row = keys.getByRole("treeitem", { name: /greeting/ });
  await expect(row).toHaveClass(/hot/);
  await expect(keys.getByRole("group", { name: "Value" })).toContainText("Hello, world");
  await playground.run("SET other 1");
  await expect(keys.getByRole("treeitem", { name: /other/ })).toHaveClass(/hot/);
  await expect(row).not.toHaveClass(/hot/);
  await playground.run("DEL other");
  await expect(keys.getByRole("treeitem", { name: /other/ })).toHaveCount(0);
  await expect(keys).toContainText("This key is gone.");
});

test("a sample is one click away, says what came, and can be loaded again", async ({ page }) => {
  const playground = await Playground.open(page);
  const keys = await playground.panel("Keys");
  await keys.getByRole("button", { name: "Sensor readings" }).click();
  await expect(playground.log()).toContainText("“Sensor readings” is loaded: 7 new keys.");
  await expect(keys.getByRole("list", { name: "Entries" })).toContainText("alarms: bob");
  await expect(keys.getByRole("region", { name: "Group archive" })).toContainText("1 still to come");
  const learn = await playground.panel("Learn");
  for (const name of [/A game/, /A small shop/, /Places of the world/]) {
    await learn.getByRole("button", { name }).click();
    await expect(learn.getByText(/is loaded: \d+ new keys/)).toContainText(name);
    await learn.getByRole("button", { name }).click();
    await expect(learn.getByText("its keys were here")).toContainText(name);
  }
  await expect(learn.getByRole("button", { name: /Sensor readings/ })).toBeVisible();
});

test("keys fold at colons, and the tree is walked with arrows", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run(`MSET ${Array.from({ length: 60 }, (_, user) => `user:${user} x`).join(" ")}`);
  const keys = await playground.panel("Keys");
  const group = keys.getByRole("treeitem", { name: /user:/ }).first();
  await expect(keys).toContainText("60 keys");
  if ((await group.getAttribute("aria-expanded")) === "true") await group.click();
  await expect(group).toHaveAttribute("aria-expanded", "false");
  await group.focus();
  await page.keyboard.press("ArrowRight");
  await expect(group).toHaveAttribute("aria-expanded", "true");
  await page.keyboard.press("ArrowDown");
  await expect(keys.locator("[role=treeitem]:focus")).toHaveAttribute("aria-level", "2");
  await page.keyboard.press("End");
  await expect(keys.locator("[role=treeitem]:focus")).toHaveAttribute("aria-posinset", "61");
  await page.keyboard.press("Home");
  await expect(group).toBeFocused();
  await page.keyboard.press("ArrowLeft");
  await expect(group).toHaveAttribute("aria-expanded", "false");
  await keys.getByRole("searchbox").fill("user:5?");
  await expect(keys).toContainText("10 of 60 keys");
});

test("each type has its picture", async ({ page }) => {
  const playground = await Playground.open(page);
  const keys = await playground.panel("Keys");
  const value = keys.getByRole("group", { name: "Value" });
  await playground.run("HSET h field content");
  await expect(value.getByRole("table")).toContainText("content");
  await playground.run("RPUSH l first second");
  await expect(value.getByRole("list", { name: "Elements" }).getByRole("listitem")).toHaveCount(2);
  await playground.run("SADD s one two three");
  await expect(value.getByRole("list", { name: "Members", exact: true }).getByRole("listitem")).toHaveCount(3);
  await playground.run("ZADD z 1 low 10 high");
  await expect(value.getByRole("list", { name: "Members by score" }).getByRole("listitem").last()).toContainText("high");
  await playground.run("GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania");
  await expect(value.getByRole("img", { name: /Map: .*Palermo at 38.116°N 13.361°E/ })).toBeVisible();
  await playground.run("XADD x 1-1 colour red");
  await playground.run("XGROUP CREATE x team 0");
  await playground.run("XREADGROUP GROUP team ann STREAMS x >");
  await expect(value.getByRole("region", { name: "Group team" })).toContainText("ann");
  await expect(value.getByRole("list", { name: "Entries" })).toContainText("team: ann");
  await playground.run("SETBIT b 3 1");
  await expect(value.getByRole("button", { name: "Bit 3 is 1" })).toBeVisible();
  await playground.run("PFADD p a b c");
  await expect(value).toContainText("≈ 3");
  await playground.run("ARSET a 5 five");
  await expect(value.getByRole("list", { name: "Elements" })).toContainText("five");
});

test("an edit shows its command and runs it in the terminal", async ({ page }) => {
  const playground = await Playground.open(page);
  const keys = await playground.panel("Keys");
  await playground.run("HSET user:1 name Ada");
  await keys.getByRole("button", { name: "Change name" }).click();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("Grace Hopper");
  await expect(keys.getByRole("form")).toContainText('HSET user:1 name "Grace Hopper"');
  await page.keyboard.press("Enter");
  await expect(playground.log()).toContainText('HSET user:1 name "Grace Hopper"');
  await expect(keys.getByRole("table")).toContainText("Grace Hopper");
  await keys.getByRole("button", { name: "no expiry" }).click();
  await page.keyboard.press("Enter");
  await expect(playground.log()).toContainText("EXPIRE user:1 60");
  await expect(keys.getByRole("button", { name: /s left|min .* left/ })).toBeVisible();
  await keys.getByRole("button", { name: "Delete" }).click();
  await page.keyboard.press("Enter");
  await expect(keys).toContainText("No keys yet.");
});

test("edits of every type, binary ones included, are the commands they show", async ({ page }) => {
  test.setTimeout(120_000);
  const playground = await Playground.open(page);
  const keys = await playground.panel("Keys");
  const editor = keys.locator("form.editor");
  const edit = async (setUp: string, button: string | RegExp, fields: Record<string, string>, line: string) => {
    if (setUp) await playground.run(setUp);
    await keys.getByRole("button", { name: button, exact: typeof button === "string" }).first().click();
    for (const [label, text] of Object.entries(fields)) await editor.getByLabel(label, { exact: true }).fill(text);
    await expect(editor.locator(".line")).toHaveText(line);
    await editor.getByRole("button", { name: "Run it" }).click();
    await expect(playground.log()).toContainText(line);
  };
  await edit("HSET h name Ada", "+ field", { field: "city", value: "New York" }, 'HSET h city "New York"');
  await edit("", "Change city", { value: "Bath" }, "HSET h city Bath");
  await edit("", "Remove name", {}, "HDEL h name");
  await edit("RPUSH l a b c", "+ element at the start", { value: "z" }, "LPUSH l z");
  await edit("", "Remove the last element", {}, "RPOP l");
  await edit("", "Change element 1", { value: "it's" }, `LSET l 1 "it's"`);
  await edit("SADD s one", "+ member", { member: "two" }, "SADD s two");
  await edit("", "Remove one", {}, "SREM s one");
  await edit("ZADD z 1 low", "Change the score of low", { score: "2.5" }, "ZADD z 2.5 low");
  await edit("XADD x 1-1 f v", "+ entry", { field: "f", value: "w" }, "XADD x * f w");
  await edit("", "Remove 1-1", {}, "XDEL x 1-1");
  await edit("ARSET arr 0 a", "Change element 0", { value: "b" }, "ARSET arr 0 b");
  await edit("SET plain 1 EX 500", /left$/, { seconds: "900" }, "EXPIRE plain 900");
  await edit("", "Keep", {}, "PERSIST plain");
  await edit("", "Rename", { "new name": "other name" }, 'RENAME plain "other name"');
  // Bytes that are no text stay what they are.
  await edit(String.raw`SET "bin\x00\xff" "\x01\\ \n"`, "Rename", {}, String.raw`RENAME "bin\x00\xff" "bin\x00\xff"`);
  await keys.getByRole("button", { name: "text", exact: true }).click();
  await edit("", "+ Change it", {}, String.raw`SET "bin\x00\xff" "\x01\\ \n"`);
  await expect(editor).toHaveCount(0);
  await edit("", "+ Change it", { value: String.raw`\xfe\\` }, String.raw`SET "bin\x00\xff" "\xfe\\"`);
  await playground.run(String.raw`STRLEN "bin\x00\xff"`);
  await expect(playground.log().locator("> *").last()).toContainText("(integer) 2");
  await edit("", "Delete", {}, String.raw`DEL "bin\x00\xff"`);
  await expect(keys).toContainText("This key is gone.");
});

test("what a transaction and what a script changed is marked", async ({ page }) => {
  const playground = await Playground.open(page);
  const keys = await playground.panel("Keys");
  const row = (name: RegExp) => keys.getByRole("treeitem", { name });
  await playground.run("MSET one 1 two 2 three 3");
  for (const line of ["MULTI", "INCR one", "INCR two"]) await playground.run(line);
  await playground.run("SET apart 1");
  await expect(row(/three/)).toHaveClass(/hot/);
  await playground.run("EXEC");
  for (const name of [/one/, /two/, /apart/]) await expect(row(name)).toHaveClass(/hot/);
  await expect(row(/three/)).not.toHaveClass(/hot/);
  await playground.run(`EVAL "redis.call('INCR', KEYS[1]) return redis.call('GET', KEYS[2])" 2 three one`);
  await expect(row(/three/)).toHaveClass(/hot/);
  await expect(row(/one/)).not.toHaveClass(/hot/);
});

test("a value of 10 MB and a list of a million elements are shown a window at a time", async ({ page }) => {
  const playground = await Playground.open(page);
  const keys = await playground.panel("Keys");
  await playground.run("SETRANGE big 9999999 é");
  await expect(keys.locator(".facts")).toContainText("10,000,001 bytes");
  await keys.getByRole("button", { name: "Later" }).click();
  await expect(keys.getByText("4,097 to 8,192 of 10,000,001 bytes")).toBeVisible();
  await playground.run(`EVAL "local t = {} for i = 1, 5000 do t[i] = i end for i = 1, 200 do redis.call('RPUSH', 'long', unpack(t)) end" 0`);
  await expect(keys.locator(".facts")).toContainText("1,000,000 elements", { timeout: 30_000 });
  await keys.getByRole("button", { name: "Later" }).click();
  await expect(keys.getByText("101 to 200 of 1,000,000")).toBeVisible();
  await playground.run("PING");
  await expect(playground.log()).toContainText("PONG");
});

test("a key with a time to live runs out before one's eyes", async ({ page }) => {
  const playground = await Playground.open(page);
  const keys = await playground.panel("Keys");
  await playground.run("SET brief x PX 1200");
  const row = keys.getByRole("treeitem", { name: /brief/ });
  await expect(row.getByTitle(/Expires in/)).toBeVisible();
  await expect(row).toHaveCount(0);
});

test("a hundred thousand keys cost a window of rows", async ({ page }) => {
  test.setTimeout(60_000);
  const playground = await Playground.open(page);
  await playground.run("DEBUG POPULATE 100000");
  const keys = await playground.panel("Keys");
  await expect(keys).toContainText("100,000 keys", { timeout: 30_000 });
  const group = keys.getByRole("treeitem", { name: /key:/ });
  await group.click();
  await expect(group).toHaveAttribute("aria-expanded", "true");
  await group.focus();
  await page.keyboard.press("End");
  await expect(keys.locator("[role=treeitem]:focus")).toHaveAttribute("aria-posinset", "100001", { timeout: 15_000 });
  expect(await keys.getByRole("treeitem").count()).toBeLessThan(120);
  await playground.run("GET key:7");
  await expect(playground.log()).toContainText('"value:7"');
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing in the panel, ${colorScheme}`, async ({ browser }) => {
    test.setTimeout(90_000);
    const context = await browser.newContext({ colorScheme, reducedMotion: "reduce" });
    const page = await context.newPage();
    const playground = await Playground.open(page);
    const keys = await playground.panel("Keys");
    for (const line of ["SET a:1 x EX 100", "SET a:2 y", "SETBIT bits 1 1", "XADD x 1-1 f v", "XGROUP CREATE x g 0", "XREADGROUP GROUP g c STREAMS x >"]) {
      await playground.run(line);
    }
    await expect(keys.getByRole("region", { name: "Group g" })).toBeVisible();
    for (const line of [null, "ZADD z 1 a 2 b", "HSET h f v", "SETBIT bits 2 1", "GEOADD geo 13.36 38.11 Palermo"]) {
      if (line) {
        await playground.run(line);
        await expect(keys.getByRole("heading", { level: 2 })).toHaveText(line.split(" ")[1]!);
      }
      const { violations } = await new AxeBuilder({ page }).include({ fromShadowDom: ["redis-playground", "rp-side"] }).analyze();
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
    }
    await context.close();
  });
}

test("360 pixels are enough", async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  const playground = await Playground.open(page);
  const keys = await playground.panel("Keys");
  await playground.run("HSET user:1 name Ada born 1815");
  await expect(keys.getByRole("table")).toContainText("1815");
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  const box = (await keys.boundingBox())!;
  expect(box.x + box.width).toBeLessThanOrEqual(360);
  await expect(playground.prompt()).toBeInViewport();
});
