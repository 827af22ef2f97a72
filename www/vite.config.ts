import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** Has the browser fetch the engine beside the page's script, which would ask for it only once it runs, and start its worker. */
const startEngine: Plugin = {
  name: "start-engine",
  transformIndexHtml: {
    order: "post",
    handler(_html, { bundle }) {
      const named = (pattern: RegExp) => Object.keys(bundle ?? {}).find((name) => pattern.test(name));
      const [engine, worker, early] = [/resplay_first-.*\.wasm$/, /\/worker-.*\.js$/, /\/early-.*\.js$/].map(named);
      if (!engine || !worker || !early) return [];
      const preload = { rel: "preload", as: "fetch", type: "application/wasm", crossorigin: true, href: `./${engine}`, "data-engine": true };
      const start = { type: "module", async: true, fetchpriority: "high", crossorigin: true, src: `./${early}`, "data-worker": `./${worker}` };
      return [
        { tag: "link", attrs: preload, injectTo: "head-prepend" },
        { tag: "script", attrs: start, injectTo: "head-prepend" },
      ];
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
    const short = (rules: string) => rules.replace(/\/\*[^]*?\*\//g, "").replace(/\s+/g, " ").replace(/ ?([{};,]) ?/g, "$1");
    return { code: code.replace(/\bcss`([^`]*)`/g, (_all, rules: string) => `css\`${short(rules)}\``), map: null };
  },
};

// A relative base, so that the page works from any folder; embed.js keeps its name, so that others can point to it.
export default defineConfig({
  base: "./",
  plugins: [startEngine, shortRules],
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
  worker: { format: "es" },
  test: { include: ["test/**/*.test.ts"] },
});
