/** The panel of the lessons: the course, one lesson at a time in a keyspace of its own, and sample data. */

import { LitElement, html, nothing } from "lit";
import type { Lane } from "../host";
import type { Shell } from "../panels/index";
import type { Report } from "../protocol";
import { runUnseen } from "../transfer";
import { course, datasets, type Dataset } from "./course";
import { fulfils, uses, type Block, type Check, type Lesson, type LessonStep, type Part, type Span } from "./parse";
import { readProgress, writeProgress, type Progress } from "./progress";
import { lessonStyles } from "./styles";

/** Between two lines that are shown. */
const PACE_MS = 600;

export class LessonPanel extends LitElement {
  static override styles = lessonStyles;
  static override properties = {
    shell: { attribute: false },
    shown: { attribute: false },
    lesson: { state: true },
    at: { state: true },
    hints: { state: true },
    solved: { state: true },
    playing: { state: true },
    progress: { state: true },
    told: { state: true },
  };

  declare shell: Shell;
  declare shown: boolean;
  declare private lesson: Lesson | null;
  declare private at: number;
  /** How many hints of the step are shown. */
  declare private hints: number;
  declare private solved: boolean;
  declare private playing: boolean;
  declare private progress: Record<string, Progress>;
  /** The latest word on sample data. */
  declare private told: string;
  private readonly used = new Set<Check>();
  private readonly replies = new Map<Lane, string>();
  private checking = false;
  private again = false;

  constructor() {
    super();
    this.shown = false;
    this.lesson = null;
    this.at = 0;
    this.hints = 0;
    this.solved = false;
    this.playing = false;
    this.progress = readProgress();
    this.told = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.shell.host.addEventListener("heard", (event) => {
      const { lane, report } = (event as CustomEvent<{ lane: Lane; report: Report }>).detail;
      this.hear(lane, report);
    });
    this.shell.onTurn(() => void this.check());
    this.shell.sandboxes.addEventListener("change", () => {
      if (this.lesson && this.shell.space !== spaceOf(this.lesson)) this.lesson = null;
    });
  }

  // ---- A lesson

  private async open(lesson: Lesson, at = 0): Promise<void> {
    this.lesson = lesson;
    this.shell.sandboxes.visit(spaceOf(lesson), 1);
    await this.updateComplete;
    this.playing = true;
    const data = datasets.find(({ id }) => id === lesson.data);
    if (data) await runUnseen(this.shell.host, spaceOf(lesson), data.lines);
    // To go on in the middle, what came before must have been done.
    const before = lesson.steps.slice(0, at).flatMap(({ solution }) => (solution ? commands(solution) : []));
    if (before.length > 0) await this.shell.play(before);
    this.playing = false;
    this.goTo(at);
    this.shell.notice(`${lesson.title}: a keyspace of its own. Your sandbox is untouched.`);
  }

  private goTo(at: number): void {
    const { lesson } = this;
    if (!lesson) return;
    this.at = at;
    this.hints = 0;
    this.solved = false;
    this.used.clear();
    this.replies.clear();
    const { done = [] } = this.progress[lesson.id] ?? {};
    const reading = at < lesson.steps.length && lesson.steps[at]!.task === null;
    this.note({ at: Math.min(at, lesson.steps.length), done: reading ? [...new Set([...done, at])] : done });
    void this.updateComplete.then(() => {
      this.scrollTop = 0;
      this.renderRoot.querySelector<HTMLElement>("#step")?.focus({ preventScroll: true });
    });
    void this.check();
  }

  private leave(): void {
    this.lesson = null;
    this.shell.sandboxes.home();
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>(".card")?.focus());
  }

  private note(progress: Progress): void {
    this.progress = { ...this.progress, [this.lesson!.id]: progress };
    writeProgress(this.progress);
  }

  private get step(): LessonStep | null {
    return this.lesson?.steps[this.at] ?? null;
  }

  private async play(block: Block, pace: number): Promise<void> {
    if (this.playing) return;
    this.playing = true;
    try {
      await this.act(block, pace);
    } finally {
      this.playing = false;
    }
    void this.check();
  }

  /** Runs the commands of a transcript. Where its clock moves, that of the lesson does, and stands still otherwise until the end. */
  private async act(block: Block, pace: number): Promise<void> {
    const { shell, lesson } = this;
    const { host, space } = shell;
    const { paused, rate } = host.clockOf(space) ?? { paused: false, rate: 1 };
    const skips = block.moves.some(({ kind }) => kind === "clock");
    if (skips) host.setClock(space, true, rate);
    try {
      for (const move of block.moves) {
        if (this.lesson !== lesson) return;
        if (move.kind === "command") {
          await shell.play([move], pace);
        } else {
          shell.notice(`${spanText(move.ms)} later`);
          host.pass(space, move.ms);
          await host.sync();
        }
      }
    } finally {
      if (skips && this.lesson === lesson) host.setClock(space, paused, rate);
    }
  }

  // ---- Checking

  private hear(lane: Lane, report: Report): void {
    if (!this.lesson || lane.space !== spaceOf(this.lesson)) return;
    if (report.t === "echo") {
      this.replies.set(lane, "");
      for (const check of this.step?.checks ?? []) if (check.kind === "used" && uses(report.line, check.words)) this.used.add(check);
    } else if (report.t === "print") {
      this.replies.set(lane, (this.replies.get(lane) ?? "") + report.blocks.map(({ text }) => text).join(""));
    }
  }

  /** Looks whether the step is done; asks the engine once at a time. */
  private async check(): Promise<void> {
    const { step, lesson } = this;
    if (!lesson || !step?.task || this.solved) return;
    if (this.checking) {
      this.again = true;
      return;
    }
    this.checking = true;
    try {
      const fine = await this.fulfilled(step.checks, spaceOf(lesson));
      if (fine && this.step === step && !this.solved) this.finish(step);
    } finally {
      this.checking = false;
    }
    if (this.again) {
      this.again = false;
      void this.check();
    }
  }

  private async fulfilled(checks: Check[], space: string): Promise<boolean> {
    // With several clients, what came last is a matter of taste.
    const replies = [...this.replies.values()];
    for (const check of checks) {
      if (check.kind === "used" && !this.used.has(check)) return false;
      if (check.kind === "reply" && !replies.some((reply) => fulfils(reply, check.operator, check.value))) return false;
    }
    const states = checks.filter((check) => check.kind === "state");
    if (states.length === 0) return true;
    const answers = await this.shell.host.probe(space, states.map(({ command }) => command));
    return states.every(({ operator, value }, at) => fulfils(answers[at] ?? "", operator, value));
  }

  private finish(step: LessonStep): void {
    this.solved = true;
    const at = this.lesson!.steps.indexOf(step);
    const { done = [] } = this.progress[this.lesson!.id] ?? {};
    this.note({ at: at + 1, done: [...new Set([...done, at])] });
    void this.updateComplete.then(() => this.renderRoot.querySelector(".done")?.scrollIntoView({ block: "nearest" }));
  }

  // ---- Sample data

  private async load(data: Dataset): Promise<void> {
    this.told = `Loading ${data.title}…`;
    const troubles = await runUnseen(this.shell.host, this.shell.space, data.lines);
    this.told = troubles.length === 0 ? `${data.title} is loaded: ${data.lines.length} commands.` : `${data.title}: ${troubles.join("; ")}`;
    this.shell.notice(`${data.title} is loaded. Try SCAN 0, or look at the keys.`);
  }

  // ---- Drawing

  override render() {
    return html`<div class="content">${this.lesson ? this.oneLesson(this.lesson) : this.all()}</div>`;
  }

  private all() {
    const finished = course.filter((lesson) => this.isFinished(lesson)).length;
    return html`<h2>Learn Redis</h2>
      <p class="lead">${course.length} short lessons. Each plays in a keyspace of its own, so your sandbox stays as it is.</p>
      <div class="bar"><progress max=${course.length} value=${finished} aria-label="Lessons finished"></progress><span>${finished} of ${course.length}</span></div>
      <ol class="cards">
        ${course.map((lesson, index) => this.card(lesson, index))}
      </ol>
      <h3>Sample data</h3>
      <p class="lead">Keys to look at, put into what the terminals show now.</p>
      <ul class="cards">
        ${datasets.map(
          (data) => html`<li>
            <button type="button" class="data" @click=${() => this.load(data)}><b>${data.title}</b><small>${data.summary}</small><small>${data.lines.length} commands</small></button>
          </li>`,
        )}
      </ul>
      <p class="told" aria-live="polite">${this.told}</p>`;
  }

  private isFinished(lesson: Lesson): boolean {
    return (this.progress[lesson.id]?.done.length ?? 0) >= lesson.steps.length;
  }

  private card(lesson: Lesson, index: number) {
    const { done = [], at = 0 } = this.progress[lesson.id] ?? {};
    const finished = this.isFinished(lesson);
    const begun = !finished && done.length > 0;
    return html`<li>
      <button type="button" class="card ${finished ? "finished" : ""}" @click=${() => this.open(lesson, begun && at < lesson.steps.length ? at : 0)}>
        <span class="number" aria-hidden="true">${finished ? "✓" : index + 1}</span>
        <span>
          <b>${lesson.title}</b>
          <small>${lesson.summary}</small>
          <small class="state">${finished ? "Finished" : begun ? `Go on at step ${Math.min(at + 1, lesson.steps.length)} of ${lesson.steps.length}` : `${lesson.minutes} min`}</small>
        </span>
      </button>
    </li>`;
  }

  private oneLesson(lesson: Lesson) {
    const { step } = this;
    const { done = [] } = this.progress[lesson.id] ?? {};
    return html`<div class="heading">
        <button type="button" @click=${this.leave}>← All lessons</button>
        <button type="button" @click=${() => this.open(lesson)}>Start again</button>
      </div>
      <h2>${lesson.title}</h2>
      <ol class="dots" aria-label="Steps">
        ${lesson.steps.map(
          ({ title }, index) => html`<li>
            <button
              type="button"
              aria-label="Step ${index + 1}: ${title}${done.includes(index) ? ", done" : ""}"
              aria-current=${index === this.at ? "step" : nothing}
              class=${done.includes(index) ? "finished" : ""}
              @click=${() => this.jump(index)}
            ></button>
          </li>`,
        )}
      </ol>
      ${step ? this.oneStep(lesson, step) : this.end(lesson)}`;
  }

  /** To a step further on, the steps between are played. */
  private jump(at: number): void {
    if (!this.lesson || this.playing) return;
    if (at > this.at) void this.open(this.lesson, at);
    else this.goTo(at);
  }

  private oneStep(lesson: Lesson, step: LessonStep) {
    const last = this.at === lesson.steps.length - 1;
    const next = html`<button class="primary" type="button" @click=${() => this.goTo(this.at + 1)}>${last ? "Finish" : "Next step"}</button>`;
    return html`<article>
      ${this.at === 0 ? lesson.intro.map((part) => this.drawn(part)) : nothing}
      <h3 id="step" tabindex="-1"><span class="visually-hidden">Step ${this.at + 1} of ${lesson.steps.length}: </span>${step.title}</h3>
      ${step.body.map((part) => this.drawn(part))}
      ${step.task
        ? html`<section class="task ${this.solved ? "solved" : ""}" aria-label="Task">
            <p><b class="label">${this.solved ? "✓ Done" : "Your turn"}</b> ${spans(step.task)}</p>
            ${step.hints.slice(0, this.hints).map((hint) => html`<p class="hint"><b>Hint.</b> ${spans(hint)}</p>`)}
            <div class="row">
              ${this.hints < step.hints.length && !this.solved
                ? html`<button type="button" @click=${() => this.hints++}>Hint${step.hints.length > 1 ? ` ${this.hints + 1} of ${step.hints.length}` : ""}</button>`
                : nothing}
              ${this.solved
                ? nothing
                : html`<button type="button" ?disabled=${this.playing} @click=${() => this.play(step.solution!, PACE_MS)}>Show me</button>`}
              ${this.solved ? nothing : html`<button type="button" @click=${() => this.goTo(this.at + 1)}>Skip</button>`}
            </div>
          </section>`
        : html`<div class="row">${next}</div>`}
      <div aria-live="polite">${step.task && this.solved ? html`<p class="done"><span>Well done.</span> ${next}</p>` : nothing}</div>
    </article>`;
  }

  private end(lesson: Lesson) {
    const following = course[course.indexOf(lesson) + 1];
    return html`<article>
      <h3 id="step" tabindex="-1">That was “${lesson.title}”</h3>
      <p>The keyspace of the lesson is still there: play with it as long as you like. Your own sandbox waits unchanged.</p>
      <div class="row">
        ${following ? html`<button class="primary" type="button" @click=${() => this.open(following)}>Next: ${following.title}</button>` : nothing}
        <button type="button" @click=${() => this.shell.sandboxes.keepAs(lesson.title)}>Keep it as a sandbox</button>
        <button type="button" @click=${this.leave}>Choose another</button>
      </div>
    </article>`;
  }

  private drawn(part: Part) {
    switch (part.kind) {
      case "text":
        return html`<p>${spans(part.spans)}</p>`;
      case "list":
        return html`<ul class="points">${part.items.map((item) => html`<li>${spans(item)}</li>`)}</ul>`;
      case "block":
        return this.block(part.block);
    }
  }

  private block(block: Block) {
    return html`<figure>
      <pre tabindex="0" role="region" aria-label="Example">${block.source.map(line)}</pre>
      <button type="button" ?disabled=${this.playing} @click=${() => this.play(block, block.moves.length > 1 ? PACE_MS / 2 : 0)}>Run</button>
    </figure>`;
  }
}

function spaceOf(lesson: Lesson): string {
  return `lesson:${lesson.id}`;
}

function commands(block: Block) {
  return block.moves.flatMap((move) => (move.kind === "command" ? [{ client: move.client, line: move.line }] : []));
}

function spanText(ms: number): string {
  const [amount, unit] = ms % 60_000 === 0 ? [ms / 60_000, "minute"] : [ms / 1000, "second"];
  return `${amount} ${unit}${amount === 1 ? "" : "s"}`;
}

function spans(all: Span[]) {
  return all.map(({ kind, text }) => {
    switch (kind) {
      case "plain":
        return text;
      case "code":
        return html`<code>${text}</code>`;
      case "strong":
        return html`<b>${text}</b>`;
      case "emphasis":
        return html`<em>${text}</em>`;
    }
  });
}

function line(source: string) {
  const [, prompt, command] = /^(\d?> )(.+)$/.exec(source) ?? [];
  if (command) return html`<span class="command"><span class="prompt">${prompt}</span>${command}</span>\n`;
  return html`<span class=${source.startsWith("#") || source.startsWith("@") ? "aside" : "out"}>${source}</span>\n`;
}

customElements.define("rp-lessons", LessonPanel);
