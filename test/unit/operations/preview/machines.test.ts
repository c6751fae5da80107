import { expect } from "chai";

import { resourceTypes } from "../../../../components/resource-types.ts";
import type { ResourceState } from "../../../../operations/preview/changes.ts";
import { Fingerprints } from "../../../../operations/preview/fingerprints.ts";
import { machineChanges } from "../../../../operations/preview/machines.ts";

const urnOf = (name: string): string => `urn:pulumi:prod::hearth::${resourceTypes.machineConfiguration}::${name}`;

const update = (name: string) => ({
  ...{ urn: urnOf(name), type: resourceTypes.machineConfiguration, name, operation: "update" as const },
  ...{ because: [], properties: [], unknown: [], danger: undefined, isKept: false },
});

const configured = (patch: string): ResourceState => ({ inputs: { configPatches: [patch] }, outputs: {} });

const restartsOf = (name: string, before: Record<string, ResourceState>, after: Record<string, ResourceState>) => {
  const resources = (of: Record<string, ResourceState>) =>
    new Map(Object.entries(of).map(([each, state]) => [urnOf(each), state]));
  return machineChanges([update(name)], resources(before), resources(after), Fingerprints.of("a seed")).restarts;
};

describe("what a changed machine's configuration requires", () => {
  const udev = configured("machine: { udev: { rules: [a] } }");

  it("is known of its patches, while its keys are not", () => {
    expect(restartsOf("cp01", { cp01: configured("machine: {}") }, { cp01: udev }).map(({ why }) => why)).to.deep.equal(
      ["machine.udev"],
    );
  });

  it("is nothing for one that is renamed, of which the state has nothing by its new name", () => {
    expect(restartsOf("cp04", { cp03: udev }, { cp04: udev })).to.deep.equal([]);
  });
});
