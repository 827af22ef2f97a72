// Files that come and go: RDB, AOF, commands, transcripts.

import { readFileSync } from "node:fs";
import { expect, test, type Download, type Locator, type Page } from "@playwright/test";
import { Playground } from "../playground.ts";

const dialog = (page: Page): Locator => page.locator("rp-transfer").getByRole("dialog");

async function menu(page: Page, entry: RegExp): Promise<void> {
  await page.getByRole("button", { name: "Menu" }).click();
  await page.locator("#menu").getByRole("button", { name: entry }).click();
  await expect(dialog(page)).toBeVisible();
}

async function saved(page: Page, button: string): Promise<Buffer> {
  await menu(page, /Save to a file/);
  const waiting: Promise<Download> = page.waitForEvent("download");
  await dialog(page).getByRole("button", { name: button }).click();
  const bytes = readFileSync(await (await waiting).path());
  await dialog(page).getByRole("button", { name: "Close" }).click();
  return bytes;
}

async function open(page: Page, ...files: { name: string; mimeType: string; buffer: Buffer }[]): Promise<void> {
  await menu(page, /Open a file/);
  await dialog(page).locator("input[type=file]").setInputFiles(files);
}

const file = (name: string, content: string | Buffer) => ({ name, mimeType: "application/octet-stream", buffer: Buffer.from(content as string) });
const request = (...words: string[]) => `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`;

test("an RDB file goes out and comes back as a sandbox that is kept", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run("HSET user:1 name Ada city London");
  await playground.run("SET soon gone EX 1000");
  await playground.run("ZADD board 42 alice");
  await expect(playground.log()).toContainText("OK");
  const rdb = await saved(page, "RDB file");
  expect(rdb.subarray(0, 5).toString()).toBe("REDIS");
  await playground.run("SET elsewhere 1");
  await expect(page.locator("rp-value")).toContainText("elsewhere");
  await open(page, file("backup.rdb", rdb));
  await expect(dialog(page)).toContainText("backup.rdb: 3 keys");
  await dialog(page).getByRole("button", { name: "Open as a sandbox" }).click();
  await expect(dialog(page)).toBeHidden();
  await expect(page.getByRole("status").first()).toContainText("“backup” is kept");
  await expect(page.locator("rp-keys")).toContainText("user:1");
  await expect(page.locator("rp-keys")).not.toContainText("This key is gone");
  await playground.run("HGET user:1 city");
  await expect(playground.log()).toContainText('"London"');
  await playground.run("TTL soon");
  await expect(playground.log()).toContainText(/\(integer\) 9\d\d/);
  await playground.run("SET added later");
  await expect(playground.log()).toContainText("OK");
  await page.reload();
  await playground.ready();
  await playground.run("ZSCORE board alice");
  await expect(playground.log()).toContainText('"42"');
  await playground.run("GET added");
  await expect(playground.log()).toContainText('"later"');
});

test("a file that is none is refused, and nothing changes", async ({ page }) => {
  const playground = await Playground.open(page);
  await open(page, file("broken.rdb", "REDIS0011 and then nothing that makes sense"));
  await expect(dialog(page)).toContainText("broken.rdb cannot be read");
  await dialog(page).getByRole("button", { name: "Close" }).click();
  await open(page, file("cat.png", Buffer.from("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "latin1")));
  await expect(dialog(page)).toContainText("cat.png is no file of Redis that this page knows, and no text either");
  await dialog(page).getByRole("button", { name: "Close" }).click();
  await open(page, file("empty.redis", "# Nothing yet\n"));
  await expect(dialog(page)).toContainText("empty.redis holds no command");
  await dialog(page).getByRole("button", { name: "Close" }).click();
  await playground.run("DBSIZE");
  await expect(playground.log()).toContainText("(integer) 0");
});

test("an append-only folder: base, increments in the order of the manifest, a torn end", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run("SET base yes");
  await expect(playground.log()).toContainText("OK");
  const rdb = await saved(page, "Append-only file");
  const manifest =
    "file appendonly.aof.3.base.rdb seq 3 type b\nfile appendonly.aof.3.incr.aof seq 3 type i\nfile appendonly.aof.4.incr.aof seq 4 type i\n";
  await open(
    page,
    file("appendonly.aof.4.incr.aof", `#TS:1700000000\r\n${request("INCR", "n")}${request("SET", "a", "torn").slice(0, -4)}`),
    file("appendonly.aof.3.incr.aof", request("SELECT", "0") + request("MULTI") + request("SET", "n", "41") + request("EXEC")),
    file("appendonly.aof.manifest", manifest),
    file("appendonly.aof.3.base.rdb", rdb),
  );
  await expect(dialog(page)).toContainText("ends in the middle of a command");
  await dialog(page).getByRole("button", { name: "Open as a sandbox" }).click();
  await expect(dialog(page)).toBeHidden();
  await expect(page.getByRole("status").first()).toContainText("“appendonly” is kept");
  await playground.run("MGET base n a");
  await expect.poll(() => playground.text()).toMatch(/MGET base n a\n1\) "yes"\n2\) "42"\n3\) \(nil\)$/);
});

test("an append-only file with an RDB preamble", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run("SET base 1");
  await expect(playground.log()).toContainText("OK");
  const rdb = await saved(page, "Append-only file");
  await open(page, file("appendonly.aof", Buffer.concat([rdb, Buffer.from(request("INCR", "base"))])));
  await expect(dialog(page)).toContainText("1 command");
  await dialog(page).getByRole("button", { name: "Open as a sandbox" }).click();
  await expect(dialog(page)).toBeHidden();
  await expect(page.getByRole("status").first()).toContainText("“appendonly” is kept");
  await playground.run("GET base");
  await expect(playground.log()).toContainText('"2"');
});

test("a list of commands goes out and comes back, binary values included", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run('SET bin "\\x00\\xff\\"q\\""');
  await playground.run("RPUSH list a b");
  await expect(playground.log()).toContainText("(integer) 2");
  const script = (await saved(page, "Commands")).toString();
  expect(script).toBe('SET bin "\\x00\\xff\\"q\\""\nRPUSH list a b\n');
  await open(page, file("again.redis", `# A comment\n${script}\nNOSUCH\n`));
  await expect(dialog(page)).toContainText("“again” is a list of 3 commands");
  await expect(dialog(page).getByRole("region", { name: "Commands" })).toContainText("RPUSH list a b");
  await dialog(page).getByRole("button", { name: "Open as a sandbox" }).click();
  await expect(dialog(page)).toBeHidden();
  await expect(playground.log()).toContainText("One command failed:");
  await expect(playground.log()).toContainText("NOSUCH: (error) ERR unknown command");
  await playground.run("GET bin");
  await expect(playground.log()).toContainText('"\\x00\\xff\\"q\\""');
});

test("a list of commands that cannot run to its end says where it stopped", async ({ page }) => {
  const playground = await Playground.open(page);
  await open(page, file("waits.redis", "SET a 1\nBLPOP none 0\nSET b 1\n"));
  await dialog(page).getByRole("button", { name: "Open as a sandbox" }).click();
  await expect(playground.log()).toContainText("BLPOP none 0: it waits for something that does not come");
  await open(page, file("quote.redis", 'SET a 1\nSET t "it is\nSET b 1\n'));
  await dialog(page).getByRole("button", { name: "Open as a sandbox" }).click();
  await expect(playground.log()).toContainText("A quote is left open");
});

test("a transcript goes out with its replies, and one that comes is shown before it runs", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run("INCR n");
  await expect(playground.log()).toContainText("(integer) 1");
  const transcript = (await saved(page, "Transcript")).toString();
  expect(transcript).toBe("> INCR n\n(integer) 1\n");
  await open(page, file("session.txt", "> SET a 1\nOK\n2> GET a\n"));
  await expect(dialog(page)).toContainText("“session.txt” is a transcript of 2 commands of 2 clients");
  await dialog(page).getByRole("button", { name: "Run" }).click();
  await expect(playground.log("Client B")).toContainText('"1"');
  await expect(playground.log()).toContainText("“session.txt”, in a keyspace of its own");
});

test("files are chosen by the keyboard alone", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.prompt().focus();
  await menu(page, /Open a file/);
  await page.keyboard.press("Tab");
  await dialog(page).getByRole("button", { name: "Choose files" }).focus();
  const chooser = page.waitForEvent("filechooser");
  await page.keyboard.press("Enter");
  await (await chooser).setFiles([file("typed.redis", "SET chosen yes\n")]);
  await expect(dialog(page)).toContainText("“typed” is a list of one command");
  await dialog(page).getByRole("button", { name: "Open as a sandbox" }).press("Enter");
  await expect(dialog(page)).toBeHidden();
  await playground.run("GET chosen");
  await expect(playground.log()).toContainText('"yes"');
});

test("bytes that look like requests all the way do not stop the page", async ({ page }) => {
  await Playground.open(page);
  const bytes = Buffer.alloc(8 * 1024 * 1024, Buffer.from("\xff12345678*1", "latin1"));
  bytes.write("REDIS0010", "latin1");
  await open(page, file("hostile.rdb", bytes));
  await expect(dialog(page)).toContainText("hostile.rdb cannot be read");
});

test("a file that is dropped on the page opens", async ({ page }) => {
  const playground = await Playground.open(page);
  await page.evaluate(() => {
    const data = new DataTransfer();
    data.items.add(new File(["x"], "held.redis"));
    document.body.dispatchEvent(new DragEvent("dragover", { dataTransfer: data, bubbles: true, cancelable: true }));
  });
  await expect(page.getByText("Drop it to look inside")).toBeVisible();
  await expect(page.getByText("Drop it to look inside")).toBeHidden();
  await page.evaluate(() => {
    const data = new DataTransfer();
    data.items.add(new File(["SET dropped yes\n"], "dropped.redis"));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  });
  await expect(dialog(page)).toContainText("a list of one command");
  await dialog(page).getByRole("button", { name: "Open as a sandbox" }).click();
  await expect(dialog(page)).toBeHidden();
  await playground.run("GET dropped");
  await expect(playground.log()).toContainText('"yes"');
});
