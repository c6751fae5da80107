import { readFile } from "node:fs/promises";

import { expect } from "chai";

import { LabCheckout } from "../support/lab-checkout.ts";

const octet = 64;
const [name, vmId] = ["den-dev-wk01", "2021"];

interface Cluster {
  vms: Record<string, { node: string; started: number }>;
  volumes: Record<string, { node: string; id: string; size: number; ctime: number; vmid?: number }>;
}

interface Node {
  metadata: { name: string };
  spec: { taints?: { key: string; effect: string }[] };
}

describe("a virtual machine on another host", () => {
  let checkout: LabCheckout;
  let first: { started: number; disks: unknown[] };

  const shell = async (command: string): Promise<string> => {
    const { exitCode, all } = await checkout.shell(command);
    expect(exitCode, String(all)).to.equal(0);
    return String(all);
  };

  /** Where the machine is, since when it runs, and its disks. */
  const machine = async () => {
    const { vms, volumes } = JSON.parse(
      await readFile(checkout.file(".lab/dev/proxmox/state.json"), "utf8"),
    ) as Cluster;
    const disks = Object.values(volumes).filter(({ vmid }) => String(vmid) === vmId);
    return {
      ...{ node: vms[vmId]?.node, started: vms[vmId]?.started, on: [...new Set(disks.map(({ node }) => node))] },
      disks: disks.map(({ id, size, ctime }) => ({ id, size, ctime })),
    };
  };

  /** The same machine as in the beginning, with its disks, on a host. */
  const expectSame = async (host: string) => {
    expect(await machine()).to.deep.equal({ ...first, node: host, on: [host] });
  };

  /** Moves the machine as a person or Proxmox's own maintenance does. */
  const migrate = async (from: string, target: string) => {
    const { proxmoxToken } = JSON.parse(await readFile(checkout.file(".lab/dev/credentials.json"), "utf8")) as {
      proxmoxToken: string;
    };
    const { proxmox } = JSON.parse(await readFile(checkout.file(".lab/dev/lab.json"), "utf8")) as {
      proxmox: { address: string };
    };
    await shell(
      `curl --silent --show-error --fail --cacert .lab/dev/ca/ca.crt --header 'Authorization: PVEAPIToken=${proxmoxToken}' ` +
        `--data target=${target} --data online=1 --data with-local-disks=1 https://${proxmox.address}/api2/json/nodes/${from}/qemu/${vmId}/migrate`,
    );
  };

  before(async () => {
    checkout = await LabCheckout.createSmall(octet);
    await checkout.edit("Pulumi.dev.yaml", (text) => text.replace("hearth:proxmox:", "$&\n    hosts: [pve1, pve2]"));
    await checkout.commit("Have another host");
    const { exitCode, all } = await checkout.lab();
    expect(exitCode, all).to.equal(0);
    const { started = 0, disks, node } = await machine();
    expect([node, disks.length > 1]).to.deep.equal(["pve1", true]);
    first = { started, disks };
  });

  after(() => checkout.remove());

  it("is told by drift as a move, with what leaves it there", async () => {
    await migrate("pve1", "pve2");
    await expectSame("pve2");
    const { all } = await checkout.shell("npx hearth drift dev");
    expect(String(all)).to.contain("was moved from pve1 to pve2").and.contain("write `proxmox.host: pve2`");
  });

  it("is migrated back, and not made anew, by an update after a refresh", async () => {
    await shell("pulumi refresh --yes --skip-preview");
    await expectSame("pve2");
    await shell("pulumi up --yes --skip-preview");
    await expectSame("pve1");
  });

  it("is migrated by a deployment that gives it another host", async () => {
    await checkout.edit("Pulumi.dev.yaml", (text) =>
      text.replace(new RegExp(`(${name}:[\\s\\S]*?host:) pve1`), "$1 pve2"),
    );
    await checkout.commit("Move a worker");
    const said = await shell("npx hearth deploy dev");
    expect(said).to.contain("Deployed");
    await expectSame("pve2");
  });

  it("gets its taints while it runs, but those that would evict its pods", async () => {
    const taints = async (): Promise<string[]> => {
      const { items } = JSON.parse(await shell("kubectl get nodes --output json")) as { items: Node[] };
      const node = items.find(({ metadata }) => metadata.name === name);
      return (node?.spec.taints ?? []).map(({ key, effect }) => `${key}:${effect}`);
    };
    const given = (text: string) => (file: string) =>
      file.replace(
        new RegExp(`( {4}${name}:\\n)(?: {6}taints: .*\\n)?`),
        text === "" ? "$1" : `$1      taints: ${text}\n`,
      );
    await checkout.edit("Pulumi.dev.yaml", given("{ gpu: NoSchedule, quiet: NoExecute }"));
    await checkout.commit("Taint a worker");
    const said = await shell("npx hearth deploy dev");
    expect(said).to.contain(`The node ${name} has its taints: gpu:NoSchedule`);
    expect(await taints()).to.deep.equal(["gpu:NoSchedule"]);
    await checkout.edit("Pulumi.dev.yaml", given(""));
    await checkout.commit("Taint it no more");
    await shell("npx hearth deploy dev");
    expect(await taints()).to.deep.equal([]);
    await expectSame("pve2");
  });

  describe("that the stack file no longer has", () => {
    const removed = ["den-dev-wk02", "2022"] as const;
    const without = (text: string): string => text.replace(/ {4}den-dev-wk02:\n(?: {5,}.*\n)+/, "");
    const there = async (): Promise<boolean> => {
      const { vms } = JSON.parse(await readFile(checkout.file(".lab/dev/proxmox/state.json"), "utf8")) as Cluster;
      return removed[1] in vms;
    };

    it("is not deleted by a deployment, which names it and what to write", async () => {
      await checkout.edit("Pulumi.dev.yaml", without);
      await checkout.commit("Remove a worker");
      const { exitCode, all } = await checkout.shell("npx hearth deploy dev");
      expect(exitCode, String(all)).to.equal(1);
      expect(String(all)).to.contain("dev is not deployed").and.contain(removed[0]).and.contain("kept-resources");
      expect(await there()).to.equal(true);
      await checkout.revert();
    });

    it("is deleted once an exemption names it, and no other is", async () => {
      const until = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
      await checkout.edit(
        "Pulumi.dev.yaml",
        (text) =>
          `${text}  hearth:policy:\n    exemptions:\n      - policy: kept-resources\n        reason: The second worker is sold, and empty\n` +
          `        resources: [${removed[0]}]\n        until: ${until}\n`,
      );
      await checkout.commit("Allow the loss of a worker");
      await shell("npx hearth deploy dev");
      expect(await there()).to.equal(true);
      await checkout.edit("Pulumi.dev.yaml", without);
      await checkout.commit("Remove a worker");
      await shell("npx hearth deploy dev");
      expect(await there()).to.equal(false);
      await expectSame("pve2");
    });
  });
});
