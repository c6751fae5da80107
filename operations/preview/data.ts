import { concernsOf } from "../../infra/config/destinations.ts";
import { interruption } from "../../lib/terminal/interruption.ts";
import { outsideOf } from "../../lib/tree/outside.ts";
import { Problem } from "../../toolchain/problem.ts";
import { removeForeignData, withForeignData } from "./foreign-data.ts";
import type { Git } from "./git.ts";

/** Whether a path can hold data that is previewed by other code than its own: a stack file, or a file of the tree. */
export const isData = (path: string): boolean =>
  /^Pulumi\.[\w-]+\.yaml$/.test(path) ||
  // Git itself reads .gitattributes and the like.
  (path.startsWith("gitops/") && !path.split("/").some((name) => /^\.git/i.test(name)));

/** A commit whose data is previewed, and why a person has to read it first. */
export interface Proposal {
  /** The whole identifier of the commit. */
  commit: string;
  /** Its data files. */
  files: string[];
  /** Why it has to be read; empty if it is data alone. */
  concerns: string[];
}

/**
 * Looks at what a commit changes since it left the present one, and at the data that it holds.
 *
 * Stack files are compared with those of the present commit, not with those that the commit began with: an address that was right last year
 * may be somebody else's today.
 *
 * @throws Problem if there is no such commit, or if it has no history in common with the present one
 */
export const examine = async (git: Git, ref: string): Promise<Proposal> => {
  const commit = await git.commit(ref);
  if (commit === undefined) throw new Problem(`There is no commit ${ref} here: fetch it, and name it again`);
  const base = await git.mergeBase([commit]);
  if (base === undefined) throw new Problem(`${ref} shares no history with what is checked out: rebase it`);
  const [changed, here, there] = await Promise.all([
    git.changedFiles(base, commit),
    git.entries("HEAD"),
    git.entries(commit),
  ]);
  const data = there.filter(({ path }) => path === "gitops" || path.startsWith("gitops/") || isData(path));
  const stacks = [...here, ...data].map(({ path }) => path).filter((path) => isData(path) && !path.includes("/"));
  const texts = await Promise.all(
    [...new Set(stacks)].sort().map(async (path) => ({
      path,
      concerns: concernsOf(await git.file("HEAD", path), await git.file(commit, path)),
    })),
  );
  const folders = new Set(there.flatMap(({ path }) => [path, ...ancestors(path)]));
  const outside = await Promise.all(
    changed
      .filter((path) => isData(path) && path.startsWith("gitops/"))
      .map(async (path) =>
        outsideOf(path, (await git.file(commit, path)) ?? "", (each) => folders.has(each)).map(
          (reference) => `${path}: ${reference} is no path inside the repository`,
        ),
      ),
  );
  return {
    commit,
    files: data.map(({ path }) => path),
    concerns: [
      ...changed.filter((path) => !isData(path)).map((path) => `${path} is not data: code may read or run it`),
      ...data
        .filter(({ path, mode }) => !isData(path) || mode !== regularFile)
        .map(({ path }) => `${path} is not a regular file of data`),
      ...outside.flat(),
      ...texts.flatMap(({ path, concerns }) =>
        concerns.map((concern) => `${[path, concern.path].filter((part) => part !== "").join(" ")}: ${concern.reason}`),
      ),
    ],
  };
};

/** The folders above a path. */
const ancestors = (path: string): string[] =>
  path
    .split("/")
    .slice(0, -1)
    .map((_, index, parts) => parts.slice(0, index + 1).join("/"));

/** Git's mode of a file that is neither a link, nor executable, nor a submodule. */
const regularFile = "100644";

/**
 * Does work while the checkout has the data of another commit, and its own code.
 *
 * @throws Problem if the commit has to be read first, or if the checkout has changes that would be lost
 */
export const withDataOf = async <T>(
  git: Git,
  { commit, files, concerns }: Proposal,
  work: () => Promise<T>,
): Promise<T> => {
  if (concerns.length > 0) throw new Problem(`${commit} has to be read first:\n${concerns.join("\n")}`);
  await removeForeignData(git);
  const own = (await git.entries("HEAD")).map(({ path }) => path).filter(isData);
  const paths = [...new Set([...own, ...files])];
  const changes = (await git.changes()).filter((path) => isData(path));
  if (changes.length > 0) {
    throw new Problem(`${changes.join(", ")} would be overwritten: commit it, or move it away, and run this again`);
  }
  // A signal would end the process with the data still there.
  const signal = interruption("The preview was interrupted, and nothing was changed: run it again");
  return withForeignData(git, { commit, paths }, async () => {
    signal.throwIfAborted();
    const result = await work();
    signal.throwIfAborted();
    return result;
  });
};
