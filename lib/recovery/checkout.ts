import { parseAllDocuments } from "yaml";

import { resourceTypes } from "../../components/resource-types.ts";
import { nameOf } from "../../components/urn.ts";
import { ofType, type State, type StateResource } from "../engine/state.ts";
import { revealed } from "../engine/value.ts";
import { Problem } from "../../toolchain/problem.ts";

/** A machine of a cluster, as a state, a journal or a stack file has it. */
export interface KnownMachine {
  name: string;
  address: string;
  /** Undefined if it is not known. */
  role?: "controlplane" | "worker" | undefined;
}

/** The nodes of a stack file, as far as they tell which machines there are. */
export type Nodes = Record<
  string,
  { address: string; role: "controlplane" | "worker"; renamedFrom?: string | undefined }
>;

/** The machines of a stack file. */
export const machinesOfNodes = (nodes: Nodes): KnownMachine[] =>
  Object.entries(nodes).map(([name, { address, role }]) => ({ name, address, role }));

/** The machines that a state has, and those that an interrupted update was creating or changing. */
export const machinesOfState = (state: State): KnownMachine[] => {
  const pending = (state.deployment.pending_operations ?? []).map(({ resource }) => resource);
  const all = [
    ...ofType(state, resourceTypes.machineConfiguration),
    ...pending.filter(({ type }) => type === resourceTypes.machineConfiguration),
  ];
  return [...new Map(all.map((resource) => [nameOf(resource.urn), machineOf(resource)])).values()];
};

const machineOf = ({ urn, inputs }: StateResource): KnownMachine => {
  const { node, machineConfigurationInput } = (revealed(inputs) ?? {}) as Record<string, unknown>;
  return { name: nameOf(urn), address: String(node), role: roleIn(machineConfigurationInput) };
};

const roleIn = (configuration: unknown): KnownMachine["role"] => {
  if (typeof configuration !== "string") return undefined;
  const types = parseAllDocuments(configuration).map(
    (document) => (document.toJS() as { machine?: { type?: string } } | null)?.machine?.type,
  );
  return (["controlplane", "worker"] as const).find((role) => types.includes(role));
};

/** A machine that a checkout lacks, or has otherwise. */
export interface Mismatch {
  machine: KnownMachine;
  /** What differs, as the end of a sentence that begins with the machine's name. */
  how: string;
}

const words = { controlplane: "a control plane", worker: "a worker" };

/** The machines that a stack file lacks or has otherwise. A node that says by `renamedFrom` what it was is the same machine. */
export const mismatches = (known: readonly KnownMachine[], nodes: Nodes): Mismatch[] =>
  known.flatMap((machine) => {
    const how = differs(machine, nodes);
    return how === undefined ? [] : [{ machine, how }];
  });

const differs = ({ name, address, role }: KnownMachine, nodes: Nodes): string | undefined => {
  const all = Object.entries(nodes);
  const node = all.find(([, { renamedFrom }]) => renamedFrom === name)?.[1] ?? nodes[name];
  if (node === undefined) {
    const [other] = all.find(([, each]) => each.address === address) ?? [];
    const hint =
      other === undefined ? "" : `, whose ${other} has its address (if that is its new name: renamedFrom: ${name})`;
    return `was deployed as ${role ? words[role] : "a machine"} at ${address}, and is not in the stack file${hint}`;
  }
  if (node.address !== address) return `was deployed at ${address}, and is at ${node.address} in the stack file`;
  if (role !== undefined && node.role !== role)
    return `was deployed as ${words[role]}, and is ${words[node.role]} in the stack file`;
  return undefined;
};

/**
 * Requires that a checkout has all machines as they were deployed. A plan that knows only some of them may begin a second etcd beside
 * the one of the others.
 *
 * @throws Problem that names each machine that differs
 */
export const requireSameMachines = (known: readonly KnownMachine[], nodes: Nodes): void => {
  const found = mismatches(known, nodes);
  if (found.length === 0) return;
  throw new Problem(
    [
      "The stack file is not the one that was deployed, so nothing is done:",
      ...found.map(({ machine, how }) => `  ${machine.name}: ${how}`),
      "Take the checkout that was deployed last. Where a machine is to go, or to change, deploy that first",
    ].join("\n"),
  );
};

/**
 * Requires that a checkout has the machines that were deployed, and no other. What is done to all machines of a checkout that is behind
 * leaves the rest behind, and reaches none that was not deployed.
 *
 * @throws Problem that names each machine that only one of both has, or that differs
 */
export const requireDeployedMachines = (state: State, nodes: Nodes, stack: string): void => {
  const known = machinesOfState(state);
  requireSameMachines(known, nodes);
  const addresses = known.map(({ address }) => address);
  const added = Object.keys(nodes).filter((name) => !addresses.includes(nodes[name]?.address ?? ""));
  if (added.length === 0) return;
  throw new Problem(
    `Pulumi.${stack}.yaml has machines that were never deployed: ${added.join(", ")}. Deploy them first, or take the checkout that was ` +
      "deployed last",
  );
};
