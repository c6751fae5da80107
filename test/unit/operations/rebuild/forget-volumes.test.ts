import { expect } from "chai";

import type { Kubernetes, KubernetesObject } from "../../../../lib/cluster/kubernetes.ts";
import { forgetLostVolumes } from "../../../../operations/rebuild/forget-volumes.ts";

const at = "2026-11-01T00:00:00Z";
const begun = "2026-11-27T12:00:00Z";
const objects: Record<string, KubernetesObject[]> = {
  "/api/v1/persistentvolumes": [
    {
      metadata: { name: "pvc-1", creationTimestamp: at },
      spec: { csi: { driver: "rook-ceph.rbd.csi.ceph.com" } },
    },
  ],
  "/apis/ceph.rook.io/v1/cephclusters": [
    { metadata: { name: "rook-ceph", namespace: "rook-ceph", creationTimestamp: at } },
  ],
  "/api/v1/persistentvolumeclaims": [
    { metadata: { name: "notes", namespace: "notes", creationTimestamp: at }, spec: { volumeName: "pvc-1" } },
  ],
};

interface Server {
  /** How many requests it refuses at first. */
  refusals?: number;
  /** Whether it lists definitions all the same. */
  isListed?: boolean;
  /** Names of definitions, and how many requests for their objects it does not know yet. */
  defined?: string[];
  unknown?: number;
}

/** An API server that has just begun, and what was forgotten in it. */
const apiServer = ({ refusals = 0, isListed = false, defined = [], unknown = 0 }: Server) => {
  const left = { refusals, unknown };
  const forgotten: string[] = [];
  const answer = <T>(value: T): Promise<T> => {
    left.refusals -= 1;
    return left.refusals >= 0
      ? Promise.reject(new Error("answers 429: storage is (re)initializing"))
      : Promise.resolve(value);
  };
  const get = (path: string) => {
    const isDefined = defined.some((name) => path.endsWith(`/${name.split(".")[0] ?? ""}`));
    if (path.startsWith("/api/")) return answer({ items: objects[path] ?? [] });
    if (!isDefined || (left.unknown -= 1) >= 0) return answer(undefined);
    return answer({ items: objects[path] ?? [] });
  };
  const kubernetes = {
    get,
    list: () => {
      const names = defined.map((name) => ({ metadata: { name } }));
      return isListed ? Promise.resolve(names) : answer(names);
    },
    forget: (path: string) => answer(undefined).then(() => forgotten.push(path)),
  };
  return { kubernetes: kubernetes as unknown as Kubernetes, forgotten };
};

describe("forgetLostVolumes", () => {
  it("forgets what is lost, and names the claims", async () => {
    const { kubernetes, forgotten } = apiServer({});
    expect(await forgetLostVolumes(kubernetes, begun)).to.deep.equal(["notes/notes"]);
    expect(forgotten).to.deep.equal([
      "/api/v1/namespaces/notes/persistentvolumeclaims/notes",
      "/api/v1/persistentvolumes/pvc-1",
    ]);
  });

  it("tries again while an API server that has just begun refuses", async () => {
    const { kubernetes, forgotten } = apiServer({ refusals: 1 });
    expect(await forgetLostVolumes(kubernetes, begun)).to.deep.equal(["notes/notes"]);
    expect(forgotten).to.have.length(2);
  });

  it("tries again where everything is refused at once", async () => {
    const { kubernetes, forgotten } = apiServer({
      defined: ["cephclusters.ceph.rook.io"],
      isListed: true,
      refusals: 8,
    });
    await forgetLostVolumes(kubernetes, begun);
    expect(forgotten).to.include("/apis/ceph.rook.io/v1/namespaces/rook-ceph/cephclusters/rook-ceph");
  });

  it("waits for a kind that is defined and not served yet", async () => {
    const { kubernetes, forgotten } = apiServer({ defined: ["cephclusters.ceph.rook.io"], unknown: 1 });
    await forgetLostVolumes(kubernetes, begun);
    expect(forgotten).to.include("/apis/ceph.rook.io/v1/namespaces/rook-ceph/cephclusters/rook-ceph");
  });

  it("says what the API server says, once that has gone on for too long", async () => {
    const { kubernetes } = apiServer({ refusals: Number.POSITIVE_INFINITY });
    const error = await forgetLostVolumes(kubernetes, begun, 0).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(Error).with.property("message").that.contains("429");
  });
});
