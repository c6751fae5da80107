import { existsSync, readFileSync } from "node:fs";
import { isIPv4 } from "node:net";
import { join } from "node:path";

import { stackFile } from "../../infra/config/error.ts";
import { parseStackFile } from "../../infra/config/stack-file.ts";
import type { Call } from "../../lib/terminal/command.ts";
import { writeWhole } from "../../lib/terminal/whole-file.ts";
import { Problem } from "../../toolchain/problem.ts";
import { Toolchain } from "../../toolchain/toolchain.ts";
import { nodeName } from "../config/node-name.ts";
import { withNodes } from "./into-stack-file.ts";
import { readMachine, type Machine } from "./machine.ts";
import { installDisks, nodeLines, type NodeRole } from "./node-text.ts";

interface Values {
  role?: string | undefined;
  image?: string | undefined;
  write?: string | undefined;
}

/** Looks at machines in maintenance mode, and prints them as nodes of a stack file, or adds them to one. */
export const discover = async (call: Call<Values>): Promise<number> => {
  const { root, print, complain, values, args, answer } = call;
  const addresses = addressesOf(args);
  const role = roleOf(values.role ?? "worker");
  const into = values.write === undefined ? undefined : readTarget(root, values.write);
  requireNew(addresses, into);
  const { talosctl = "talosctl" } = await new Toolchain({ root }).ensure(["talosctl"]);
  const read = await Promise.all(addresses.map((address) => machineOrProblem(talosctl, address)));
  const machines = read.filter((each): each is Machine => !(each instanceof Problem));
  const problems = read.filter((each) => each instanceof Problem);
  requireOwnMacs(machines, into);
  const image = values.image ?? into?.image ?? "standard";
  const nodes = nodesOf(machines, { role, image }, into);
  const incomplete = machines.filter(({ disks }) => installDisks(disks).length !== 1).map(({ address }) => address);
  answer({ machines });
  for (const { message } of problems) complain(message);
  if (into === undefined) print(nodes.flat().join("\n"));
  else if (problems.length > 0) complain("Nothing was written.");
  if (into === undefined || problems.length > 0) return problems.length > 0 ? 1 : 0;
  await writeWhole(into.path, withNodes(into.text, nodes, into.file));
  print(written(into.file, nodes, incomplete, into.stack));
  return 0;
};

const machineOrProblem = (talosctl: string, address: string): Promise<Machine | Problem> =>
  readMachine(talosctl, address).catch((error: unknown) => {
    if (error instanceof Problem) return error;
    throw error;
  });

const addressesOf = (args: readonly string[]): string[] => {
  const wrong = args.find((each) => !isIPv4(each));
  if (wrong !== undefined) throw new Problem(`${wrong} is not an IPv4 address: write one such as 192.168.1.21`);
  return [...new Set(args)];
};

const roleOf = (text: string): NodeRole["role"] => {
  if (text === "controlplane" || text === "worker") return text;
  throw new Problem(`--role ${text} is not a role: write controlplane or worker`);
};

/** A stack file that machines are added to. */
interface Target {
  stack: string;
  file: string;
  path: string;
  text: string;
  cluster: string | undefined;
  /** The profile of its metal nodes, or its first. */
  image: string | undefined;
  nodes: Record<string, { platform?: string; image?: string; address?: string; mac?: string }>;
}

const readTarget = (root: string, stack: string): Target => {
  const file = stackFile(stack);
  const path = join(root, file);
  if (!existsSync(path)) throw new Problem(`There is no ${file}: npx hearth init ${stack} writes one`);
  const text = readFileSync(path, "utf8");
  const { settings, problems } = parseStackFile(text);
  const [problem] = problems;
  if (problem) throw new Problem(`${file}: ${problem.path.join(".")} ${problem.problem}`);
  const nodes = (settings["hearth:nodes"] ?? {}) as Target["nodes"];
  const images = Object.keys(settings["hearth:images"] ?? {});
  const metal = Object.values(nodes).find(({ platform }) => platform === "metal");
  const { name } = (settings["hearth:cluster"] ?? {}) as { name?: string };
  return { stack, file, path, text, cluster: name, image: metal?.image ?? images[0], nodes };
};

const requireNew = (addresses: readonly string[], into: Target | undefined): void => {
  for (const [name, { address }] of Object.entries(into?.nodes ?? {})) {
    if (address !== undefined && addresses.includes(address))
      throw new Problem(`${into?.file ?? ""}: nodes.${name} has ${address} already; nothing was written`);
  }
};

const requireOwnMacs = (machines: readonly Machine[], into: Target | undefined): void => {
  for (const [name, { mac }] of Object.entries(into?.nodes ?? {})) {
    const same = machines.find(({ link }) => link.mac === mac?.toUpperCase());
    if (same)
      throw new Problem(
        `${into?.file ?? ""}: nodes.${name} has the mac of the machine at ${same.address} already; nothing was written`,
      );
  }
};

const nodesOf = (machines: readonly Machine[], as: NodeRole, into: Target | undefined): string[][] => {
  const taken = new Set(Object.keys(into?.nodes ?? {}));
  return machines.map((machine) => {
    let number = 1;
    const name = (): string => nodeName(into?.cluster, as.role, number);
    while (taken.has(name())) number += 1;
    taken.add(name());
    return nodeLines(name(), machine, as);
  });
};

const written = (file: string, nodes: string[][], incomplete: readonly string[], stack: string): string =>
  [
    `Added to ${file}: ${nodes.map(([name = ""]) => name.replace(/:$/, "")).join(", ")}`,
    ...incomplete.map(
      (address) => `The machine at ${address} waits for you to select its install disk: look at its comment`,
    ),
    "What comes next:",
    `  npx hearth check ${stack}`,
    `  npx hearth doctor ${stack}`,
  ].join("\n");
