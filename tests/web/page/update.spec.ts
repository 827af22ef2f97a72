// A newer version of the page beside an older one: neither ever gets a file of the other.

import { readFileSync, readdirSync, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test, type Page } from "@playwright/test";
import { Playground } from "../playground.ts";

test.use({ serviceWorkers: "allow", trace: "off" });

const dist = process.env.RESPLAY_DIST ?? fileURLToPath(new URL("../../../www/dist/", import.meta.url));
const TYPES: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".wasm": "application/wasm",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".webmanifest": "application/manifest+json",
};
const HASHED = /(assets\/)?([\w-]+)-([\w-]{8})\.(js|wasm)/g;

/** The built page as its own next version: every hashed file has another name, and so all that names it another content. */
function site(version: number): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const names = readdirSync(dist, { recursive: true }).map((name) => String(name).replaceAll("\\", "/"));
  const hashed = new Set(names.filter((name) => name.startsWith("assets/")).map((name) => name.slice("assets/".length)));
  const renamed = (text: string) =>
    text.replace(HASHED, (whole, folder = "", name, hash, type) => (hashed.has(`${name}-${hash}.${type}`) ? `${folder}${name}-${hash.slice(0, 6)}v${version}.${type}` : whole));
  for (const name of names) {
    if (!statSync(join(dist, name)).isFile() || /\.(br|gz)$/.test(name)) continue;
    const bytes = readFileSync(join(dist, name));
    const isText = /\.(html|js|css|webmanifest)$/.test(name);
    const text = () => renamed(bytes.toString()).replace(/(const VERSION = ")\w+/, `$1version${version}`);
    files.set(renamed(name), isText ? Buffer.from(text()) : bytes);
  }
  return files;
}

let server: Server;
let address = "";
let served: Map<string, Buffer>;
/** Paths that were asked for and are not there. */
let missing: string[] = [];
let down = false;

test.beforeEach(async () => {
  served = site(1);
  missing = [];
  down = false;
  server = createServer((request, response) => {
    const name = new URL(request.url!, "http://x/").pathname.slice(1) || "index.html";
    const bytes = served.get(name);
    if (down) response.writeHead(502).end();
    else if (!bytes) {
      missing.push(name);
      response.writeHead(404).end();
    } else {
      const hashed = name.startsWith("assets/");
      response.writeHead(200, { "content-type": TYPES[extname(name)] ?? "text/plain", "cache-control": hashed ? "max-age=31536000, immutable" : "no-cache" }).end(bytes);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
test.afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function visit(page: Page): Promise<Playground> {
  await page.goto(address);
  const playground = new Playground(page);
  await playground.ready();
  return playground;
}

const version = (page: Page) => page.evaluate(() => /v(\d)\.js$/.exec(document.querySelector<HTMLScriptElement>("script[type=module]")!.src)?.[1]);
const caches = (page: Page) => page.evaluate(async () => (await window.caches.keys()).sort());

async function controlled(page: Page): Promise<void> {
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
}

/** Something of the rest of the engine, and something the page loads late. */
async function works(playground: Playground, answer: number): Promise<void> {
  await playground.run(`EVAL "return ${answer}" 0`);
  await expect(playground.log()).toContainText(`(integer) ${answer}`);
}

test("an old page keeps all of its files while a new one is open, and then the new version takes over", async ({ page, context }) => {
  const old = await visit(page);
  await controlled(page);
  expect(await version(page)).toBe("1");
  await old.run("SET kept yes");
  await expect(old.log()).toContainText("OK");

  served = site(2);
  const next = await visit(await context.newPage());
  expect(await version(next.page)).toBe("2");
  await works(next, 41);
  await expect.poll(() => caches(next.page)).toEqual(["resplay-version1", "resplay-version2"]);

  // The old page gets its engine once more, though the server has its files no more; and a part it had not loaded yet.
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(old.log()).toContainText("restarted");
  await old.ready();
  await works(old, 42);
  await page.locator('[data-panel="lessons"]').click();
  await expect(page.locator("rp-lessons").getByRole("heading", { name: "Learn Redis" })).toBeVisible();
  expect(await version(page)).toBe("1");
  expect(missing).toEqual([]);

  // The new one is not left alone either when the network ends.
  await context.setOffline(true);
  await next.page.locator('[data-panel="time"]').click();
  await expect(next.page.locator("rp-time")).toBeVisible();
  await context.setOffline(false);

  await page.close();
  await next.page.reload();
  await next.ready();
  await expect.poll(() => caches(next.page)).toEqual(["resplay-version2"]);
  await context.setOffline(true);
  await next.page.reload();
  await next.ready();
  expect(await version(next.page)).toBe("2");
  await works(next, 43);
  await next.run("GET kept");
  await expect(next.log()).toContainText('"yes"');
});

test("a page that is alone takes the new version by itself", async ({ page, context }) => {
  await visit(page);
  await controlled(page);
  served = site(2);
  await page.reload();
  const playground = new Playground(page);
  await playground.ready();
  expect(await version(page)).toBe("2");
  await expect.poll(() => caches(page)).toEqual(["resplay-version2"]);
  await context.setOffline(true);
  await page.reload();
  await playground.ready();
  expect(await version(page)).toBe("2");
});

test("a server that is out of order is as good as none", async ({ page }) => {
  await visit(page);
  await controlled(page);
  down = true;
  await page.reload();
  const playground = new Playground(page);
  await playground.ready();
  await works(playground, 44);
});
