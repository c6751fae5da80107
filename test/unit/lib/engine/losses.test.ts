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

  it("is for another address where a deployment asks for it, which the engine blames on the ID", () => {
    expect(replacement(resourceTypes.virtualMachine, ["id"])).to.deep.include({ because: ["another address"] });
  });

  it("is for SecureBoot where it is asked for of a machine of metal that stays at its address", () => {
    const type = resourceTypes.machineConfiguration;
    const asked = (from: string, to: string) =>
      lossOf({
        ...{ op: "replace", type, urn: `urn:pulumi:dev::hearth::${type}::wk01`, keys: ["id"] },
        ...{ old: { inputs: { node: from } }, new: { inputs: { node: to } } },
      });
    expect(asked("10.20.0.21", "10.20.0.21")).to.deep.include({ because: ["SecureBoot"] });
    expect(asked("10.20.0.21", "10.20.0.29")).to.deep.include({ because: ["another address"] });
  });
});
