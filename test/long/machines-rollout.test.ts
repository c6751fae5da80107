import { expect } from "chai";

import { LabCheckout, type Stack } from "../support/lab-checkout.ts";

const octet = 68;

const exemptions = (names: readonly string[]): string =>
  "  hearth:policy:\n    exemptions:\n" +
  `      - { policy: kept-resources, resources: [${names.join(", ")}], until: 2099-12-31, reason: The hardware is needed elsewhere }\n`;

const nodeIn = (name: string): RegExp => new RegExp(` {4}${name}:\\n(?: {6}.*\\n)+`);

/** What a test asks of a stack in the lab. */
class Cluster {
  constructor(
    readonly checkout: LabCheckout,
    readonly stack: Stack,
  ) {}

  async shell(command: string): Promise<string> {
    const { exitCode, all, stdout } = await this.checkout.shell(command, this.stack);
    expect(exitCode, String(all)).to.equal(0);
    return String(stdout);
  }

  /** Deploys a change, and returns what the deployment said. */
  async deploy(message: string, change: (text: string) => string): Promise<string> {
    await this.checkout.edit(`Pulumi.${this.stack}.yaml`, change);
    await this.checkout.commit(message);
    const said = await this.deployed();
    expect(await this.deployed()).to.contain("Nothing to deploy");
    return said;
  }

  /** Runs a deployment, and returns all that it said. */
  private async deployed(): Promise<string> {
    const { exitCode, all } = await this.checkout.shell(`npx hearth deploy ${this.stack}`, this.stack);
    expect(exitCode, String(all)).to.equal(0);
    return String(all);
  }

  /** Names of etcd's voting members, as one of its machines tells them. */
  async members(last: string): Promise<string[]> {
    const address = `127.${octet.toString()}.0.${last}`;
    const said = await this.shell(`talosctl --nodes ${address} --endpoints ${address} etcd members`);
    const rows = said
      .split("\n")
      .slice(1)
      .map((row) => row.trim().split(/\s+/));
    return rows.flatMap((row) => (row.at(-1) === "false" ? [row[2] ?? ""] : [])).sort();
  }

  /** Names of the nodes that take pods. */
  async nodes(): Promise<string[]> {
    const said = await this.shell("kubectl get nodes --no-headers");
    const rows = said.split("\n").map((row) => row.trim().split(/\s+/));
    return rows.flatMap(([name = "", status]) => (status === "Ready" ? [name] : [])).sort();
  }

  /** Another one means that etcd was begun anew. */
  uid(): Promise<string> {
    return this.shell("kubectl get namespace kube-system --output jsonpath={.metadata.uid}");
  }

  async up(): Promise<void> {
    const { exitCode, all } = await this.checkout.lab("up", this.stack);
    expect(exitCode, all).to.equal(0);
  }
}

const order = (said: string, ...steps: string[]): void => {
  const places = steps.map((step) => said.indexOf(`${step} done`));
  expect(places, said).to.not.include(-1);
  expect(places).to.deep.equal([...places].sort((a, b) => a - b));
};

describe("control planes of metal", () => {
  const names = ["den-prod-cp01", "den-prod-cp02", "den-prod-cp03"];
  let cluster: Cluster;
  let uid: string;
  let nodes: string;

  before(async () => {
    cluster = new Cluster(await LabCheckout.createSmallProd(octet), "prod");
    await cluster.up();
    uid = await cluster.uid();
  });

  after(() => cluster.checkout.remove());

  it("become one, the bootstrap node among those that go", async () => {
    const said = await cluster.deploy("Keep one control plane", (text) => {
      nodes = ["den-prod-cp01", "den-prod-cp03"].map((name) => nodeIn(name).exec(text)?.[0] ?? "").join("");
      return text
        .replace(nodeIn("den-prod-cp01"), "")
        .replace(nodeIn("den-prod-cp03"), "")
        .concat(exemptions(["den-prod-cp01", "den-prod-cp03"]));
    });
    expect(said).to.contain("remove/den-prod-cp01 done").and.contain("remove/den-prod-cp03 done");
    expect(await cluster.members("12")).to.deep.equal(["den-prod-cp02"]);
    expect(await cluster.nodes()).to.deep.equal(["den-prod-cp02"]);
    expect(await cluster.uid()).to.equal(uid);
  });

  it("become three again, in the etcd that there is", async () => {
    const said = await cluster.deploy("Have three control planes", (text) =>
      text.replace(/( {2}hearth:nodes:\n)/, `$1${nodes}`),
    );
    order(said, "join/den-prod-cp01", "join/den-prod-cp03");
    expect(await cluster.members("12")).to.deep.equal(names);
    expect(await cluster.nodes()).to.deep.equal(names);
    expect(await cluster.uid()).to.equal(uid);
  });

  it("are wiped and set up anew one by one for other keys of their disks, which come back from a restart", async () => {
    const said = await cluster.deploy("Take the keys of disks from the machines", (text) =>
      text
        .replace("diskEncryption: tpm", "diskEncryption: nodeID")
        .replace("resources: [den-prod-cp01, den-prod-cp03]", `resources: [${names.join(", ")}]`),
    );
    for (const name of names) expect(said).to.contain(`replace/${name} done`);
    expect(await cluster.members("12")).to.deep.equal(names);
    expect(await cluster.nodes()).to.deep.equal(names);
    expect(await cluster.uid()).to.equal(uid);
    const address = `127.${octet.toString()}.0.11`;
    await cluster.shell(`talosctl --nodes ${address} --endpoints ${address} reboot --wait --timeout 5m`);
    expect(await cluster.members("12")).to.deep.equal(names);
  });
});

describe("virtual machines", () => {
  const names = ["den-dev-cp01", "den-dev-cp02", "den-dev-cp03", "den-dev-wk01", "den-dev-wk02"];
  let cluster: Cluster;
  let uid: string;

  const plane = (number: string): string =>
    `    den-dev-cp0${number}:\n      platform: proxmox\n      role: controlplane\n      image: standard\n` +
    `      address: 10.${octet.toString()}.0.1${number}\n      mac: BC:24:11:20:00:1${number}\n      installDisk: /dev/sda\n` +
    `      proxmox: { host: pve1, vmId: 201${number}, cores: 2, memory: 4096, disk: 40 }\n`;

  before(async () => {
    cluster = new Cluster(await LabCheckout.createSmall(octet), "dev");
    await cluster.up();
    uid = await cluster.uid();
  });

  after(() => cluster.checkout.remove());

  it("are not replaced where they are the only control plane", async () => {
    const { checkout } = cluster;
    await checkout.edit("Pulumi.dev.yaml", (text) =>
      text.replace("vmId: 2011", "vmId: 2019").concat(exemptions(["den-dev-cp01"])),
    );
    const { exitCode, all } = await checkout.shell("npx hearth deploy dev");
    await checkout.git("checkout", "--quiet", "Pulumi.dev.yaml");
    expect(exitCode, String(all)).to.not.equal(0);
    expect(String(all)).to.contain("den-dev-cp01");
    expect(await cluster.uid()).to.equal(uid);
  });

  it("join as control planes, one after the other", async () => {
    const said = await cluster.deploy("Have three control planes", (text) =>
      text.replace(nodeIn("den-dev-cp01"), (found) => `${found}${plane("2")}${plane("3")}`),
    );
    order(said, "join/den-dev-cp02", "join/den-dev-cp03");
    expect(await cluster.members("12")).to.deep.equal(names.slice(0, 3));
    expect(await cluster.nodes()).to.deep.equal(names);
    expect(await cluster.uid()).to.equal(uid);
  });

  it("are replaced one by one, the one that etcd was bootstrapped on as well", async () => {
    const said = await cluster.deploy("Encrypt a worker's disk, and give a control plane another number", (text) =>
      text
        .replace("vmId: 2011", "vmId: 2019")
        .replace(/( {4}den-dev-wk01:\n)/, "$1      diskEncryption: nodeID\n")
        .concat(exemptions(["den-dev-cp01", "den-dev-wk01"])),
    );
    order(said, "replace/den-dev-wk01", "replace/den-dev-cp01");
    expect(await cluster.members("12")).to.deep.equal(names.slice(0, 3));
    expect(await cluster.nodes()).to.deep.equal(names);
    expect(await cluster.uid()).to.equal(uid);
  });

  it("swap their roles, the worker before the control plane, whose node is one of a worker afterwards", async () => {
    const turned = (text: string, name: string, from: string, to: string) =>
      text.replace(nodeIn(name), (found) => found.replace(`role: ${from}`, `role: ${to}`));
    const said = await cluster.deploy("Swap the roles of two machines", (text) =>
      turned(turned(text, "den-dev-wk01", "worker", "controlplane"), "den-dev-cp03", "controlplane", "worker").replace(
        "resources: [den-dev-cp01, den-dev-wk01]",
        "resources: [den-dev-cp03, den-dev-wk01]",
      ),
    );
    order(said, "replace/den-dev-wk01", "replace/den-dev-cp03");
    expect(await cluster.members("12")).to.deep.equal(["den-dev-cp01", "den-dev-cp02", "den-dev-wk01"]);
    expect(await cluster.nodes()).to.deep.equal(names);
    expect(await cluster.uid()).to.equal(uid);
    const planes = await cluster.shell(
      "kubectl get nodes --selector node-role.kubernetes.io/control-plane --output name",
    );
    expect(planes.trim().split("\n")).to.deep.equal(["node/den-dev-cp01", "node/den-dev-cp02", "node/den-dev-wk01"]);
    expect(await cluster.shell("kubectl get node den-dev-cp03 --output jsonpath={.spec.taints}")).to.equal("");
  });
});
