import { readFile, rm } from "node:fs/promises";

import { endEngine } from "../engine/processes.ts";
import { writeWhole } from "../terminal/whole-file.ts";
import { Problem } from "../../toolchain/problem.ts";
import type { KnownMachine } from "./checkout.ts";
import type { Plan } from "./plan.ts";

/** The plan of a rebuild, and its progress. It holds no secret. */
export interface Entry {
  version: 1;
  stack: string;
  begun: string;
  plan: Plan;
  /** The machines of the stack file that the plan was made with. */
  machines?: KnownMachine[];
  /** Files that the rebuild was given. */
  escrow?: string;
  snapshot?: string;
  /** Names of those that a person takes although they are unsigned. */
  unsigned?: string[];
  /** Seconds that each completed phase took. */
  done: Record<string, number>;
  /** Machines of the plan that are lost because a person said so. */
  declared?: string[];
  /** Control planes whose data of Ceph may be wiped, because a person said so. */
  lostData?: string[];
  /** Whether this rebuild began etcd with the snapshot, or was about to on a machine that was proven to be empty. */
  recovery?: "begun" | "recovered";
  /** Machines whose etcd was wiped, or was about to be. */
  wiped?: string[];
  /** The engine's process, while one runs, and those of its plugins. */
  processes?: number[];
}

/** The file that lets an interrupted rebuild continue. */
export class Journal {
  /** Writes follow each other: they all go to the same file. */
  private written: Promise<void> = Promise.resolve();

  private constructor(
    readonly path: string,
    private entry: Entry | undefined,
  ) {}

  /** Reads a journal, if its rebuild is not finished. */
  static async open(path: string): Promise<Journal> {
    const text = await readFile(path, "utf8").catch(() => undefined);
    if (text === undefined) return new Journal(path, undefined);
    try {
      return new Journal(path, JSON.parse(text) as Entry);
    } catch {
      throw new Problem(`${path} is damaged: remove it, and the rebuild looks at everything anew`);
    }
  }

  /** The rebuild that is under way. */
  get current(): Entry | undefined {
    return this.entry;
  }

  async begin(entry: Entry): Promise<void> {
    this.entry = entry;
    await this.write();
  }

  async update(change: Partial<Entry>): Promise<void> {
    if (this.entry === undefined) return;
    this.entry = { ...this.entry, ...change };
    await this.write();
  }

  async finish(phase: string, seconds: number): Promise<void> {
    await this.update({ done: { ...this.entry?.done, [phase]: seconds } });
  }

  /** Notes a process that has to be ended before the rebuild continues, if this process is killed. */
  async note(pid: number): Promise<void> {
    await this.update({ processes: [...(this.entry?.processes ?? []), pid] });
  }

  /** Removes the journal: the rebuild has ended, or was given up. */
  async close(): Promise<void> {
    this.entry = undefined;
    await this.written;
    await rm(this.path, { force: true });
  }

  /**
   * Ends what was left behind where this was killed: the engine and its plugins. Whoever calls it has to be the only one that works by
   * this journal. The lock on the state is taken off by who needs it, where its owner is proven gone.
   */
  async endProcesses(): Promise<void> {
    const { processes = [] } = this.entry ?? {};
    if (processes.length === 0) return;
    for (const pid of processes) await endEngine(pid);
    await this.update({ processes: [] });
  }

  private write(): Promise<void> {
    this.written = this.written.then(() => this.writeNow());
    return this.written;
  }

  /** Writes the file whole or not at all, even in a power cut. */
  private async writeNow(): Promise<void> {
    if (this.entry === undefined) return;
    await writeWhole(this.path, `${JSON.stringify(this.entry, undefined, 2)}\n`);
  }
}
