import { randomUUID } from "node:crypto";
import { readFile, readlink } from "node:fs/promises";
import { hostname } from "node:os";

import { isRunning, startOf } from "./running.ts";

/** A process that owns a lock or a lease, and what its ID refers to. */
export interface Owner {
  pid: number;
  /** Its start time, because process IDs are reused. Empty if the system does not report it. */
  started: string | undefined;
  host: string | undefined;
  /** ID of the boot, "-" if the system does not report it. */
  boot: string | undefined;
  /** Namespace of process IDs, "-" if the system does not report it. */
  namespace: string | undefined;
}

/** Identifies what process IDs refer to. IDs of another machine, boot or container cannot be checked here. */
const surroundings = async (): Promise<{ host: string; boot: string; namespace: string }> => ({
  host: hostname(),
  boot: (await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "-")).trim(),
  namespace: await readlink("/proc/self/ns/pid").catch(() => "-"),
});

/** Returns this process as an owner, with a token that is unique to each call. */
export const newOwner = async (): Promise<string> => {
  const { host, boot, namespace } = await surroundings();
  return [process.pid, startOf(process.pid) ?? "", host, boot, namespace, randomUUID()].join(" ");
};

/** Reads what `newOwner` gave; undefined if it is something else. */
export const readOwner = (text: string): Owner | undefined => {
  const [pid, started, host, boot, namespace] = text.split(" ");
  if (!/^\d+$/.test(pid ?? "") || Number(pid) <= 0) return undefined;
  return { pid: Number(pid), started, host, boot, namespace };
};

/** Whether the owner of a file on this machine is proven to be gone. One that cannot be checked from here counts as running. */
export const isGone = async (owner: Owner): Promise<boolean> => {
  const { host, boot, namespace } = owner;
  const here = await surroundings();
  if (host !== undefined && host !== here.host) return false;
  if (boot !== undefined && boot !== here.boot) return true;
  if (namespace !== undefined && namespace !== here.namespace) return false;
  return hasEnded(owner);
};

/**
 * Whether an owner that may be of any computer is proven to be gone. Names of computers are not unique, but IDs of boots are, so only
 * an owner of this very boot can be checked.
 */
export const isGoneFromHere = async (owner: Owner): Promise<boolean> => {
  const { host, boot, namespace } = await surroundings();
  if (boot === "-" || owner.boot !== boot || owner.host !== host || owner.namespace !== namespace) return false;
  return hasEnded(owner);
};

const hasEnded = ({ pid, started }: Owner): boolean => !isRunning(pid) || startOf(pid) !== started;
