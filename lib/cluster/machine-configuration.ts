import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";

import { parseAllDocuments, stringify } from "yaml";

import { Problem } from "../../toolchain/problem.ts";

/** What `talosctl get machineconfig --output yaml` prints of a machine: a resource each, the configuration as text or as an object. */
interface Printed {
  spec?: unknown;
}

/** The documents of a machine's configuration, as talosctl prints it. */
export const printedDocuments = (printed: string): unknown[] => {
  const resources = parseAllDocuments(printed).map((document) => document.toJS() as Printed | null);
  const spec = resources.find((each) => each?.spec !== undefined)?.spec;
  return typeof spec === "string" ? documentsOf(spec) : [spec];
};

/** The documents of a machine's configuration. */
export const documentsOf = (text: string): unknown[] =>
  parseAllDocuments(text)
    .map((document) => document.toJS() as unknown)
    .filter((document) => document !== null);

/**
 * A patch that takes the VIPs out of a machine's configuration; undefined if there are none.
 *
 * A machine without the document of a VIP resigns, and the next control plane has it at once. Source: siderolabs/talos v1.13.9,
 * internal/app/machined/pkg/controllers/network/operator/vip.go, and the patches of documents in pkg/machinery/config/configpatcher.
 */
export const withoutVips = (documents: readonly unknown[]): string | undefined => {
  const vips = (documents as { kind?: string; name?: string }[]).filter(({ kind }) => kind === "Layer2VIPConfig");
  if (vips.length === 0) return undefined;
  return vips
    .map(({ kind, name }) => stringify({ apiVersion: "v1alpha1", kind, name, $patch: "delete" }))
    .join("---\n");
};

/**
 * Reads a machine's configuration to write it back: once it has its VIPs, where it should. It may be tried without them, for a minute. What is
 * persistent meanwhile cannot be asked for: a machine that booted with it shows it as the active one alone. Source: siderolabs/talos v1.13.9,
 * internal/app/machined/pkg/controllers/config/acquire.go.
 *
 * @param timeout in milliseconds
 * @throws Problem if it still lacks them then
 */
export const untried = async (
  read: () => Promise<string>,
  {
    machine,
    hasVip,
    timeout = 90_000,
    pause = 3000,
  }: { machine: string; hasVip: boolean; timeout?: number; pause?: number },
): Promise<string> => {
  const deadline = Date.now() + timeout;
  for (;;) {
    const text = await read();
    if (!hasVip || withoutVips(documentsOf(text)) !== undefined) return text;
    if (Date.now() > deadline)
      throw new Problem(
        `${machine} runs without the VIP that it was given, so nothing is written to it: npx hearth deploy gives it back`,
      );
    await sleep(pause);
  }
};

/** The paths at which two configurations differ, without what stands there: it may be secret. */
export const differences = (running: unknown[], rendered: unknown[]): string[] => {
  const names = [...new Set([...running, ...rendered].map(nameOf))];
  const of = (documents: unknown[], name: string): unknown => documents.find((each) => nameOf(each) === name);
  return names.flatMap((name) => below(of(running, name), of(rendered, name), name));
};

const nameOf = (document: unknown): string => {
  const { kind, name } = (document ?? {}) as { kind?: string; name?: string };
  return [kind, name].filter((part) => part !== undefined).join(" ");
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const below = (one: unknown, other: unknown, path: string): string[] => {
  if (isDeepStrictEqual(one, other)) return [];
  if (!isObject(one) || !isObject(other)) return [path === "" ? "all of it" : path];
  const keys = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return keys.flatMap((key) => below(one[key], other[key], path === "" ? key : `${path}.${key}`));
};
