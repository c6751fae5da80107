import { join } from "node:path";

import { labFolder } from "../../lib/engine/lab-folder.ts";
import { Problem } from "../../toolchain/problem.ts";
import { recipientsFor } from "../../lib/secrets/recipients.ts";
import { copyTo, folderDestination, destinationsOf, type Copied, type Destination } from "../destinations/index.ts";
import type { Target } from "../../lib/engine/target.ts";
import { seal, unseal } from "./sealed.ts";

/** What is backed up. */
export type Kind = "state" | "etcd";

const extension: Record<Kind, string> = { state: ".json.age", etcd: ".db.age" };

/** How far the clock of the machine that took a backup may be ahead of this machine's, in milliseconds. */
const clockSkew = 10 * 60_000;

/** A stored backup. */
export interface Backup {
  /** File name, which begins with the time of the backup. */
  name: string;
  /** When it was taken, in UTC. */
  at: Date;
  /** The destinations that have it. */
  destinations: Destination[];
}

/** The backups of a stack, in the folder `backups` and in every destination that takes them. */
export class Backups {
  constructor(
    private readonly kind: Kind,
    private readonly stack: string,
    private readonly destinations: Destination[],
    private readonly recipients: string[],
  ) {}

  static async of(target: Target, kind: Kind): Promise<Backups> {
    const config = await target.config();
    const { age: recipients } = recipientsFor(target, config);
    const folder = target.isLab
      ? join(labFolder(target.root, target.stack).path, "backups")
      : join(target.root, "backups");
    const destinations = [
      folderDestination(folder),
      ...destinationsOf(config, target.root).filter(({ takesBackups }) => takesBackups),
    ];
    return new Backups(kind, target.stack, destinations, recipients);
  }

  /**
   * Encrypts a backup and stores it in every destination.
   *
   * @param own recipients besides the escrow's: the stack's own, whose identity the escrow holds
   */
  async add(content: Uint8Array, own: string[], now = new Date()): Promise<{ name: string; copies: Copied[] }> {
    const recipients = [...new Set([...this.recipients, ...own])];
    const name =
      now
        .toISOString()
        .replace(/\.\d+Z$/, "Z")
        .replaceAll(":", "-") + extension[this.kind];
    return { name, copies: await copyTo(this.destinations, this.path(name), await seal(content, recipients)) };
  }

  /** Lists backups, newest first. Problems name destinations that do not answer, and files dated in the future. */
  async list(now = new Date()): Promise<{ backups: Backup[]; problems: string[] }> {
    const found = new Map<string, Backup>();
    const problems: string[] = [];
    for (const destination of this.destinations) {
      const names = await destination.list(this.folder).catch((error: unknown) => {
        problems.push(error instanceof Error ? error.message : String(error));
        return [];
      });
      for (const name of names) {
        const at = timeOf(name, extension[this.kind]);
        if (!at) continue;
        if (at.getTime() > now.getTime() + clockSkew) {
          problems.push(
            `${name} in ${destination.name} is dated in the future, and is no backup that Hearth takes: remove it`,
          );
          continue;
        }
        const backup = found.get(name) ?? { name, at, destinations: [] };
        found.set(name, { ...backup, destinations: [...backup.destinations, destination] });
      }
    }
    return { backups: [...found.values()].sort((a, b) => b.at.getTime() - a.at.getTime()), problems };
  }

  /** Finds a backup by its name; the newest by default. */
  async choose(name?: string): Promise<Backup> {
    const { backups, problems } = await this.list();
    const chosen = name === undefined ? backups[0] : backups.find((backup) => backup.name === name);
    if (chosen) return chosen;
    const known = backups.length === 0 ? "there is none" : `the newest is ${backups[0]?.name ?? ""}`;
    throw new Problem(
      [
        `There is no ${this.kind} backup ${name ?? ""} of ${this.stack}`.replace("  ", " ") + `: ${known}`,
        ...problems,
      ].join("\n"),
    );
  }

  /** Opens a backup from the first destination that has it intact. */
  async open({ name, destinations }: Backup, identities: readonly string[]): Promise<Uint8Array> {
    const problems: Error[] = [];
    for (const destination of destinations) {
      try {
        const sealed = await destination.read(this.path(name));
        if (sealed) return await unseal(sealed, identities, `${name} in ${destination.name}`);
      } catch (error) {
        problems.push(error instanceof Error ? error : new Error(String(error)));
      }
    }
    throw problems[0] ?? new Problem(`${name} is gone`);
  }

  private get folder(): string {
    return `${this.stack}/${this.kind}`;
  }

  private path(name: string): string {
    return `${this.folder}/${name}`;
  }
}

const timeOf = (name: string, end: string): Date | undefined => {
  const [, day, time] = /^(\d{4}-\d\d-\d\d)T(\d\d-\d\d-\d\dZ)/.exec(name) ?? [];
  return day !== undefined && time !== undefined && name.endsWith(end)
    ? new Date(`${day}T${time.replaceAll("-", ":")}`)
    : undefined;
};
