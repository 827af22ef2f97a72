// Every lesson is played, in two ways, against the engine: its examples print what they show, and its solutions fulfil
// checks that were not fulfilled before. UPDATE=1 writes what the examples really print into the lessons.

import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { Judge, fulfils } from "../src/lessons/judge";
import { parseLesson, type Block, type Lesson, type LessonStep } from "../src/lessons/parse";
import { uses, wordsOf } from "../src/lessons/words";
import { Player } from "../src/player";

const pkg = await import("../pkg/resplay.js");
const folder = new URL("../lessons/", import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith(".md")).sort();
const datasets = readdirSync(new URL("data/", folder));
const NOW = 1_700_000_000_000;

beforeAll(() => {
  pkg.initSync({ module: readFileSync(new URL("../pkg/resplay_bg.wasm", import.meta.url)) });
});

const read = (name: string) => readFileSync(new URL(name, folder), "utf8");
const commandsIn = (text: string) => text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
const dataOf = (lesson: Lesson) => (lesson.data ? commandsIn(read(`data/${lesson.data}.redis`)) : []);

function blocksOf(lesson: Lesson): Block[] {
  const inside = (parts: Lesson["intro"]) => parts.flatMap((part) => (part.kind === "block" ? [part.block] : []));
  return [...inside(lesson.intro), ...lesson.steps.flatMap(({ body, solution }) => [...inside(body), ...(solution ? [solution] : [])])];
}

/** All blocks of a lesson in order, as they really print. */
function played(lesson: Lesson): string[][] {
  const blocks = blocksOf(lesson);
  const mark = "# ---8<---";
  const data = dataOf(lesson).map((line) => `9> ${line}`);
  const text = [data.join("\n"), ...blocks.map(({ source }) => source.join("\n"))].join(`\n${mark}\n`);
  const parts = pkg.play_transcript(`${text}\n`).split(`${mark}\n`);
  return parts.slice(1).map((part) => part.replace(/\n$/, "").split("\n"));
}

/** A learner: types, is answered, and has a copy of the keyspace asked. */
class Learner {
  readonly engine = new pkg.Engine(1, NOW);
  private readonly players = new Map<number, Player>();
  private judge = new Judge([]);

  begin(step: LessonStep | null): void {
    this.judge = new Judge(step?.checks ?? []);
  }

  type(client: number, line: string): void {
    const player = this.players.get(client) ?? new Player(this.engine, NOW);
    this.players.set(client, player);
    this.judge.typed(client, line);
    this.judge.answered(client, player.text(line));
    for (const [other, waiting] of this.players) if (other !== client) this.judge.answered(other, waiting.received());
  }

  run(block: Block | null): void {
    for (const move of block?.moves ?? []) if (move.kind === "command") this.type(move.client, move.line);
  }

  /** What is still missing, as it would be said. */
  missing(): string[] {
    const copy = pkg.Engine.replay(this.engine.journal_from(0));
    const player = new Player(copy, NOW);
    const answers = this.judge.questions.map((question) => player.raw(question));
    return this.judge.missing(answers).map((spans) => spans.map(({ text }) => text).join(""));
  }
}

test("there are enough of them, in order, and none has the title of another", () => {
  expect(files.length).toBeGreaterThanOrEqual(12);
  const titles = files.map((name) => parseLesson(name, read(name)).title);
  expect(new Set(titles).size).toBe(files.length);
  expect(files.map((name) => Number(name.slice(0, 2)))).toEqual(files.map((_, at) => at + 1));
});

for (const name of files) {
  describe(name, () => {
    test("examples and solutions print what they show", () => {
      const text = read(name);
      const lesson = parseLesson(name, text);
      if (lesson.data) expect(datasets).toContain(`${lesson.data}.redis`);
      const blocks = blocksOf(lesson);
      const real = played(lesson);
      if (process.env.UPDATE === "1") {
        const lines = text.split("\n");
        for (let at = blocks.length - 1; at >= 0; at--) lines.splice(blocks[at]!.line - 1, blocks[at]!.source.length, ...real[at]!);
        writeFileSync(new URL(name, folder), lines.join("\n"));
      } else {
        expect(real.map(masked)).toEqual(blocks.map(({ source }) => masked(source)));
      }
    });

    for (const withExamples of [true, false]) {
      test(`each task is open before its solution and done after it, ${withExamples ? "with" : "without"} the examples`, () => {
        const lesson = parseLesson(name, read(name));
        const learner = new Learner();
        for (const line of dataOf(lesson)) learner.type(6, line);
        for (const step of lesson.steps) {
          learner.begin(null);
          for (const part of withExamples ? step.body : []) if (part.kind === "block") learner.run(part.block);
          learner.begin(step);
          if (!step.task) continue;
          expect(learner.missing(), `“${step.title}” is done before anything was typed`).not.toEqual([]);
          learner.run(step.solution);
          expect(learner.missing(), step.title).toEqual([]);
        }
      });
    }
  });
}

/** IDs hold the time, and the bytes of a key differ from build to build. */
const masked = (lines: string[]) =>
  lines.map((line, at) => (/^> MEMORY USAGE/.test(lines[at - 1] ?? "") ? line.replace(/\d+/, "SIZE") : line.replace(/\d{13}-\d+/g, "ID")));

for (const name of datasets) {
  test(`the sample data ${name} loads without an error`, () => {
    const text = read(`data/${name}`);
    expect(text).toMatch(/^# .+\n# .+\n/);
    const player = new Player(new pkg.Engine(1, NOW), NOW);
    for (const line of commandsIn(text)) expect(player.text(line), line).not.toMatch(/^\(error\)|^Invalid/);
  });
}

// ---- The format

const head = "---\ntitle: T\nsummary: S\nminutes: 2\n---\n";
const task = "## One\n\ntask: Do it.\ncheck: GET a == 1\nhint: `SET`\nsolution:\n```redis\n> SET a 1\nOK\n```\n";

test("a lesson is read", () => {
  const lesson = parseLesson("t", `${head}Hello **you**.\n\n${task}`);
  expect(lesson).toMatchObject({ id: "t", title: "T", minutes: 2, data: null });
  expect(lesson.intro).toEqual([
    { kind: "text", spans: [{ kind: "plain", text: "Hello " }, { kind: "strong", text: "you" }, { kind: "plain", text: "." }] },
  ]);
  expect(lesson.steps[0]!.checks).toEqual([{ kind: "state", command: "GET a", operator: "==", value: "1", line: 11 }]);
  expect(lesson.steps[0]!.solution!.moves).toEqual([{ kind: "command", client: 1, line: "SET a 1" }]);
});

test.each([
  ["no head", "Hello", 1, "begins with a head"],
  ["an open head", "---\ntitle: T\n", 3, "ends with a line"],
  ["a head it does not know", "---\ncolour: red\n---\n", 2, "does not know"],
  ["a head that lacks something", "---\ntitle: T\nminutes: 1\n---\n", 4, "lacks summary"],
  ["minutes that are none", "---\ntitle: T\nsummary: S\nminutes: few\n---\n", 5, "whole number"],
  ["no step", `${head}Hello`, 7, "at least one step"],
  ["a block that stays open", `${head}## A\n\`\`\`redis\n> GET a\n`, 7, "not closed"],
  ["another block", `${head}## A\n\`\`\`js\n1\n\`\`\`\n`, 7, "only blocks"],
  ["a block of nothing", `${head}## A\n\`\`\`redis\n# no\n\`\`\`\n`, 7, "no command"],
  ["a task without a check", `${head}## A\ntask: Do.\nsolution:\n\`\`\`redis\n> GET a\n\`\`\`\n`, 6, "no check"],
  ["a task without a solution", `${head}## A\ntask: Do.\nused: GET\n`, 6, "no solution"],
  ["a check without a task", `${head}## A\ncheck: GET a == 1\n`, 7, "before the task"],
  ["a check that compares nothing", `${head}## A\ntask: Do.\ncheck: GET a\n`, 8, "wants a command"],
  ["prose after the task", `${head}## A\ntask: Do.\nMore words.\n`, 8, "after the task"],
  ["a clock in a solution", `${head}## A\ntask: Do.\nused: GET\nsolution:\n\`\`\`redis\n> GET a\n@ +1s\n\`\`\`\n`, 14, "cannot move the clock"],
  ["a clock that is none", `${head}## A\n\`\`\`redis\n> GET a\n@ later\n\`\`\`\n`, 9, "moves like"],
  ["a heading of another level", `${head}# A\n`, 6, "prose is"],
  ["an open backtick", `${head}A \`b.\n\n## A\n`, 7, "not closed"],
])("a lesson with %s is refused in its line", (_, text, line, words) => {
  expect(() => parseLesson("t", text)).toThrow(new RegExp(`^line ${line}: .*${words}`));
});

test("values are compared as they are written", () => {
  expect(fulfils("42\n", "==", "42")).toBe(true);
  expect(fulfils("a\nb", "==", "a b")).toBe(true);
  expect(fulfils("", "==", '""')).toBe(true);
  expect(fulfils("", ">=", "0")).toBe(false);
  expect(fulfils("10", ">=", "9")).toBe(true);
  expect(fulfils("10", "<=", "9")).toBe(false);
  expect(fulfils("hello", "~", "ell")).toBe(true);
  expect(fulfils("a", "!=", "a")).toBe(false);
});

test("a line has words as redis-cli reads them", () => {
  expect(wordsOf(`set "a b" 'it\\'s' "say \\"hi\\"" c`)).toEqual(["set", "a b", "it's", 'say "hi"', "c"]);
});

test("a line uses a command by its first word and the others behind it", () => {
  expect(uses("set a 1 nx", ["SET", "NX"])).toBe(true);
  expect(uses("3 INCR a", ["INCR"])).toBe(true);
  expect(uses("GET set", ["SET"])).toBe(false);
  expect(uses("SET a 1", ["SET", "NX"])).toBe(false);
  expect(uses('exists "name" greeting', ["EXISTS", "greeting", "name"])).toBe(true);
  expect(uses("EXISTS Name", ["EXISTS", "name"])).toBe(false);
});

// ---- Judging

const judgeOf = (checks: string): Judge => {
  const text = `${head}## A\n\ntask: Do.\n${checks}\nsolution:\n\`\`\`redis\n> GET a\n\`\`\`\n`;
  return new Judge(parseLesson("t", text).steps[0]!.checks);
};
const said = (judge: Judge, ...answers: string[]) => judge.missing(answers).map((spans) => spans.map(({ text }) => text).join(""));

test("what is missing is said, in the lesson's words where it has some", () => {
  const judge = judgeOf("check: GET a == 1\ncheck: GET b == 2\nelse: Set `b`, too.\nused: SET NX\nreply: ~ OK");
  expect(said(judge, "", "3")).toEqual([
    "GET a answers nothing, and should be 1.",
    "Set b, too.",
    "A line with SET and NX is still to come.",
    "The answer should contain OK.",
  ]);
  judge.typed(1, "set 'a' 1 nx");
  judge.answered(1, "OK\n");
  expect(said(judge, "1\n", "2")).toEqual([]);
});

test("commands count in their order, in any of their ways, and not when they were refused", () => {
  const judge = judgeOf("used: MULTI\nused: DECRBY a 5 | INCRBY a -5\nused: EXEC");
  const type = (line: string, answer = "OK") => {
    judge.typed(1, line);
    judge.answered(1, answer);
    return said(judge).length;
  };
  expect(type("EXEC", "(error) ERR EXEC without MULTI")).toBe(3);
  expect(type("INCRBY a -5")).toBe(3);
  expect(type("MULTI")).toBe(2);
  expect(type("decrby a", "(error) ERR wrong number of arguments")).toBe(2);
  expect(type('incrby "a" -5')).toBe(1);
  expect(type("EXEC", "(error) EXECABORT Transaction discarded")).toBe(1);
  expect(type("EXEC", "1) (integer) 5")).toBe(0);
});

test("an answer counts where the command asked for was used, also when it comes later", () => {
  const judge = judgeOf("used: BLPOP q\nreply: ~ job");
  judge.typed(2, "BLPOP q 0");
  judge.typed(1, "ECHO job");
  judge.answered(1, '"job"\n');
  expect(said(judge)).toEqual(["The answer should contain job."]);
  judge.answered(2, '1) "q"\n2) "job"\n');
  expect(said(judge)).toEqual([]);
});
