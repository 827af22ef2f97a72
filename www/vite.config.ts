import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** Has the browser fetch the engine beside the page's script, which would ask for it only once it runs. */
const preloadEngine: Plugin = {
  name: "preload-engine",
  transformIndexHtml: {
    order: "post",
    handler(_html, { bundle }) {
      const engine = Object.keys(bundle ?? {}).find((name) => /resplay_first-.*\.wasm$/.test(name));
      if (!engine) return [];
      const attrs = { rel: "preload", as: "fetch", type: "application/wasm", crossorigin: true, href: `./${engine}` };
      return [{ tag: "link", attrs, injectTo: "head" }];
    },
  },
};

// A relative base, so that the page works from any folder; embed.js keeps its name, so that others can point to it.
export default defineConfig({
  base: "./",
  plugins: [preloadEngine],
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rollupOptions: {
      input: { index: "index.html", embed: "src/embed.ts" },
      output: {
        entryFileNames: (chunk) => (chunk.name === "embed" ? "embed.js" : "assets/[name]-[hash].js"),
      },
    },
  },
  worker: { format: "es" },
  test: { include: ["test/**/*.test.ts"] },
});
