/**
 * Judges one step of a lesson: hears what clients type and are answered, and tells which checks do not hold yet and why.
 * It asks nobody: what the keyspace answers is given to it.
 */

import type { Check, Operator, Span } from "./parse";
import { uses } from "./words";

/** More of an answer than this says nothing more. */
const ANSWER_MAX = 60;

export class Judge {
  /** The learner has typed something. */
  tried = false;
  private readonly used = new Set<Check>();
  private readonly replies = new Map<unknown, string>();
  /** What the latest line of each client fulfilled. */
  private readonly latest = new Map<unknown, Check[]>();
  /** Clients whose latest line was of no use: their answers are not the ones that are looked for. */
  private readonly aside = new Set<unknown>();

  constructor(private readonly checks: Check[]) {}

  /** Commands count in the order in which the lesson names them. */
  typed(client: unknown, line: string): void {
    this.tried = true;
    this.replies.set(client, "");
    const ways = this.checks.flatMap((check) => (check.kind === "used" ? check.ways : []));
    if (ways.length === 0 || ways.some((words) => uses(line, words))) this.aside.delete(client);
    else this.aside.add(client);
    const latest: Check[] = [];
    for (const check of this.checks) {
      if (check.kind !== "used" || this.used.has(check)) continue;
      if (!check.ways.some((words) => uses(line, words))) break;
      this.used.add(check);
      latest.push(check);
    }
    this.latest.set(client, latest);
  }

  answered(client: unknown, text: string): void {
    const before = this.replies.get(client) ?? "";
    this.replies.set(client, before + text);
    // What was refused has not been done.
    if (before === "" && /^(\(error\)|Invalid argument)/.test(text)) for (const check of this.latest.get(client) ?? []) this.used.delete(check);
  }

  /** What the keyspace is to be asked. */
  get questions(): string[] {
    return this.checks.flatMap((check) => (check.kind === "state" ? [check.command] : []));
  }

  /** What does not hold, given the answers to the questions: each as what to say of it. */
  missing(answers: string[]): Span[][] {
    // With several clients, what came last is a matter of taste.
    const replies = [...this.replies].flatMap(([client, reply]) => (this.aside.has(client) ? [] : [reply]));
    let asked = 0;
    return this.checks.flatMap((check) => {
      switch (check.kind) {
        case "used":
          return this.used.has(check) ? [] : [check.otherwise ?? wayText(check.ways[0]!)];
        case "reply":
          if (replies.some((reply) => fulfils(reply, check.operator, check.value))) return [];
          return [check.otherwise ?? [plain("The answer"), ...wishText(check.operator, check.value)]];
        case "state": {
          const answer = answers[asked++] ?? "";
          if (fulfils(answer, check.operator, check.value)) return [];
          return [check.otherwise ?? [code(check.command), ...answerText(answer), ...wishText(check.operator, check.value)]];
        }
      }
    });
  }
}

/** Whether a printed value is what a check wants. */
export function fulfils(printed: string, operator: Operator, wanted: string): boolean {
  const value = oneLine(printed);
  const expected = unquoted(wanted);
  switch (operator) {
    case "==":
      return value === expected;
    case "!=":
      return value !== expected;
    case ">=":
      return value !== "" && Number(value) >= Number(expected);
    case "<=":
      return value !== "" && Number(value) <= Number(expected);
    case "~":
      return value.includes(expected);
    case "!~":
      return value !== "" && !value.includes(expected);
  }
}

function oneLine(printed: string): string {
  return printed.trim().replace(/\n/g, " ");
}

/** `""` is nothing, and quotes keep spaces at the ends. */
function unquoted(text: string): string {
  return /^".*"$/.test(text) ? text.slice(1, -1) : text;
}

// ---- What to say

const plain = (text: string): Span => ({ kind: "plain", text });
const code = (text: string): Span => ({ kind: "code", text });

function wayText(words: string[]): Span[] {
  const named = words.flatMap((word, at) => [plain(at === 0 ? "" : at === words.length - 1 ? " and " : ", "), code(word)]);
  return [plain("A line with "), ...named, plain(" is still to come.")];
}

function answerText(answer: string): Span[] {
  const text = oneLine(answer);
  if (text === "") return [plain(" answers nothing, and")];
  return [plain(" answers "), code(text.length > ANSWER_MAX ? `${text.slice(0, ANSWER_MAX)}…` : text), plain(" and")];
}

function wishText(operator: Operator, value: string): Span[] {
  const words = { "==": "be", "!=": "not be", ">=": "be at least", "<=": "be at most", "~": "contain", "!~": "not contain" }[operator];
  const wanted = unquoted(value);
  return [plain(` should ${words} `), wanted === "" ? plain("empty") : code(wanted), plain(".")];
}
