import { expect } from "chai";

import { resourceTypes } from "../../../../components/resource-types.ts";
import {
  installedIdentity,
  kubeconfigOf,
  ofType,
  outputsOf,
  resourcesOf,
  type State,
} from "../../../../lib/engine/state.ts";
import { secretInState as sealed } from "../../../support/wire.ts";

const resource = (type: string, name: string, more: object) => ({
  ...{ type, urn: `urn:pulumi:dev::hearth::${type}::${name}` },
  ...more,
});

const stateOf = (...resources: ReturnType<typeof resource>[]): State => ({ version: 3, deployment: { resources } });

describe("a state", () => {
  const replaced = resource(resourceTypes.kubeconfig, "kubeconfig", {
    delete: true,
    outputs: { kubeconfigRaw: "old" },
  });
  const present = resource(resourceTypes.kubeconfig, "kubeconfig", { outputs: { kubeconfigRaw: sealed("new") } });

  it("has no resource that only waits for its deletion", () => {
    const state = stateOf(replaced, present);
    expect(resourcesOf(state)).to.deep.equal([present]);
    expect(ofType(state, resourceTypes.kubeconfig)).to.deep.equal([present]);
    expect(outputsOf(state, resourceTypes.kubeconfig)).to.deep.equal({ kubeconfigRaw: "new" });
    expect(outputsOf(stateOf(replaced), resourceTypes.kubeconfig)).to.equal(undefined);
  });

  it("has a kubeconfig that leads to the endpoint which was declared last", () => {
    const at = (host: string) => `clusters:\n- cluster:\n    server: https://${host}:6443\n`;
    const fetched = resource(resourceTypes.kubeconfig, "kubeconfig", { outputs: { kubeconfigRaw: sealed(at("old")) } });
    const cluster = resource(resourceTypes.talosCluster, "talos", { outputs: { kubeconfig: sealed(at("new")) } });
    expect(kubeconfigOf(stateOf(fetched, cluster))).to.equal(at("new"));
    expect(kubeconfigOf(stateOf(fetched))).to.equal(at("old"));
    expect(kubeconfigOf(stateOf(cluster))).to.equal(undefined);
  });

  it("has nothing where nothing was ever made", () => {
    expect(resourcesOf({ version: 3, deployment: { resources: null } })).to.deep.equal([]);
  });

  it("tells the age identity that is created, and not the one that it took the place of", () => {
    const created = (identity: string, more: object) =>
      resource(resourceTypes.secret, "sops-age", {
        inputs: { data: sealed({ "age.agekey": Buffer.from(identity).toString("base64") }) },
        ...more,
      });
    expect(installedIdentity(stateOf(created("old", { delete: true }), created("new", {})))).to.equal("new");
  });
});
