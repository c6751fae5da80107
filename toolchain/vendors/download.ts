import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { codeOf, Problem } from "../problem.ts";
import { mismatch } from "./registry.ts";
import { discard, reasonOf, type Answer, type Web } from "./web.ts";

/** Thrown for a file that the vendor does not serve, and that has to come from elsewhere. */
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
  /** Called with the number of bytes downloaded so far. */
  onBytes?: (bytes: number) => void;
  /** Number of consecutive attempts without any progress. */
  tries?: number;
  /** Time between attempts, in milliseconds. */
  pause?: number;
}

/**
 * Downloads a file to path and verifies its digest. A partial earlier download is resumed.
 *
 * @throws Problem if the digest differs
 * @throws Unavailable if the vendor does not serve the file
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
    // A crash may have damaged the earlier part. Only a fresh download shows whether the vendor's file is wrong.
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

/** Whether an error is local, so that another attempt would not help. */
const isLocal = (error: unknown): boolean =>
  ["ENOSPC", "EDQUOT", "EACCES", "EPERM", "EROFS", "EISDIR", "ENOTDIR", "ENOENT"].includes(codeOf(error) ?? "");

/** Downloads the rest of a file. Returns false if it has to be downloaded from the beginning. */
const fetchOnce = async (
  web: Web,
  { url, headers = {} }: Source,
  path: string,
  have: number,
  onBytes?: (bytes: number) => void,
): Promise<boolean> => {
  // The digest is that of the uncompressed file.
  const range: Record<string, string> = have === 0 ? {} : { range: `bytes=${have.toString()}-` };
  const answer = await web.ask(url, { headers: { "accept-encoding": "identity", ...headers, ...range } });
  const { statusCode } = answer;
  if (statusCode === 416) {
    // Either the file is complete, or the part is from another file. The size shows which.
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
