// Tests that need a browser. `cargo xtask test` runs them; by hand, `npx playwright test` in this folder does,
// with the page already built (`cargo xtask www`) or being served at RESPLAY_URL.

import { defineConfig, devices } from "@playwright/test";
import { chromium } from "./chromium.ts";

const port = 8379;
const root = process.getuid?.() === 0;

export default defineConfig({
  testDir: ".",
  outputDir: "../../test-results",
  fullyParallel: true,
  forbidOnly: true,
  retries: 0,
  // A machine that builds something else meanwhile is slow.
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: "list",
  use: {
    ...devices["Desktop Chrome"],
    baseURL: process.env.RESPLAY_URL ?? `http://127.0.0.1:${port}/`,
    // Each test would fetch the whole page once more, to keep it.
    serviceWorkers: "block",
    permissions: ["clipboard-read", "clipboard-write"],
    screenshot: "only-on-failure",
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: chromium(),
      // Chromium refuses its sandbox to root, which containers commonly run as.
      chromiumSandbox: !root,
    },
  },
  projects: [
    { name: "module", testMatch: "module/*.spec.ts" },
    { name: "page", testMatch: "page/*.spec.ts" },
    { name: "phone", testMatch: "phone/*.spec.ts", use: { ...devices["Pixel 7"] } },
    { name: "accessibility", testMatch: "accessibility/*.spec.ts" },
  ],
  webServer: process.env.RESPLAY_URL
    ? undefined
    : {
        command: `cargo xtask play --no-server --http-port ${port}`,
        url: `http://127.0.0.1:${port}/`,
        reuseExistingServer: true,
        timeout: 300_000,
      },
});
