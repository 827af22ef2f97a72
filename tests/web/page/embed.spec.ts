// `<redis-terminal>` on somebody else's page: another origin, the files in a subfolder.

import { createServer, type Server } from "node:http";
import { readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { expect, test } from "@playwright/test";

const PUBLISHED = "https://resplay.github.io/resplay/";
const TYPES: Record<string, string> = { html: "text/html", js: "text/javascript", css: "text/css", wasm: "application/wasm" };

let servers: Server[] = [];
let author = "";
let assets = "";

/** Serves a folder of the repository below a path; `change` may rewrite pages. */
async function serve(folder: string, below: string, headers: Record<string, string>, change = (page: string) => page): Promise<string> {
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    try {
      if (!path.startsWith(below)) throw new Error("elsewhere");
      let body: string | Buffer = await readFile(new URL(`../../../${folder}/${path.slice(below.length)}`, import.meta.url));
      const extension = path.split(".").at(-1)!;
      if (extension === "html") body = change(body.toString());
      response.writeHead(200, { "content-type": TYPES[extension] ?? "text/plain", ...headers }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  servers.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}${below}`;
}

test.beforeAll(async () => {
  assets = await serve("www/dist", "/some/folder/", { "access-control-allow-origin": "*" });
  const policy = `default-src 'none'; script-src ${assets} 'wasm-unsafe-eval'; style-src 'self' ${assets}; connect-src ${assets}; worker-src blob: ${assets}`;
  author = await serve("docs/examples", "/", { "content-security-policy": policy }, (page) => page.replaceAll(PUBLISHED, assets));
});

test.afterAll(async () => {
  for (const server of servers) server.close();
  servers = [];
});

test("nothing is fetched before a reader shows interest", async ({ page }) => {
  const fetched: string[] = [];
  page.on("request", (request) => fetched.push(request.url()));
  await page.goto(`${author}embed.html`);
  const first = page.locator("redis-terminal").first();
  await expect(first.getByRole("button", { name: "Run" })).toBeVisible();
  await expect(first).toContainText("SET page:home 1");
  expect(fetched.filter((url) => /worker|wasm/.test(url))).toEqual([]);
});

test("Run runs what the author wrote, and the prompt goes on", async ({ page }) => {
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  await page.goto(`${author}embed.html`);
  const first = page.locator("redis-terminal").first();
  await first.getByRole("button", { name: "Run" }).click();
  await expect(first.getByRole("log")).toContainText("(integer) 2");
  await expect(first.getByRole("textbox")).toBeFocused();
  await page.keyboard.type("GET page:home\n");
  await expect(first.getByRole("log")).toContainText('"2"');
  expect(complaints).toEqual([]);
});

test("terminals share a keyspace by name, one worker serves them all, and setup runs unseen", async ({ page }) => {
  await page.goto(`${author}embed.html`);
  const [left, right, prepared] = ["#left", "#right", "#prepared"].map((id) => page.locator(id));
  await left!.getByRole("button", { name: "Run" }).click();
  await expect(left!.getByRole("log")).toContainText("OK");
  await right!.getByRole("button", { name: "Run" }).click();
  await expect(right!.getByRole("log")).toContainText('"from the left"');
  await prepared!.getByRole("button", { name: "Run" }).click();
  await expect(prepared!.getByRole("log")).toContainText("(integer) 42");
  await expect(prepared!.getByRole("log")).not.toContainText("SET answer");
  expect(page.workers().length).toBe(1);
  await prepared!.getByRole("button", { name: "Run again" }).click();
  await expect.poll(() => prepared!.getByRole("log").innerText()).toMatch(/\(integer\) 42\s*$/);
});

test("without script the author's text stays", async ({ browser }) => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${author}embed.html`);
  await expect(page.locator("redis-terminal").first()).toContainText("SET page:home 1");
  await context.close();
});
