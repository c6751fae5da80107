import type { HearthConfig } from "../../infra/config/index.ts";
import { examineStackFile, parseStackFile } from "../../infra/config/stack-file.ts";
import { etcdMembers } from "../../lib/cluster/talosctl.ts";
import { machinesOfNodes, mismatches, type Nodes } from "../../lib/recovery/checkout.ts";
import { Problem } from "../../toolchain/problem.ts";
import type { Machines } from "./silent.ts";

/**
 * The nodes of an older stack file that a newer one lacks or has otherwise, unless a node of the same role has the address: that one is
 * examined anyway. Undefined if the older file is not valid any more.
 *
 * @param copy text of the stack file that an escrow holds
 */
export const formerNodes = (copy: string, nodes: Nodes): HearthConfig["nodes"] | undefined => {
  const former = examineStackFile(parseStackFile(copy)).config?.nodes;
  if (former === undefined) return undefined;
  const examined = Object.values(nodes);
  const names = mismatches(machinesOfNodes(former), nodes)
    .filter(
      ({ machine: { address, role } }) => !examined.some((each) => each.address === address && each.role === role),
    )
    .map(({ machine }) => machine.name);
  return Object.fromEntries(Object.entries(former).filter(([name]) => names.includes(name)));
};

/**
 * Requires that the machines which only the escrow knows are gone. If one of them runs, the checkout is older than the escrow.
 *
 * @param lost names of those that the user declares lost
 */
export const requireGone = (former: Machines, lost: readonly string[]): void => {
  const names = Object.keys(former);
  const members = names.filter((name) => former[name]?.state === "member");
  if (members.length > 0) {
    throw new Problem(
      `${members.join(", ")} ${members.length > 1 ? "run" : "runs"} as the escrow says, and the stack file does not have ` +
        `${members.length > 1 ? "them" : "it"} so. ${advice}`,
    );
  }
  const unknown = names.filter(
    (name) => ["silent", "foreign"].includes(former[name]?.state ?? "") && !lost.includes(name),
  );
  if (unknown.length === 0) return;
  throw new Problem(
    [
      "The escrow knows machines that the stack file does not have so, and nobody knows whether they are gone:",
      ...unknown.map(
        (name) => `  ${[`${name}: does not answer as a member`, ...(former[name]?.asked ?? [])].join("; ")}`,
      ),
      `${advice}. Where you know that a machine is gone for good, say so: ${unknown.map((name) => `--lost ${name}`).join(" ")}`,
    ].join("\n"),
  );
};

/** Requires that etcd has no member that the stack file does not know. */
export const requireKnownMembers = (printed: string, nodes: Nodes): void => {
  const known = Object.entries(nodes).flatMap(([name, { renamedFrom }]) => [name, renamedFrom]);
  const strangers = etcdMembers(printed).filter(({ name }) => !known.includes(name));
  if (strangers.length === 0) return;
  throw new Problem(
    `etcd has ${strangers.map(({ name }) => name).join(", ")} as a member, which the stack file does not have. ${advice}. Where the machine ` +
      `is gone already: talosctl etcd remove-member ${strangers.map(({ id }) => id).join(" ")}`,
  );
};

const advice = "Take the checkout that was deployed last; where a machine is to go, reset it first";
