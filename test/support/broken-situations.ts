import { readFile, rename, writeFile } from "node:fs/promises";
import { resolve } from "node:path";

import { checkpointFile } from "../../lab/checkpoint.ts";
import { labFolder } from "../../lib/engine/lab-folder.ts";
import type { LabCheckout } from "./lab-checkout.ts";
import { LabFaults } from "./lab-faults.ts";

/** The settings of a stack file. */
export type Settings = Record<string, Record<string, unknown>>;

/** What is broken, and the check that has to say so with these words. */
export type Broken = [situation: string, check: RegExp, found: RegExp];

/** Situations that are there at the same time. Nothing else may be called broken then. */
export interface Round {
  broken: Broken[];
  /** Changes the stack file that the lab runs with. */
  change?: (settings: Settings, octet: number) => void;
  /** Breaks something else. @returns what mends it */
  begin?: (checkout: LabCheckout) => Promise<() => Promise<void>>;
}

type Nodes = Record<string, Record<string, unknown> & { proxmox: Record<string, unknown> }>;

const nodesOf = (settings: Settings): Nodes => settings["hearth:nodes"] as Nodes;

const change = (settings: Settings, group: string, values: object): void => {
  Object.assign(settings[`hearth:${group}`] ?? {}, values);
};

const changeVm = (settings: Settings, node: string, values: object): void => {
  Object.assign(nodesOf(settings)[node]?.proxmox ?? {}, values);
};

/** Moves a file away. */
const without =
  (path: string) =>
  async (checkout: LabCheckout): Promise<() => Promise<void>> => {
    const file = resolve(checkout.path, path);
    await rename(file, `${file}.away`);
    return () => rename(`${file}.away`, file);
  };

/** Changes a file of the checkout. */
const changed =
  (edit: (text: string) => string, ...path: string[]) =>
  async (checkout: LabCheckout): Promise<() => Promise<void>> => {
    const file = checkout.file(...path);
    const before = await readFile(file, "utf8");
    const after = edit(before);
    if (after === before) throw new Error(`The edit changes nothing in ${file}`);
    await writeFile(file, after);
    return () => writeFile(file, before);
  };

const failing =
  (...faults: Parameters<LabFaults["service"]>[]) =>
  async (checkout: LabCheckout): Promise<() => Promise<void>> => {
    const lab = await LabFaults.of(checkout);
    for (const fault of faults) await lab.service(...fault).begin();
    return () => lab.service("proxmox", "fails").end();
  };

/** Rounds in a lab of dev that runs. */
export const rounds: readonly Round[] = [
  {
    change: (settings) => {
      changeVm(settings, "den-dev-wk01", { bridge: "vmbr9", cores: 64 });
      changeVm(settings, "den-dev-wk02", { host: "pve9" });
      change(settings, "proxmox", { imageDatastore: "local-lvm" });
      change(settings, "gitops", { branch: "mian" });
      change(settings, "cloudflare", { account: "0".repeat(32) });
    },
    broken: [
      ["a bridge that the host lacks", /^Proxmox bridge vmbr9 on pve1$/, /there are vmbr0/],
      ["more cores than the host has", /^Proxmox host pve1$/, /has 32 cores, and den-dev-wk01 asks for 64/],
      ["a host that is not in the cluster", /^Proxmox host pve9$/, /is not in the cluster, which has pve1/],
      ["a datastore without import", /^Proxmox datastore local-lvm on pve1$/, /has no content type import/],
      ["a branch that is not there", /^Git branch mian$/, /is not in the repository, which has main/],
      ["another account", /^Cloudflare (right Cloudflare Tunnel|zone)/, /00000000/],
    ],
  },
  {
    change: (settings) => {
      changeVm(settings, "den-dev-wk01", { vmId: 3021, memory: 999_999 });
      changeVm(settings, "den-dev-wk02", { vmId: 3022, diskDatastore: "nowhere" });
      const [one, other] = [nodesOf(settings)["den-dev-wk01"], nodesOf(settings)["den-dev-wk02"]];
      if (one && other) [one.mac, other.mac] = [other.mac, one.mac];
      change(settings, "gitops", { path: "gitops/clusters/nowhere" });
      change(settings, "cloudflare", {
        zone: { ...(settings["hearth:cloudflare"]?.zone as object), id: "0".repeat(32) },
      });
    },
    broken: [
      ["more memory than the host has", /^Proxmox host pve1$/, /of memory/],
      ["a datastore that is not there", /^Proxmox datastore nowhere on pve1$/, /is not there/],
      ["hardware addresses that other machines have", /^Proxmox hardware address/, /belongs to/],
      ["a folder that is not on the branch", /^Git folder gitops\/clusters\/nowhere$/, /is not on main/],
      ["another zone", /^Cloudflare right DNS: Edit$/, /zone example\.com/],
    ],
  },
  {
    change: (settings, octet) => {
      change(settings, "cluster", {
        ...{ vip: `127.${String(octet)}.0.98`, endpoint: `https://127.${String(octet)}.0.98:6443`, talos: "v1.13.5" },
      });
      Object.assign(nodesOf(settings)["den-dev-wk02"] ?? {}, { address: `127.${String(octet)}.0.99` });
      const { repository, knownHosts } = settings["hearth:gitops"] ?? {};
      change(settings, "gitops", {
        repository: String(repository).replace(":2222", ":2229"),
        knownHosts: String(knownHosts).replace(":2222", ":2229"),
      });
    },
    broken: [
      ["a VIP that does not answer", /^network VIP /, /does not answer on port 6443/],
      ["an older Talos than runs", /^machine .*'s Talos$/, /keeps what somebody installed/],
      ["a machine's address at which nobody answers", /^machine den-dev-wk02 at /, /the state has a configuration/],
      ["a Git server that does not answer", /^Git server /, /does not answer/],
    ],
  },
  {
    begin: without(".lab/dev/escrow.sops.yaml"),
    broken: [["an escrow that is not there", /^escrow$/, /is missing/]],
  },
  {
    begin: changed(
      (text) => text.replaceAll(/(BEGIN AGE ENCRYPTED FILE-----\s+\S{40})\S{8}/g, "$1AAAAAAAA"),
      ...["gitops", "clusters", "dev", "environment.sops.yaml"],
    ),
    change: (settings) => {
      (settings["hearth:escrow"]?.recipients as string[]).push(
        "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa",
      );
    },
    broken: [
      ["an escrow without a recipient of the stack file", /^escrow$/, /is encrypted to others/],
      ["a file of the tree that the stack's key does not open", /^tree encrypted files$/, /environment\.sops\.yaml/],
    ],
  },
  {
    begin: changed(() => "resources: [", "gitops", "clusters", "dev", "kustomization.yaml"),
    broken: [["a tree that cannot be read", /^tree/, /kustomization\.yaml/]],
  },
  {
    begin: changed(() => "another", ".lab", "dev", "passphrase"),
    broken: [
      ["a passphrase that does not open the state", /^computer state$/, /cannot be read/],
      ["secrets that cannot be read", /^computer secrets of the stack file$/, /cannot be read/],
    ],
  },
  {
    begin: async (checkout) => without(await checkpointFile(labFolder(checkout.path, "dev")))(checkout),
    broken: [
      ["a backend that has no such stack", /^computer state$/, /there is no stack dev/],
      ["machines of a cluster that no state has", /^machine den-dev-\w+ at /, /another cluster/],
      ["a VIP that answers before its cluster is made", /^network VIP/, /this cluster is not made yet/],
    ],
  },
  {
    begin: failing(["proxmox", "refuses"], ["cloudflare", "drops"]),
    broken: [
      ["a token that Proxmox refuses", /^Proxmox token$/, /is refused: 401/],
      ["a Cloudflare that does not answer", /^Cloudflare$/, /does not answer/],
    ],
  },
  {
    begin: failing(["proxmox", "fails"], ["cloudflare", "refuses"]),
    broken: [
      ["a Proxmox that fails", /^Proxmox token$/, /500/],
      ["a token that Cloudflare refuses", /^Cloudflare token$/, /is refused/],
    ],
  },
];
