import { expect } from "chai";

import { formerPlane } from "../../../../lib/rollout/former-plane.ts";

const plane = "node-role.kubernetes.io/control-plane";

describe("the node of a worker that was a control plane", () => {
  it("loses the label and the taint of one, and no others", () => {
    const node = {
      metadata: { name: "wk01", labels: { [plane]: "", "hearth.dev/a": "b" } },
      spec: {
        taints: [
          { key: plane, effect: "NoSchedule" },
          { key: "dedicated", effect: "NoSchedule" },
        ],
      },
    };
    expect(formerPlane(node)).to.deep.equal({
      metadata: { labels: { [plane]: null } },
      spec: { taints: [{ key: "dedicated", effect: "NoSchedule" }] },
    });
  });

  it("is left as it is where it never was one, or is gone", () => {
    expect(formerPlane({ metadata: { name: "wk01" }, spec: { taints: [{ key: "dedicated" }] } })).to.equal(undefined);
    expect(formerPlane(undefined)).to.equal(undefined);
  });
});
