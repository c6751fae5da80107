import { expect } from "chai";

import { formerPlane } from "../../../../lib/rollout/former-plane.ts";

const plane = "node-role.kubernetes.io/control-plane";

describe("the node of a worker that was a control plane", () => {
  it("loses the label and the taint of one, and what Talos takes for its own and must not change any more", () => {
    const node = {
      metadata: {
        name: "wk01",
        labels: { [plane]: "", "hearth.dev/a": "b", "example.org/by-hand": "" },
        annotations: { "talos.dev/owned-labels": JSON.stringify([plane, "hearth.dev/a"]), "example.org/note": "" },
      },
      spec: {
        taints: [
          { key: plane, effect: "NoSchedule" },
          { key: "dedicated", effect: "NoSchedule" },
        ],
      },
    };
    expect(formerPlane(node)).to.deep.equal({
      metadata: {
        labels: { [plane]: null, "hearth.dev/a": null },
        annotations: {
          "talos.dev/owned-labels": null,
          "talos.dev/owned-annotations": null,
          "talos.dev/owned-taints": null,
        },
      },
      spec: { taints: [{ key: "dedicated", effect: "NoSchedule" }] },
    });
  });

  it("is left as it is where it never was one", () => {
    expect(formerPlane({ metadata: { name: "wk01" }, spec: { taints: [{ key: "dedicated" }] } })).to.equal(undefined);
  });
});
