import { fine, listed, notAsked, problem, valueOf, warning, type Finding, type Known } from "./finding.ts";

/** Another guest of the Proxmox cluster with its hardware addresses. */
export interface Neighbour {
  vmid: number;
  name: string;
  isRunning: boolean;
  /** In capitals. */
  macs: Known<string[]>;
}

/**
 * The hardware addresses that a guest's configuration gives it, in capitals.
 *
 * Source: qemu-server 9.2.6, PVE/QemuServer/Network.pm, `virtio=MAC` and `macaddr=MAC`; pve-container 6.0, PVE/LXC/Config.pm, `hwaddr=MAC`.
 */
export const macsIn = (config: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(config)
    .filter(([key, value]) => /^net\d+$/.test(key) && typeof value === "string")
    .flatMap(([, value]) => [...String(value).matchAll(/(?<==)(?:[0-9a-f]{2}:){5}[0-9a-f]{2}(?=,|$)/gi)])
    .map(([mac]) => mac.toUpperCase());

const check = "Proxmox hardware addresses";

/**
 * @param macs of the stack's machines, by the name of their node
 * @param own numbers of the machines that the state has. One of the same name is the machine itself, which gets another number
 */
export const macFindings = (
  macs: Readonly<Record<string, readonly string[]>>,
  neighbours: Known<Neighbour[]>,
  own: readonly number[],
): Finding[] => {
  if ("why" in neighbours) return [notAsked(check, neighbours.why)];
  const taken = Object.entries(macs).flatMap(([name, given]) =>
    neighbours.value.flatMap((neighbour) => {
      if (neighbour.name === name && own.includes(neighbour.vmid)) return [];
      const others = valueOf(neighbour.macs) ?? [];
      return given.filter((mac) => others.includes(mac)).map((mac) => takenFinding(name, mac, neighbour));
    }),
  );
  const unread = neighbours.value.filter((neighbour) => "why" in neighbour.macs);
  if (unread.length > 0) {
    const [first] = unread;
    const why = first && "why" in first.macs ? first.macs.why : "";
    taken.push(notAsked(check, `those of ${listed(unread.map(({ vmid }) => vmid.toString()))} cannot be read: ${why}`));
  }
  return taken.length > 0
    ? taken
    : [fine(check, `no other machine has one of them, of ${neighbours.value.length.toString()}`)];
};

/** Two machines with one address lose each other's packets, as soon as both run. */
const takenFinding = (name: string, mac: string, { vmid, name: other, isRunning }: Neighbour): Finding =>
  (isRunning ? problem : warning)(
    `Proxmox hardware address ${mac} (${name})`,
    `belongs to ${other} (${vmid.toString()}) as well${isRunning ? "" : ", which is off"}`,
    `give nodes.${name}.mac another one, or that machine's network device`,
  );
