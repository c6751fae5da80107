import { readFile, readdir, readlink } from "node:fs/promises";

/** A process in /proc. */
export interface Process {
  pid: number;
  parent: number;
  /** The program and its arguments. */
  command: string;
}

/** All processes of this machine except zombies. */
export const processes = async (): Promise<Process[]> => {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  return (await Promise.all(pids.map(processOf))).filter((process) => process !== undefined);
};

const processOf = async (pid: number): Promise<Process | undefined> => {
  const [stat, command] = await Promise.all([
    readFile(`/proc/${pid}/stat`, "utf8").catch(() => ""),
    readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""),
  ]);
  // The name before these fields is in parentheses and may hold anything.
  const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (state === undefined || state === "" || state === "Z" || state === "X") return undefined;
  return { pid, parent: Number(parent), command: command.split("\0").join(" ").trim() };
};

/** A process and its descendants, parents before their children. Empty if the process has ended. */
export const processTree = async (root: number): Promise<Process[]> => {
  const all = await processes();
  const tree = all.filter(({ pid }) => pid === root);
  for (const { pid } of tree) tree.push(...all.filter(({ parent }) => parent === pid));
  return tree;
};

/** Those of the given processes that still run. */
export const survivors = async (of: readonly Process[]): Promise<Process[]> => {
  const known = new Map(of.map(({ pid, command }) => [pid, command]));
  return (await processes()).filter(({ pid, command }) => known.get(pid) === command);
};

/** A listening TCP socket. */
export interface Listener {
  pid: number;
  command: string;
  /** The address as a person writes it, for example 127.20.0.11 or ::1. */
  address: string;
  port: number;
}

/** The TCP sockets, IPv4 and IPv6, on which the given processes listen. */
export const listeners = async (of: readonly Process[]): Promise<Listener[]> => {
  const sockets = new Map((await Promise.all(["tcp", "tcp6"].map(listening))).flat());
  const found = await Promise.all(
    of.map(async ({ pid, command }) =>
      (await socketsOf(pid)).flatMap((inode) => {
        const socket = sockets.get(inode);
        return socket ? [{ pid, command, ...socket }] : [];
      }),
    ),
  );
  return found.flat();
};

/** Those of the given processes' listening sockets that are not in 127.0.0.0/8, where all of the lab has to listen. */
export const exposed = async (of: readonly Process[]): Promise<Listener[]> =>
  (await listeners(of)).filter(({ address }) => !address.startsWith("127."));

const LISTEN = "0A";

const listening = async (table: string): Promise<[string, { address: string; port: number }][]> => {
  const text = await readFile(`/proc/net/${table}`, "utf8").catch(() => "");
  return text
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === LISTEN)
    .map((fields) => {
      const [address = "", port = ""] = (fields[1] ?? "").split(":");
      return [fields[9] ?? "", { address: readAddress(address), port: parseInt(port, 16) }];
    });
};

/** Parses the kernel's notation of an address: 32-bit words in little-endian order. */
const readAddress = (hex: string): string => {
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => [...Buffer.from(word, "hex").reverse()]);
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, i) => Buffer.from(bytes.slice(2 * i, 2 * i + 2)).toString("hex"));
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
};

const socketsOf = async (pid: number): Promise<string[]> => {
  const folder = `/proc/${pid}/fd`;
  const descriptors = await readdir(folder).catch(() => []);
  const targets = await Promise.all(descriptors.map((name) => readlink(`${folder}/${name}`).catch(() => "")));
  return targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []);
};
