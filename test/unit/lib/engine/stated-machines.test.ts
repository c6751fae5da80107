import { expect } from "chai";

import type { HearthConfig } from "../../../../infra/config/index.ts";
import type { State } from "../../../../lib/engine/state.ts";
import { requireDeployedMachines } from "../../../../lib/engine/stated-machines.ts";

const type = "talos:machine/configurationApply:ConfigurationApply";

describe("the machines of a state and of a stack file", () => {
  const compare = (deployed: string[], configured: string[]): void => {
    const state: State = {
      version: 3,
      deployment: {
        resources: deployed.map((node) => ({
          urn: `urn:pulumi:dev::hearth::${type}::${node}`,
          type,
          inputs: { node },
        })),
      },
    };
    const nodes = Object.fromEntries(configured.map((address) => [`node-${address}`, { address }]));
    requireDeployedMachines(state, { nodes } as unknown as HearthConfig, "dev");
  };

  it("may be in any order and have any name", () => {
    compare(["10.0.0.1", "10.0.0.2"], ["10.0.0.2", "10.0.0.1"]);
  });

  it("are refused of a checkout that is behind, and of one that was not deployed", () => {
    expect(() => {
      compare(["10.0.0.1", "10.0.0.2"], ["10.0.0.1"]);
    }).to.throw("The state of dev has machines that Pulumi.dev.yaml does not have: 10.0.0.2");
    expect(() => {
      compare(["10.0.0.1"], ["10.0.0.1", "10.0.0.3"]);
    }).to.throw("Pulumi.dev.yaml has machines that were never deployed: 10.0.0.3");
  });
});
