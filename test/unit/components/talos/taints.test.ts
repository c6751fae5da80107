import { expect } from "chai";

import { taintChange, taintOf, taintsAfter, taintText } from "../../../../components/talos/taints.ts";

const [gpu, storage] = [taintOf("gpu", "NoSchedule"), taintOf("dedicated", "storage:NoSchedule")];

describe("the taints of a worker that runs", () => {
  it("are written as kubectl takes them", () => {
    expect([gpu, storage].map(taintText)).to.deep.equal(["gpu:NoSchedule", "dedicated=storage:NoSchedule"]);
  });

  it("change by what the stack file adds, and by what it had before", () => {
    expect(taintChange([gpu], [gpu])).to.equal(undefined);
    expect(taintChange([gpu], [storage])).to.deep.equal({ set: [storage], removed: [gpu], evicting: [], replaced: [] });
  });

  it("change by another value, which takes the place of the former", () => {
    const apps = taintOf("dedicated", "apps:NoSchedule");
    const change = taintChange([storage], [apps]);
    expect(change).to.deep.equal({ set: [apps], removed: [], evicting: [], replaced: [] });
    expect(change && taintsAfter([storage], change)).to.deep.equal([apps]);
  });

  it("are a person's to set where they evict pods at once, and anybody's to remove", () => {
    const evicting = taintOf("dedicated", "storage:NoExecute");
    expect(taintChange([], [evicting])).to.deep.equal({ set: [], removed: [], evicting: [evicting], replaced: [] });
    expect(taintChange([evicting], [])).to.deep.equal({ set: [], removed: [evicting], evicting: [], replaced: [] });
  });

  it("keep a node closed until a person has set the one that evicts", () => {
    const evicting = taintOf("dedicated", "storage:NoExecute");
    expect(taintChange([storage, gpu], [evicting])).to.deep.equal({
      set: [],
      removed: [gpu],
      evicting: [evicting],
      replaced: [storage],
    });
  });

  it("leave those of others", () => {
    const cordon = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };
    const sameKey = taintOf("gpu", "PreferNoSchedule");
    expect(
      taintsAfter([cordon, gpu, sameKey], { set: [storage], removed: [gpu], evicting: [], replaced: [] }),
    ).to.deep.equal([cordon, sameKey, storage]);
  });
});
