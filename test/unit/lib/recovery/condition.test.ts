import { expect } from "chai";

import { resourceTypes } from "../../../../components/resource-types.ts";
import type { State, StateResource } from "../../../../lib/engine/state.ts";
import { conditionOf, unmadeOf } from "../../../../lib/recovery/condition.ts";

const resource = (type: string, name: string): StateResource => ({
  type,
  urn: `urn:pulumi:dev::hearth::${type}::${name}`,
});

const state = (resources: StateResource[], pending: StateResource[] = []): State => ({
  version: 3,
  deployment: { resources, pending_operations: pending.map((each) => ({ type: "creating", resource: each })) },
});

const configuration = (name: string): StateResource => resource(resourceTypes.machineConfiguration, name);
const bootstrap = resource(resourceTypes.bootstrap, "den");

describe("conditionOf", () => {
  it("tells a state that is lost, whole or interrupted", () => {
    expect(conditionOf(undefined)).to.equal("lost");
    expect(conditionOf(state([bootstrap]))).to.equal("whole");
    expect(conditionOf(state([], [bootstrap]))).to.equal("interrupted");
  });
});

describe("unmadeOf", () => {
  it("names the machines that an interrupted update had not configured, and a cluster that it had not bootstrapped", () => {
    const unmade = unmadeOf(state([configuration("cp01")], [configuration("wk01")]), ["cp01", "wk01"]);
    expect(unmade).to.deep.equal({ machines: ["wk01"], cluster: true });
  });

  it("knows a cluster whose bootstrap is in the state", () => {
    const unmade = unmadeOf(state([configuration("cp01"), bootstrap], [configuration("wk01")]), ["cp01", "wk01"]);
    expect(unmade).to.deep.equal({ machines: ["wk01"], cluster: false });
  });

  it("excuses nothing where no update was interrupted", () => {
    expect(unmadeOf(state([]), ["cp01"])).to.equal(undefined);
  });
});
