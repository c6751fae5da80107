import { expect } from "chai";

import { resourceTypes } from "../../../../components/resource-types.ts";
import type { State } from "../../../../lib/engine/state.ts";
import { begunReleases } from "../../../../lib/recovery/helm.ts";

const operation = (type: string, resourceType: string, inputs: Record<string, unknown>) => ({
  type,
  resource: { urn: `urn:pulumi:dev::hearth::${resourceType}::r`, type: resourceType, inputs },
});

describe("begunReleases", () => {
  it("names the releases that were being installed, and nothing that was there before", () => {
    const state: State = {
      version: 3,
      deployment: {
        pending_operations: [
          operation("creating", resourceTypes.helmRelease, { name: "cilium", namespace: "kube-system" }),
          operation("updating", resourceTypes.helmRelease, { name: "flux-operator", namespace: "flux-system" }),
          operation("creating", resourceTypes.namespace, { name: "flux-system" }),
        ],
      },
    };
    expect(begunReleases(state)).to.deep.equal([{ namespace: "kube-system", name: "cilium" }]);
  });
});
