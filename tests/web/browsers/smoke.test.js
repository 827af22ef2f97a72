// One walk through the page in each browser that Playwright does not bring: those who use it have others than Chromium.

import { after, before, describe, test } from "node:test";
import { Firefox } from "./firefox.js";
import { Playground } from "./playground.js";
import { Served } from "./start.js";
import { WebKit } from "./webkit.js";

const ALL = { Firefox, WebKit };
const wanted = process.env.RESPLAY_BROWSERS?.split(",") ?? Object.keys(ALL);

describe("the page", () => {
  for (const name of wanted) {
    describe(name, () => {
      let [served, browser, playground] = [null, null, null];

      before(async () => {
        served = await Served.start();
        browser = await ALL[name].start();
      });
      after(async () => {
        await browser?.close();
        await served?.end();
      });

      test("the first prompt comes, and commands are answered", async () => {
        playground = await Playground.open(browser, served.address);
        await playground.run("SET a 1");
        await playground.ends("OK");
        await playground.run("GET a");
        await playground.ends('"1"');
      });

      test("a script needs the rest of the engine at once", async () => {
        await browser.reload();
        await playground.ready();
        await playground.run("EVAL \"return redis.call('get', KEYS[1])\" 1 a");
        await playground.ends('"1"');
      });

      test("keys show, each with its value", async () => {
        await playground.panel("keys");
        await playground.run("HSET user name Ada city London");
        await playground.ends("(integer) 2");
        await playground.sees("[role=treeitem]", "user");
        // The panel follows what was changed last.
        await playground.sees("table", "London");
      });

      test("time goes back to a moment, and on from there", async () => {
        await playground.run("DEL user");
        await playground.ends("(integer) 1");
        await playground.panel("time");
        await playground.click("[role=option]", "HSET user");
        await playground.sees(".past", "You look at moment");
        await playground.click("button", "Go on from here");
        await playground.sees("[role=log]", "a branch of its own");
        await playground.evaluate("terminal.focus()");
        await playground.run("HGET user city");
        await playground.ends('"London"');
      });

      test("a reload keeps keys", async () => {
        await playground.sees("[role=status]", "is kept in this browser");
        await browser.reload();
        await playground.ready();
        await playground.run("HGET user name");
        await playground.ends('"Ada"');
      });

      test("terminals attach to a server", async () => {
        await browser.open("about:blank");
        await browser.open(`${served.address}#attach=${served.token}`);
        await playground.sees("[role=status]", "attached to");
        await playground.evaluate("terminal.focus()");
        await playground.run("SET elsewhere 1");
        await playground.ends("OK");
        await playground.panel("keys");
        await playground.sees("[role=treeitem]", "elsewhere");
        await browser.open("about:blank");
        await browser.open(served.address);
        await playground.ready();
      });

      test("without a network all is there again", async () => {
        await browser.evaluate("await navigator.serviceWorker.ready");
        await served.end();
        await browser.reload();
        await playground.ready();
        await playground.run("GET a");
        await playground.ends('"1"');
        await playground.run('EVAL "return 42" 0');
        await playground.ends("(integer) 42");
        await playground.panel("lessons");
        await playground.sees("h2", "Learn Redis");
      });
    });
  }
});
