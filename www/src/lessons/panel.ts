/** The panel of the lessons: the course, one lesson at a time in a keyspace of its own, and sample data. */

import { LitElement, html, nothing, type PropertyValues } from "lit";
import type { Lane } from "../host";
import type { Shell } from "../panels/index";
import type { Report } from "../protocol";
import { runUnseen } from "../transfer";
import { spanText } from "../panels/look";
import { datasets, loadDataset, type Dataset } from "../panels/samples";
import { course } from "./course";
import { Judge } from "./judge";
import type { Block, Lesson, LessonStep, Part, Span } from "./parse";
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
    lacking: { state: true },
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
  /** What to say to one who has tried and is not done. */
  declare private lacking: Span[] | null;
  declare private playing: boolean;
  declare private progress: Record<string, Progress>;
  /** The latest word on sample data. */
  declare private told: string;
  private judge = new Judge([]);
  /** The solution is shown, so the focus goes on to the next step. */
  private solving = false;
  /** An example runs: what it does, the learner has not done. */
  private showing = false;
  private checking = false;
  private again = false;
  /** Counts what was opened, so that what was begun before knows that it is over. */
  private opened = 0;

  constructor() {
    super();
    this.shown = false;
    this.lesson = null;
    this.at = 0;
    this.hints = 0;
    this.solved = false;
    this.lacking = null;
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
    // Between the prompt and the lesson, which lie far apart for one who has no mouse.
    this.shell.place.addEventListener("keydown", (event) => this.pressedAnywhere(event as KeyboardEvent));
    this.shell.sandboxes.addEventListener("change", () => {
      if (this.lesson && this.shell.space !== spaceOf(this.lesson)) this.close();
    });
  }

  /** Who opens the panel by keyboard wants to go into it, and it stands before the button. */
  protected override updated(changes: PropertyValues): void {
    if (!changes.has("shown") || !this.shown) return;
    let active = document.activeElement;
    while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
    if (active?.matches("[data-panel]:focus-visible")) this.toLesson();
  }

  private pressedAnywhere(event: KeyboardEvent): void {
    if (!this.shown || event.code !== "KeyL" || !event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    if (this.matches(":focus-within")) this.toPrompt();
    else this.toLesson();
  }

  private toPrompt(): void {
    this.shell.place.querySelector<HTMLElement>(".lane.active repl-terminal")?.focus();
  }

  /** To what comes next, to where the step begins, or to the first lesson that is not finished. */
  private toLesson(): void {
    for (const goal of [".done button", "#step", ".card:not(.finished)", ".card"]) {
      const element = this.renderRoot.querySelector<HTMLElement>(goal);
      if (element) return element.focus();
    }
  }

  /** What is typed while nothing that takes keys has the focus is meant for the prompt. */
  private pressed(event: KeyboardEvent): void {
    const { key, altKey, ctrlKey, metaKey, target } = event;
    if (key.length === 1 && key !== " " && !altKey && !ctrlKey && !metaKey && (target as Element).id === "step") this.toPrompt();
  }

  // ---- A lesson

  /** Opens a lesson afresh at a step, with all before it done. */
  private async open(lesson: Lesson, at = 0, because = ""): Promise<void> {
    const opened = ++this.opened;
    this.lesson = lesson;
    this.begin(at);
    this.playing = true;
    this.showing = false;
    this.judge = new Judge([]);
    this.shell.sandboxes.visit(spaceOf(lesson), 1);
    await this.updateComplete;
    const data = datasets.find(({ id }) => id === lesson.data);
    if (data) await runUnseen(this.shell.host, spaceOf(lesson), data.lines);
    const before = lesson.steps.slice(0, at).flatMap(({ solution }) => (solution ? commands(solution) : []));
    if (before.length > 0) await this.shell.play(before, 0, false);
    if (opened !== this.opened || !this.lesson) return;
    this.playing = false;
    this.goTo(at);
    this.shell.notice(because || `${lesson.title}: a keyspace of its own. Your sandbox is untouched.`);
  }

  private begin(at: number): void {
    this.at = at;
    this.hints = 0;
    this.solved = this.solving = false;
    this.lacking = null;
  }

  private goTo(at: number): void {
    const { lesson } = this;
    if (!lesson) return;
    this.begin(at);
    this.judge = new Judge(lesson.steps[at]?.checks ?? []);
    const { done = [] } = this.progress[lesson.id] ?? {};
    const reading = at < lesson.steps.length && lesson.steps[at]!.task === null;
    this.note({ at: Math.min(at, lesson.steps.length), done: reading ? [...new Set([...done, at])] : done });
    void this.updateComplete.then(() => {
      this.scrollTop = 0;
      this.renderRoot.querySelector<HTMLElement>("#step")?.focus({ preventScroll: true });
    });
    void this.check();
  }

  /** What was not done is done for the learner, since later steps build on it. */
  private skip(): void {
    const { lesson, at } = this;
    if (!lesson) return;
    if (at + 1 < lesson.steps.length) return void this.open(lesson, at + 1, `Skipped: steps 1 to ${at + 1} were done for you.`);
    // Whatever is played still is of no use.
    this.opened++;
    this.playing = this.showing = false;
    this.goTo(at + 1);
  }

  private startStep(): void {
    if (this.lesson) void this.open(this.lesson, this.at, this.at === 0 ? "" : "This step begins afresh, with the steps before it done.");
  }

  private close(): void {
    this.opened++;
    this.playing = this.showing = false;
    this.lesson = null;
  }

  private leave(): void {
    this.close();
    this.shell.sandboxes.home();
    void this.updateComplete.then(() => this.toLesson());
  }

  private note(progress: Progress): void {
    this.progress = { ...this.progress, [this.lesson!.id]: progress };
    writeProgress(this.progress);
  }

  private get step(): LessonStep | null {
    return this.lesson?.steps[this.at] ?? null;
  }

  /** Runs an example. With a mouse, the prompt has the focus then. */
  private async example(block: Block, focus: boolean): Promise<void> {
    if (this.playing) return;
    this.playing = this.showing = true;
    if (!(await this.act(block, block.moves.length > 1 ? PACE_MS / 2 : 0, focus))) return;
    this.playing = this.showing = false;
    void this.check();
  }

  /** Types the solution. Where what was tried before comes in its way, the step begins afresh. */
  private async solve(step: LessonStep): Promise<void> {
    if (this.playing) return;
    this.playing = this.solving = true;
    if (!(await this.act(step.solution!, PACE_MS, false))) return;
    if (await this.lacks()) {
      await this.open(this.lesson!, this.at, "What was there came in the way of the solution, so the step begins afresh.");
      if (this.step !== step) return;
      this.playing = this.solving = true;
      if (!(await this.act(step.solution!, PACE_MS, false))) return;
    }
    this.playing = false;
    void this.check();
  }

  /**
   * Runs the commands of a transcript, and tells whether it came to their end. Where its clock moves, that of the lesson
   * does, and stands still otherwise until the end.
   */
  private async act(block: Block, pace: number, focus: boolean): Promise<boolean> {
    const { shell, opened } = this;
    const { host, space } = shell;
    const { paused, rate } = host.clockOf(space) ?? { paused: false, rate: 1 };
    const skips = block.moves.some(({ kind }) => kind === "clock");
    if (skips) host.setClock(space, true, rate);
    for (const move of block.moves) {
      if (pace > 0) await new Promise((resolve) => setTimeout(resolve, pace));
      if (this.opened !== opened) return false;
      if (move.kind === "command") {
        await shell.play([move], 0, focus);
      } else {
        shell.notice(`${spanText(move.ms)} later`);
        host.pass(space, move.ms);
        await host.sync();
      }
    }
    if (this.opened !== opened) return false;
    if (skips) host.setClock(space, paused, rate);
    return true;
  }

  // ---- Checking

  private hear(lane: Lane, report: Report): void {
    if (!this.lesson || this.showing || lane.space !== spaceOf(this.lesson)) return;
    if (report.t === "echo") this.judge.typed(lane, report.line);
    else if (report.t === "print") this.judge.answered(lane, report.blocks.map(({ text }) => text).join(""));
  }

  /** Looks whether the step is done; asks the engine once at a time. */
  private async check(): Promise<void> {
    const { step, judge, lesson } = this;
    if (!lesson || !step?.task || this.solved || (this.playing && !judge.tried)) return;
    if (this.checking) {
      this.again = true;
      return;
    }
    this.checking = true;
    try {
      const lacking = await this.lacks();
      if (this.judge === judge && !this.solved) {
        if (!lacking) this.finish(step);
        else if (judge.tried && !this.playing) this.tell(lacking);
      }
    } finally {
      this.checking = false;
    }
    if (this.again) {
      this.again = false;
      void this.check();
    }
  }

  private tell(lacking: Span[]): void {
    if (JSON.stringify(lacking) === JSON.stringify(this.lacking)) return;
    this.lacking = lacking;
    void this.updateComplete.then(() => this.renderRoot.querySelector(".lacking")?.scrollIntoView({ block: "nearest" }));
  }

  /** The first thing that the step still wants, or nothing. */
  private async lacks(): Promise<Span[] | null> {
    const { judge, lesson } = this;
    const { questions } = judge;
    const answers = lesson && questions.length > 0 ? await this.shell.host.probe(spaceOf(lesson), questions) : [];
    return judge.missing(answers)[0] ?? null;
  }

  private finish(step: LessonStep): void {
    this.solved = true;
    this.lacking = null;
    const at = this.lesson!.steps.indexOf(step);
    const { done = [] } = this.progress[this.lesson!.id] ?? {};
    this.note({ at: at + 1, done: [...new Set([...done, at])] });
    void this.updateComplete.then(() => {
      this.renderRoot.querySelector(".done")?.scrollIntoView({ block: "nearest" });
      if (this.solving) this.toLesson();
    });
  }

  // ---- Sample data

  private async load(data: Dataset): Promise<void> {
    this.told = `Loading ${data.title}…`;
    this.told = await loadDataset(this.shell, data);
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
    // At the end with steps left out, those are what is left.
    const next = at < lesson.steps.length ? at : lesson.steps.findIndex((_, step) => !done.includes(step));
    return html`<li>
      <button type="button" class="card ${finished ? "finished" : ""}" @click=${() => this.open(lesson, begun ? next : 0)}>
        <span class="number" aria-hidden="true">${finished ? "✓" : index + 1}</span>
        <span>
          <b>${lesson.title}</b>
          <small class="state">${finished ? "Finished" : begun ? `Go on at step ${next + 1} of ${lesson.steps.length}` : `${lesson.minutes} min`}</small>
          <small class="summary">${lesson.summary}</small>
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
      <div class="title">
        <h2>${lesson.title}</h2>
        <ol class="dots" aria-label="Steps" @keydown=${this.walked}>
          ${lesson.steps.map(
            ({ title }, index) => html`<li>
              <button
                type="button"
                title=${title}
                tabindex=${index === this.at || (index === 0 && !step) ? 0 : -1}
                aria-label="Step ${index + 1}: ${title}${done.includes(index) ? ", done" : ""}"
                aria-current=${index === this.at ? "step" : nothing}
                class=${done.includes(index) ? "finished" : ""}
                @click=${() => this.jump(index)}
              ></button>
            </li>`,
          )}
        </ol>
      </div>
      ${step ? this.oneStep(lesson, step) : this.end(lesson)}`;
  }

  /** Arrows go from dot to dot, so that Tab passes them at once. */
  private walked(event: KeyboardEvent): void {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const dots = [...(event.currentTarget as HTMLElement).querySelectorAll("button")];
    dots.at((dots.indexOf(event.target as HTMLButtonElement) + by) % dots.length)?.focus();
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
    return html`<article @keydown=${this.pressed}>
      ${this.at === 0 ? lesson.intro.map((part) => this.drawn(part)) : nothing}
      <h3 id="step" tabindex="-1"><span class="visually-hidden">Step ${this.at + 1} of ${lesson.steps.length}: </span>${step.title}</h3>
      ${step.body.map((part) => this.drawn(part))}
      ${step.task ? this.task(step) : html`<div class="row">${next}</div>`}
      <div aria-live="polite">${step.task && this.solved ? html`<p class="done"><span>Well done.</span> ${next}</p>` : nothing}</div>
      <p class="keys"><kbd>Alt</kbd> <kbd>L</kbd> goes to the prompt and back here.</p>
    </article>`;
  }

  private task(step: LessonStep) {
    const { solved } = this;
    const hinted = step.hints.slice(0, this.hints);
    return html`<section class="task ${solved ? "solved" : ""}" aria-label="Task">
      <p><b class="label">${solved ? "✓ Done" : "Your turn"}</b> ${this.spans(step.task!)}</p>
      <div aria-live="polite">
        ${hinted.map((hint) => html`<p class="hint"><b>Hint.</b> ${this.spans(hint)}</p>`)}
        ${this.lacking && !solved ? html`<p class="lacking"><b>Not yet.</b> ${this.spans(this.lacking)}</p>` : nothing}
      </div>
      ${solved
        ? nothing
        : html`<div class="row">
            ${this.hints < step.hints.length
              ? html`<button type="button" @click=${this.hint}>Hint${step.hints.length > 1 ? ` ${this.hints + 1} of ${step.hints.length}` : ""}</button>`
              : nothing}
            <button class="solve" type="button" aria-disabled=${this.playing} @click=${() => this.solve(step)}>Show me</button>
            <button type="button" @click=${this.skip}>Skip</button>
            ${this.lacking ? html`<button type="button" @click=${this.startStep}>Start this step over</button>` : nothing}
          </div>`}
    </section>`;
  }

  private hint(): void {
    this.hints++;
    // The button goes with the last hint, and would take the focus along.
    if (this.hints === this.step!.hints.length) this.renderRoot.querySelector<HTMLElement>(".solve")?.focus({ preventScroll: true });
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
        return html`<p>${this.spans(part.spans)}</p>`;
      case "list":
        return html`<ul class="points">${part.items.map((item) => html`<li>${this.spans(item)}</li>`)}</ul>`;
      case "block":
        return this.block(part.block);
    }
  }

  private block(block: Block) {
    // Where there is one client, nobody need ask who speaks.
    const several = block.moves.some((move) => move.kind === "command" && move.client > 1);
    return html`<figure>
      <pre tabindex="0" role="region" aria-label="Example">${block.source.map((source) => this.line(source, several))}</pre>
      <button type="button" aria-disabled=${this.playing} @click=${(event: MouseEvent) => this.example(block, event.detail > 0)}>Run</button>
    </figure>`;
  }

  private line(source: string, several: boolean) {
    const [, client, sign, text] = /^(\d?)([>:]) (.+)$/.exec(source) ?? [];
    const who = several && sign ? `${this.nameOf(Number(client) || 1)}${sign} ` : `${sign} `;
    if (sign === ">") return html`<span class="command"><span class="prompt">${who}</span>${text}</span>\n`;
    if (sign && client) return html`<span class="out"><span class="prompt">${who}</span>${text}</span>\n`;
    return html`<span class=${source.startsWith("#") || source.startsWith("@") ? "aside" : "out"}>${source}</span>\n`;
  }

  /** Lessons number clients; on the page they have names. */
  private nameOf(client: number): string {
    return this.shell.clients[client - 1] ?? `Client ${String.fromCharCode(64 + client)}`;
  }

  private spans(all: Span[]) {
    return all.map(({ kind, text }) => {
      switch (kind) {
        case "plain":
          return text.replace(/\bclient (\d)\b/gi, (_, client) => this.nameOf(Number(client)));
        case "code":
          return html`<code>${text}</code>`;
        case "strong":
          return html`<b>${text}</b>`;
        case "emphasis":
          return html`<em>${text}</em>`;
      }
    });
  }
}

function spaceOf(lesson: Lesson): string {
  return `lesson:${lesson.id}`;
}

function commands(block: Block) {
  return block.moves.flatMap((move) => (move.kind === "command" ? [{ client: move.client, line: move.line }] : []));
}

customElements.define("rp-lessons", LessonPanel);
