import { expect } from "chai";

import { taintChange, taintOf, type Taint } from "../../../../components/talos/taints.ts";
import { Kubernetes } from "../../../../lib/cluster/kubernetes.ts";
import { setTaints } from "../../../../operations/deploy/taints.ts";
import { messageOf } from "../../../support/failure.ts";

const [gpu, other] = [taintOf("gpu", "NoSchedule"), taintOf("other", "a:NoSchedule")];
const change = taintChange([], [gpu]) ?? { set: [], removed: [], evicting: [], replaced: [] };

describe("the taints of a node", () => {
  /** An API with a node that changes before each of the first writings. */
  const api = (taints: Taint[] | undefined, { busy = 0, refusal = 0 } = {}) => {
    const node = { taints, version: 1 };
    let left = busy;
    const kubernetes = Object.assign(Object.create(Kubernetes.prototype) as Kubernetes, {
      get: () =>
        Promise.resolve(
          taints && {
            metadata: { resourceVersion: node.version.toString() },
            spec: { taints: structuredClone(node.taints) },
          },
        ),
      ask: (_method: string, _path: string, body: string) => {
        if (refusal > 0) return Promise.resolve({ status: refusal, body: "no" });
        if (left > 0) {
          left -= 1;
          node.version += 1;
          node.taints = [...(node.taints ?? []), taintOf(`late-${left}`, "NoSchedule")];
        }
        const { metadata, spec } = JSON.parse(body) as {
          metadata: { resourceVersion: string };
          spec: { taints: Taint[] };
        };
        if (metadata.resourceVersion !== node.version.toString()) return Promise.resolve({ status: 409, body: "" });
        node.taints = spec.taints;
        return Promise.resolve({ status: 200, body: "" });
      },
    });
    return { kubernetes, node };
  };

  it("get what is added, and keep what others set", async () => {
    const { kubernetes, node } = api([other]);
    expect(await setTaints(kubernetes, "wk01", change)).to.equal(true);
    expect(node.taints).to.deep.equal([other, gpu]);
    expect(await setTaints(kubernetes, "wk01", change)).to.equal(false);
  });

  it("lose none that somebody sets between reading and writing", async () => {
    const { kubernetes, node } = api([other], { busy: 3 });
    await setTaints(kubernetes, "wk01", change);
    expect(node.taints?.map(({ key }) => key)).to.have.members(["other", "late-2", "late-1", "late-0", "gpu"]);
  });

  it("wait for the machine's registration where there is no node", async () => {
    expect(await setTaints(api(undefined).kubernetes, "wk01", change)).to.equal(false);
  });

  it("are named where the API refuses them", async () => {
    const said = await messageOf(setTaints(api([], { refusal: 403 }).kubernetes, "wk01", change));
    expect(said).to.equal("The taints of wk01 cannot be set: PATCH /api/v1/nodes/wk01 answers 403: no");
  });
});
