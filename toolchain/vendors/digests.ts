import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Problem } from "../problem.ts";
import pinned from "./digests.json" with { type: "json" };
import { Unavailable } from "./download.ts";
import { platforms, published } from "./published.ts";
import { releases, type Release } from "./releases.ts";
import { releaseName, type Digests } from "./wanted.ts";
import { reasonOf, Web } from "./web.ts";

/** What is missing in the digests of a release at that version: all of them, or those of some platforms. */
export const isComplete = (release: Release, version: string, digests: Digests | undefined): boolean =>
  digests?.version === version &&
  ("image" in release.from ? digests.image !== undefined : platforms.every((each) => digests[each] !== undefined));

/**
 * Brings `digests.json` to the versions that are pinned: what is missing is asked of the vendors, tried and written.
 * It is for where the vendors answer.
 */
export const updateDigests = async (
  versionOf: (tool: string) => Promise<string>,
  say: (line: string) => void,
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> => {
  const digests: Record<string, Digests> = { ...pinned };
  const work = await mkdtemp(join(tmpdir(), "hearth-digests-"));
  const web = new Web(env);
  const github = { site: "https://github.com", api: "https://api.github.com", token: env.GITHUB_TOKEN };
  const failures: string[] = [];
  try {
    for (const release of releases) {
      const name = releaseName(release);
      const version = await versionOf(name);
      if (isComplete(release, version, digests[name])) continue;
      try {
        const found = merge(name, digests[name], await published(release, version, { web, work, github }));
        digests[name] = found;
        const known = Object.keys(found).filter((key) => key !== "version");
        say(`${name} ${version}: ${known.length === 0 ? "no digest is published" : known.join(", ")}`);
      } catch (error) {
        if (error instanceof Problem) failures.push(`${name} ${version}: ${error.message}`);
        else failures.push(`${name} ${version}: ${error instanceof Unavailable ? error.message : reasonOf(error)}`);
      }
    }
    await writeFile(join(import.meta.dirname, "digests.json"), render(digests));
  } finally {
    await web.close();
    await rm(work, { recursive: true });
  }
  if (failures.length > 0) {
    throw new Problem(`${failures.length.toString()} releases keep the digests they had:\n${failures.join("\n")}`);
  }
};

/**
 * Adds what a vendor publishes to what is known of the same version.
 *
 * @throws Problem where both have a digest of the same file, and not the same one
 */
export const merge = (name: string, known: Digests | undefined, found: Digests): Digests => {
  if (known?.version !== found.version) return found;
  for (const [key, digest] of Object.entries(found)) {
    if (known[key] === undefined || known[key] === digest) continue;
    throw new Problem(
      `the vendor's digest for ${key} is ${digest ?? ""}, and digests.json has ${known[key]}: ` +
        `a release that changed is not to be trusted; find out which of them is right, then remove ${name} from digests.json`,
    );
  }
  return { ...known, ...found };
};

/** The table as it is kept: by name, without releases that no digest is known of. */
export const render = (digests: Readonly<Record<string, Digests>>): string => {
  const known = Object.entries(digests).filter(([, of]) => Object.keys(of).length > 1);
  const sorted = known.sort(([a], [b]) => (a < b ? -1 : 1));
  return `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`;
};
