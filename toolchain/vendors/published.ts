import { rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { Problem } from "../problem.ts";
import { Registry } from "./registry.ts";
import type { Release } from "./releases.ts";
import { take } from "./take.ts";
import { unpack } from "./unpack.ts";
import { located, type Digests, type Wanted } from "./wanted.ts";
import { discard, type Web } from "./web.ts";

export interface PublishedOptions {
  web: Web;
  /** A folder for trial downloads. */
  work: string;
  /** GitHub's URLs, and an optional token for its API. */
  github?: { site: string; api: string; token?: string | undefined };
}

const gitHub = { site: "https://github.com", api: "https://api.github.com", token: undefined };

export const platforms = ["linux/amd64", "linux/arm64"] as const;

/**
 * Fetches the vendor's digests of a release. It verifies each by downloading the file, which has to contain the expected tools.
 *
 * A platform without a published digest is skipped. Its tools are built.
 */
export const published = async (release: Release, version: string, options: PublishedOptions): Promise<Digests> => {
  const digests: Digests = { version };
  for (const platform of platforms) {
    const asset = located(release, version, platform);
    const digest = await digestOf(asset, options);
    if (digest === undefined) continue;
    await attempt({ ...asset, digest }, options);
    digests[asset.kind === "image" ? "image" : platform] = digest;
  }
  return digests;
};

const attempt = async (wanted: Wanted, { web, work }: PublishedOptions): Promise<void> => {
  await take(web, wanted, Object.keys(wanted.holds), {
    parts: work,
    place: async (name, archive, packed) => {
      const member = wanted.holds[name] ?? "";
      const trial = join(work, "trial");
      const found = await unpack(archive, packed, new Map([[member, trial]]));
      await rm(trial, { force: true });
      return found.has(member);
    },
  });
};

const digestOf = ({ from, kind }: Omit<Wanted, "digest">, options: PublishedOptions): Promise<string | undefined> => {
  if (kind === "image") return new Registry(options.web, from).digest();
  const { site } = options.github ?? gitHub;
  const path = from.startsWith(`${site}/`) ? from.slice(site.length + 1) : "";
  const asset = /^([^/]+\/[^/]+)\/releases\/download\/([^/]+)\/([^/]+)$/.exec(path);
  if (asset === null) return besideIt(from, options);
  const [, repository = "", tag = "", file = ""] = asset;
  return atGitHub(repository, tag, file, options);
};

/** Reads the digest from the checksum file that Kubernetes publishes beside each file. */
const besideIt = async (url: string, { web }: PublishedOptions): Promise<string | undefined> => {
  const text = await read(web, `${url}.sha256`);
  return text === undefined ? undefined : /^[0-9a-f]{64}\b/.exec(text)?.[0];
};

const releaseAnswer = z.object({ assets: z.array(z.object({ name: z.string(), digest: z.string().nullish() })) });

/** Returns the digest that GitHub computed when a release's file was uploaded. Files from before June 2025 have none. */
const atGitHub = async (
  repository: string,
  tag: string,
  file: string,
  { web, github = gitHub }: PublishedOptions,
): Promise<string | undefined> => {
  const headers: Record<string, string> = github.token === undefined ? {} : { authorization: `Bearer ${github.token}` };
  const text = await read(web, `${github.api}/repos/${repository}/releases/tags/${tag}`, headers);
  if (text === undefined) return undefined;
  const { assets } = releaseAnswer.parse(JSON.parse(text));
  return /^sha256:([0-9a-f]{64})$/.exec(assets.find(({ name }) => name === file)?.digest ?? "")?.[1];
};

const read = async (web: Web, url: string, headers: Record<string, string> = {}): Promise<string | undefined> => {
  const answer = await web.ask(url, { headers });
  if (answer.statusCode === 200) return answer.body.text();
  await discard(answer);
  if (answer.statusCode === 404) return undefined;
  throw new Problem(
    `${url} answers HTTP ${answer.statusCode.toString()}: try again later, with GITHUB_TOKEN for GitHub's limits`,
  );
};
