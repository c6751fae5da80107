import { expect } from "chai";

import type { Authorities } from "../../../../operations/rotate/authority-plan.ts";
import { resourceTypes } from "../../../../components/resource-types.ts";
import type { HearthConfig } from "../../../../infra/config/index.ts";
import { machinesInOrder, stepByStep } from "../../../../operations/rotate/given-authority.ts";

const next = { crt: "new", key: "new-key" };
const change = { from: "old", to: "new", accepts: true };

describe("giving machines an authority", () => {
  /** Machines whose every write can be the last one of a run. */
  class Machines {
    readonly now = new Map<string, Authorities>(
      ["cp01", "cp02", "wk01"].map((name) => [name, { issuing: "old", accepted: [] }]),
    );
    readonly log: string[] = [];
    private writes = 0;
    dyingAt = Infinity;

    readonly map = new Map(
      [...this.now.keys()].map((name) => [
        name,
        {
          read: () => Promise.resolve(this.now.get(name) ?? { issuing: "", accepted: [] }),
          write: (to: Authorities) => {
            this.now.set(name, to);
            this.log.push(`write ${name}`);
            this.writes += 1;
            return this.writes === this.dyingAt ? Promise.reject(new Error("killed")) : Promise.resolve();
          },
        },
      ]),
    );

    give(until?: "all sign by it"): Promise<void> {
      const way = {
        settled: () => {
          this.log.push("settled");
          return Promise.resolve();
        },
        watch: (name: string) => {
          this.log.push(`watch ${name}`);
          return Promise.resolve(() => {
            this.log.push(`restarted ${name}`);
            return Promise.resolve();
          });
        },
      };
      return stepByStep(this.map, change, next, { ...way, ...(until && { until }) }, () => undefined);
    }
  }

  it("waits before each step until all is settled, and after it until the machine has restarted", async () => {
    const machines = new Machines();
    await machines.give();
    expect(machines.log.slice(0, 5)).to.deep.equal([
      "settled",
      "watch cp01",
      "write cp01",
      "restarted cp01",
      "settled",
    ]);
    expect(machines.log.at(-1)).to.equal("settled");
    expect(machines.log.filter((each) => each.startsWith("write"))).to.have.length(9);
  });

  it("is finished by the next run after a kill at any step", async () => {
    for (let dyingAt = 1; dyingAt <= 9; dyingAt += 1) {
      const machines = new Machines();
      machines.dyingAt = dyingAt;
      const killed = await machines.give().then(
        () => false,
        () => true,
      );
      expect(killed).to.equal(true);
      await machines.give();
      for (const has of machines.now.values()) expect(has).to.deep.equal({ issuing: "new", accepted: [] });
      expect(machines.log.filter((each) => each.startsWith("write"))).to.have.length(9);
    }
  });

  it("stops where all sign by it and accept the old one, so that the state has it before anyone drops that", async () => {
    const machines = new Machines();
    await machines.give("all sign by it");
    for (const has of machines.now.values()) expect(has).to.deep.equal({ issuing: "new", accepted: ["old"] });
    await machines.give();
    for (const has of machines.now.values()) expect(has).to.deep.equal({ issuing: "new", accepted: [] });
  });
});

describe("the machines that are given an authority", () => {
  const vip = "apiVersion: v1alpha1\nkind: Layer2VIPConfig\nname: 10.20.0.10\n";
  const addresses = { wk01: "10.20.0.21", cp01: "10.20.0.11" };
  const nodes = Object.fromEntries(
    Object.entries(addresses).map(([name, address]) => [
      name,
      { address, role: name.startsWith("cp") ? "controlplane" : "worker" },
    ]),
  ) as HearthConfig["nodes"];

  /** Of a state whose control planes were deployed with these patches. */
  const given = (...deployed: string[]) => {
    const type = resourceTypes.machineConfiguration;
    const resources = Object.entries(addresses).map(([name, node]) => ({
      ...{ urn: `urn:pulumi:dev::hearth::${type}::${name}`, type },
      inputs: { node, configPatches: name.startsWith("cp") ? deployed : [] },
    }));
    return machinesInOrder(nodes, { version: 3, deployment: { resources } });
  };

  it("begin with control planes, which sign for workers", () => {
    expect(given().map(({ name }) => name)).to.deep.equal(["cp01", "wk01"]);
  });

  it("have the VIP that was deployed, for a stack file may have another one since, or none", () => {
    const vips = (machines: ReturnType<typeof given>) => machines.map(({ hasVip }) => hasVip);
    expect(vips(given(vip))).to.deep.equal([true, false]);
    expect(vips(given())).to.deep.equal([false, false]);
  });
});
