// Between the page and a real Redis: its dump is explored here, and what was made here goes there. Needs Redis 7 or later installed.

import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test, type Locator, type Page } from "@playwright/test";
import { Playground } from "../playground.ts";

const installed = spawnSync("redis-server", ["--version"]).status === 0;
test.skip(!installed, "redis-server is not installed");

const dialog = (page: Page): Locator => page.locator("rp-transfer").getByRole("dialog");

class Redis {
  private constructor(
    readonly folder: string,
    private readonly socket: string,
    private readonly process: ChildProcess,
  ) {}

  static async start(folder: string, ...options: string[]): Promise<Redis> {
    const socket = join(folder, "redis.sock");
    const all = ["--port", "0", "--unixsocket", socket, "--dir", folder, "--save", "", "--enable-debug-command", "yes", ...options];
    const redis = new Redis(folder, socket, spawn("redis-server", all, { stdio: "ignore" }));
    await expect.poll(() => redis.cli("PING")).toBe("PONG");
    return redis;
  }

  cli(...words: string[]): string {
    return spawnSync("redis-cli", ["-s", this.socket, ...words], { encoding: "utf8" }).stdout.trim();
  }

  lines(text: string | Buffer): string {
    return execFileSync("redis-cli", ["-s", this.socket], { input: text, encoding: "utf8" });
  }

  stop(): void {
    this.process.kill("SIGKILL");
  }
}

let folder = "";
let folders = 0;
const running: Redis[] = [];
test.beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "resplay-"));
});
test.afterEach(() => {
  for (const redis of running.splice(0)) redis.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A server with a folder of its own, in which these files are. */
async function redis(files: Record<string, Buffer> = {}, ...options: string[]): Promise<Redis> {
  const own = join(folder, String(folders++));
  mkdirSync(own);
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(own, name), bytes);
  const one = await Redis.start(own, ...options);
  running.push(one);
  return one;
}

/** What a real server makes of the keys in the page. */
async function digest(page: Page): Promise<string> {
  return (await redis({ "dump.rdb": await saved(page, "RDB file") })).cli("DEBUG", "DIGEST");
}

/** Every type in every encoding, times to live, several databases, a function; names and values that are no text. */
const EVERYTHING = String.raw`
SET int 42
SET short hello
SET "schlüssel 🗝" "wert ☃"
SET "b\x00in\xff" "\x00\x01\xfe"
SETRANGE zeros 100000 end
RPUSH small a b c
EVAL "for i=1,5000 do redis.call('rpush','biglist','element-'..i) end" 0
EVAL "redis.call('rpush', 'longelement', string.rep('y', 20000), 'z')" 0
SADD ints 1 2 3 100000
SADD words a b c
EVAL "for i=1,2000 do redis.call('sadd','bigset','m'..i) end" 0
ZADD zset 1 a 2.5 b inf c -inf d
EVAL "for i=1,2000 do redis.call('zadd','bigzset',i*1.1,'m'..i) end" 0
HSET hash a 1 b 2
EVAL "for i=1,2000 do redis.call('hset','bighash','f'..i,'v'..i) end" 0
XADD stream 1-1 a 1
XADD stream 1-2 a 2 b 3
XADD stream 2-1 c 1
XGROUP CREATE stream group 0
XREADGROUP GROUP group alice COUNT 2 STREAMS stream >
XACK stream group 1-1
XDEL stream 1-2
XGROUP CREATE stream other $
EVAL "for i=1,500 do redis.call('xadd','bigstream','1-'..i,'i',i,'t','x') end" 0
PFADD estimate a b c d e
GEOADD geo 13.36 38.11 Palermo 15.08 37.5 Catania
SETBIT bits 1000 1
SET soon gone EX 100000
FUNCTION LOAD "#!lua name=mylib\nredis.register_function('hi', function(k,a) return 'hi '..a[1] end)"
SELECT 3
SET other db3
SELECT 9
LPUSH list nine
`;

const KEYS = 23;

async function open(page: Page, name: string, buffer: Buffer): Promise<void> {
  await page.getByRole("button", { name: "Menu" }).click();
  await page.locator("#menu").getByRole("button", { name: /Open a file/ }).click();
  await dialog(page).locator("input[type=file]").setInputFiles([{ name, mimeType: "application/octet-stream", buffer }]);
  await dialog(page).getByRole("button", { name: "Open as a sandbox" }).click();
  await expect(dialog(page)).toBeHidden({ timeout: 30_000 });
}

async function saved(page: Page, button: string): Promise<Buffer> {
  await page.getByRole("button", { name: "Menu" }).click();
  await page.locator("#menu").getByRole("button", { name: /Save to a file/ }).click();
  const waiting = page.waitForEvent("download");
  await dialog(page).getByRole("button", { name: button }).click();
  const bytes = readFileSync(await (await waiting).path());
  await dialog(page).getByRole("button", { name: "Close" }).click();
  return bytes;
}

/** What a command prints last. */
async function answer(playground: Playground, line: string): Promise<string> {
  await playground.lane("Client A").getByRole("button", { name: "Clear" }).click();
  await playground.run(line);
  await expect.poll(() => playground.text()).toMatch(/\n./);
  return (await playground.text()).split("\n").slice(1).join("\n");
}

/** A page whose sandbox holds what a real Redis has saved. */
async function explored(page: Page): Promise<{ playground: Playground; real: Redis }> {
  const real = await redis();
  real.lines(EVERYTHING);
  expect(real.cli("SAVE")).toBe("OK");
  const playground = await Playground.open(page);
  await open(page, "dump.rdb", readFileSync(join(real.folder, "dump.rdb")));
  await expect(playground.log()).toContainText(`dump.rdb: ${KEYS} keys`);
  return { playground, real };
}

test("the dump of a real server is explored here, and goes back as it was", async ({ page }) => {
  const { playground, real } = await explored(page);
  for (const question of ["XPENDING stream group", "FCALL hi 0 there", "GEODIST geo Palermo Catania km", "PFCOUNT estimate", "ZRANGE zset 0 -1 WITHSCORES", 'GET "b\\x00in\\xff"']) {
    const told = real.lines(`${question}\n`).trim().split("\n").map((line) => line.trim());
    const shown = (await answer(playground, question)).replace(/^ *(\d+\) *)+|"|\(integer\) /gm, "").split("\n");
    if (!question.startsWith("GET")) expect(shown, question).toEqual(told);
    else expect(shown).toEqual(["\\x00\\x01\\xfe"]);
  }
  const rdb = await saved(page, "RDB file");
  const file = join(folder, "check.rdb");
  writeFileSync(file, rdb);
  expect(execFileSync("redis-check-rdb", [file], { encoding: "utf8" })).toContain("RDB looks OK");
  const again = await redis({ "dump.rdb": rdb });
  expect(again.cli("DEBUG", "DIGEST")).toBe(real.cli("DEBUG", "DIGEST"));
  expect(again.cli("FCALL", "hi", "0", "there")).toBe("hi there");
  expect(again.cli("XINFO", "STREAM", "stream").split("\n").slice(0, 12)).toEqual(real.cli("XINFO", "STREAM", "stream").split("\n").slice(0, 12));
  expect(again.cli("XPENDING", "stream", "group")).toBe(real.cli("XPENDING", "stream", "group"));
  expect(Number(again.cli("TTL", "soon"))).toBeGreaterThan(99_000);
});

test("an append-only file passes its check and starts a real server", async ({ page }) => {
  const { playground, real } = await explored(page);
  await playground.run("RPUSH small d");
  await expect(playground.log()).toContainText("(integer) 4");
  real.cli("RPUSH", "small", "d");
  const aof = await saved(page, "Append-only file");
  const file = join(folder, "appendonly.aof");
  writeFileSync(file, aof);
  expect(execFileSync("redis-check-aof", [file], { encoding: "utf8" })).toMatch(/is valid|RDB preamble is OK/);
  const again = await redis({ "appendonly.aof": aof }, "--appendonly", "yes");
  expect(again.cli("DEBUG", "DIGEST")).toBe(real.cli("DEBUG", "DIGEST"));
});

test("the append-only folder of a real server opens, what came after the last rewrite included", async ({ page }) => {
  const real = await redis({}, "--appendonly", "yes");
  real.lines(EVERYTHING);
  real.cli("BGREWRITEAOF");
  await expect.poll(() => real.cli("INFO", "persistence")).toMatch(/aof_rewrite_in_progress:0[\s\S]*aof_rewrite_scheduled:0/);
  real.lines("INCR int\nMULTI\nSET later yes\nLPOP biglist\nEXEC\n");
  const aofs = join(real.folder, "appendonlydir");
  await Playground.open(page);
  await page.getByRole("button", { name: "Menu" }).click();
  await page.locator("#menu").getByRole("button", { name: /Open a file/ }).click();
  await dialog(page).locator("input[type=file]").setInputFiles(readdirSync(aofs).map((name) => join(aofs, name)));
  await dialog(page).getByRole("button", { name: "Open as a sandbox" }).click();
  await expect(dialog(page)).toBeHidden();
  expect(await digest(page)).toBe(real.cli("DEBUG", "DIGEST"));
});

test("the commands of a session pass through redis-cli, its transcript through the doctest", async ({ page }) => {
  const playground = await Playground.open(page);
  for (const line of EVERYTHING.trim().split("\n")) await playground.run(line);
  await playground.addLane();
  await playground.ready("Client B");
  await playground.run("BLPOP jobs 0", "Client B");
  await expect(playground.lane("Client B")).toContainText("waiting");
  await playground.run("SELECT 0");
  await playground.run('RPUSH jobs "one two" ünï');
  await expect(playground.log("Client B")).toContainText("one two");
  await playground.run("NOSUCH command");
  await expect(playground.log()).toContainText("unknown command");
  const script = (await saved(page, "Commands")).toString();
  const transcript = await saved(page, "Transcript");
  const real = await redis();
  // Here it is one client that types all, and nobody would wake it.
  real.lines(script.replace("BLPOP jobs 0\n", "").replace(/(RPUSH jobs .*\n)/, "$1LPOP jobs\n"));
  expect(await digest(page)).toBe(real.cli("DEBUG", "DIGEST"));
  const file = join(folder, "session.txt");
  writeFileSync(file, transcript);
  const built = process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL("../../../target", import.meta.url));
  const binary = ["release", "debug"].map((kind) => join(built, kind, "resplay")).find((path) => spawnSync(path, ["--version"]).status === 0);
  test.skip(!binary, "the server is not built");
  const checked = spawnSync(binary!, ["doctest", file], { encoding: "utf8" });
  expect(checked.status, checked.stdout + checked.stderr).toBe(0);
});
