import { Registry } from "./registry.ts";
import type { Wanted } from "./wanted.ts";
import { discard, reasonOf, type Web } from "./web.ts";

/** How long a vendor has to answer, in milliseconds. Who answers at all does so in a fraction of it. */
export const probeTimeout = 3_000;

/** The server that a release is asked of, for example `github.com`. */
export const hostOf = ({ from, kind }: Pick<Wanted, "from" | "kind">): string =>
  new URL(kind === "image" && !from.includes("://") ? `https://${from}` : from).host;

/** Asks each server once, all at the same time, for one of the releases that are wanted of it; gives why not, or undefined where it answers. */
export const probe = async (
  web: Web,
  wanted: readonly Wanted[],
  timeout = probeTimeout,
): Promise<Map<string, string | undefined>> => {
  const first = new Map([...wanted].reverse().map((each) => [hostOf(each), each]));
  const asked = [...first].map(async ([host, each]) => [host, await ask(web, each, timeout)] as const);
  return new Map(await Promise.all(asked));
};

const ask = async (web: Web, wanted: Wanted, timeout: number): Promise<string | undefined> => {
  const signal = AbortSignal.timeout(timeout);
  try {
    if (wanted.kind === "image") {
      return (await new Registry(web, wanted.from).has(wanted.digest, signal)) ? undefined : "refuses";
    }
    const answer = await web.ask(wanted.from, { method: "HEAD", signal });
    await discard(answer);
    const { statusCode } = answer;
    // That one file is missing says nothing of the others.
    return statusCode === 200 || statusCode === 404 ? undefined : `answers HTTP ${statusCode.toString()}`;
  } catch (error) {
    return `does not answer (${reasonOf(error)})`;
  }
};
