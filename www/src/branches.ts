/**
 * The branches of a sandbox's session: its own journal is the one gone on with, the others stand beside it on its shelf.
 * Where nothing can be kept they last as long as the page. It must not know what a journal says.
 */

import type { Host } from "./host";
import type { Sandboxes } from "./sandboxes";
import type { Shelf } from "./shelf";

export interface Branch {
  name: string;
  /** The branch it comes from, and the moment at which it left that. */
  from: string | null;
  moment: number;
  /** The time at which it was left; nothing of the one gone on with. */
  left: number | null;
}

/** On the shelf, what is known of the branch gone on with; no branch can have this name. */
const HERE = "";
const FIRST: Branch = { name: "the first line", from: null, moment: 0, left: null };

type Note = { branch: Branch };

export class Branches {
  here = FIRST;
  others: Branch[] = [];
  private shelf: Shelf | null = null;
  /** What could not be put on the shelf, and what was taken from it last. */
  private readonly held = new Map<string, Uint8Array>();

  constructor(
    private readonly host: Host,
    private readonly space: string,
  ) {}

  /** Those of the sandbox that is open. */
  async open(sandboxes: Sandboxes): Promise<void> {
    this.shelf = await sandboxes.shelf().catch(() => null);
    for (const { name, note } of (await this.shelf?.list().catch(() => [])) ?? []) {
      const branch = (note as Note | null)?.branch;
      if (!branch) continue;
      if (name === HERE) this.here = branch;
      else this.others.push(branch);
    }
  }

  /** Goes on from a moment of this branch under a name of its own; what was gone on with until now stays. */
  async begin(moment: number): Promise<void> {
    const from = await this.leave();
    this.here = { name: this.free("branch"), from, moment, left: null };
    this.host.branch(this.space, moment);
    await this.tellHere();
  }

  async goTo(branch: Branch): Promise<boolean> {
    const journal = await this.read(branch);
    if (!journal) return false;
    await this.leave();
    this.others = this.others.filter((other) => other !== branch);
    this.here = { ...branch, left: null };
    this.host.restore(this.space, journal, branch.left ?? Date.now());
    await this.tellHere();
    // Only once it is written where it belongs now.
    await this.host.sync();
    await this.take(branch);
    return true;
  }

  async read({ name }: Branch): Promise<Uint8Array | null> {
    return this.held.get(name) ?? (await this.shelf?.read(name).catch(() => null)) ?? null;
  }

  /** False where another one has the name. */
  async rename(branch: Branch, to: string): Promise<boolean> {
    const { name } = branch;
    if (to === HERE || this.all.some((other) => other !== branch && other.name === to)) return false;
    const renamed = { ...branch, name: to };
    if (branch === this.here) this.here = renamed;
    else {
      this.others = this.others.map((other) => (other === branch ? renamed : other));
      const bytes = this.held.get(name);
      if (bytes) this.held.set(to, bytes);
      this.held.delete(name);
      await this.shelf?.change(name, { name: to, note: { branch: renamed } satisfies Note }).catch(() => {});
    }
    await this.adopt(name, to, 0);
    await this.tellHere();
    return true;
  }

  /** Answers how to bring it back. */
  async remove(branch: Branch): Promise<() => Promise<void>> {
    const journal = await this.read(branch);
    await this.take(branch);
    this.held.delete(branch.name);
    await this.adopt(branch.name, branch.from, branch.moment);
    return async () => {
      if (journal) await this.put({ ...branch, name: this.free(branch.name) }, journal);
    };
  }

  /** All of them, each behind the one it comes from, with how deep it stands. */
  get tree(): { branch: Branch; depth: number }[] {
    const { all } = this;
    const names = new Set(all.map(({ name }) => name));
    const rows: { branch: Branch; depth: number }[] = [];
    const add = (from: string | null, depth: number): void => {
      for (const branch of all) {
        const parent = branch.from !== null && names.has(branch.from) ? branch.from : null;
        if (parent !== from || rows.some((row) => row.branch === branch)) continue;
        rows.push({ branch, depth });
        add(branch.name, depth + 1);
      }
    };
    add(null, 0);
    for (const branch of all) if (!rows.some((row) => row.branch === branch)) rows.push({ branch, depth: 0 });
    return rows;
  }

  private get all(): Branch[] {
    return [...this.others, this.here].sort((a, b) => a.moment - b.moment);
  }

  /** A name that none has. */
  private free(wanted: string): string {
    const names = new Set(this.all.map(({ name }) => name));
    for (let number = 1; ; number++) {
      const name = wanted === "branch" ? `branch ${number}` : number === 1 ? wanted : `${wanted} ${number}`;
      if (!names.has(name)) return name;
    }
  }

  /** Puts what is gone on with beside the others. */
  private async leave(): Promise<string> {
    await this.host.sync();
    const left = { ...this.here, left: this.host.timeIn(this.space) };
    await this.put(left, this.host.journal(this.space).slice());
    return left.name;
  }

  private async put(branch: Branch, journal: Uint8Array): Promise<void> {
    this.others = [...this.others, branch];
    try {
      if (!this.shelf) throw new Error("there is no shelf");
      await this.shelf.put(branch.name, journal, { branch } satisfies Note);
    } catch {
      this.held.set(branch.name, journal);
    }
  }

  private async take(branch: Branch): Promise<void> {
    this.others = this.others.filter(({ name }) => name !== branch.name);
    this.held.delete(branch.name);
    await this.shelf?.remove(branch.name).catch(() => {});
  }

  /** Branches of one that went, or has another name, come from another. */
  private async adopt(from: string, to: string | null, moment: number): Promise<void> {
    const changed = (branch: Branch): Branch => (branch.from === from ? { ...branch, from: to, moment: moment || branch.moment } : branch);
    const before = this.others;
    this.others = before.map(changed);
    for (const [at, branch] of this.others.entries()) {
      if (branch !== before[at]) await this.shelf?.change(branch.name, { note: { branch } satisfies Note }).catch(() => {});
    }
    if (this.here.from === from) this.here = changed(this.here);
  }

  private async tellHere(): Promise<void> {
    await this.shelf?.put(HERE, new Uint8Array(), { branch: this.here } satisfies Note).catch(() => {});
  }
}
