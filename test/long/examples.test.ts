import { readFile } from "node:fs/promises";

import { expect } from "chai";
import { execa } from "execa";
import { parse } from "yaml";

import { LabCheckout } from "../support/lab-checkout.ts";

const octet = 69;

/** Numbers of machines: virtual ones and bare metal, one and many, one family of addresses and both, secrets of services and of routers. */
const examples = {
  "one-vm": 1,
  "metal-and-virtual-machines": 5,
  "thirty-workers": 33,
  "dual-stack-with-bgp": 3,
  "three-metal-nodes": 3,
};

interface Node {
  metadata: { name: string };
  status: { conditions: { type: string; status: string }[]; addresses: { type: string; address: string }[] };
}

describe("the examples in the lab", () => {
  let checkout: LabCheckout;

  const hearth = (...args: string[]) =>
    execa("node", ["--import", "tsx", "operations/main.ts", ...args, "--lab"], {
      ...{ cwd: checkout.path, all: true, reject: false },
    });

  const kubectl = async (command: string): Promise<string> => {
    const { exitCode, stdout, all } = await checkout.shell(`kubectl ${command}`, "prod");
    expect(exitCode, String(all)).to.equal(0);
    return String(stdout);
  };

  before(async () => {
    checkout = await LabCheckout.createSmallProd(octet);
  });

  after(() => checkout.remove());

  for (const [name, machines] of Object.entries(examples)) {
    describe(name, () => {
      before(() => checkout.takeExample(name, octet));

      // What the next one finds is an empty house.
      after(async () => {
        const { exitCode, all } = await checkout.lab("reset", "prod");
        expect(exitCode, all).to.equal(0);
      });

      it("comes up, with every machine Ready", async () => {
        const { exitCode, all } = await checkout.lab("up", "prod");
        expect(exitCode, all).to.equal(0);
        const { items } = JSON.parse(await kubectl("get nodes --output json")) as { items: Node[] };
        expect(items).to.have.length(machines);
        for (const { metadata, status } of items) {
          expect(status.conditions.find(({ type }) => type === "Ready")?.status, metadata.name).to.equal("True");
        }
      });

      it("is as its stack file says: a preview changes nothing", async () => {
        const { exitCode, all } = await checkout.lab("preview", "prod");
        expect(exitCode, all).to.equal(0);
        expect(all).to.contain("no changes");
      });

      if (name === "dual-stack-with-bgp")
        it("has addresses of both families, and gives routers the password that they ask for", async () => {
          const { items } = JSON.parse(await kubectl("get nodes --output json")) as { items: Node[] };
          for (const { metadata, status } of items) {
            const internal = status.addresses.filter(({ type }) => type === "InternalIP").map(({ address }) => address);
            expect(internal, metadata.name).to.have.length(2);
            expect(internal[1]).to.match(/^fd00:10:30::1[123]$/);
          }
          expect(await kubectl("--namespace kube-system get secret bgp-password --output jsonpath={.data.password}"))
            .not.to.be.empty;
        });

      if (name === "three-metal-nodes") {
        it("gives a person a kubeconfig that may do what the group may, and no more", async () => {
          const file = checkout.file("anna");
          const person = ["--person", "anna", "--group", "family", "--for", "10m", "--out", file];
          const { exitCode, all } = await hearth("access", "prod", ...person);
          expect(exitCode, all).to.equal(0);
          const as = `kubectl --kubeconfig ${file}`;
          const { stdout } = await checkout.shell(`${as} auth whoami --output json`, "prod");
          const { status } = JSON.parse(String(stdout)) as { status: { userInfo: object } };
          expect(status.userInfo).to.deep.include({ username: "hearth:anna" });
          expect(status.userInfo)
            .to.have.property("groups")
            .that.deep.equals(["hearth:family", "system:authenticated"]);
          const may = async (what: string) =>
            String((await checkout.shell(`${as} auth can-i ${what} || true`, "prod")).stdout);
          expect([await may("list pods -A"), await may("get secrets -A"), await may("delete pods -A")]).to.deep.equal([
            ...["yes", "no", "no"],
          ]);
          expect(await kubectl("get certificatesigningrequests --output name")).not.to.contain("hearth-access");
        });

        it("gives no kubeconfig of a group that the stack does not have", async () => {
          const { exitCode, all } = await hearth("access", "prod", "--person", "anna", "--group", "system:masters");
          expect([exitCode, all]).to.deep.equal([
            1,
            "--group system:masters is not in cluster.groups: add it there with its role, or write admins, family",
          ]);
        });

        it("gives a talosconfig that may read, and not restart", async () => {
          const file = checkout.file("reader");
          const { exitCode, all } = await hearth("access", "prod", "--role", "reader", "--for", "10m", "--out", file);
          expect(exitCode, all).to.equal(0);
          const { contexts } = parse(await readFile(file, "utf8")) as { contexts: Record<string, { nodes: string[] }> };
          const [nodes] = Object.values(contexts).map((context) => context.nodes);
          expect(nodes).to.have.length(3);
          const as = `talosctl --talosconfig ${file} --nodes ${nodes?.[0] ?? ""} --endpoints ${nodes?.[0] ?? ""}`;
          expect((await checkout.shell(`${as} version`, "prod")).exitCode).to.equal(0);
          const refused = await checkout.shell(`${as} reboot --wait=false`, "prod");
          expect(refused.exitCode).not.to.equal(0);
          expect(String(refused.all)).to.contain("PermissionDenied");
        });
      }
    });
  }
});
