import { toNumber } from "../../config/ipv4.ts";
import { httpsUrl } from "../../config/values.ts";
import type { NewMachine, Setup } from "../platform.ts";
import { anything, by, listOf, type Given } from "../question.ts";
import type { ProxmoxSettings } from "./settings.ts";

/** What a new stack of virtual machines is asked for, and made of. */
export const proxmoxSetup = {
  extensions: ["siderolabs/qemu-guest-agent"],
  secrets: ["proxmoxToken"],
  installDisk: "/dev/sda",
  questions: (known) => [
    {
      flag: "proxmox",
      text: "URL of the Proxmox API",
      example: "https://10.40.0.5:8006",
      refuse: by(httpsUrl("https://10.40.0.5:8006")),
      fallback: () => known.proxmox,
    },
    {
      flag: "hosts",
      text: "Proxmox hosts, separated by commas",
      example: "pve1,pve2",
      refuse: anything,
      fallback: () => known.hosts,
    },
    {
      flag: "image-datastore",
      text: "Datastore for boot images",
      refuse: anything,
      fallback: () => known["image-datastore"] ?? "local",
    },
    {
      flag: "disk-datastore",
      text: "Datastore for disks",
      refuse: anything,
      fallback: () => known["disk-datastore"] ?? "local-lvm",
    },
    {
      flag: "bridge",
      text: "Bridge of the Proxmox hosts",
      refuse: anything,
      fallback: () => known.bridge ?? "vmbr0",
    },
  ],
  answers: (settings: ProxmoxSettings | undefined, hosts) => ({
    proxmox: settings?.endpoint,
    hosts: hosts.length > 0 ? hosts.join(",") : undefined,
    "image-datastore": settings?.imageDatastore,
    "disk-datastore": settings?.diskDatastore,
    bridge: settings?.bridge,
  }),
  mac: (address) =>
    ["BC", "24", "11", ...[16, 8, 0].map((shift) => hex(Math.floor(toNumber(address) / 2 ** shift) % 256))].join(":"),
  settings: (given) => ({
    endpoint: given.proxmox,
    imageDatastore: given["image-datastore"],
    diskDatastore: given["disk-datastore"],
    bridge: given.bridge,
  }),
  node: (given: Given, { role, address, position, hasWorkers }: NewMachine) => {
    const hosts = listOf(given.hosts ?? "");
    const [, second = 0, , last = 0] = address.split(".").map(Number);
    const size =
      role === "controlplane" && hasWorkers
        ? { cores: 2, memory: 4096, disk: 40 }
        : { cores: 4, memory: 8192, disk: 80 };
    return { host: hosts[position % hosts.length], vmId: Math.max(second, 1) * 100 + last, ...size };
  },
} as const satisfies Setup<ProxmoxSettings>;

const hex = (octet: number): string => octet.toString(16).toUpperCase().padStart(2, "0");
