import { parse, stringify } from "yaml";

import { Problem } from "../../toolchain/problem.ts";

/** Roles of the Talos API, as a person names them. Source: siderolabs/talos v1.13.9, pkg/machinery/role/role.go. */
export const roles = {
  reader: "os:reader",
  operator: "os:operator",
  "etcd-backup": "os:etcd:backup",
  admin: "os:admin",
} as const;

export type RoleName = keyof typeof roles;

/** Returns the role of a name. */
export const roleOf = (name: string): (typeof roles)[RoleName] => {
  if (name in roles) return roles[name as RoleName];
  throw new Problem(`--role ${name} is not a role: write ${Object.keys(roles).join(", ")}`);
};

/** A machine to ask, or to name in a talosconfig. */
export interface Node {
  role: "controlplane" | "worker";
  address: string;
}

export interface Order {
  nodes: Record<string, Node>;
  role: string;
  /** As Go writes it. */
  lifetime: string;
  /** Asks a machine for a talosconfig, and returns its text. */
  ask: (address: string, role: string, lifetime: string) => Promise<string>;
}

/**
 * Has a control plane issue a talosconfig, the next where one does not answer.
 *
 * The certificate is the machine's own work: only control planes have the authority's key.
 *
 * @returns the text, with all control planes as endpoints and all machines as nodes
 */
export const issue = async ({ nodes, role, lifetime, ask }: Order): Promise<string> => {
  const problems: string[] = [];
  const planes = Object.entries(nodes).filter(([, node]) => node.role === "controlplane");
  for (const [name, { address }] of planes) {
    const text = await ask(address, role, lifetime).catch((error: unknown) => {
      if (!(error instanceof Problem)) throw error;
      problems.push(`${name} issues no certificate: ${error.message}`);
    });
    if (text !== undefined) return complete(text, planes, Object.values(nodes));
  }
  throw new Problem([...problems, "Look at the machines with `talosctl health`, then run this again"].join("\n"));
};

const complete = (text: string, planes: [string, Node][], all: Node[]): string => {
  const config = parse(text) as { context: string; contexts: Record<string, object> };
  const endpoints = planes.map(([, { address }]) => address);
  const own = { ...config.contexts[config.context], endpoints, nodes: all.map(({ address }) => address) };
  return stringify({ ...config, contexts: { ...config.contexts, [config.context]: own } });
};
