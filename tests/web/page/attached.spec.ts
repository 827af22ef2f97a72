// The panels beside a server elsewhere: what they show of it, and what they say where they may not look.

import { expect, test, type Locator, type Page } from "@playwright/test";
import { clean } from "../axe.ts";
import { Playground } from "../playground.ts";
import { Redis, hasRedis, serve, type Served } from "../servers.ts";

let served: Served;
let redis: Redis | null = null;
test.beforeEach(async () => {
  served = await serve();
});
test.afterEach(async () => {
  served.child.kill();
  await redis?.kill();
  redis = null;
});

const attachDialog = (page: Page) => page.locator("rp-attach").getByRole("dialog");
const status = (page: Page) => page.getByRole("status").first();

/** Attaches to another server of this machine, by the dialog. */
async function attachTo(page: Page, port: number, password = "", user = ""): Promise<Playground> {
  await page.goto(served.address);
  const playground = new Playground(page);
  await playground.ready();
  await page.getByRole("button", { name: "Menu" }).click();
  await page.locator("#menu").getByRole("button", { name: /Attach to a server/ }).click();
  const dialog = attachDialog(page);
  await dialog.getByLabel("Token").fill(served.token);
  await dialog.getByLabel("Another").check();
  await dialog.getByLabel("Port").fill(String(port));
  if (password) {
    await dialog.getByText("With a password").click();
    await dialog.getByLabel("Password").fill(password);
    await dialog.getByLabel("User").fill(user);
  }
  await dialog.getByRole("button", { name: "Attach" }).click();
  await expect(status(page)).toContainText(`attached to 127.0.0.1:${port}`);
  return playground;
}

async function attachOwn(page: Page): Promise<Playground> {
  await page.goto(`${served.address}#attach=${served.token}`);
  await expect(status(page)).toContainText("attached");
  return new Playground(page);
}

const row = (keys: Locator, name: RegExp) => keys.getByRole("treeitem", { name });

test("the own server: bytes, cost, keys before and after, and notifications once they are on", async ({ page }) => {
  const playground = await attachOwn(page);
  const xray = await playground.panel("X-ray");
  await playground.run("RPUSH list 1 2 3");
  await expect(xray).toContainText("RPUSH list 1 2 3");
  await expect(xray).toContainText("array of 5 elements");
  await expect(xray).toContainText("list listpack 3 elements");
  await expect(xray).toContainText("Not to be seen from outside");
  await expect(xray).toContainText("sends no keyspace notifications");
  await xray.getByRole("button", { name: /Turn them on/ }).click();
  await expect(playground.log()).toContainText("CONFIG SET notify-keyspace-events KEA");
  await playground.run(`RPUSH list ${"x".repeat(70)} y`);
  await expect(xray.locator("dl")).toContainText("rpush on list published");
  await playground.run("HELLO 3");
  await playground.run("HSET h f v");
  await playground.run("HGETALL h");
  await expect(xray).toContainText("map of 1 pair");
  await expect(xray.getByRole("button", { name: "RESP3" })).toHaveAttribute("aria-pressed", "true");
  await clean(page);
});

test("360 pixels in the dark, by keyboard, and names of keys at the prompt", async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await page.emulateMedia({ colorScheme: "dark" });
  const playground = await attachOwn(page);
  const keys = await playground.panel("Keys");
  await playground.run("SELECT 2");
  await playground.run("HSET user:1 name Ada");
  // In so little room the value stands in the place of the keys.
  await expect(keys.getByRole("heading", { name: "user:1" })).toBeVisible();
  await playground.run("HSET user:1 name Bo");
  await playground.prompt().fill("HGET user:");
  await playground.prompt().press("Tab");
  await expect(playground.prompt()).toHaveValue(/HGET user:1/);
  await clean(page);
  await playground.panel("X-ray");
  await clean(page);
  const time = await playground.panel("Time");
  await time.getByRole("option").last().focus();
  await page.keyboard.press("ArrowUp");
  await expect(page.getByText("You look at moment 2.")).toBeVisible();
  await expect(time.locator(".difference")).toContainText("Ada");
  await clean(page);
  await page.keyboard.press("End");
  await expect(page.getByText("You look at moment")).toHaveCount(0);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
});

test.describe("a real Redis", () => {
  test.skip(!hasRedis, "redis-server is not installed");

  test("conversions, transactions, scripts, what is served later, and pushes", async ({ page }) => {
    redis = await Redis.start("--notify-keyspace-events", "KEA");
    const playground = await attachTo(page, redis.port);
    const xray = await playground.panel("X-ray");
    await playground.run("SADD s 1 2 3");
    await expect(xray.locator("dl")).toContainText("set intset 3 elements");
    await playground.run("SADD s four");
    await expect(xray.locator(".converted")).toHaveText("hashtable");
    await expect(xray.locator("dl")).toContainText("sadd on s published");
    await playground.run("MULTI");
    await playground.run("SET a 1");
    await expect(xray).toContainText("It was queued");
    await playground.run("INCR a");
    await playground.run("EXEC");
    await expect(xray.getByRole("group", { name: "INCR", exact: true })).toContainText("in the transaction");
    await expect(xray.getByRole("group", { name: "SET", exact: true })).toContainText("string int 1 byte");
    await playground.run(`EVAL "redis.call('SET', KEYS[1], 'x'); return redis.call('LPUSH', KEYS[2], 1)" 2 k l`);
    await expect(xray).toContainText("Which commands the script called");
    await expect(xray.locator("dl")).toContainText("nothing → list");
    await playground.addLane();
    await playground.run("BLPOP queue 0", "Client B");
    await expect(xray).toContainText("Nothing yet: the client waits.");
    await redis.run("RPUSH queue job");
    await expect(playground.log("Client B")).toContainText("job");
    await expect(xray).toContainText("array of 2 elements");
    await playground.run("SUBSCRIBE news", "Client B");
    await playground.run("PUBLISH news hello");
    await expect(xray).toContainText(/Client \d+ was sent/);
  });

  test("time lists what was sent and its differences, and a copy can be rewound", async ({ page }) => {
    redis = await Redis.start();
    await redis.run("SELECT 3", "SET elsewhere 3", "SELECT 0", "HSET user:1 name Ada", "SET soon 1 EX 5000");
    const playground = await attachTo(page, redis.port);
    const time = await playground.panel("Time");
    await expect(time).toContainText("cannot be turned back");
    await playground.run("HSET user:1 name Bo");
    await expect(time.locator(".difference")).toContainText("Ada");
    await expect(time.locator(".difference")).toContainText("Bo");
    await playground.run("HSET user:1 name Cy");
    await expect(time.getByRole("option", { name: /name Cy/ })).toBeVisible();
    await time.getByRole("option", { name: /name Bo/ }).click();
    await expect(time.locator(".difference")).toContainText("Bo");
    const keys = await playground.panel("Keys");
    await expect(keys).toContainText("Only keys that commands of these terminals touched");
    await row(keys, /user:1/).click();
    await expect(keys.getByRole("cell", { name: "Bo" })).toBeVisible();
    await clean(page);
    await playground.panel("Time");
    await time.getByRole("button", { name: "Back to the present" }).click();
    await clean(page);
    await time.getByRole("button", { name: "Take a copy into a sandbox" }).click();
    await expect(playground.log()).toContainText("3 keys of 127.0.0.1");
    await playground.run("HGET user:1 name");
    await expect(playground.log()).toContainText('"Cy"');
    await playground.run("DEL user:1");
    expect(await redis.run("EXISTS user:1")).toContain(":1");
    await playground.run("SELECT 3");
    await playground.run("GET elsewhere");
    await expect(playground.log()).toContainText('"3"');
    await expect(time.getByRole("listbox", { name: "Moments" })).toContainText("DEL user:1");
  });

  test("a password: said clearly, taken from the terminal, or given in the dialog", async ({ page }) => {
    redis = await Redis.start("--requirepass", "secret words");
    await redis.run('AUTH "secret words"', "SET hidden yes");
    let playground = await attachTo(page, redis.port);
    let keys = await playground.panel("Keys");
    await expect(keys).toContainText("The server wants a password");
    await playground.run('AUTH "secret words"');
    await expect(row(keys, /hidden/)).toBeVisible();
    await expect(keys).not.toContainText("wants a password");
    await page.reload();
    playground = await attachTo(page, redis.port, "secret words");
    keys = await playground.panel("Keys");
    await expect(row(keys, /hidden/)).toBeVisible();
    await playground.run("GET hidden");
    await expect(playground.log()).toContainText('"yes"');
    expect(await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]))).not.toContain("secret");
    await page.reload();
    await page.getByRole("button", { name: "Menu" }).click();
    await page.locator("#menu").getByRole("button", { name: /Attach to a server/ }).click();
    const dialog = attachDialog(page);
    await dialog.getByLabel("Another").check();
    await dialog.getByLabel("Port").fill(String(redis.port));
    await dialog.getByText("With a password").click();
    await dialog.getByLabel("Password").fill("wrong");
    await clean(page);
    await dialog.getByRole("button", { name: "Attach" }).click();
    await expect(dialog).toContainText("WRONGPASS");
  });

  test("a user with few rights gets a partial view that says so", async ({ page }) => {
    redis = await Redis.start();
    await redis.run("ACL SETUSER few on >pass ~open:* +get +set +type +pttl +client +ping", "SET open:a 1", "SET closed:b 2");
    const playground = await attachTo(page, redis.port, "pass", "few");
    const keys = await playground.panel("Keys");
    await expect(keys).toContainText(/This user may not run .*SCAN/);
    await playground.run("SET open:a 5");
    await expect(row(keys, /open:a/)).toBeVisible();
    await row(keys, /open:a/).click();
    await expect(keys).toContainText(/cannot be read|may not run/);
    await playground.run("GET closed:b");
    await expect(playground.log()).toContainText("NOPERM");
    const xray = await playground.panel("X-ray");
    await expect(xray).toContainText("GET closed:b");
    await expect(xray).toContainText("may not ask whether notifications are on");
    await clean(page);
  });

  test("a million keys are looked at in pages, and searched", async ({ page }) => {
    redis = await Redis.start();
    await redis.run("DEBUG POPULATE 1000000 item:x 3", "SET needle 1");
    const playground = await attachTo(page, redis.port);
    const keys = await playground.panel("Keys");
    await expect(keys).toContainText(/2\d,\d{3} of 1,000,00\d keys were looked at/, { timeout: 20_000 });
    const answered = await page.evaluate(async () => {
      let longest = 0;
      let last = performance.now();
      for (let turn = 0; turn < 60; turn++) {
        await new Promise(requestAnimationFrame);
        longest = Math.max(longest, performance.now() - last);
        last = performance.now();
      }
      return longest;
    });
    expect(answered).toBeLessThan(1000);
    await keys.getByRole("button", { name: "Look at more" }).click();
    await expect(keys).toContainText(/4\d,\d{3} of 1,000,00\d keys were looked at/, { timeout: 20_000 });
    await keys.getByRole("searchbox").fill("needle");
    await expect(row(keys, /needle/)).toBeVisible({ timeout: 30_000 });
    await playground.run("GET needle");
    await expect(playground.log()).toContainText('"1"');
  });

  test("large and binary values, and what others change", async ({ page }) => {
    redis = await Redis.start();
    const playground = await attachTo(page, redis.port);
    const keys = await playground.panel("Keys");
    await keys.getByLabel("Follow").uncheck();
    await redis.run("DEBUG POPULATE 1 big 10000000", `EVAL "for i=1,200 do redis.call('RPUSH','long',unpack({string.rep('v',3000)..i,'b','c'})) end" 0`);
    await redis.run(`EVAL "for i=1,20000 do redis.call('HSET','wide','field:'..i,string.rep('w',50)) end" 0`, '"SET" "bin\\x00\\xff" "\\x01\\x02"');
    await expect(row(keys, /big:0/)).toBeVisible();
    await row(keys, /big:0/).click();
    await expect(keys.getByText(/1 to 4,096 of 10,000,000 bytes/)).toBeVisible();
    await keys.getByRole("button", { name: "Later" }).click();
    await expect(keys.getByText(/4,097 to 8,192 of/)).toBeVisible();
    await row(keys, /long/).click();
    await expect(keys.getByText(/1 to 100 of 600/)).toBeVisible();
    await keys.getByRole("button", { name: "Later" }).click();
    await expect(keys.getByText(/101 to 200 of 600/)).toBeVisible();
    await row(keys, /wide/).click();
    await expect(keys).toContainText("that HSCAN begins with");
    await expect(keys.locator(".facts")).toContainText("20,000 fields");
    await row(keys, /bin\\x00\\xff/).click();
    await keys.getByRole("button", { name: "Delete" }).click();
    await expect(keys.locator("form code")).toHaveText('DEL "bin\\x00\\xff"');
    await keys.getByRole("button", { name: "Run it" }).click();
    await expect(row(keys, /bin/)).toHaveCount(0);
    await redis.run("SET short 1 PX 6000");
    await expect(row(keys, /short/)).toBeVisible();
    await expect(row(keys, /short/)).toHaveCount(0, { timeout: 15_000 });
  });

  test("a server that ends and comes back, and connections that are killed", async ({ page }) => {
    redis = await Redis.start();
    await redis.run("SET before 1");
    const playground = await attachTo(page, redis.port);
    const keys = await playground.panel("Keys");
    await expect(row(keys, /before/)).toBeVisible();
    await redis.run("CLIENT KILL TYPE normal SKIPME yes");
    await playground.run("SET after 1");
    await playground.run("PING");
    await expect(playground.log()).toContainText("PONG");
    await expect(row(keys, /before/)).toBeVisible();
    await redis.kill();
    await expect(keys).toContainText("The server does not answer");
    await expect(row(keys, /before/)).toHaveCount(0);
    await playground.run("PING");
    await expect(playground.promptText()).toContainText("not connected");
    await redis.restart();
    await redis.run("SET fresh 1");
    await expect(row(keys, /fresh/)).toBeVisible();
    await expect(row(keys, /before/)).toHaveCount(0);
    await playground.run("GET fresh");
    await expect(playground.promptText()).toContainText(String(redis.port));
  });
});
