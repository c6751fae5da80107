import { join } from "node:path";

import { signedAs, type Signers } from "../../components/secrets/signing.ts";
import { digestOf, signatureOf } from "../../components/secrets/sshsig.ts";
import type { Target } from "../../lib/engine/target.ts";
import { labFolder } from "../../lib/engine/lab-folder.ts";
import { recipientsFor } from "../../lib/secrets/recipients.ts";
import { messageOf, Problem } from "../../toolchain/problem.ts";
import { copySigned, folderDestination, destinationsOf, type Copied, type Destination } from "../destinations/index.ts";
import {
  backupProof,
  extension,
  nameOf,
  signatureEnd,
  timeOf,
  type Kind,
  type Proof,
} from "../../lib/secrets/proof.ts";
import { seal } from "./sealed.ts";

/** A stored backup whose signature is that of its signer. */
export interface Backup {
  /** File name, which begins with the time of the backup. */
  name: string;
  /** When it was taken, in UTC. */
  at: Date;
  /** The destinations that have it. */
  destinations: Destination[];
}

/** A backup that was read and has proven itself, or that a person named although it is unsigned. */
export interface Chosen {
  name: string;
  /** Its content, encrypted. */
  sealed: Uint8Array;
  /** What was refused or could not be read on the way, a line each. */
  skipped: string[];
}

/** A file in a destination that has the name of a backup. */
interface Candidate {
  name: string;
  at: Date;
  destination: Destination;
  isSigned: boolean;
}

export interface BackupsArgs {
  kind: Kind;
  stack: string;
  destinations: Destination[];
  /** Age recipients. */
  recipients: string[];
  /** Signers that the configuration names. */
  signers: Signers | undefined;
}

/** The backups of a stack, in the folder `backups` and in every destination that takes them. */
export class Backups {
  constructor(private readonly args: BackupsArgs) {}

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
    return new Backups({ kind, stack: target.stack, destinations, recipients, signers: config.escrow?.signers });
  }

  /**
   * Encrypts a backup, signs it, and stores it in every destination.
   *
   * @param own recipients besides the escrow's: the stack's own, whose identity the escrow holds
   * @param key that signs it, in PEM; undefined leaves it unsigned
   */
  async add(
    content: Uint8Array,
    { own, key, now = new Date() }: { own: string[]; key: string | undefined; now?: Date },
  ): Promise<{ name: string; copies: Copied[] }> {
    const { kind, stack, destinations } = this.args;
    const name = nameOf(kind, now);
    const sealed = await seal(content, [...new Set([...this.args.recipients, ...own])]);
    const signature = key === undefined ? undefined : signatureOf(sealed, key, signedAs(stack, kind, name));
    return { name, copies: await copySigned(destinations, this.path(name), { content: sealed, signature }) };
  }

  /**
   * Lists the backups that are signed by their signer, newest first. Problems name all others, and destinations that do not answer.
   * Unsigned ones that are older than all signed ones are no problem: a release that signed nothing left them.
   */
  async list(now = new Date()): Promise<{ backups: Backup[]; problems: string[]; unsigned: string[] }> {
    const { candidates, problems } = await this.candidates();
    const found = new Map<string, Backup>();
    const without: (Candidate & { problem: string })[] = [];
    const proofs = await Promise.all(candidates.map((candidate) => this.proof(candidate, now)));
    for (const [index, candidate] of candidates.entries()) {
      const { name, at, destination } = candidate;
      const proof = proofs[index];
      if (proof === undefined || "problem" in proof) {
        if (proof !== undefined && "isUnsigned" in proof) without.push({ ...candidate, problem: proof.problem });
        else problems.push(this.refusal(name, destination, proof?.problem ?? ""));
        continue;
      }
      const backup = found.get(name) ?? { name, at, destinations: [] };
      found.set(name, { ...backup, destinations: [...backup.destinations, destination] });
    }
    const backups = [...found.values()];
    const first = backups.at(-1)?.at.getTime() ?? -Infinity;
    const unsigned: string[] = [];
    for (const { name, at, destination, problem } of without) {
      (at.getTime() < first ? unsigned : problems).push(this.refusal(name, destination, problem));
    }
    return { backups, problems, unsigned };
  }

  /**
   * Reads a backup and proves that its signer wrote it, as this backup of this stack.
   *
   * @param name of the backup; defaults to the newest that proves itself
   * @param unsigned name of a backup that a person takes although it is unsigned
   * @throws Problem if none proves itself
   */
  async choose(name?: string, { unsigned, now = new Date() }: { unsigned?: string; now?: Date } = {}): Promise<Chosen> {
    const { candidates, problems: skipped } = await this.candidates();
    const { kind, stack } = this.args;
    let isOneUnsigned = false;
    for (const candidate of candidates.filter((each) => name === undefined || each.name === name)) {
      const proof = await this.proof(candidate, now);
      const isTaken = "digest" in proof || (proof.isUnsigned === true && candidate.name === unsigned);
      const read = isTaken ? await this.read(candidate, "digest" in proof ? proof.digest : undefined) : proof;
      if (read instanceof Uint8Array) return { name: candidate.name, sealed: read, skipped };
      skipped.push(this.refusal(candidate.name, candidate.destination, read.problem));
      isOneUnsigned ||= "isUnsigned" in proof;
    }
    const isThere = name === undefined ? candidates.length > 0 : candidates.some((each) => each.name === name);
    const newest = candidates[0] === undefined ? "there is none" : `the newest is ${candidates[0].name}`;
    throw new Problem(
      [
        isThere
          ? `No ${kind} backup ${name ?? ""} of ${stack} proves who wrote it:`.replace("  ", " ")
          : `There is no ${kind} backup ${name ?? ""} of ${stack}: ${newest}`.replace("  ", " "),
        ...skipped,
        ...(isOneUnsigned ? ["To take one that is unsigned, name it: --unsigned NAME"] : []),
      ].join("\n"),
    );
  }

  /** The files in all destinations that have the name of a backup, newest first. */
  private async candidates(): Promise<{ candidates: Candidate[]; problems: string[] }> {
    const problems: string[] = [];
    const lists = await Promise.all(
      this.args.destinations.map(async (destination) => {
        const names = await destination.list(this.folder).catch((error: unknown) => {
          problems.push(messageOf(error));
          return [];
        });
        const all = new Set(names);
        return names.flatMap((name): Candidate[] => {
          const at = timeOf(name, extension[this.args.kind]);
          return at ? [{ name, at, destination, isSigned: all.has(name + signatureEnd) }] : [];
        });
      }),
    );
    return { candidates: lists.flat().sort((a, b) => b.at.getTime() - a.at.getTime()), problems };
  }

  private async proof({ name, destination, isSigned }: Candidate, now: Date): Promise<Proof> {
    try {
      const signature = isSigned ? await destination.read(this.path(name) + signatureEnd) : undefined;
      const text = signature && Buffer.from(signature).toString();
      return backupProof({ name, signature: text }, { ...this.args, now });
    } catch (error) {
      return { problem: messageOf(error) };
    }
  }

  private async read(
    { name, destination }: Candidate,
    digest: string | undefined,
  ): Promise<Uint8Array | { problem: string }> {
    try {
      const sealed = await destination.read(this.path(name));
      if (!sealed) return { problem: "is gone" };
      if (digest === undefined || digestOf(sealed) === digest) return sealed;
      return { problem: "is not what was signed: it was changed, or is not whole" };
    } catch (error) {
      return { problem: messageOf(error) };
    }
  }

  private refusal(name: string, destination: Destination, problem: string): string {
    return `${name} in ${destination.name} ${problem}`;
  }

  private get folder(): string {
    return `${this.args.stack}/${this.args.kind}`;
  }

  private path(name: string): string {
    return `${this.folder}/${name}`;
  }
}
