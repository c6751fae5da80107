import { expect } from "chai";

import { resourceTypes } from "../../../../components/resource-types.ts";
import { lossOf } from "../../../../lib/engine/losses.ts";

/** What a replacement of a resource loses, whose properties `keys` ask for it. */
const replacement = (type: string, keys: string[], inputs: Record<string, unknown> = {}) =>
  lossOf({ op: "replace", type, urn: `urn:pulumi:dev::hearth::${type}::wk01`, keys, old: { inputs } });

describe("the loss of a machine", () => {
  it("is told by the properties that ask for another machine", () => {
    expect(replacement(resourceTypes.virtualMachine, ["vmId"])).to.deep.include({ because: ["vmId"] });
  });

  it("is for other keys of its disks where no property asks for it, virtual or of metal", () => {
    const because = ["other keys of its disks"];
    expect(replacement(resourceTypes.virtualMachine, [])).to.deep.include({ because });
    expect(replacement(resourceTypes.machineConfiguration, [], { onDestroy: { reset: true } })).to.deep.include({
      because,
    });
  });

  it("has no reason of its own where a configuration goes with its virtual machine", () => {
    expect(replacement(resourceTypes.machineConfiguration, [])).to.not.have.property("because");
    expect(replacement(resourceTypes.machineConfiguration, ["replaceWith"])).to.not.have.property("because");
  });

  it("is for another address or role where a deployment asks for it, which the engine blames on the ID", () => {
    const type = resourceTypes.virtualMachine;
    const at = (address: string) => ({ inputs: { initialization: { ipConfigs: [{ ipv4: { address } }] } } });
    const asked = (from: string, to: string) =>
      lossOf({
        ...{ op: "replace", type, urn: `urn:pulumi:dev::hearth::${type}::wk01`, keys: ["id"] },
        ...{ old: at(from), new: at(to) },
      });
    expect(asked("10.20.0.21/24", "10.20.0.29/24")).to.deep.include({ because: ["another address"] });
    expect(asked("10.20.0.21/24", "10.20.0.21/24")).to.deep.include({ because: ["another role"] });
  });

  it("is for SecureBoot where it is asked for of a machine of metal that stays at its address and in its role", () => {
    const type = resourceTypes.machineConfiguration;
    const asked = (from: string, to: string, ...configPatches: string[]) =>
      lossOf({
        ...{ op: "replace", type, urn: `urn:pulumi:dev::hearth::${type}::wk01`, keys: ["id"] },
        ...{ old: { inputs: { node: from } }, new: { inputs: { node: to, configPatches } } },
      });
    expect(asked("10.20.0.21", "10.20.0.21")).to.deep.include({ because: ["SecureBoot"] });
    const plane = "cluster: { apiServer: { certSANs: [] } }";
    expect(asked("10.20.0.21", "10.20.0.21", plane)).to.deep.include({ because: ["another role"] });
    expect(asked("10.20.0.21", "10.20.0.29")).to.deep.include({ because: ["another address"] });
  });
});
