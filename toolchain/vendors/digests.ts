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

/** Whether the digests of a release are complete at a version, for all platforms. */
export const isComplete = (release: Release, version: string, digests: Digests | undefined): boolean =>
  digests?.version === version &&
  ("image" in release.from ? digests.image !== undefined : platforms.every((each) => digests[each] !== undefined));

/**
 * Brings `digests.json` up to date with the pinned versions: it fetches the missing digests from the vendors and verifies them.
 * It needs access to the vendors' servers.
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
    throw new Problem(`${failures.length.toString()} releases keep their previous digests:\n${failures.join("\n")}`);
  }
};

/**
 * Adds a vendor's published digests to the known ones of the same version.
 *
 * @throws Problem if both have a digest of the same file and they differ
 */
export const merge = (name: string, known: Digests | undefined, found: Digests): Digests => {
  if (known?.version !== found.version) return found;
  for (const [key, digest] of Object.entries(found)) {
    if (known[key] === undefined || known[key] === digest) continue;
    throw new Problem(
      `the vendor's digest for ${key} is ${digest ?? ""}, and digests.json has ${known[key]}: ` +
        `do not trust a release that changed; find out which digest is right, then remove ${name} from digests.json`,
    );
  }
  return { ...known, ...found };
};

/** Serialises the digests, sorted by name. Releases without a known digest are skipped. */
export const render = (digests: Readonly<Record<string, Digests>>): string => {
  const known = Object.entries(digests).filter(([, of]) => Object.keys(of).length > 1);
  const sorted = known.sort(([a], [b]) => (a < b ? -1 : 1));
  return `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`;
};
