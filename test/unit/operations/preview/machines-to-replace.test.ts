import { expect } from "chai";

import { resourceTypes } from "../../../../components/resource-types.ts";
import type { State, StateResource } from "../../../../lib/engine/state.ts";
import { machinesToReplace, replacing, type Wanted } from "../../../../operations/preview/machines-to-replace.ts";

const urnOf = (type: string, name: string): string => `urn:pulumi:dev::hearth::${type}::${name}`;

const resource = (type: string, name: string, more: Partial<StateResource> = {}): StateResource => ({
  urn: urnOf(type, name),
  type,
  ...more,
});

const configuration = (name: string, node: string, more: Partial<StateResource> = {}) =>
  resource(resourceTypes.machineConfiguration, name, { inputs: { node }, ...more });

const stateOf = (...resources: StateResource[]): State => ({ version: 3, deployment: { resources } });

const metalNode = (address: string, secureBoot?: boolean) => ({
  ...{ platform: "metal", role: "worker" as const },
  ...{ address, secureBoot },
});

const wanted = (nodes: Wanted["nodes"], secureBoot = false): Wanted => ({ nodes, cluster: { secureBoot } });

describe("machines whose address changes", () => {
  const vm = resource(resourceTypes.virtualMachine, "wk01");
  const virtual = stateOf(vm, configuration("wk01", "10.20.0.21"), configuration("wk02", "10.20.0.22"));

  it("are made anew: a virtual machine is destroyed, and one of metal is reset by its configuration", () => {
    expect(machinesToReplace(virtual, wanted({ wk01: metalNode("10.20.0.29") }))).to.deep.equal([vm.urn]);
    const metal = configuration("wk01", "10.20.0.21");
    expect(machinesToReplace(stateOf(metal), wanted({ wk01: metalNode("10.20.0.29") }))).to.deep.equal([metal.urn]);
  });

  it("are none where addresses stay, and machines are added or removed", () => {
    const nodes = { wk01: metalNode("10.20.0.21"), wk03: metalNode("10.20.0.23") };
    expect(machinesToReplace(virtual, wanted(nodes))).to.deep.equal([]);
  });

  it("are not destroyed twice after an interrupted update destroyed them", () => {
    const destroyed = stateOf({ ...vm, pendingReplacement: true }, configuration("wk01", "10.20.0.21"));
    expect(machinesToReplace(destroyed, wanted({ wk01: metalNode("10.20.0.29") }))).to.deep.equal([]);
  });

  it("are named to the engine one by one", () => {
    expect(replacing(["a", "b"])).to.deep.equal(["--replace", "a", "--replace", "b"]);
  });
});

describe("machines whose role changes", () => {
  const address = "10.20.0.21";
  const plane = { configPatches: ["cluster: { apiServer: { certSANs: [10.20.0.10] } }"] };
  const role = (now: "controlplane" | "worker") => wanted({ wk01: { ...metalNode(address), role: now } });

  for (const [from, to] of [
    ["worker", "controlplane"],
    ["controlplane", "worker"],
  ] as const) {
    const inputs = { node: address, ...(from === "controlplane" && plane) };

    it(`are made anew from ${from} to ${to}, virtual or of metal`, () => {
      const vm = resource(resourceTypes.virtualMachine, "wk01");
      const metal = configuration("wk01", address, { inputs });
      expect(machinesToReplace(stateOf(metal), role(to))).to.deep.equal([metal.urn]);
      expect(machinesToReplace(stateOf(vm, metal), role(to))).to.deep.equal([vm.urn]);
    });

    it(`are none where an interrupted update has made one a ${to} already`, () => {
      const vm = resource(resourceTypes.virtualMachine, "wk01");
      const pending = stateOf(vm, configuration("wk01", address, { inputs, pendingReplacement: true }));
      expect(machinesToReplace(pending, role(to), { wk01: { role: to } })).to.deep.equal([]);
      expect(machinesToReplace(pending, role(to), { wk01: { role: from } })).to.deep.equal([vm.urn]);
      expect(machinesToReplace(pending, role(to))).to.deep.equal([vm.urn]);
    });

    it(`are none where they stay a ${from}`, () => {
      expect(machinesToReplace(stateOf(configuration("wk01", address, { inputs })), role(from))).to.deep.equal([]);
    });
  }
});

describe("a worker with settings of the API server in a patch", () => {
  it("is a worker, as its whole configuration says", () => {
    const inputs = {
      node: "10.20.0.21",
      machineConfigurationInput: "machine: { type: worker }",
      configPatches: ["cluster: { apiServer: { certSANs: [10.20.0.10] } }"],
    };
    const state = stateOf(configuration("wk01", "10.20.0.21", { inputs }));
    expect(machinesToReplace(state, wanted({ wk01: metalNode("10.20.0.21") }))).to.deep.equal([]);
  });
});

describe("machines whose SecureBoot changes", () => {
  const address = "10.20.0.21";
  /** The configuration of a machine with an installer, and further patches. */
  const installed = (installer: string, ...patches: string[]) =>
    resource(resourceTypes.machineConfiguration, "wk01", {
      inputs: {
        node: address,
        configPatches: [`machine: { install: { image: "factory.example/${installer}/abc:v1.13.9" } }`, ...patches],
      },
    });
  const toReplace = (configuration: StateResource, asked: Wanted): string[] =>
    machinesToReplace(stateOf(configuration), asked);
  const own = (secureBoot?: boolean) => wanted({ wk01: metalNode(address, secureBoot) });
  const [plain, secure] = [installed("metal-installer"), installed("metal-installer-secureboot")];

  it("are made anew, on and off, by the node's own setting or the cluster's", () => {
    expect(toReplace(plain, own(true))).to.deep.equal([plain.urn]);
    expect(toReplace(plain, wanted({ wk01: metalNode(address) }, true))).to.deep.equal([plain.urn]);
    expect(toReplace(secure, own())).to.deep.equal([secure.urn]);
  });

  it("are none where it stays", () => {
    expect(toReplace(plain, own())).to.deep.equal([]);
    expect(toReplace(secure, own(true))).to.deep.equal([]);
    expect(toReplace(plain, wanted({ wk01: metalNode(address, false) }, true))).to.deep.equal([]);
  });

  it("are none with volumes of their own, and no virtual machines", () => {
    const volume = "apiVersion: v1alpha1\nkind: UserVolumeConfig\nname: data\n";
    expect(toReplace(installed("metal-installer", volume), own(true))).to.deep.equal([]);
    const virtual = { ...metalNode(address, true), platform: "proxmox" };
    expect(toReplace(installed("nocloud-installer"), wanted({ wk01: virtual }))).to.deep.equal([]);
  });

  it("are not wiped twice after an interrupted update destroyed them", () => {
    expect(toReplace({ ...plain, pendingReplacement: true }, own(true))).to.deep.equal([]);
  });
});
