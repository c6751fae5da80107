import type { HearthConfig } from "../../infra/config/index.ts";
import { fine, listed, notAsked, problem, type Finding, type Known } from "./finding.ts";

/** A privilege that the token needs, on any of these paths. */
export interface Need {
  /** The first is where it is asked for; the others do as well. */
  anyOf: { path: string; privilege: string }[];
}

/** The privileges that a token has, by path, as Proxmox itself works them out for the path. */
export type Privileges = Record<string, readonly string[]>;

/** Source: qemu-server 9.2.6, PVE/API2/Qemu.pm, create_vm and check_vm_modify_config_perm, for the options of components/machines/vm.ts. */
const forMachines = [
  ...["VM.Allocate", "VM.Audit", "VM.Config.CDROM", "VM.Config.CPU", "VM.Config.Cloudinit", "VM.Config.Disk"],
  ...["VM.Config.HWType", "VM.Config.Memory", "VM.Config.Network", "VM.Config.Options", "VM.PowerMgmt"],
];

const on = (path: string, ...privileges: string[]): Need[] =>
  privileges.map((privilege) => ({ anyOf: [{ path, privilege }] }));

/**
 * The privileges that a stack's token needs.
 *
 * Sources: qemu-server 9.2.6, PVE/API2/Qemu.pm (`startup` needs Sys.Modify on /) and PVE/QemuServer.pm, check_bridge_access;
 * pve-guest-common, PVE/GuestHelpers.pm, check_vnet_access; libpve-storage-perl 9.1.7, PVE/API2/Storage/Status.pm, download_url, and
 * Content.pm, delete; pve-ha-manager, PVE/API2/HA/Resources.pm.
 *
 * @param vnets bridges that are virtual networks of a zone, whose path is not known here
 */
export const needsOf = ({ nodes, proxmox }: HearthConfig, vnets: readonly string[] = []): Need[] => {
  if (!proxmox) return [];
  const vms = Object.values(nodes).flatMap((node) => (node.platform === "proxmox" ? [node.proxmox] : []));
  const unique = (values: string[]): string[] => [...new Set(values)].sort();
  const images = unique(vms.map(({ imageDatastore }) => imageDatastore ?? proxmox.imageDatastore));
  const disks = unique(
    vms.flatMap(({ diskDatastore, extraDisks }) => {
      const own = diskDatastore ?? proxmox.diskDatastore;
      return [own, ...extraDisks.map(({ datastore }) => datastore ?? own)];
    }),
  );
  const bridges = unique(
    vms
      .map((vm) => ({ bridge: vm.bridge ?? proxmox.bridge, vlan: vm.vlan ?? proxmox.vlan }))
      .filter(({ bridge }) => !vnets.includes(bridge))
      .map(({ bridge, vlan }) => `/sdn/zones/localnetwork/${bridge}${vlan === undefined ? "" : `/${vlan.toString()}`}`),
  );
  return [
    ...on("/", "Sys.Modify", ...(proxmox.antiAffinity ? ["Sys.Console"] : [])),
    ...unique(vms.map(({ host }) => host)).flatMap((host) => [
      ...on(`/nodes/${host}`, "Sys.Audit"),
      {
        anyOf: [
          { path: `/nodes/${host}`, privilege: "Sys.AccessNetwork" },
          { path: "/", privilege: "Sys.Audit" },
        ],
      },
    ]),
    ...images.flatMap((name) => on(`/storage/${name}`, "Datastore.AllocateTemplate", "Datastore.Allocate")),
    ...disks.flatMap((name) => on(`/storage/${name}`, "Datastore.AllocateSpace")),
    ...bridges.flatMap((path) => on(path, "SDN.Use")),
    ...vms.flatMap(({ vmId, pool }) =>
      forMachines.map((privilege) => ({
        anyOf: [
          { path: `/vms/${vmId.toString()}`, privilege },
          ...(pool === undefined ? [] : [{ path: `/pool/${pool}`, privilege }]),
        ],
      })),
    ),
    ...unique(vms.flatMap(({ pciMappings }) => pciMappings)).flatMap((name) =>
      on(`/mapping/pci/${name}`, "Mapping.Use"),
    ),
  ];
};

/** The paths whose privileges have to be asked for. */
export const pathsOf = (needs: readonly Need[]): string[] => [
  ...new Set(needs.flatMap(({ anyOf }) => anyOf.map(({ path }) => path))),
];

/** What a token lacks, by path. */
export const missingOf = (needs: readonly Need[], has: Privileges): Record<string, string[]> => {
  const missing: Record<string, string[]> = {};
  for (const { anyOf } of needs) {
    const [first] = anyOf;
    if (first === undefined || anyOf.some(({ path, privilege }) => has[path]?.includes(privilege))) continue;
    (missing[first.path] ??= []).push(first.privilege);
  }
  return missing;
};

const check = "Proxmox token's privileges";

/** @param token its ID, USER@REALM!ID */
export const privilegeFindings = (needs: readonly Need[], has: Known<Privileges>, token: string): Finding[] => {
  if ("why" in has) return [notAsked(check, has.why)];
  const missing = missingOf(needs, has.value);
  // Machines usually lack the same.
  const byLack = new Map<string, string[]>();
  for (const [path, privileges] of Object.entries(missing)) {
    const lack = listed(privileges);
    byLack.set(lack, [...(byLack.get(lack) ?? []), path]);
  }
  if (byLack.size === 0) return [fine(check, `all that the stack needs, on ${pathsOf(needs).length.toString()} paths`)];
  const [user = "", name = ""] = token.split("!");
  return [...byLack].map(([lack, paths]) =>
    problem(
      check,
      `${token} lacks ${lack} on ${listed(paths)}`,
      `add it to the role that the token has there: pveum role modify ROLE --append 1 --privs "${lack.replaceAll(",", "")}"\n` +
        `pveum user token permissions '${user}' '${name}' shows what it has; with separated privileges, its user needs the role too`,
    ),
  );
};
