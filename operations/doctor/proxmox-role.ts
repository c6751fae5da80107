import type { HearthConfig } from "../../infra/config/index.ts";
import { needsOf, type Need } from "./proxmox-privileges.ts";

/** For a machine that gets another host: a deployment migrates it. Source: qemu-server 9.2.6, PVE/API2/Qemu.pm, migrate_vm. */
const forMoves: Need = { anyOf: [{ path: "/vms", privilege: "VM.Migrate" }] };

/** The fewest privileges by which a role on `/` does what a stack needs, in alphabetical order. */
export const roleOf = (config: HearthConfig): string[] => {
  const needs = [...needsOf(config), forMoves];
  const role = new Set(
    needs.flatMap(({ anyOf: [first, ...others] }) => (first && others.length === 0 ? first.privilege : [])),
  );
  for (const { anyOf } of needs) {
    const [first] = anyOf;
    if (first !== undefined && !anyOf.some(({ privilege }) => role.has(privilege))) role.add(first.privilege);
  }
  return [...role].sort();
};

/**
 * Commands that make such a role, with a user and a token that has it. They are pasted at a Proxmox host.
 *
 * Source: pve-manager 9.2.11, pveum(1).
 */
export const roleCommands = (config: HearthConfig): string[] => [
  `pveum role add Hearth --privs "${roleOf(config).join(" ")}"`,
  "pveum user add hearth@pve",
  "pveum acl modify / --users hearth@pve --roles Hearth",
  "pveum user token add hearth@pve deploy --privsep 0",
];
