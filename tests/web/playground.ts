// The playground as its user meets it: prompts by their names, records by their text.

import { expect, type Locator, type Page } from "@playwright/test";

export class Playground {
  constructor(readonly page: Page) {}

  static async open(page: Page): Promise<Playground> {
    await page.goto("./");
    const playground = new Playground(page);
    await playground.ready();
    return playground;
  }

  async ready(name = "Client A"): Promise<void> {
    await expect(this.page.getByRole("status")).toContainText("Ready", { timeout: 15_000 });
    await expect(this.promptText(name)).toContainText(">");
    // What stands around the prompt comes after it.
    await expect(this.page.locator("redis-playground")).toHaveAttribute("whole");
  }

  lane(name: string): Locator {
    return this.page.getByRole("region", { name, exact: true });
  }

  prompt(name = "Client A"): Locator {
    return this.page.getByRole("textbox", { name: `Command, ${name}`, exact: true });
  }

  promptText(name = "Client A"): Locator {
    return this.lane(name).locator(".line .prompt");
  }

  log(name = "Client A"): Locator {
    return this.page.getByRole("log", { name: `Output, ${name}`, exact: true });
  }

  ghost(name = "Client A"): Locator {
    return this.lane(name).locator(".ghost");
  }

  async run(line: string, name = "Client A"): Promise<void> {
    await this.prompt(name).fill(line);
    await this.prompt(name).press("Enter");
  }

  /** The exact text of a record. */
  text(name = "Client A"): Promise<string> {
    return this.lane(name).locator("repl-terminal").evaluate((terminal: HTMLElement & { text(): string }) => terminal.text());
  }

  async expectText(text: string, name = "Client A"): Promise<void> {
    await expect.poll(() => this.text(name)).toBe(text);
  }

  /** Opens a panel, if it is not open, and answers its element. */
  async panel(title: string): Promise<Locator> {
    const button = this.page.getByRole("navigation", { name: "Panels" }).getByRole("button", { name: title, exact: true });
    if ((await button.getAttribute("aria-expanded")) !== "true") await button.click();
    return this.page.getByRole("region", { name: title, exact: true });
  }

  async addLane(): Promise<void> {
    await this.page.getByRole("button", { name: "Client", exact: true }).click();
  }

  async crash(): Promise<void> {
    await this.page.locator("redis-playground").evaluate((page: HTMLElement & { crashForTest(): void }) => page.crashForTest());
  }
}
