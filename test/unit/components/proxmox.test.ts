import * as proxmox from "@pulumi/proxmoxve";
import { expect } from "chai";

import { apartMachines } from "../../../components/machines/affinity.ts";
import { hostImages } from "../../../components/machines/images.ts";
import { ProxmoxMachines, type ProxmoxMachinesArgs } from "../../../components/machines/proxmox.ts";
import { vmArgs, type ProxmoxMachine } from "../../../components/machines/vm.ts";
import { run } from "../../support/graph.ts";
import { machineFacts } from "../../support/machines.ts";
import { expectSound } from "../../support/sound.ts";

const vm = (changes: Partial<ProxmoxMachine> = {}): ProxmoxMachine => ({
  facts: machineFacts(),
  host: "pve1",
  vmId: 2011,
  cores: 2,
  memory: 4096,
  disk: 40,
  ...changes,
});

const defaults = {
  imageDatastore: "local",
  diskDatastore: "local-lvm",
  bridge: "vmbr0",
  gateway: "10.20.0.1",
  nameservers: ["10.20.0.1"],
  prefixLength: 24,
  tags: ["hearth", "den-dev"],
};

const args = (changes: Partial<ProxmoxMachinesArgs> = {}): ProxmoxMachinesArgs => ({
  ...defaults,
  cluster: "den-dev",
  machines: { "den-dev-cp01": vm() },
  talos: "v1.13.9",
  sharedDatastores: [],
  antiAffinity: true,
  ...changes,
});

const controlPlanes = (count: number, hosts: string[]): Record<string, ProxmoxMachine> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `den-dev-cp0${index + 1}`,
      vm({
        vmId: 2011 + index,
        host: hosts[index % hosts.length] ?? "pve1",
        facts: machineFacts({ address: `10.20.0.${11 + index}` }),
      }),
    ]),
  );

describe("the inputs of a virtual machine", () => {
  const inputs = (changes: Partial<ProxmoxMachine> = {}) => vmArgs("den-dev-cp01", vm(changes), defaults, "image");

  it("have an address of both families before they have a configuration, where the network has both", () => {
    const facts = machineFacts({ address6: "fd00:10:20::11" });
    const ipv6 = { subnet: "fd00:10:20::/64", gateway: "fd00:10:20::1" };
    const { initialization } = vmArgs("den-dev-cp01", vm({ facts }), { ...defaults, ipv6 }, "image");
    expect(initialization).to.have.deep.property("ipConfigs", [
      {
        ipv4: { address: "10.20.0.11/24", gateway: "10.20.0.1" },
        ipv6: { address: "fd00:10:20::11/64", gateway: "fd00:10:20::1" },
      },
    ]);
  });

  it("have a link for each network with hardware of its own, on that network's bridge, in its VLAN", () => {
    const further = {
      storage: { mac: "BC:24:11:50:00:11", dhcp: false, mtu: 9000 },
      backup: { mac: "BC:24:11:60:00:11", dhcp: true },
      cameras: { dhcp: false, vlan: 70 },
    };
    const facts = machineFacts({ link: { mac: "BC:24:11:20:00:11", dhcp: false, further } });
    const networks = { storage: { bridge: "vmbr1", vlan: 50 } };
    const { networkDevices } = vmArgs("den-dev-cp01", vm({ facts, vlan: 20 }), { ...defaults, networks }, "image");
    expect(networkDevices).to.deep.equal([
      { bridge: "vmbr0", model: "virtio", macAddress: "BC:24:11:20:00:11", vlanId: 20 },
      { bridge: "vmbr1", model: "virtio", macAddress: "BC:24:11:50:00:11", vlanId: 50, mtu: 9000 },
      { bridge: "vmbr0", model: "virtio", macAddress: "BC:24:11:60:00:11" },
    ]);
  });

  it("let it migrate to another host, for the provider would make another machine there", () => {
    expect(inputs({ host: "pve2" })).to.deep.include({ nodeName: "pve2", migrate: true });
    expect(inputs().cdrom).to.deep.include({ fileId: "none" });
  });

  it("are what Talos boots with", () => {
    expect(inputs()).to.deep.include({
      machine: "q35",
      bios: "ovmf",
      scsiHardware: "virtio-scsi-pci",
      efiDisk: { datastoreId: "local-lvm", type: "4m", preEnrolledKeys: false },
      memory: { dedicated: 4096, floating: 0 },
      agent: { enabled: true, waitForIp: { disabled: true } },
      stopOnDestroy: true,
    });
  });

  it("have a TPM when a key is in it, or when one is asked for", () => {
    const tpm = { datastoreId: "local-lvm", version: "v2.0" };
    expect(inputs()).not.to.have.property("tpmState");
    expect(inputs({ facts: machineFacts({ encryption: "tpm" }) })).to.have.deep.property("tpmState", tpm);
    expect(inputs({ tpm: true })).to.have.deep.property("tpmState", tpm);
  });

  it("fix the hardware address and the address", () => {
    expect(inputs()).to.have.nested.property("networkDevices[0].macAddress", "BC:24:11:20:00:11");
    expect(inputs()).to.have.deep.nested.property("initialization.ipConfigs[0].ipv4", {
      address: "10.20.0.11/24",
      gateway: "10.20.0.1",
    });
  });

  it("leave the address to DHCP where it keeps one", () => {
    const facts = machineFacts({ link: { mac: "BC:24:11:20:00:11", dhcp: true } });
    expect(inputs({ facts })).to.have.deep.nested.property("initialization.ipConfigs[0].ipv4", { address: "dhcp" });
  });

  it("start control planes before workers, and restart only workers on their own", () => {
    expect(inputs()).to.deep.include({ startup: { order: 1, upDelay: 5, downDelay: 60 }, rebootAfterUpdate: false });
    const worker = inputs({ facts: machineFacts({ role: "worker" }) });
    expect(worker).to.deep.include({ startup: { order: 2, upDelay: 5, downDelay: 60 }, rebootAfterUpdate: true });
  });

  it("give way to what is said of the machine", () => {
    const own = inputs({
      ...{ bridge: "vmbr1", vlan: 20, cpuType: "x86-64-v3", numa: true, onBoot: false, rebootAfterUpdate: true },
      ...{ diskDatastore: "fast", pool: "k8s", tags: ["storage", "hearth"], pciMappings: ["gpu"] },
      startup: { order: 7, upDelay: undefined },
      extraDisks: [
        { size: 100, serial: "data" },
        { size: 200, datastore: "slow" },
      ],
    });
    expect(own).to.deep.include({
      cpu: { cores: 2, type: "x86-64-v3", numa: true },
      startup: { order: 7, upDelay: 5, downDelay: 60 },
      tags: ["den-dev", "hearth", "storage"],
      hostpcis: [{ device: "hostpci0", mapping: "gpu", pcie: true }],
      ...{ onBoot: false, rebootAfterUpdate: true, poolId: "k8s" },
    });
    expect(own.networkDevices).to.deep.equal([
      { bridge: "vmbr1", model: "virtio", macAddress: "BC:24:11:20:00:11", vlanId: 20 },
    ]);
    const disks = own.disks as { interface: string; datastoreId: string; serial?: string }[];
    expect(disks.map((disk) => [disk.interface, disk.datastoreId, disk.serial])).to.deep.equal([
      ["scsi0", "fast", undefined],
      ["scsi1", "fast", "data"],
      ["scsi2", "slow", undefined],
    ]);
  });
});

describe("the tuning of a virtual machine", () => {
  const inputs = (changes: Partial<ProxmoxMachine> = {}) => vmArgs("den-dev-cp01", vm(changes), defaults, "image");

  it("is nothing where nothing is said", () => {
    expect(inputs().cpu).to.deep.equal({ cores: 2, type: "host" });
    expect(inputs()).not.to.have.any.keys("vga", "serialDevices");
    expect(inputs().disks).to.deep.equal([
      {
        ...{ interface: "scsi0", datastoreId: "local-lvm", size: 40, discard: "on", iothread: false },
        importFrom: "image",
      },
    ]);
  });

  it("gives huge pages their NUMA nodes", () => {
    const own = inputs({ hugepages: "1GiB", sockets: 2, affinity: "0-3", cpuFlags: ["+aes"] });
    expect(own.memory).to.deep.equal({ dedicated: 4096, floating: 0, hugepages: "1024" });
    expect(own.cpu).to.deep.equal({ cores: 2, type: "host", flags: ["+aes"], sockets: 2, affinity: "0-3", numa: true });
  });

  it("gives every disk a controller as soon as one has a thread of its own", () => {
    const own = inputs({
      diskOptions: { ssd: true, cache: "writeback", backup: false },
      extraDisks: [{ size: 10 }, { size: 20, iothread: true, cache: "none", aio: "native", discard: false }],
    });
    expect(own.scsiHardware).to.equal("virtio-scsi-single");
    const common = { datastoreId: "local-lvm", ssd: true, backup: false };
    expect(own.disks).to.deep.equal([
      {
        ...common,
        interface: "scsi0",
        size: 40,
        discard: "on",
        iothread: false,
        cache: "writeback",
        importFrom: "image",
      },
      { ...common, interface: "scsi1", size: 10, discard: "on", iothread: false, cache: "writeback" },
      { ...common, interface: "scsi2", size: 20, discard: "ignore", iothread: true, cache: "none", aio: "native" },
    ]);
  });

  it("has neither IDE nor the chipset of amd64 where the image is for arm64", () => {
    const own = inputs({
      facts: machineFacts({ architecture: "arm64" }),
      extraDisks: Array(11).fill({ size: 1 }) as [],
    });
    expect(own).to.deep.include({ machine: "virt", cdrom: { fileId: "none", interface: "scsi13" } });
    expect(own).to.have.nested.property("initialization.interface", "scsi12");
    expect((own.disks as { interface: string }[]).at(-1)?.interface).to.equal("scsi11");
    const arm = vm({ facts: machineFacts({ architecture: "arm64" }) });
    const [image] = hostImages([arm], { imageDatastore: "local", sharedDatastores: [], talos: "v1.13.9" });
    expect(image?.url).to.contain("/nocloud-arm64.qcow2");
    expect(image?.fileName).to.equal("talos-v1.13.9-ce4c980550dd-arm64.qcow2");
  });

  it("gives a serial display its port", () => {
    expect(inputs({ display: "serial" })).to.deep.include({
      vga: { type: "serial0" },
      serialDevices: [{ device: "socket" }],
    });
    expect(inputs({ display: "none" })).to.deep.include({ vga: { type: "none" } });
  });
});

describe("boot images", () => {
  const place = { imageDatastore: "local", sharedDatastores: [] as string[], talos: "v1.13.9" };
  const names = (machines: ProxmoxMachine[], sharedDatastores: string[] = []) =>
    hostImages(machines, { ...place, sharedDatastores }).map(({ name }) => name);

  it("are downloaded once a host, datastore and schematic", () => {
    const machines = [vm(), vm(), vm({ host: "pve2" }), vm({ imageDatastore: "nfs" })];
    expect(names(machines)).to.deep.equal([
      "talos-pve1-local-v1.13.9-ce4c980550dd",
      "talos-pve2-local-v1.13.9-ce4c980550dd",
      "talos-pve1-nfs-v1.13.9-ce4c980550dd",
    ]);
  });

  it("are downloaded once to a datastore that hosts share", () => {
    expect(names([vm(), vm({ host: "pve2" })], ["local"])).to.deep.equal(["talos-local-v1.13.9-ce4c980550dd"]);
  });

  it("are another file for another release, schematic or signature", () => {
    const [plain] = hostImages([vm()], place);
    const others = [
      ...hostImages([vm()], { ...place, talos: "v1.13.10" }),
      ...hostImages([vm({ facts: machineFacts({ schematic: "f".repeat(64) }) })], place),
      ...hostImages([vm({ facts: machineFacts({ secureBoot: true }) })], place),
    ];
    const files = [plain, ...others].map((image) => image?.fileName);
    expect(new Set(files)).to.have.lengthOf(4);
    expect(others.at(-1)?.url).to.match(/nocloud-amd64-secureboot\.qcow2$/);
  });
});

describe("control planes that are kept apart", () => {
  const worker = (host: string) => vm({ host, facts: machineFacts({ role: "worker" }) });
  const all = ["den-dev-cp01", "den-dev-cp02", "den-dev-cp03"];

  // Proxmox refuses a rule for fewer than two machines, and one for more machines than it has hosts.
  for (const { what, count, used, workers = "pve1", known = [], apart } of [
    { what: "all of them, a host each", count: 3, used: ["pve1", "pve2", "pve3"], apart: all },
    { what: "all of two", count: 2, used: ["pve1", "pve2"], apart: all.slice(0, 2) },
    {
      what: "all, where hosts without machines suffice",
      count: 3,
      used: ["pve1"],
      known: ["pve2", "pve3"],
      apart: all,
    },
    {
      what: "all, where the host of a worker suffices",
      count: 2,
      used: ["pve1"],
      workers: "pve2",
      apart: all.slice(0, 2),
    },
    { what: "none, where there is one", count: 1, used: ["pve1"], known: ["pve2", "pve3"], apart: [] },
    { what: "none, where there is one more than hosts", count: 3, used: ["pve1"], known: ["pve1", "pve2"], apart: [] },
    { what: "none, where a host is named twice", count: 2, used: ["pve1"], known: ["pve1", "pve1"], apart: [] },
  ]) {
    it(`are ${what}`, () => {
      const machines = { ...controlPlanes(count, used), "den-dev-wk01": worker(workers) };
      expect(apartMachines(machines, known)).to.deep.equal(apart);
    });
  }
});

for (const preview of [false, true]) {
  describe(`machines on Proxmox, ${preview ? "previewed" : "made"}`, () => {
    const make = (changes: Partial<ProxmoxMachinesArgs> = {}) => {
      let machines: ProxmoxMachines["machines"] = {};
      return run(
        () => {
          const provider = new proxmox.Provider("proxmox", {});
          ({ machines } = new ProxmoxMachines("machines", args(changes), { provider }));
        },
        { preview },
      ).then((graph) => Object.assign(graph, { machines }));
    };

    it("are a sound graph", async () => {
      expectSound(await make({ machines: controlPlanes(3, ["pve1", "pve2", "pve3"]) }));
    });

    it("are disks of their host's image, which a new image leaves as they are", async () => {
      const graph = await make();
      const [image] = graph.ofType("proxmoxve:download/file:File", { exactly: 1 });
      const [machine] = graph.ofType("proxmoxve:index/vmLegacy:VmLegacy", { exactly: 1 });
      expect(image?.inputs).to.include({ contentType: "import", overwrite: false, nodeName: "pve1" });
      expect(machine?.dependsOn).to.include(image?.urn);
      expect(machine?.ignoreChanges).to.deep.equal(["disks[0].importFrom", "disks[0].speed"]);
    });

    it("are put under high availability, and then kept on different hosts", async () => {
      const graph = await make({ machines: controlPlanes(3, ["pve1", "pve2", "pve3"]) });
      const managed = graph.ofType("proxmoxve:index/haresource:Haresource", { exactly: 3 });
      const [rule] = graph.ofType("proxmoxve:index/harule:Harule", { exactly: 1 });
      expect(managed.map(({ inputs }) => inputs.resourceId)).to.have.members(["vm:2011", "vm:2012", "vm:2013"]);
      expect(rule?.inputs).to.deep.include({
        type: "resource-affinity",
        affinity: "negative",
        resources: ["vm:2011", "vm:2012", "vm:2013"],
      });
      expect(rule?.dependsOn).to.include.members(managed.map(({ urn }) => urn));
    });

    it("are left alone where there is one host, or where that is asked for", async () => {
      for (const changes of [
        { machines: controlPlanes(3, ["pve1"]) },
        { machines: controlPlanes(3, ["pve1", "pve2", "pve3"]), antiAffinity: false },
      ]) {
        (await make(changes)).ofType("proxmoxve:index/harule:Harule", { exactly: 0 });
      }
    });

    it("can be changed in any input", async () => {
      const graph = await make({
        transform: {
          vm: (inputs, name) => ({ ...inputs, description: `for ${name}` }),
          image: (inputs) => ({ ...inputs, checksum: "abc" }),
        },
      });
      expect(graph.ofType("proxmoxve:index/vmLegacy:VmLegacy")[0]?.inputs.description).to.equal("for den-dev-cp01");
      expect(graph.ofType("proxmoxve:download/file:File")[0]?.inputs.checksum).to.equal("abc");
    });

    it("wait for the virtual machine, and are not wiped when they go with it", async () => {
      const { machines } = await make();
      expect(machines["den-dev-cp01"]).to.deep.include({ platform: "nocloud", resetOnDestroy: false });
      expect(machines["den-dev-cp01"]?.resources).to.have.lengthOf(1);
    });
  });
}
