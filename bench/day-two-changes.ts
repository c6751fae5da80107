import type { Document } from "yaml";

/** A change of the stack file, on top of those before it. */
export interface DayTwoChange {
  /** @example "a label of a worker" */
  title: string;
  change: (stack: Document) => void;
  /** Whether it is refused, so that the next one does not build on it. @default false */
  isRefused?: boolean;
}

const set = (path: string, value: unknown) => (stack: Document) => {
  stack.setIn(keysOf(path), stack.createNode(value));
};

const remove = (path: string) => (stack: Document) => {
  if (!stack.deleteIn(keysOf(path))) throw new Error(`The stack file has no ${path}`);
};

const keysOf = (path: string): string[] => ["config", ...path.split("/")];

const all =
  (...changes: ((stack: Document) => void)[]) =>
  (stack: Document) => {
    for (const change of changes) change(stack);
  };

/** Allows that machines go, or are made anew. */
const exempt = (...resources: string[]) =>
  set("hearth:policy/exemptions", [
    { policy: "kept-resources", resources, until: "2099-12-31", reason: "It is measured what their removal takes" },
  ]);

const node = (name: string): string => `hearth:nodes/${name}`;

/** A virtual machine like those of the stack file of dev. */
const vm = (name: string, role: "controlplane" | "worker", last: number) =>
  set(node(name), {
    ...{ platform: "proxmox", role, image: "standard", address: `10.20.0.${last}`, mac: `BC:24:11:20:00:${last}` },
    ...{ installDisk: "/dev/sda", proxmox: { host: "pve1", vmId: 2000 + last, cores: 2, memory: 4096, disk: 40 } },
  });

/** A computer like those of the stack file of prod. */
const computer = (name: string, last: number) =>
  set(node(name), {
    ...{
      platform: "metal",
      role: "controlplane",
      image: "intel",
      address: `10.30.0.${last}`,
      mac: `7C:83:34:30:00:${last}`,
    },
    diskSelector: { type: "nvme", size: ">= 200GB" },
  });

/** The three changes that move the endpoint from one address to another. */
const endpoint = (network: string, old: string, other: string, link: string): DayTwoChange[] => {
  const [before, after] = [`${network}.${old}`, `${network}.${other}`];
  const issuer = `https://${before}:6443`;
  const apiServer = { extraArgs: { "service-account-issuer": issuer, "api-audiences": issuer } };
  const vip = (name: string) => ({ apiVersion: "v1alpha1", kind: "Layer2VIPConfig", name, link });
  const patches = (...vips: ReturnType<typeof vip>[]) =>
    set("hearth:cluster/patches", { controlPlanes: [...vips, { cluster: { apiServer } }] });
  const names = (...addresses: string[]) => set("hearth:cluster/certSANs", addresses);
  const leadTo = (address: string) =>
    all(set("hearth:cluster/endpoint", `https://${address}:6443`), set("hearth:cluster/vip", address));
  return [
    { title: "another endpoint and VIP, at once", change: leadTo(after), isRefused: true },
    { title: "another endpoint, 1 of 3", change: all(patches(vip(after)), names(before, after)) },
    { title: "another endpoint, 2 of 3", change: all(leadTo(after), patches(vip(before))) },
    { title: "another endpoint, 3 of 3", change: all(patches(), names(after)) },
  ];
};

const rename = (from: string, to: string) => (stack: Document) => {
  const machine = stack.getIn(keysOf(node(from)));
  stack.deleteIn(keysOf(node(from)));
  stack.setIn(keysOf(node(to)), machine);
  stack.setIn(keysOf(`${node(to)}/renamedFrom`), from);
};

const role = (role: "controlplane" | "worker", ...names: string[]) =>
  all(...names.map((name) => set(`${node(name)}/role`, role)));

const talos = "hearth:cluster/talos";
const udev = { machine: { udev: { rules: ['SUBSYSTEM=="net", ATTR{mtu}="1500"'] } } };

/** Changes of a stack in their order, each on top of those before it. */
export const changesOf: Record<"dev" | "prod", DayTwoChange[]> = {
  dev: [
    { title: "a label of a worker", change: set(`${node("den-dev-wk01")}/labels`, { "hearth.dev/a": "b" }) },
    { title: "a patch release of Talos", change: set(talos, "v1.13.10") },
    {
      title: "cores of both workers",
      change: all(...["den-dev-wk01", "den-dev-wk02"].map((name) => set(`${node(name)}/proxmox/cores`, 6))),
    },
    { title: "a patch release of Kubernetes", change: set("hearth:cluster/kubernetes", "v1.36.5") },
    { title: "a worker added", change: vm("den-dev-wk03", "worker", 23) },
    {
      title: "a worker replaced, for its disk's encryption",
      change: all(set(`${node("den-dev-wk03")}/diskEncryption`, "nodeID"), exempt("den-dev-wk03")),
    },
    { title: "a worker removed", change: all(remove(node("den-dev-wk03")), exempt("den-dev-wk03")) },
    { title: "a configuration that needs a reboot", change: set("hearth:cluster/patches", { workers: [udev] }) },
    {
      title: "another image profile",
      change: set("hearth:images/standard/extensions", ["siderolabs/qemu-guest-agent", "siderolabs/iscsi-tools"]),
    },
    {
      title: "a worker on another Proxmox host",
      change: all(set("hearth:proxmox/hosts", ["pve1", "pve2"]), set(`${node("den-dev-wk02")}/proxmox/host`, "pve2")),
    },
    { title: "a worker renamed", change: rename("den-dev-wk02", "den-dev-wk09") },
    {
      title: "the address of a worker",
      change: all(set(`${node("den-dev-wk01")}/address`, "10.20.0.29"), exempt("den-dev-wk01")),
    },
    {
      title: "the role of both workers, control planes then",
      change: all(role("controlplane", "den-dev-wk01", "den-dev-wk09"), exempt("den-dev-wk01", "den-dev-wk09")),
    },
    {
      title: "the role of both again, workers then",
      change: all(role("worker", "den-dev-wk01", "den-dev-wk09"), exempt("den-dev-wk01", "den-dev-wk09")),
    },
    {
      title: "one control plane → three",
      change: all(vm("den-dev-cp02", "controlplane", 12), vm("den-dev-cp03", "controlplane", 13)),
    },
    {
      title: "three control planes → one",
      change: all(remove(node("den-dev-cp02")), remove(node("den-dev-cp03")), exempt("den-dev-cp02", "den-dev-cp03")),
    },
    ...endpoint("10.20.0", "10", "9", "eth0"),
  ],
  prod: [
    {
      title: "a label of a control plane",
      change: set(`${node("den-prod-cp01")}/labels`, { "hearth.dev/a": "b" }),
    },
    { title: "a patch release of Talos", change: set(talos, "v1.13.10") },
    { title: "the former release of Talos", change: set(talos, "v1.13.9") },
    { title: "a patch release of Kubernetes", change: set("hearth:cluster/kubernetes", "v1.36.5") },
    { title: "a control plane renamed", change: rename("den-prod-cp02", "den-prod-cp08") },
    {
      title: "three control planes → one",
      change: all(
        remove(node("den-prod-cp01")),
        remove(node("den-prod-cp03")),
        exempt("den-prod-cp01", "den-prod-cp03"),
      ),
    },
    {
      title: "one control plane → three",
      change: all(computer("den-prod-cp01", 11), computer("den-prod-cp03", 13)),
    },
    {
      title: "the role of two of three control planes, workers then",
      change: all(role("worker", "den-prod-cp01", "den-prod-cp03"), exempt("den-prod-cp01", "den-prod-cp03")),
    },
    {
      title: "the role of both again, control planes then",
      change: all(role("controlplane", "den-prod-cp01", "den-prod-cp03"), exempt("den-prod-cp01", "den-prod-cp03")),
    },
    ...endpoint("10.30.0", "10", "9", "net0"),
    {
      title: "other keys of all disks",
      change: all(
        set("hearth:cluster/diskEncryption", "nodeID"),
        exempt("den-prod-cp01", "den-prod-cp08", "den-prod-cp03"),
      ),
    },
    {
      title: "three control planes → five",
      change: all(computer("den-prod-cp04", 14), computer("den-prod-cp05", 15)),
    },
    { title: "a configuration that needs a reboot", change: set("hearth:cluster/patches/all", [udev]) },
    {
      title: "another image profile",
      change: set("hearth:images/intel/extensions", ["siderolabs/intel-ucode", "siderolabs/iscsi-tools"]),
    },
  ],
};
