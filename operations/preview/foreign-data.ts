import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";

import { writeWhole } from "../../lib/terminal/whole-file.ts";
import { withLock } from "../../toolchain/lock.ts";
import { codeOf, Problem } from "../../toolchain/problem.ts";
import type { Git } from "./git.ts";

/** What a preview notes before it puts data of another commit into the checkout. */
interface Marker {
  commit: string;
  /** The files that may be the commit's. */
  paths: string[];
}

const markerOf = (root: string): string => join(root, ".hearth", "preview-data.json");

const read = async (root: string): Promise<Marker | undefined> => {
  const text = await readFile(markerOf(root), "utf8").catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  });
  return text === undefined ? undefined : (JSON.parse(text) as Marker);
};

/**
 * Requires that the checkout's stack files and tree are its own: nobody may have read those of a pull request.
 *
 * @throws Problem while a preview has another commit's data in the checkout, and after one was killed
 */
export const requireOwnData = async (root: string): Promise<void> => {
  const marker = await read(root);
  if (marker === undefined) return;
  throw new Problem(
    `The checkout has stack files and a tree of commit ${marker.commit.slice(0, 10)}, which a preview put there, so nothing is done: wait until ` +
      "it ends. If it was killed, npx hearth preview STACK puts back what is checked out",
  );
};

/**
 * Takes another commit's data out of the checkout that a killed preview left there.
 *
 * It proves first that each file is the commit's: what a person wrote since stays, and stops it.
 *
 * @throws Problem for such a file, and while the preview runs
 */
export const removeForeignData = async (git: Git): Promise<void> => {
  if ((await read(git.root)) === undefined) return;
  await alone(git.root, () => remove(git));
};

/** Does work while files may be another commit's, and gives them back the content that is checked out. */
export const withForeignData = <T>(git: Git, marker: Marker, work: () => Promise<T>): Promise<T> =>
  alone(git.root, async () => {
    await remove(git);
    await writeWhole(markerOf(git.root), JSON.stringify(marker));
    try {
      await git.take(marker.commit, marker.paths);
      return await work();
    } finally {
      await git.take("HEAD", marker.paths);
      await rm(markerOf(git.root), { force: true });
    }
  });

const remove = async (git: Git): Promise<void> => {
  const marker = await read(git.root);
  if (marker === undefined) return;
  const { commit, paths } = marker;
  const changed = (await git.changes()).filter((path) => paths.includes(path));
  const own: string[] = [];
  for (const path of changed) {
    const now = await readFile(join(git.root, path), "utf8").catch(() => undefined);
    if (now !== (await git.file(commit, path))) own.push(path);
  }
  if (own.length > 0) {
    throw new Problem(
      `A killed preview left data of commit ${commit.slice(0, 10)} here, and ${own.join(", ")} was changed since: move away what is yours, put ` +
        "the file back with git restore --staged --worktree, and run this again",
    );
  }
  if (changed.length > 0) await git.take("HEAD", changed);
  await rm(markerOf(git.root), { force: true });
};

/** The lock of a killed preview is taken over, as its process is proven to be gone. */
const alone = <T>(root: string, work: () => Promise<T>): Promise<T> =>
  withLock(`${markerOf(root)}.lock`, work, {
    onWait: (pid) => {
      throw new Problem(
        `A preview with the data of another commit is under way in this checkout, process ${pid.toString()}: wait until it ends`,
      );
    },
  });
