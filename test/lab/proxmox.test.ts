import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect } from "chai";
import { parse, stringify } from "yaml";

import { presentedBy } from "../../lib/engine/certificate.ts";
import { PulumiStack } from "../../lib/engine/pulumi-stack.ts";
import { Pulumi } from "../../lib/engine/pulumi.ts";
import { eventually } from "../support/lab-process.ts";
import { processTree } from "../support/processes.ts";
import { type Parameters, type Proxmox, proxmoxToken, startProxmox } from "../support/proxmox.ts";
import { scratch, type Scratch } from "../support/scratch.ts";

const schematic = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba";
const imageUrl = `https://factory.talos.dev/image/${schematic}/v1.13.9/nocloud-amd64.qcow2`;
const image = "local:import/talos.qcow2";
const qemu = "/nodes/pve1/qemu";
const undefinedProperty = "property is not defined in schema and the schema does not allow additional properties";

/** Downloads the image that machines import. */
const downloadImage = (api: Proxmox, unusual: Parameters = {}): Promise<string> =>
  api.task("POST", "/nodes/pve1/storage/local/download-url", {
    url: imageUrl,
    content: "import",
    filename: "talos.qcow2",
    ...unusual,
  });

/** A machine as the program makes it, on the last byte of its address. */
const machine = (vmid: number, address: string, unusual: Parameters = {}): Parameters => ({
  vmid,
  name: `vm-${vmid}`,
  machine: "q35",
  bios: "ovmf",
  ostype: "l26",
  cores: 2,
  memory: 2048,
  balloon: 0,
  scsihw: "virtio-scsi-pci",
  efidisk0: "file=local-lvm:1,efitype=4m,pre-enrolled-keys=0",
  tpmstate0: "file=local-lvm:1,version=v2.0",
  scsi0: `file=local-lvm:0,import-from=${image},discard=on,`,
  ide2: "file=local-lvm:cloudinit",
  net0: `model=virtio,bridge=vmbr0,macaddr=BC:24:11:00:00:${(vmid % 90) | 0 || 10}`,
  ipconfig0: `gw=127.91.9.1,ip=${address}/24`,
  boot: "order=scsi0",
  agent: "enabled=1",
  ...unusual,
});

/** Removes what is there, so that every test starts with an empty cluster. */
const empty = async (api: Proxmox): Promise<void> => {
  for (const { vmid } of (await api.data("GET", qemu)) as { vmid: number }[]) {
    await api.task("POST", `${qemu}/${vmid}/status/stop`);
    await eventually("it is off", async () => (await status(api, vmid)) === "stopped");
    await api.task("DELETE", `${qemu}/${vmid}`, { purge: 1 });
  }
  await api.task("DELETE", `/nodes/pve1/storage/local/content/${encodeURIComponent(image)}`);
};

const status = async (api: Proxmox, vmid: number): Promise<string> =>
  ((await api.data("GET", `${qemu}/${vmid}/status/current`)) as { status: string }).status;

const config = async (api: Proxmox, vmid: number): Promise<Record<string, unknown>> =>
  (await api.data("GET", `${qemu}/${vmid}/config`)) as Record<string, unknown>;

/** Waits until the fake machine of a virtual machine listens, and gives its process ID. */
const pid = (api: Proxmox, name: string, other = 0): Promise<number> =>
  eventually(`${name} listens`, async () => {
    const found = Number(await api.read("machines", name, "pid"));
    return found === other ? undefined : found;
  });

const gone = (process: number): Promise<boolean> =>
  eventually(`process ${process} is gone`, async () => (await processTree(process)).length === 0);

describe("Proxmox VE's API", () => {
  let api: Proxmox;

  before(async () => {
    api = await startProxmox("127.91.0.1:8006");
  });

  afterEach(() => empty(api));

  after(() => api.stop());

  describe("its tokens", () => {
    it("refuses a missing, an unknown and a wrong token, each in its own way, without a body", async () => {
      const missing = await api.call("GET", "/nodes", {}, "");
      expect(missing).to.deep.equal({ status: 401, reason: "No ticket", data: null });
      const unknown = await api.call("GET", "/nodes", {}, proxmoxToken.replace("!test", "!other"));
      expect([unknown.status, unknown.reason]).to.deep.equal([401, "no such token 'other' for user 'hearth@pve'"]);
      const wrong = await api.call("GET", "/nodes", {}, `${proxmoxToken}0`);
      expect([wrong.status, wrong.reason]).to.deep.equal([401, "invalid token value!"]);
    });

    it("does not let a token do what it has no privilege for, nor what is for root alone", async () => {
      const limited = await startProxmox("127.91.0.2:8006", { privileges: ["VM.Audit", "VM.Allocate", "Sys.Audit"] });
      try {
        expect((await limited.call("GET", qemu)).status).to.equal(200);
        const made = await limited.call("POST", qemu, { vmid: 100, scsi0: "local-lvm:8" });
        expect([made.status, made.reason]).to.deep.equal([
          403,
          "Permission check failed (/storage/local-lvm, Datastore.AllocateSpace)",
        ]);
        const tuned = await limited.call("POST", qemu, { vmid: 100, cores: 2 });
        expect(tuned.reason).to.equal("Permission check failed (/vms/100, VM.Config.CPU)");
        const managed = await limited.call("POST", "/cluster/ha/resources", { sid: "vm:100" });
        expect(managed.reason).to.equal("Permission check failed (/, Sys.Console)");
      } finally {
        await limited.stop();
      }
      const raw = await api.call("POST", qemu, { vmid: 100, args: "-no-reboot" });
      expect([raw.status, raw.reason]).to.deep.equal([500, "only root can set 'args' config"]);
    });
  });

  describe("its parameters", () => {
    it("refuses parameters that it does not know, and changes nothing", async () => {
      const answer = await api.call("POST", qemu, { vmid: 100, colour: "green" });
      expect([answer.status, answer.reason]).to.deep.equal([400, "Parameter verification failed."]);
      expect(answer.errors).to.deep.equal({ colour: undefinedProperty });
      expect(answer).to.include({ data: null, message: "Parameter verification failed.\n" });
      expect(await api.data("GET", qemu)).to.deep.equal([]);
    });

    for (const [what, parameters, field, problem] of [
      ["a missing one", { name: "a" }, "vmid", "property is missing and it is not optional"],
      ["a number that is none", { vmid: 100, cores: "two" }, "cores", "type check ('integer') failed - got 'two'"],
      ["a number that is too small", { vmid: 99 }, "vmid", "value does not look like a valid VM ID"],
      ["a boolean that is none", { vmid: 100, onboot: "yes" }, "onboot", "type check ('boolean') failed - got 'yes'"],
      ["a multicast MAC address", { vmid: 100, net0: "virtio=01:00:5E:00:00:01" }, "net0", "valid unicast MAC address"],
      ["an address without its prefix", { vmid: 100, ipconfig0: "ip=127.0.0.1" }, "ipconfig0", "valid ipv4 network"],
      ["a gateway without an address", { vmid: 100, ipconfig0: "gw=127.0.0.1" }, "ipconfig0", "missing property"],
      [
        "a part that a drive has not",
        { vmid: 100, scsi0: "local-lvm:8,colour=1" },
        "scsi0",
        "scsi0.colour: property is not defined",
      ],
      [
        "iothread on SATA",
        { vmid: 100, sata0: "local-lvm:8,iothread=1" },
        "sata0",
        "sata0.iothread: property is not defined",
      ],
      ["an unknown firmware", { vmid: 100, bios: "uefi" }, "bios", "does not have a value in the enumeration"],
      ["less memory than a machine needs", { vmid: 100, memory: 8 }, "memory", "must have a minimum value of 16"],
    ] as const) {
      it(`refuses ${what}`, async () => {
        const answer = await api.call("POST", qemu, parameters);
        expect(answer.status).to.equal(400);
        expect(answer.errors?.[field]).to.contain(problem);
      });
    }

    it("refuses storages that do not exist or do not fit", async () => {
      const unknown = await api.call("POST", qemu, { vmid: 100, scsi0: "ceph:8" });
      expect([unknown.status, unknown.reason]).to.deep.equal([500, "storage 'ceph' does not exist"]);
      const unfit = await api.call("POST", qemu, { vmid: 100, scsi0: "local:8" });
      expect(unfit.errors).to.deep.equal({ storage: "storage 'local' does not support vm images" });
      const upload = await api.call("POST", "/nodes/pve1/storage/local-lvm/download-url", {
        url: imageUrl,
        content: "import",
        filename: "talos.qcow2",
      });
      expect(upload.reason).to.equal("can't upload to storage type 'lvmthin', not a file based storage!");
    });

    it("answers for a host that does not exist as a cluster does, and for a method that does not exist", async () => {
      const elsewhere = await api.call("GET", "/nodes/pve9/qemu");
      expect([elsewhere.status, elsewhere.reason]).to.deep.equal([
        500,
        "hostname lookup 'pve9' failed - failed to get address info for: pve9: Name or service not known",
      ]);
      expect((await api.call("PATCH", qemu)).status).to.equal(501);
    });
  });

  describe("its images", () => {
    it("records what Image Factory has, and knows its size before", async () => {
      const metadata = (await api.data("GET", "/nodes/pve1/query-url-metadata", { url: imageUrl })) as { size: number };
      expect(metadata).to.include({ filename: "nocloud-amd64.qcow2" });
      expect(await downloadImage(api)).to.equal("OK");
      const [file] = (await api.data("GET", "/nodes/pve1/storage/local/content", { content: "import" })) as object[];
      expect(file).to.include({ volid: image, format: "qcow2", size: metadata.size });
      expect(await api.data("GET", "/nodes/pve2/storage/local/content")).to.deep.equal([]);
    });

    it("does not download over a file that is there", async () => {
      await downloadImage(api);
      expect(await downloadImage(api)).to.contain("refusing to override existing file");
    });

    it("does not reach other hosts, nor files that the factory does not have", async () => {
      const elsewhere = await downloadImage(api, { url: "https://example.com/talos.qcow2" });
      expect(elsewhere).to.match(/^download failed: .* exit code 4$/);
      const absent = await downloadImage(api, { url: imageUrl.replace("nocloud-amd64", "nocloud-riscv64") });
      expect(absent).to.match(/^download failed: .* exit code 8$/);
      const metadata = await api.call("GET", "/nodes/pve1/query-url-metadata", { url: "https://example.com/a.iso" });
      expect(metadata.reason).to.contain("Can't connect to example.com");
      const unregistered = await downloadImage(api, { url: imageUrl.replace(schematic, "ab".repeat(32)) });
      expect(unregistered).to.match(/^download failed: .* exit code 8$/);
      expect((await api.holdings()).images).to.equal(0);
    });

    it("verifies checksums, and decompresses nothing for imports", async () => {
      const sum = { checksum: "0".repeat(64), "checksum-algorithm": "sha256" };
      expect(await downloadImage(api, sum)).to.match(/^checksum mismatch: got '[0-9a-f]{64}' != expect '0{64}'$/);
      const lonely = await api.call("POST", "/nodes/pve1/storage/local/download-url", {
        url: imageUrl,
        content: "import",
        filename: "talos.qcow2",
        checksum: "0".repeat(64),
      });
      expect(lonely.errors).to.deep.equal({ "checksum-algorithm": "missing property required by 'checksum'" });
      expect(await downloadImage(api, { compression: "gz" })).to.equal("decompression not supported for import");
    });
  });

  describe("its machines", () => {
    it("boots Talos from an imported disk, at the address of the cloud-init data", async () => {
      await downloadImage(api);
      expect(await api.task("POST", qemu, machine(110, "127.91.1.10"))).to.equal("OK");
      expect(await config(api, 110)).to.deep.include({
        scsi0: "local-lvm:vm-110-disk-1,discard=on,size=1248M",
        efidisk0: "local-lvm:vm-110-disk-0,efitype=4m,pre-enrolled-keys=0,size=4M",
        ide2: "local-lvm:vm-110-cloudinit,media=cdrom,size=4M",
        net0: "virtio=BC:24:11:00:00:20,bridge=vmbr0",
        cores: 2,
      });
      expect(await api.task("PUT", `${qemu}/110/resize`, { disk: "scsi0", size: 20 * 1024 ** 3 })).to.equal("OK");
      expect(await api.task("POST", `${qemu}/110/status/start`, { timeout: 60 })).to.equal("OK");
      await pid(api, "vm-110");
      expect(JSON.parse(await api.read("machines", "vm-110", "spec.json"))).to.deep.include({
        name: "vm-110",
        address: "127.91.1.10",
        mac: "bc:24:11:00:00:20",
        platform: "nocloud",
        cores: 2,
        memoryMiB: 2048,
        secureBoot: false,
        tpm: true,
        image: { version: "v1.13.9", schematic },
        disks: [
          { device: "/dev/sda", sizeGiB: 20, transport: "virtio", model: "QEMU HARDDISK", serial: "drive-scsi0" },
        ],
      });
      expect(await api.read("logs", "machine-vm-110.log")).to.contain("vm-110 listens on 127.91.1.10");
      expect(await status(api, 110)).to.equal("running");
    });

    it("refuses a VMID that is taken, and leaves the machine that has it alone", async () => {
      await api.task("POST", qemu, { vmid: 100, name: "first" });
      const again = await api.call("POST", qemu, { vmid: 100, name: "second" });
      expect([again.status, again.reason]).to.deep.equal([
        500,
        "unable to create VM 100 - VM 100 already exists on node 'pve1'",
      ]);
      expect(await config(api, 100)).to.include({ name: "first" });
      expect((await api.call("GET", "/cluster/nextid", { vmid: 100 })).status).to.equal(400);
      expect(await api.data("GET", "/cluster/nextid")).to.equal("101");
    });

    it("leaves nothing of a machine whose disk cannot be made", async () => {
      const failed = await api.task("POST", qemu, machine(110, "127.91.1.10"));
      expect(failed).to.contain("unable to create VM 110 - cannot import from 'local:import/talos.qcow2'");
      expect(await api.holdings()).to.include({ vms: 0, disks: 0 });
    });

    it("imports only what Proxmox imports", async () => {
      await downloadImage(api, { content: "iso", filename: "talos.iso", url: imageUrl.replace("qcow2", "iso") });
      const answer = await api.call("POST", qemu, { vmid: 100, scsi0: "local-lvm:0,import-from=local:iso/talos.iso" });
      expect(answer.errors).to.deep.equal({
        scsi0: "local:iso/talos.iso has wrong type 'iso' - needs to be 'images' or 'import'",
      });
      await api.task("DELETE", "/nodes/pve1/storage/local/content/local%3Aiso%2Ftalos.iso");
    });

    for (const [what, unusual, problem] of [
      ["no cloud-init drive", { ide2: "none" }, "it has no cloud-init drive"],
      ["no static address", { ipconfig0: "ip=dhcp" }, "ipconfig0 gives no static IPv4 address"],
      ["nothing to boot from", { scsi0: "local-lvm:8" }, "no Talos image on any device"],
      ["Microsoft's keys", { efidisk0: "local-lvm:1,efitype=4m,pre-enrolled-keys=1" }, "Access Denied"],
    ] as const) {
      it(`runs a machine with ${what}, but none can reach it`, async () => {
        await downloadImage(api);
        await api.task("POST", qemu, machine(111, "127.91.1.11", unusual));
        expect(await api.task("POST", `${qemu}/111/status/start`)).to.equal("OK");
        expect(await status(api, 111)).to.equal("running");
        const [held] = (await api.holdings()).machines;
        expect(held).to.include({ reachable: false });
        expect(held?.problem).to.contain(problem);
        expect(await api.read("logs", "machine-vm-111.log")).to.contain(problem);
      });
    }

    it("does not start what its host cannot bear", async () => {
      for (const [unusual, problem] of [
        [{ memory: 32768 }, "Cannot allocate memory"],
        [{ cores: 16 }, "MAX 8 vcpus allowed per VM on this node"],
        [{ net0: "virtio,bridge=vmbr7" }, "bridge 'vmbr7' does not exist"],
      ] as const) {
        await api.task("POST", qemu, { vmid: 112, ...unusual });
        expect(await api.task("POST", `${qemu}/112/status/start`)).to.contain(problem);
        expect(await status(api, 112)).to.equal("stopped");
        await api.task("DELETE", `${qemu}/112`);
      }
    });

    it("shuts down, stops, reboots, and notices when a machine ends by itself", async () => {
      await downloadImage(api);
      await api.task("POST", qemu, machine(113, "127.91.1.13", { start: 1 }));
      const first = await pid(api, "vm-113");
      expect(await api.task("POST", `${qemu}/113/status/start`)).to.equal("VM 113 already running");
      expect(await api.task("POST", `${qemu}/113/status/reboot`)).to.equal("OK");
      const second = await pid(api, "vm-113", first);
      expect(await api.task("POST", `${qemu}/113/status/shutdown`)).to.equal("OK");
      expect(await status(api, 113)).to.equal("stopped");
      await api.task("POST", `${qemu}/113/status/start`);
      process.kill(await pid(api, "vm-113", second), "SIGKILL");
      await eventually("it is off", async () => (await status(api, 113)) === "stopped");
      expect(await api.read("logs", "machine-vm-113.log")).to.contain("the machine ended: signal: killed");
    });

    it("tells its interfaces by the guest agent if its image has one, while it runs", async () => {
      const interfaces = `${qemu}/114/agent/network-get-interfaces`;
      await downloadImage(api);
      await api.task("POST", qemu, machine(114, "127.91.1.14"));
      expect((await api.call("GET", interfaces)).reason).to.equal("VM 114 is not running");
      await api.task("POST", `${qemu}/114/status/start`);
      const first = await pid(api, "vm-114");
      expect((await api.call("GET", interfaces)).reason).to.equal("QEMU guest agent is not running");
      await writeFile(join(api.dir, "guest-agent"), "");
      await api.task("POST", `${qemu}/114/status/reboot`);
      await pid(api, "vm-114", first);
      const { result } = (await api.data("GET", interfaces)) as { result: Record<string, unknown>[] };
      expect(result.map(({ name }) => name)).to.deep.equal(["bond0", "eth0"]);
      expect(result[0]).not.to.have.any.keys("hardware-address", "ip-addresses");
      const address = { "ip-address": "127.91.1.14", "ip-address-type": "ipv4", prefix: 24 };
      expect(result[1]).to.deep.include({ "hardware-address": "bc:24:11:00:00:24", "ip-addresses": [address] });
    });

    it("changes what is asked for, and grows disks but does not shrink them", async () => {
      await api.task("POST", qemu, { vmid: 115, scsi0: "local-lvm:8", tags: "b;a", memory: 1024 });
      await api.data("PUT", `${qemu}/115/config`, { cores: 4, tags: "c;b;b", delete: "memory" });
      const after = await config(api, 115);
      expect(after).to.include({ cores: 4, tags: "b;c" });
      expect(after).not.to.have.property("memory");
      const resize = `${qemu}/115/resize`;
      expect(await api.task("PUT", resize, { disk: "scsi0", size: "+2G" })).to.equal("OK");
      expect((await config(api, 115)).scsi0).to.equal("local-lvm:vm-115-disk-0,size=10G");
      expect(await api.task("PUT", resize, { disk: "scsi0", size: "5G" })).to.equal("shrinking disks is not supported");
      const unknown = await api.call("PUT", `${qemu}/115/config`, { delete: "colour" });
      expect(unknown.errors).to.deep.equal({ delete: "unknown option 'colour'" });
    });

    it("migrates a machine with its disks, and a running one goes on running", async () => {
      await downloadImage(api);
      await api.task("POST", qemu, machine(110, "127.91.1.10"));
      const moved = "/nodes/pve2/qemu";
      const off = await api.task("POST", `${qemu}/110/migrate`, { target: "pve2" });
      expect([off, await api.data("GET", qemu)]).to.deep.equal(["OK", []]);
      expect(await api.task("POST", `${moved}/110/status/start`)).to.equal("OK");
      const process = await pid(api, "vm-110");
      const unasked = await api.call("POST", `${moved}/110/migrate`, { target: "pve1" });
      expect([unasked.status, unasked.reason]).to.deep.equal([500, "can't migrate running VM without --online"]);
      expect(await api.task("POST", `${moved}/110/migrate`, { target: "pve1", online: 1 })).to.equal(
        "can't migrate VM - check log",
      );
      const live = { target: "pve1", online: 1, "with-local-disks": 1 };
      expect(await api.task("POST", `${moved}/110/migrate`, live)).to.equal("OK");
      expect([await status(api, 110), await pid(api, "vm-110")]).to.deep.equal(["running", process]);
    });

    it("removes a machine with everything that belongs to it", async () => {
      await downloadImage(api);
      await api.task("POST", qemu, machine(116, "127.91.1.16", { start: 1 }));
      await pid(api, "vm-116");
      const running = await api.call("DELETE", `${qemu}/116`);
      expect([running.status, running.reason]).to.deep.equal([500, "VM 116 is running - destroy failed"]);
      await api.task("POST", `${qemu}/116/status/stop`);
      await api.data("PUT", `${qemu}/116/config`, { protection: 1 });
      expect((await api.call("DELETE", `${qemu}/116`)).reason).to.equal(
        "can't remove VM 116 - protection mode enabled",
      );
      await api.data("PUT", `${qemu}/116/config`, { protection: 0 });
      expect(await api.task("DELETE", `${qemu}/116`)).to.equal("OK");
      expect(existsSync(join(api.dir, "machines", "vm-116"))).to.equal(false);
      expect((await api.call("GET", `${qemu}/116/config`)).reason).to.equal(
        "Configuration file 'nodes/pve1/qemu-server/116.conf' does not exist",
      );
      expect(await api.holdings()).to.include({ vms: 0, disks: 0, images: 1 });
    });
  });

  describe("its high availability", () => {
    it("keeps machines apart only where there are hosts enough, and starts and stops them", async () => {
      for (const vmid of [121, 122, 123]) {
        await api.task("POST", qemu, { vmid });
        await api.data("POST", "/cluster/ha/resources", { sid: `vm:${vmid}`, state: "stopped" });
      }
      const rule = { rule: "apart", type: "resource-affinity", affinity: "negative", disable: 0 };
      const create = (resources: string) => api.call("POST", "/cluster/ha/rules", { ...rule, resources });
      expect((await create("vm:121")).errors).to.deep.equal({
        resources: "rule is ineffective as there are less than two resources",
      });
      expect((await create("vm:121,vm:122,vm:123")).errors).to.deep.equal({
        resources: "rule defines more resources than available nodes",
      });
      expect((await create("vm:121,vm:199")).reason).to.contain("cannot use unmanaged resource(s) vm:199.");
      expect((await create("vm:122,vm:121")).status).to.equal(200);
      expect(await api.data("GET", "/cluster/ha/rules/apart")).to.include({ resources: "vm:121,vm:122" });

      await api.data("PUT", "/cluster/ha/resources/vm:121", { state: "started" });
      await eventually("high availability starts it", async () => (await status(api, 121)) === "running");
      expect(await api.task("POST", `${qemu}/121/status/stop`)).to.equal("OK");
      await eventually("high availability stops it", async () => (await status(api, 121)) === "stopped");
      expect((await api.call("DELETE", `${qemu}/121`)).reason).to.contain("used in HA resources");
    });

    it("forgets rules without resources, and answers for what it does not know", async () => {
      for (const vmid of [121, 122]) {
        await api.task("POST", qemu, { vmid });
        await api.data("POST", "/cluster/ha/resources", { sid: `vm:${vmid}`, state: "ignored" });
      }
      const resources = "vm:121,vm:122";
      const rule = { rule: "apart", type: "resource-affinity", affinity: "negative", resources };
      await api.data("POST", "/cluster/ha/rules", rule);
      await api.task("DELETE", `${qemu}/121`, { purge: 1 });
      await api.data("DELETE", "/cluster/ha/resources/vm:122");
      expect((await api.call("GET", "/cluster/ha/rules/apart")).reason).to.equal("no such ha rule 'apart'");
      expect((await api.call("GET", "/cluster/ha/resources/vm:122")).reason).to.equal("no such resource 'vm:122'");
      const absent = await api.call("POST", "/cluster/ha/resources", { sid: "vm:199" });
      expect(absent.reason).to.equal("resource 'vm:199' does not exist in cluster");
    });
  });

  describe("the simulator", () => {
    it("has the same machines after it was killed, and starts those that ran", async () => {
      await downloadImage(api);
      await api.task("POST", qemu, machine(130, "127.91.1.30", { start: 1 }));
      await api.task("POST", qemu, machine(131, "127.91.1.31"));
      const before = await config(api, 130);
      const first = await pid(api, "vm-130");
      await api.restart("SIGKILL");
      await gone(first);
      await pid(api, "vm-130", first);
      expect(await config(api, 130)).to.deep.equal(before);
      expect(await status(api, 131)).to.equal("stopped");
      expect(await api.holdings()).to.include({ vms: 2, images: 1, disks: 8 });
    });

    it("ends its machines when it ends, and starts those that belong to their host's start", async () => {
      await downloadImage(api);
      await api.task("POST", qemu, machine(132, "127.91.1.32", { onboot: 1 }));
      await api.restart("SIGTERM");
      const first = await pid(api, "vm-132");
      await api.restart("SIGTERM");
      await gone(first);
      await pid(api, "vm-132", first);
    });

    it("makes requests fail when it is told to", async () => {
      await api.fault({ path: "/nodes$", method: "GET", status: 596, message: "Connection timed out", times: 2 });
      for (const expected of [596, 596, 200]) expect((await api.call("GET", "/nodes")).status).to.equal(expected);
      await api.fault({ path: "/version$", drop: "before" });
      const dropped = await api.call("GET", "/version").catch((error: unknown) => String(error));
      expect(dropped).to.match(/socket hang up|ECONNRESET/);
      await api.fault({ path: "/version$", delayMs: 300 });
      const start = Date.now();
      expect((await api.call("GET", "/version")).status).to.equal(200);
      expect(Date.now() - start).to.be.at.least(300);
    });
  });
});

describe("the provider at a Proxmox with a certificate of its own authority", function () {
  this.timeout(300_000);
  const at = "127.70.0.3:8006";
  let running: Proxmox;
  let project: Scratch;
  let settings: Record<string, unknown>;

  /** Updates the project as Hearth's commands do, with more under hearth:proxmox, and says how it ended. */
  const update = async (more: object): Promise<string> => {
    const { engine, environment, folder } = project;
    const file = join(folder, "Pulumi.test.yaml");
    await writeFile(file, stringify({ ...settings, config: { "hearth:proxmox": { ...place, ...more } } }));
    const stack = new PulumiStack(new Pulumi(engine, folder, environment), "test", file);
    return stack.run(["up", "--yes", "--skip-preview"]).then(
      () => "updated",
      (error: unknown) => (error as Error).message,
    );
  };

  const place = {
    ...{ endpoint: `https://${at}`, imageDatastore: "local", diskDatastore: "local-lvm", bridge: "vmbr0" },
  };

  const pools = async () => ((await running.data("GET", "/pools")) as { poolid: string }[]).map(({ poolid }) => poolid);

  beforeEach(async () => {
    running = await startProxmox(at);
    project = await scratch(
      "pulumi-resource-proxmoxve",
      `import * as proxmox from "@pulumi/proxmoxve";
      const provider = new proxmox.Provider("proxmox", { endpoint: "https://${at}", apiToken: "${proxmoxToken}" });
      new proxmox.PoolLegacy("pool", { poolId: "hearth" }, { provider });`,
    );
    settings = parse(await readFile(join(project.folder, "Pulumi.test.yaml"), "utf8")) as Record<string, unknown>;
  });

  afterEach(async () => {
    await project.remove();
    await running.stop();
  });

  it("is refused where nothing says whom to trust", async () => {
    expect(await update({})).to.contain("certificate signed by unknown authority");
    expect(await pools()).to.deep.equal([]);
  });

  it("makes what it is asked for by proxmox.ca", async () => {
    expect(await update({ ca: await running.read("ca", "ca.crt") })).to.equal("updated");
    expect(await pools()).to.deep.equal(["hearth"]);
  });

  it("makes it by proxmox.fingerprint, and is not even started at another certificate", async () => {
    const { fingerprint } = (await presentedBy(place.endpoint)) ?? {};
    expect(await update({ fingerprint })).to.equal("updated");
    expect(await pools()).to.deep.equal(["hearth"]);
    // Started again, the simulator has another certificate.
    await running.restart("SIGTERM");
    expect(await update({ fingerprint }))
      .to.contain("has another certificate than hearth:proxmox.fingerprint says")
      .and.contain(fingerprint);
  });
});
