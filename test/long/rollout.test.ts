import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";

import { expect } from "chai";

import { schematicId } from "../../components/talos/schematic.ts";
import { LabCheckout } from "../support/lab-checkout.ts";

const octet = 70;
const machines = { cp: "den-dev-cp01", first: "den-dev-wk01", second: "den-dev-wk02" };

interface NodeList {
  items: {
    metadata: { name: string; annotations?: Record<string, string> };
    spec: { unschedulable?: boolean };
    status: { nodeInfo: { bootID: string; osImage: string } };
  }[];
}

describe("a change of a cluster that runs", () => {
  let checkout: LabCheckout;

  const shell = async (command: string): Promise<{ exitCode: number | undefined; said: string }> => {
    const { exitCode, all } = await checkout.shell(command);
    return { exitCode, said: String(all) };
  };

  const deploy = async (flags = ""): Promise<string> => {
    const { exitCode, said } = await shell(`npx hearth deploy dev ${flags}`);
    expect(exitCode, said).to.equal(0);
    return said;
  };

  /** The nodes as the API server has them, asked with the administrator's certificate. */
  const nodes = async () => {
    const script = [
      'import { readFile } from "node:fs/promises";',
      'const { Kubernetes } = await import("./lib/cluster/kubernetes.ts");',
      'const kubernetes = new Kubernetes(await readFile(".lab/dev/kubeconfig", "utf8"));',
      'console.log(JSON.stringify({ items: await kubernetes.list("/api/v1/nodes") }));',
    ].join(" ");
    const { said, exitCode } = await shell(`node --import tsx --input-type=module --eval '${script}'`);
    expect(exitCode, said).to.equal(0);
    const { items } = JSON.parse(said.trim().split("\n").at(-1) ?? "") as NodeList;
    return new Map(
      items.map(({ metadata, spec, status }) => [
        metadata.name,
        {
          mark: metadata.annotations?.["hearth.dev/rollout"],
          isCordoned: spec.unschedulable === true,
          boot: status.nodeInfo.bootID,
          talos: /v[\d.]+/.exec(status.nodeInfo.osImage)?.[0],
        },
      ]),
    );
  };

  /** Expects that every machine is in service, with a release of Talos. */
  const expectInService = async (talos: string) => {
    const found = await nodes();
    expect([...found.keys()].sort()).to.deep.equal(Object.values(machines).sort());
    for (const [name, { mark, isCordoned, talos: running }] of found)
      expect({ name, mark, isCordoned, running }).to.deep.equal({
        name,
        mark: undefined,
        isCordoned: false,
        running: talos,
      });
  };

  /** The profile's ID as each machine tells it of the image that it runs. */
  const schematics = () =>
    Promise.all(
      ["11", "21", "22"].map(async (last) => {
        const address = `127.${octet.toString()}.0.${last}`;
        const asked = `talosctl --nodes ${address} --endpoints ${address} get extensions --output yaml`;
        const { exitCode, said } = await shell(asked);
        expect(exitCode, said).to.equal(0);
        return /name: schematic\n +version: ([0-9a-f]{64})/.exec(said)?.[1];
      }),
    );

  const setCores = (from: number, to: number) =>
    checkout.edit("Pulumi.dev.yaml", (text) =>
      text.replaceAll(`cores: ${from},`, `cores: ${to},`).replaceAll(`cores: ${from}\n`, `cores: ${to}\n`),
    );

  before(async () => {
    checkout = await LabCheckout.createSmall(octet);
    const { exitCode, all } = await checkout.lab();
    expect(exitCode, all).to.equal(0);
  });

  after(() => checkout.remove());

  it("needs no step where no machine goes out of service", async () => {
    await checkout.edit("Pulumi.dev.yaml", (text) => text.replace("labels: { hearth", "labels: { a: b, hearth"));
    await checkout.commit("Label a worker");
    const before = await nodes();
    const said = await deploy();
    expect(said).to.contain("Deployed").and.not.contain("Step 1");
    expect([...(await nodes())].map(([name, { boot }]) => [name, boot])).to.deep.equal(
      [...before].map(([name, { boot }]) => [name, boot]),
    );
  });

  it("upgrades Talos machine by machine to a profile that nobody ever registered, and goes on where a person ended it", async () => {
    const extensions = ["siderolabs/qemu-guest-agent", "siderolabs/util-linux-tools"];
    const next = schematicId({ extensions, kernelArguments: [] });
    const registered = checkout.file(".lab/dev/factory", `${next}.yaml`);
    expect(existsSync(registered)).to.equal(false);
    expect(await schematics()).not.to.include(next);
    await checkout.edit("Pulumi.dev.yaml", (text) =>
      text
        .replace("talos: v1.13.9", "talos: v1.13.10")
        .replace("extensions: [siderolabs/qemu-guest-agent]", `extensions: [${extensions.join(", ")}]`),
    );
    await checkout.commit("Upgrade Talos, with another extension");
    const first = await deploy(`--until ${machines.cp}`);
    expect(first).to.contain("Step 1 of 3: talos/den-dev-cp01 done").and.contain("left: talos/den-dev-wk01");
    expect((await nodes()).get(machines.first)?.talos).to.equal("v1.13.9");
    const second = await deploy();
    expect(second).to.contain("Step 2 of 2: talos/den-dev-wk02 done").and.contain("is as the program says");
    await expectInService("v1.13.10");
    expect(await readFile(registered, "utf8")).to.contain("siderolabs/util-linux-tools");
    expect(await schematics()).to.deep.equal([next, next, next]);
    expect(await deploy()).to.contain("Nothing to deploy");
  });

  it("is refused by hand where two machines would restart, and is taken one by one by a deployment", async () => {
    await setCores(4, 6);
    await checkout.commit("Give workers more cores");
    const before = await nodes();
    for (const command of ["pulumi preview", "pulumi up --yes"]) {
      const { exitCode, said } = await shell(command);
      expect(exitCode, said).to.not.equal(0);
      expect(said).to.contain("would restart together").and.contain("npx hearth deploy dev");
    }
    expect([...(await nodes())]).to.deep.equal([...before]);
    const said = await deploy();
    expect(said.indexOf(`configure/${machines.first} done`)).to.be.greaterThan(-1);
    expect(said.indexOf(`configure/${machines.second} done`)).to.be.greaterThan(
      said.indexOf(`configure/${machines.first} done`),
    );
    const after = await nodes();
    for (const name of [machines.first, machines.second])
      expect(after.get(name)?.boot).to.not.equal(before.get(name)?.boot);
    expect(after.get(machines.cp)?.boot).to.equal(before.get(machines.cp)?.boot);
    await expectInService("v1.13.10");
  });

  it("is refused by hand where Kubernetes would change on all machines", async () => {
    await checkout.edit("Pulumi.dev.yaml", (text) => text.replace("kubernetes: v1.36.4", "kubernetes: v1.36.5"));
    const { exitCode, said } = await shell("pulumi preview");
    await checkout.git("checkout", "--quiet", "Pulumi.dev.yaml");
    expect(exitCode, said).to.not.equal(0);
    expect(said).to.contain("from v1.36.4 to v1.36.5 on all machines at once");
  });

  it("drains a worker that goes, and deletes its node", async () => {
    await checkout.edit("Pulumi.dev.yaml", (text) =>
      text
        .replace(/ {4}den-dev-wk02:\n(?: {6}.*\n)+/, "")
        .concat(
          "  hearth:policy:\n    exemptions:\n" +
            "      - { policy: kept-resources, resources: [den-dev-wk02], until: 2099-12-31, reason: The worker is needed elsewhere }\n",
        ),
    );
    await checkout.commit("Remove a worker");
    const said = await deploy();
    expect(said).to.contain("remove/den-dev-wk02 done");
    expect([...(await nodes()).keys()].sort()).to.deep.equal([machines.cp, machines.first]);
    expect(await readFile(checkout.file("Pulumi.dev.yaml"), "utf8")).to.not.contain("den-dev-wk02:");
  });

  it("refuses another endpoint in place of the old one, by hand too, and moves it by three changes", async () => {
    const [, old = ""] =
      /endpoint: https:\/\/([\d.]+):6443\n/.exec(await readFile(checkout.file("Pulumi.dev.yaml"), "utf8")) ?? [];
    const other = old.replace(/\d+$/, "9");
    /** The stack file with an endpoint, addresses that control planes answer at as well, and others in certificates. */
    const leadTo = (at: string, beside: string[], certSANs: string[]) => {
      const issuer = `https://${old}:6443`;
      const apiServer = { extraArgs: { "service-account-issuer": issuer, "api-audiences": issuer } };
      const vips = beside.map((name) => ({ apiVersion: "v1alpha1", kind: "Layer2VIPConfig", name, link: "eth0" }));
      const controlPlanes = JSON.stringify([...vips, { cluster: { apiServer } }]);
      return checkout.edit("Pulumi.dev.yaml", (text) =>
        text.replace(
          /endpoint: https:.*:6443\n {4}vip: .*\n(?: {4}certSANs: .*\n {4}patches: .*\n)?/,
          `endpoint: https://${at}:6443\n    vip: ${at}\n    certSANs: ${JSON.stringify(certSANs)}\n    patches: { controlPlanes: ${controlPlanes} }\n`,
        ),
      );
    };
    await leadTo(other, [], [other]);
    for (const command of ["npx hearth deploy dev", "pulumi preview"]) {
      const { exitCode, said } = await shell(command);
      expect(exitCode, said).to.not.equal(0);
      expect(said.replaceAll(/\s+/g, " "))
        .to.contain("cluster.endpoint would go from")
        .and.contain("is in no certificate yet");
    }
    const changes = [
      () => leadTo(old, [other], [other, old]),
      () => leadTo(other, [old], [other, old]),
      () => leadTo(other, [], [other]),
    ];
    const said: string[] = [];
    for (const [index, change] of changes.entries()) {
      await change();
      await checkout.commit(`Move the endpoint, change ${(index + 1).toString()} of 3`);
      said.push(await deploy());
    }
    expect(said[1]).to.contain(`configure/${machines.cp} done`);
    const server = other.replace(/^\d+/, "127");
    const output = await shell("pulumi stack output kubeconfig --show-secrets");
    expect(/server: (\S+)/.exec(output.said)?.[1]).to.equal(`https://${server}:6443`);
    expect(await deploy()).to.contain("Nothing to deploy");
  });
});
