import { expect } from "chai";

import { resourceTypes } from "../../../../components/resource-types.ts";
import type { State, StateResource } from "../../../../lib/engine/state.ts";
import { machinesToReplace, replacing } from "../../../../operations/preview/another-address.ts";

const urnOf = (type: string, name: string): string => `urn:pulumi:dev::hearth::${type}::${name}`;

const resource = (type: string, name: string, more: Partial<StateResource> = {}): StateResource => ({
  urn: urnOf(type, name),
  type,
  ...more,
});

const configuration = (name: string, node: string, more: Partial<StateResource> = {}) =>
  resource(resourceTypes.machineConfiguration, name, { inputs: { node }, ...more });

const stateOf = (...resources: StateResource[]): State => ({ version: 3, deployment: { resources } });

describe("machines whose address changes", () => {
  const vm = resource(resourceTypes.virtualMachine, "wk01");
  const virtual = stateOf(vm, configuration("wk01", "10.20.0.21"), configuration("wk02", "10.20.0.22"));

  it("are made anew: a virtual machine is destroyed, and one of metal is reset by its configuration", () => {
    expect(machinesToReplace(virtual, { wk01: { address: "10.20.0.29" } })).to.deep.equal([vm.urn]);
    const metal = configuration("wk01", "10.20.0.21");
    expect(machinesToReplace(stateOf(metal), { wk01: { address: "10.20.0.29" } })).to.deep.equal([metal.urn]);
  });

  it("are none where addresses stay, and machines are added or removed", () => {
    const nodes = { wk01: { address: "10.20.0.21" }, wk03: { address: "10.20.0.23" } };
    expect(machinesToReplace(virtual, nodes)).to.deep.equal([]);
  });

  it("are not destroyed twice after an interrupted update destroyed them", () => {
    const destroyed = stateOf({ ...vm, pendingReplacement: true }, configuration("wk01", "10.20.0.21"));
    expect(machinesToReplace(destroyed, { wk01: { address: "10.20.0.29" } })).to.deep.equal([]);
  });

  it("are named to the engine one by one", () => {
    expect(replacing(["a", "b"])).to.deep.equal(["--replace", "a", "--replace", "b"]);
  });
});
