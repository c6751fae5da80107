import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { codeOf, Problem } from "../problem.ts";
import { mismatch } from "./registry.ts";
import { discard, reasonOf, type Answer, type Web } from "./web.ts";

/** A file that the vendor does not give: it has to be had otherwise. */
export class Unavailable extends Error {
  override readonly name = "Unavailable";
}

export interface Source {
  url: string;
  headers?: Record<string, string>;
  /** SHA-256 in hex. */
  digest: string;
}

export interface DownloadOptions {
  /** Called with the number of bytes that are there. */
  onBytes?: (bytes: number) => void;
  /** How often in a row to go on without having got anything. */
  tries?: number;
  /** Time between two tries, in milliseconds. */
  pause?: number;
}

/**
 * Downloads a file to path and checks its digest. What is there already of an earlier, broken download is gone on with.
 *
 * @throws Problem where the digest differs
 * @throws Unavailable where the vendor does not give the file
 */
export const download = async (
  web: Web,
  source: Source,
  path: string,
  options: DownloadOptions = {},
): Promise<void> => {
  const resumed = (await sizeOf(path)) > 0;
  await fetchAll(web, source, path, options);
  let found = await digestOf(path);
  if (found !== source.digest && resumed) {
    // The part that was there may have been spoilt by a crash: whole and anew, it says who is to blame.
    await rm(path, { force: true });
    await fetchAll(web, source, path, options);
    found = await digestOf(path);
  }
  if (found === source.digest) return;
  await rm(path, { force: true });
  throw new Problem(mismatch(source.url, source.digest, found));
};

const fetchAll = async (web: Web, source: Source, path: string, options: DownloadOptions): Promise<void> => {
  const { tries = 4, pause = 1_000, onBytes } = options;
  for (let failures = 0; ;) {
    const before = await sizeOf(path);
    try {
      if (await fetchOnce(web, source, path, before, onBytes)) return;
    } catch (error) {
      if (error instanceof Unavailable || isLocal(error)) throw error;
      failures = (await sizeOf(path)) > before ? 1 : failures + 1;
      if (failures >= tries) throw new Unavailable(reasonOf(error), { cause: error });
      await sleep(pause);
    }
  }
};

/** Whether an error is this machine's own: no other try changes it. */
const isLocal = (error: unknown): boolean =>
  ["ENOSPC", "EDQUOT", "EACCES", "EPERM", "EROFS", "EISDIR", "ENOTDIR", "ENOENT"].includes(codeOf(error) ?? "");

/** Appends what is missing of a file; false where it has to be asked for again, from its beginning. */
const fetchOnce = async (
  web: Web,
  { url, headers = {} }: Source,
  path: string,
  have: number,
  onBytes?: (bytes: number) => void,
): Promise<boolean> => {
  // A compressed answer would be other bytes than those of the digest.
  const range: Record<string, string> = have === 0 ? {} : { range: `bytes=${have.toString()}-` };
  const answer = await web.ask(url, { headers: { "accept-encoding": "identity", ...headers, ...range } });
  const { statusCode } = answer;
  if (statusCode === 416) {
    // Either everything is there, or what is there is not of this file; its digest tells.
    await discard(answer);
    if (totalOf(answer) === have) return true;
    await rm(path, { force: true });
    return false;
  }
  if (statusCode >= 500 || statusCode === 429) {
    await discard(answer);
    throw new Error(`HTTP ${statusCode.toString()}`);
  }
  if (statusCode !== 200 && statusCode !== 206) {
    await discard(answer);
    throw new Unavailable(`HTTP ${statusCode.toString()}`);
  }
  const from = statusCode === 206 ? startOf(answer) : 0;
  if (from !== 0 && from !== have) throw new Unavailable("a wrong range");
  let bytes = from;
  await pipeline(
    answer.body,
    async function* (pieces: AsyncIterable<Buffer>) {
      for await (const piece of pieces) {
        bytes += piece.length;
        yield piece;
        onBytes?.(bytes);
      }
    },
    createWriteStream(path, from === 0 ? { flags: "w" } : { flags: "a" }),
  );
  return true;
};

const contentRange = (answer: Answer): RegExpExecArray | null => {
  const header = answer.headers["content-range"];
  return typeof header === "string" ? /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(header) : null;
};

const startOf = (answer: Answer): number => Number(contentRange(answer)?.[1] ?? NaN);
const totalOf = (answer: Answer): number => Number(contentRange(answer)?.[2] ?? NaN);

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

const digestOf = async (path: string): Promise<string> => {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
};
