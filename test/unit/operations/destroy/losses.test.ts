import { expect } from "chai";

import { resourceTypes } from "../../../../components/resource-types.ts";
import type { State, StateResource } from "../../../../lib/engine/state.ts";
import { hasBegun, losses } from "../../../../operations/destroy/losses.ts";

const resource = (type: string, name: string, more: Partial<StateResource> = {}): StateResource => ({
  type,
  urn: `urn:pulumi:dev::hearth::${type}::${name}`,
  ...more,
});
const stateOf = (...resources: StateResource[]): State => ({ version: 3, deployment: { resources } });

const secrets = (protect: boolean): StateResource[] => [
  resource(resourceTypes.machineSecrets, "machine-secrets", { protect }),
  resource(resourceTypes.password, "age-seed", { protect }),
];

describe("what a destroy deletes", () => {
  it("is listed by kind, with the names", () => {
    const state = stateOf(
      resource(resourceTypes.virtualMachine, "wk01"),
      resource(resourceTypes.machineConfiguration, "wk01"),
      resource(resourceTypes.machineConfiguration, "nuc1", { inputs: { onDestroy: { reset: true } } }),
      resource(resourceTypes.tunnel, "den-dev"),
      ...secrets(true),
    );
    expect(losses(state).map(({ names }) => names)).to.deep.equal([
      ["wk01"],
      ["nuc1"],
      ["den-dev"],
      ["machine-secrets", "age-seed"],
    ]);
  });

  it("is without what an update has replaced already", () => {
    expect(losses(stateOf(resource(resourceTypes.virtualMachine, "wk01", { delete: true })))).to.deep.equal([]);
  });
});

describe("a destroy that began before", () => {
  it("is not told by one root secret without protection, which a rotation takes off", () => {
    const [first, ...others] = secrets(true);
    expect(hasBegun(stateOf(...others, { ...first, protect: false } as StateResource))).to.equal(false);
  });

  it("is told by a state in which nothing is protected any more", () => {
    expect(hasBegun(stateOf(...secrets(true)))).to.equal(false);
    expect(hasBegun(stateOf(...secrets(false)))).to.equal(true);
    expect(hasBegun(stateOf(resource(resourceTypes.tunnel, "den-dev")))).to.equal(true);
  });
});
