/**
 * Lessons as they are written: Markdown with a head, steps, transcripts and checks. Strict, so that a slip of the pen is
 * an error with a line and never a lesson that cannot be finished. docs/lessons.md describes the format.
 */

import { wordsOf } from "./words";

export interface Lesson {
  id: string;
  title: string;
  summary: string;
  minutes: number;
  /** A dataset to begin with. */
  data: string | null;
  intro: Part[];
  steps: LessonStep[];
}

export interface LessonStep {
  title: string;
  line: number;
  body: Part[];
  /** What is to be done; without it the step is to be read. */
  task: Span[] | null;
  checks: Check[];
  hints: Span[][];
  solution: Block | null;
}

export type Part = { kind: "text"; spans: Span[] } | { kind: "list"; items: Span[][] } | { kind: "block"; block: Block };

export interface Span {
  kind: "plain" | "code" | "strong" | "emphasis";
  text: string;
}

/** A transcript. */
export interface Block {
  /** Where its first line stands, from 1. */
  line: number;
  /** As written. */
  source: string[];
  moves: Move[];
}

export type Move = { kind: "command"; client: number; line: string } | { kind: "clock"; ms: number };

export type Operator = "==" | "!=" | ">=" | "<=" | "~" | "!~";

/** `otherwise` is what to say while it does not hold, where its own words would not help. */
export type Check = { line: number; otherwise?: Span[] } & (
  | { kind: "state"; command: string; operator: Operator; value: string }
  | { kind: "reply"; operator: Operator; value: string }
  | { kind: "used"; ways: string[][] }
);

export class LessonError extends Error {
  constructor(
    readonly line: number,
    message: string,
  ) {
    super(`line ${line}: ${message}`);
  }
}

const DIRECTIVE = /^(task|check|reply|used|else|hint|solution):(?: (.*))?$/;
const OPERATOR = "(==|!=|>=|<=|!?~)";
const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const CLIENTS_MAX = 6;

export function parseLesson(id: string, text: string): Lesson {
  return new Parser(id, text.replace(/\r\n?/g, "\n").split("\n")).lesson();
}

class Parser {
  private at = 0;

  constructor(
    private readonly id: string,
    private readonly lines: string[],
  ) {}

  lesson(): Lesson {
    const head = this.head();
    const intro = this.parts();
    const steps: LessonStep[] = [];
    while (this.at < this.lines.length) steps.push(this.step());
    if (steps.length === 0) this.fail("a lesson has at least one step, which begins with `## Its title`");
    return { id: this.id, ...head, intro, steps };
  }

  private fail(message: string, at = this.at): never {
    throw new LessonError(at + 1, message);
  }

  private head(): Pick<Lesson, "title" | "summary" | "minutes" | "data"> {
    if (this.lines[0] !== "---") this.fail("a lesson begins with a head between two lines `---`");
    const values = new Map<string, string>();
    for (this.at = 1; this.lines[this.at] !== "---"; this.at++) {
      const line = this.lines[this.at];
      if (line === undefined || line === "") this.fail("the head ends with a line `---`");
      const [, name, value] = /^(\w+): (.+)$/.exec(line) ?? [];
      if (!name || !["title", "summary", "minutes", "data"].includes(name)) this.fail(`the head does not know \`${line}\``);
      if (values.has(name)) this.fail(`${name} stands here twice`);
      values.set(name, value!.trim());
    }
    const minutes = Number(values.get("minutes"));
    for (const name of ["title", "summary", "minutes"]) if (!values.has(name)) this.fail(`the head lacks ${name}`);
    if (!Number.isInteger(minutes) || minutes < 1) this.fail("minutes are a whole number");
    this.at++;
    return { title: values.get("title")!, summary: values.get("summary")!, minutes, data: values.get("data") ?? null };
  }

  private step(): LessonStep {
    const line = this.at + 1;
    const title = this.lines[this.at]!.slice(3).trim();
    if (title === "") this.fail("a step has a title");
    this.at++;
    const step: LessonStep = { title, line, body: this.parts(), task: null, checks: [], hints: [], solution: null };
    for (;;) {
      while (this.lines[this.at]?.trim() === "") this.at++;
      const here = this.lines[this.at];
      if (here === undefined || here.startsWith("## ")) break;
      this.directive(step, here);
    }
    const isTask = step.task !== null;
    if (isTask && step.checks.length === 0) this.fail(`the task of “${title}” has no check`, line - 1);
    if (isTask && !step.solution) this.fail(`the task of “${title}” has no solution`, line - 1);
    if (!isTask && (step.checks.length > 0 || step.hints.length > 0 || step.solution)) {
      this.fail(`“${title}” has checks, hints or a solution but no task`, line - 1);
    }
    return step;
  }

  private directive(step: LessonStep, here: string): void {
    const [, name, rest = ""] = DIRECTIVE.exec(here) ?? [];
    let value = rest.trim();
    // A long one goes on in lines that are set in.
    while (this.lines[this.at + 1]?.startsWith("  ")) value += ` ${this.lines[++this.at]!.trim()}`;
    if (!name) this.fail(`after the task, only check:, reply:, used:, else:, hint: and solution: may stand here, not \`${here}\``);
    if (name === "solution" ? value !== "" : value === "") this.fail(name === "solution" ? "the solution stands below" : `${name}: says nothing`);
    if (name !== "task" && step.task === null) this.fail(`${name}: stands before the task`);
    switch (name) {
      case "task":
        if (step.task) this.fail("a step has one task");
        step.task = this.spans(value);
        break;
      case "check":
        step.checks.push(this.check(value));
        break;
      case "reply": {
        const [, operator, expected] = new RegExp(`^${OPERATOR} (.+)$`).exec(value) ?? [];
        if (!operator) this.fail("reply: wants ==, !=, >=, <=, ~ or !~ and a value");
        step.checks.push({ kind: "reply", operator: operator as Operator, value: expected!, line: this.at + 1 });
        break;
      }
      case "used":
        step.checks.push({ kind: "used", ways: value.split(" | ").map(wordsOf), line: this.at + 1 });
        break;
      case "else": {
        const check = step.checks.at(-1);
        if (!check || check.otherwise) this.fail("else: stands behind a check, once");
        check.otherwise = this.spans(value);
        break;
      }
      case "hint":
        step.hints.push(this.spans(value));
        break;
      case "solution":
        if (step.solution) this.fail("a step has one solution");
        this.at++;
        if (this.lines[this.at] !== "```redis") this.fail("below solution: stands a block ```redis");
        step.solution = this.block();
        if (step.solution.moves.some(({ kind }) => kind !== "command")) this.fail("a solution cannot move the clock");
        return;
    }
    this.at++;
  }

  private check(value: string): Check {
    const [, command, operator, expected] = new RegExp(`^(.+?) ${OPERATOR} (.+)$`).exec(value) ?? [];
    if (!command) this.fail("check: wants a command, then ==, !=, >=, <=, ~ or !~ and a value");
    return { kind: "state", command, operator: operator as Operator, value: expected!, line: this.at + 1 };
  }

  /** Prose and transcripts up to the next directive or step. */
  private parts(): Part[] {
    const parts: Part[] = [];
    for (;;) {
      const line = this.lines[this.at];
      if (line === undefined || line.startsWith("## ") || DIRECTIVE.test(line)) return parts;
      if (line.trim() === "") {
        this.at++;
      } else if (line.startsWith("```")) {
        if (line !== "```redis") this.fail("only blocks ```redis are known");
        parts.push({ kind: "block", block: this.block() });
      } else if (line.startsWith("- ")) {
        parts.push({ kind: "list", items: this.list() });
      } else if (/^(#|>|\d+\.|\||\s)/.test(line)) {
        this.fail("prose is paragraphs and lists with `- `; steps begin with `## `");
      } else {
        parts.push({ kind: "text", spans: this.spans(this.paragraph()) });
      }
    }
  }

  private paragraph(): string {
    const lines: string[] = [];
    for (; this.at < this.lines.length; this.at++) {
      const line = this.lines[this.at]!;
      if (line.trim() === "" || line.startsWith("```") || line.startsWith("- ") || DIRECTIVE.test(line)) break;
      lines.push(line.trim());
    }
    return lines.join(" ");
  }

  private list(): Span[][] {
    const items: string[] = [];
    for (; this.at < this.lines.length; this.at++) {
      const line = this.lines[this.at]!;
      if (line.startsWith("- ")) items.push(line.slice(2).trim());
      else if (line.startsWith("  ") && line.trim() !== "") items[items.length - 1] += ` ${line.trim()}`;
      else break;
    }
    return items.map((item) => this.spans(item));
  }

  private spans(text: string): Span[] {
    const spans: Span[] = [];
    const pattern = /`([^`]+)`|\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*/g;
    let end = 0;
    for (const match of text.matchAll(pattern)) {
      if (match.index > end) spans.push({ kind: "plain", text: text.slice(end, match.index) });
      const [whole, code, strong, emphasis] = match;
      if (code !== undefined) spans.push({ kind: "code", text: code });
      else if (strong !== undefined) spans.push({ kind: "strong", text: strong });
      else spans.push({ kind: "emphasis", text: emphasis! });
      end = match.index + whole.length;
    }
    if (end < text.length) spans.push({ kind: "plain", text: text.slice(end) });
    if (spans.some(({ kind, text }) => kind === "plain" && text.includes("`"))) this.fail("a ` is not closed");
    return spans;
  }

  private block(): Block {
    const opened = this.at;
    const source: string[] = [];
    for (this.at++; this.lines[this.at] !== "```"; this.at++) {
      const line = this.lines[this.at];
      if (line === undefined) this.fail("the block is not closed", opened);
      source.push(line);
    }
    this.at++;
    const moves = source.flatMap((line, index) => this.move(line, opened + 1 + index));
    if (moves.length === 0) this.fail("the block holds no command", opened);
    return { line: opened + 2, source, moves };
  }

  private move(line: string, at: number): Move[] {
    const [, client, command] = /^(\d?)> (.+)$/.exec(line) ?? [];
    if (command !== undefined) {
      const number = client === "" ? 1 : Number(client);
      if (number < 1 || number > CLIENTS_MAX) this.fail(`clients are numbered from 1 to ${CLIENTS_MAX}`, at);
      return [{ kind: "command", client: number, line: command }];
    }
    if (!line.startsWith("@")) return [];
    const [, number, unit] = /^@ \+(\d+)(ms|s|m|h|d)$/.exec(line) ?? [];
    if (!number) this.fail("the clock moves like `@ +5s`", at);
    return [{ kind: "clock", ms: Number(number) * UNITS[unit!]! }];
  }
}
