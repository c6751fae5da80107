import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { mkdir, readdir, readFile, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";

import { writeWhole } from "../terminal/whole-file.ts";

/** What a program is asked, with all that decides its answer. */
export interface Question {
  program: string;
  subcommand: string;
  request: unknown;
  /** What the program reads besides the request: the file or folder, by the path of it that the request names. */
  reads: Readonly<Record<string, string>>;
}

/**
 * A folder of a program's answers by the content of everything that it read: the program itself, the request, and the files that the request
 * names. Where such a file is makes no difference, so the same tree in another folder has the same answer.
 *
 * Failures are not kept, nor answers about files that cannot be read as they are: a link leads out of the folder that was read.
 */
export class Answers {
  private readonly programs = new Map<string, string>();

  /**
   * @param most answers that the folder holds; those that nobody asked for longest make way
   */
  constructor(
    private readonly folder: string,
    private readonly most = 1_500,
  ) {}

  /** Returns the answer that is kept, or what `ask` returns. */
  async of(question: Question, ask: () => Promise<string>): Promise<string> {
    const key = this.keyOf(question);
    if (key === undefined) return ask();
    const file = join(this.folder, key);
    const kept = await readFile(file, "utf8").catch(() => undefined);
    if (kept !== undefined) {
      const now = new Date();
      await utimes(file, now, now).catch(() => undefined);
      return kept;
    }
    const answer = await ask();
    const namesPlaces = Object.entries(question.reads)
      .flat()
      .some((path) => answer.includes(path));
    // A file may have changed while the program read it.
    if (!namesPlaces && this.keyOf(question) === key) await this.keep(file, answer);
    return answer;
  }

  private async keep(file: string, answer: string): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await writeWhole(file, answer);
    const files = (await readdir(this.folder)).map((name) => join(this.folder, name));
    if (files.length <= this.most) return;
    const used = files.map(async (each) => ({
      each,
      at: await stat(each).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    }));
    const oldest = (await Promise.all(used)).sort((a, b) => a.at - b.at).slice(0, Math.ceil(this.most / 10));
    await Promise.all(oldest.map(({ each }) => rm(each, { force: true })));
  }

  private keyOf({ program, subcommand, request, reads }: Question): string | undefined {
    try {
      const contents = Object.fromEntries(Object.entries(reads).map(([named, path]) => [named, contentOf(path)]));
      // In the request, a path stands for what is there.
      const text = JSON.stringify(request, (_, value: unknown) =>
        typeof value === "string" && Object.hasOwn(contents, value) ? { content: contents[value] } : value,
      );
      return hashOf(this.digestOf(program), subcommand, text);
    } catch {
      return undefined;
    }
  }

  /** A program is large, so it is read again only when it was replaced. */
  private digestOf(program: string): string {
    const { size, mtimeMs, ctimeMs, ino } = statSync(program);
    const state = [program, size, mtimeMs, ctimeMs, ino].join(" ");
    const digest = this.programs.get(state) ?? contentOf(program);
    this.programs.set(state, digest);
    return digest;
  }
}

const hashOf = (...parts: readonly (string | Uint8Array)[]): string => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${Buffer.byteLength(part).toString()}:`).update(part);
  return hash.digest("hex");
};

/** The digest of a file, or of a folder's files with their names. @throws Error where there is anything else, such as a link */
const contentOf = (path: string): string => {
  if (statSync(path).isFile()) return hashOf("file", readFileSync(path));
  const entries = readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  const contents = entries.flatMap((entry) => {
    if (!entry.isFile() && !entry.isDirectory()) throw new Error(`${entry.name} is neither a file nor a folder`);
    return [entry.name, contentOf(join(path, entry.name))];
  });
  return hashOf("folder", ...contents);
};
