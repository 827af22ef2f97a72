// The page as its user meets it, in any browser that can run script and press keys.

import assert from "node:assert/strict";

const PATIENCE_MS = 15_000;
const ENTER = "\uE007";

/** Finds through all shadow roots; what is not shown does not count. */
const FIND = `
  const all = (selector, root = document) => [...root.querySelectorAll("*")].flatMap((element) => [
    ...(element.matches(selector) && element.checkVisibility() ? [element] : []),
    ...(element.shadowRoot ? all(selector, element.shadowRoot) : []),
  ]);
  const find = (selector, text = "") => all(selector).find((element) =>
    [element.textContent, element.getAttribute("aria-label"), element.title].some((words) => words?.replace(/\\s+/g, " ").includes(text)));
  const page = document.querySelector("redis-playground");
  const terminal = all("repl-terminal")[0];
`;

export class Playground {
  constructor(browser) {
    this.browser = browser;
  }

  static async open(browser, address) {
    await browser.open(address);
    const playground = new Playground(browser);
    await playground.ready();
    return playground;
  }

  evaluate(body) {
    return this.browser.evaluate(FIND + body);
  }

  /** Until an expression holds on the page. */
  async until(what, expression) {
    const end = Date.now() + PATIENCE_MS;
    let last;
    do {
      // A page on its way to another has nothing to ask.
      last = await this.evaluate(`return ${expression};`).catch((reason) => reason);
      if (last === true) return;
      await new Promise((resolve) => setTimeout(resolve, 30));
    } while (Date.now() < end);
    const text = await this.evaluate(`return document.documentElement.innerText + "\\n" + (terminal?.text() ?? "no terminal")`).catch(String);
    assert.fail(`${this.browser.version}: ${what} did not come (${last}); there is:\n${text}`);
  }

  async ready() {
    await this.until("the first prompt", `page.hasAttribute("whole") && !!find("[role=status]", "Ready") && !!find(".line .prompt", ">")`);
    await this.evaluate("terminal.focus()");
  }

  async run(line) {
    await this.browser.press(...line, ENTER);
  }

  /** Until the record ends so. */
  async ends(text) {
    await this.until(`the text ${JSON.stringify(text)}`, `terminal.text().trimEnd().endsWith(${JSON.stringify(text)})`);
  }

  async sees(selector, text = "") {
    await this.until(`${selector} “${text}”`, `!!find(${JSON.stringify(selector)}, ${JSON.stringify(text)})`);
  }

  async click(selector, text = "") {
    await this.sees(selector, text);
    await this.evaluate(`find(${JSON.stringify(selector)}, ${JSON.stringify(text)}).click()`);
  }

  /** Shows a panel, if it is not shown. */
  async panel(id) {
    await this.sees(`[data-panel="${id}"]`);
    await this.evaluate(`const button = find('[data-panel="${id}"]'); if (button.getAttribute("aria-expanded") !== "true") button.click();`);
  }
}
