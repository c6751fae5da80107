import { expect } from "chai";

import { resourceTypes } from "../../../../components/resource-types.ts";
import { sealed } from "../../../../lib/engine/value.ts";
import type { State } from "../../../../lib/engine/state.ts";
import {
  machinesOfState,
  mismatches,
  requireDeployedMachines,
  requireSameMachines,
  type KnownMachine,
} from "../../../../lib/recovery/checkout.ts";

const configuration = (name: string, node: string, role: string) => ({
  type: resourceTypes.machineConfiguration,
  urn: `urn:pulumi:dev::hearth::hearth:talos:TalosCluster$${resourceTypes.machineConfiguration}::${name}`,
  inputs: {
    node,
    machineConfigurationInput: sealed(`version: v1alpha1\nmachine:\n  type: ${role}\n---\nkind: HostnameConfig\n`),
  },
});

const plane = (address: string) => ({ role: "controlplane" as const, address });
const worker = (address: string, renamedFrom?: string) => ({ role: "worker" as const, address, renamedFrom });

/** A cluster that grew from one control plane to three. */
const grown: State = {
  version: 3,
  deployment: {
    resources: [
      configuration("cp01", "10.20.0.11", "controlplane"),
      configuration("cp02", "10.20.0.12", "controlplane"),
      configuration("cp03", "10.20.0.13", "controlplane"),
      configuration("wk01", "10.20.0.21", "worker"),
    ],
  },
};
const nodes = {
  cp01: plane("10.20.0.11"),
  cp02: plane("10.20.0.12"),
  cp03: plane("10.20.0.13"),
  wk01: worker("10.20.0.21"),
};

const said = (known: KnownMachine[], now: Parameters<typeof mismatches>[1]): string[] =>
  mismatches(known, now).map(({ machine, how }) => `${machine.name} ${how}`);

describe("the machines of a state", () => {
  it("have their names, addresses and roles, the last from their configurations, which are secret", () => {
    expect(machinesOfState(grown)).to.deep.include({ name: "cp02", address: "10.20.0.12", role: "controlplane" });
    expect(machinesOfState(grown)).to.deep.include({ name: "wk01", address: "10.20.0.21", role: "worker" });
  });

  it("include those that an interrupted update was creating", () => {
    const pending = [{ type: "creating", resource: configuration("wk02", "10.20.0.22", "worker") }];
    const state = { ...grown, deployment: { ...grown.deployment, pending_operations: pending } };
    expect(machinesOfState(state).map(({ name }) => name)).to.include("wk02");
  });

  it("do not include one that only waits for its deletion", () => {
    const gone = { ...configuration("wk02", "10.20.0.22", "worker"), delete: true };
    expect(machinesOfState({ version: 3, deployment: { resources: [gone] } })).to.deep.equal([]);
  });
});

describe("mismatches between a state and a checkout", () => {
  const known = machinesOfState(grown);

  it("are none where the checkout is what was deployed, or has more machines", () => {
    expect(said(known, { ...nodes, wk02: worker("10.20.0.22") })).to.deep.equal([]);
  });

  it("are the control planes that an old checkout does not know", () => {
    expect(said(known, { cp01: nodes.cp01, wk01: nodes.wk01 })).to.deep.equal([
      "cp02 was deployed as a control plane at 10.20.0.12, and is not in the stack file",
      "cp03 was deployed as a control plane at 10.20.0.13, and is not in the stack file",
    ]);
  });

  it("are another address and another role", () => {
    expect(said(known, { ...nodes, cp02: plane("10.20.0.19"), cp03: worker("10.20.0.13") })).to.deep.equal([
      "cp02 was deployed at 10.20.0.12, and is at 10.20.0.19 in the stack file",
      "cp03 was deployed as a control plane, and is a worker in the stack file",
    ]);
  });

  it("are none for a node that says what it was, unless it is another machine", () => {
    const { wk01, ...others } = nodes;
    expect(said(known, { ...others, wk09: worker(wk01.address, "wk01") })).to.deep.equal([]);
    expect(said(known, { ...others, wk09: worker("10.20.0.29", "wk01") })).to.have.length(1);
    expect(said(known, { ...others, wk09: worker(wk01.address) })[0]).to.contain("renamedFrom: wk01");
  });

  it("stop a rebuild, which says which and what to do", () => {
    expect(() => {
      requireSameMachines(known, { cp01: nodes.cp01, wk01: nodes.wk01 });
    })
      .to.throw("cp02: was deployed as a control plane at 10.20.0.12")
      .with.property("message")
      .that.contains("Take the checkout that was deployed last");
    requireSameMachines(known, nodes);
  });
});

describe("the machines of a checkout whose every machine is changed", () => {
  it("are those that were deployed, in any order", () => {
    requireDeployedMachines(grown, Object.fromEntries(Object.entries(nodes).reverse()), "dev");
  });

  it("are refused where the checkout is behind, and where it was not deployed", () => {
    const { cp03, ...fewer } = nodes;
    expect(cp03.address).to.equal("10.20.0.13");
    expect(() => {
      requireDeployedMachines(grown, fewer, "dev");
    }).to.throw("cp03: was deployed as a control plane at 10.20.0.13, and is not in the stack file");
    expect(() => {
      requireDeployedMachines(grown, { ...nodes, wk02: worker("10.20.0.22") }, "dev");
    }).to.throw("Pulumi.dev.yaml has machines that were never deployed: wk02");
  });
});
