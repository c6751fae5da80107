import { Registry } from "./registry.ts";
import type { Wanted } from "./wanted.ts";
import { discard, reasonOf, type Web } from "./web.ts";

/** How long a vendor may take to answer, in milliseconds. Reachable servers answer in a fraction of it. */
export const probeTimeout = 3_000;

/** Returns the host of a release, for example `github.com`. */
export const hostOf = ({ from, kind }: Pick<Wanted, "from" | "kind">): string =>
  new URL(kind === "image" && !from.includes("://") ? `https://${from}` : from).host;

/** Probes each host once, all at the same time, with one of the desired releases. Returns the reason for each failure by host. */
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
    // A missing file says nothing about the host's other files.
    return statusCode === 200 || statusCode === 404 ? undefined : `answers HTTP ${statusCode.toString()}`;
  } catch (error) {
    return `does not answer (${reasonOf(error)})`;
  }
};
