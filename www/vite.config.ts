import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const short = (rules: string) => rules.replace(/\/\*[^]*?\*\//g, "").replace(/\s+/g, " ").replace(/ ?([{};,]) ?/g, "$1").trim();

/**
 * Puts into the page what would hold it up from outside: the style of what is seen first, and the script that has the browser fetch the
 * engine beside the page's script and start its worker. The page's policy allows these two texts and no other.
 */
const startAtOnce: Plugin = {
  name: "start-at-once",
  apply: "build",
  transformIndexHtml: {
    order: "post",
    handler(html, { bundle = {} }) {
      const named = (pattern: RegExp) => {
        const found = Object.keys(bundle).filter((name) => pattern.test(name));
        if (found.length !== 1) throw new Error(`${found.length} files match ${pattern}`);
        return found[0]!;
      };
      const allowed = (text: string) => `'self' 'sha256-${createHash("sha256").update(text).digest("base64")}'`;
      const early = named(/\/early-.*\.js$/);
      const chunk = bundle[early]!;
      // Its names are its own.
      const script = `(()=>{${(chunk as { code: string }).code.trim()}})()`;
      delete bundle[early];
      const style = short(readFileSync("page.css", "utf8"));
      const replace = (from: RegExp, to: string) => {
        if (!from.test(html)) throw new Error(`index.html has no ${from}`);
        html = html.replace(from, () => to);
      };
      replace(/<link [^>]*page\.css[^>]*>/, `<style>${style}</style>`);
      replace(/script-src 'self'/, `script-src ${allowed(script)}`);
      replace(/style-src 'self'/, `style-src ${allowed(style)}`);
      const attrs = { "data-engine": `./${named(/resplay_first-.*\.wasm$/)}`, "data-worker": `./${named(/\/worker-.*\.js$/)}` };
      return { html, tags: [{ tag: "script", attrs, children: script, injectTo: "head" }] };
    },
  },
};

/** Rules of style stand in templates, which nobody else makes smaller. */
const shortRules: Plugin = {
  name: "short-rules",
  apply: "build",
  enforce: "pre",
  transform(code, id) {
    if (!id.endsWith(".ts") || !code.includes("css`")) return null;
    return { code: code.replace(/\bcss`([^`]*)`/g, (_all, rules: string) => `css\`${short(rules)}\``), map: null };
  },
};

/**
 * What a worker loads later shares code with the worker's own script, and would import that. WebKit runs a worker's script once more for
 * whoever imports it, so it is handed over by the worker itself.
 */
const handedOver: Plugin = {
  name: "handed-over",
  generateBundle(_options, bundle) {
    const chunks = Object.values(bundle).filter((part) => part.type === "chunk");
    const [entry, ...others] = chunks.sort((a, b) => Number(b.isEntry) - Number(a.isEntry));
    const users = others.filter(({ imports }) => imports.includes(entry!.fileName));
    if (users.length === 0) return;
    const pairs = (list: string, between: RegExp) => list.split(",").map((pair) => pair.trim().split(between));
    entry!.code = entry!.code.replace(/export\s*\{([^}]*)\};?\s*$/, (_all, list: string) => {
      return `self.handedOver={${pairs(list, / as /).map(([own, name = own]) => `${name}:${own}`).join(",")}};`;
    });
    for (const user of users) {
      const name = entry!.fileName.split("/").pop()!.replace(/\./g, "\\.");
      user.code = user.code.replace(new RegExp(`import\\s*\\{([^}]*)\\}\\s*from\\s*["']\\./${name}["'];?`), (_all, list: string) => {
        return `const{${pairs(list, / as /).map(([theirs, own = theirs]) => `${theirs}:${own}`).join(",")}}=self.handedOver;`;
      });
    }
    for (const { code, fileName } of users) if (code.includes(entry!.fileName.split("/").pop()!)) throw new Error(`${fileName} still imports its worker`);
    if (!entry!.code.includes("self.handedOver")) throw new Error(`${entry!.fileName} hands nothing over`);
  },
};

// A relative base, so that the page works from any folder; embed.js keeps its name, so that others can point to it.
export default defineConfig({
  base: "./",
  plugins: [startAtOnce, shortRules],
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rollupOptions: {
      input: { index: "index.html", embed: "src/embed.ts", early: "src/early.ts" },
      output: {
        entryFileNames: (chunk) => (chunk.name === "embed" ? "embed.js" : "assets/[name]-[hash].js"),
      },
    },
  },
  worker: { format: "es", plugins: () => [handedOver] },
  test: { include: ["test/**/*.test.ts"] },
});
