import { copyFile } from "node:fs/promises";
import { join } from "node:path";

import { expect } from "chai";

import { LabCheckout } from "../support/lab-checkout.ts";

const folder = join(import.meta.dirname, "../../examples");

/** Hosts and bare metal, one machine and several, links of their own and tagged ones. */
const examples = {
  "one-vm": 1,
  "three-metal-nodes": 3,
  "metal-and-virtual-machines": 5,
  "three-proxmox-hosts-with-ceph": 3,
  "amd64-and-arm64": 5,
};

interface Node {
  metadata: { name: string };
  status: { conditions: { type: string; status: string }[] };
}

for (const [name, machines] of Object.entries(examples)) {
  describe(`the example ${name} in the lab`, () => {
    let checkout: LabCheckout;

    before(async () => {
      checkout = await LabCheckout.createSmallProd(69);
      await copyFile(join(folder, name, "Pulumi.prod.yaml"), checkout.file("Pulumi.prod.yaml"));
      await checkout.commit("Begin with an example");
    });

    after(() => checkout.remove());

    it("comes up, with every machine and what Flux applies", async () => {
      const { exitCode, all } = await checkout.lab("up", "prod");
      expect(exitCode, all).to.equal(0);
      const { stdout } = await checkout.shell("kubectl get nodes --output json", "prod");
      const { items } = JSON.parse(String(stdout)) as { items: Node[] };
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
  });
}
