import { expect } from "chai";
import fc from "fast-check";

import { nameOf } from "../../../../components/urn.ts";
import { detached, forgotten, withoutLost } from "../../../../lib/engine/loss.ts";
import { outputsOf, type State, type StateResource } from "../../../../lib/engine/state.ts";
import { secretInState as sealed } from "../../../support/wire.ts";

const urn = (type: string, name: string): string => `urn:pulumi:dev::hearth::${type}::${name}`;

const resource = (type: string, name: string, more: Partial<StateResource> = {}): StateResource => ({
  urn: urn(type, name),
  type,
  ...more,
});

const types = {
  vm: "proxmoxve:index/vmLegacy:VmLegacy",
  image: "proxmoxve:download/file:File",
  configuration: "talos:machine/configurationApply:ConfigurationApply",
  bootstrap: "talos:machine/bootstrap:Bootstrap",
  secrets: "talos:machine/secrets:Secrets",
  secret: "kubernetes:core/v1:Secret",
  provider: "pulumi:providers:kubernetes",
  tunnel: "cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared",
};

/** The state of a cluster with one control plane and one worker. */
const state = (): State => ({
  version: 3,
  deployment: {
    manifest: {},
    resources: [
      resource(types.secrets, "machine-secrets"),
      resource(types.image, "image"),
      resource(types.vm, "cp01", { dependencies: [urn(types.image, "image")] }),
      resource(types.vm, "wk01", { dependencies: [urn(types.image, "image")] }),
      resource(types.configuration, "cp01", {
        dependencies: [urn(types.vm, "cp01")],
        replaceWith: [urn(types.vm, "cp01")],
      }),
      resource(types.configuration, "wk01", { dependencies: [urn(types.vm, "wk01")] }),
      resource(types.bootstrap, "bootstrap", {
        dependencies: [urn(types.configuration, "cp01"), urn(types.configuration, "wk01")],
      }),
      resource(types.provider, "kubernetes", {
        propertyDependencies: { kubeconfig: [urn(types.bootstrap, "bootstrap")] },
      }),
      resource(types.secret, "sops-age"),
      resource(types.tunnel, "den-dev"),
    ],
    pending_operations: [{ type: "creating", resource: resource(types.vm, "wk01") }],
  },
});

const names = ({ deployment }: State): string[] =>
  (deployment.resources ?? []).map((each) => `${each.type.split(":").at(-1) ?? ""} ${nameOf(each.urn)}`);

/** Everything that a state's resources point to. */
const references = ({ deployment }: State): string[] =>
  (deployment.resources ?? []).flatMap(
    ({ dependencies = [], replaceWith = [], propertyDependencies = {}, deletedWith }) => [
      ...dependencies,
      ...replaceWith,
      ...(deletedWith ? [deletedWith] : []),
      ...Object.values(propertyDependencies).flatMap((urns) => urns ?? []),
    ],
  );

describe("withoutLost", () => {
  it("forgets one worker, and keeps the cluster and the other machine", () => {
    const left = names(withoutLost(state(), { machines: ["wk01"], isClusterLost: false }));
    expect(left).to.include.members([
      "VmLegacy cp01",
      "Bootstrap bootstrap",
      "Secret sops-age",
      "Secrets machine-secrets",
    ]);
    expect(left).not.to.include.members(["VmLegacy wk01"]);
    expect(left).not.to.include.members(["ConfigurationApply wk01"]);
  });

  it("forgets what lived in the cluster with its control planes, and keeps root secrets, providers and the edge", () => {
    const left = names(withoutLost(state(), { machines: ["cp01", "wk01"], isClusterLost: true }));
    expect(left).to.deep.equal([
      "Secrets machine-secrets",
      "kubernetes kubernetes",
      "ZeroTrustTunnelCloudflared den-dev",
    ]);
  });

  it("forgets what an engine began and never reported", () => {
    const { deployment } = withoutLost(state(), { machines: [], isClusterLost: false });
    expect(deployment.pending_operations).to.deep.equal([]);
    expect(deployment.resources).to.have.length(10);
  });

  it("leaves no loose end, whatever is lost", () => {
    fc.assert(
      fc.property(fc.subarray(["cp01", "wk01"]), fc.boolean(), (machines, isClusterLost) => {
        const left = withoutLost(state(), { machines, isClusterLost });
        const known = (left.deployment.resources ?? []).map((each) => each.urn);
        expect(known).to.include.members(references(left));
      }),
    );
  });

  it("finds nothing more to forget the second time", () => {
    const loss = { machines: ["wk01"], isClusterLost: false };
    expect(forgotten(state(), loss)).to.deep.equal(["creating wk01", "image", "wk01", "wk01"]);
    expect(forgotten(withoutLost(state(), loss), loss)).to.deep.equal([]);
  });
});

describe("outputsOf", () => {
  it("reads a secret that was exported in clear, with those inside of it", () => {
    const exported = state();
    exported.deployment.resources = [
      resource(types.secrets, "machine-secrets", { outputs: { machineSecrets: sealed({ token: sealed("deep") }) } }),
    ];
    expect(outputsOf(exported, types.secrets)).to.deep.equal({ machineSecrets: { token: "deep" } });
  });

  it("is undefined where the state has no such resource", () => {
    expect(outputsOf(state(), "none:at:All")).to.equal(undefined);
  });
});

describe("a state from which a machine can be deleted alone", () => {
  const machine = [urn(types.vm, "wk01"), urn(types.configuration, "wk01")];

  it("has all of its resources, and none that depends on the machine's", () => {
    const after = detached(state(), machine);
    expect(names(after)).to.deep.equal(names(state()));
    const resources = after.deployment.resources ?? [];
    const bootstrap = resources.find(({ type }) => type === types.bootstrap);
    expect(bootstrap?.dependencies).to.deep.equal([urn(types.configuration, "cp01")]);
    const configuration = resources.find((each) => each.urn === urn(types.configuration, "wk01"));
    expect(configuration?.dependencies).to.deep.equal([urn(types.vm, "wk01")]);
  });

  it("has none of what is forgotten, and nothing that points to it", () => {
    const after = detached(state(), machine, [urn(types.configuration, "wk01")]);
    expect(names(after)).to.include("VmLegacy wk01").and.not.to.include("ConfigurationApply wk01");
    expect(references(after)).to.not.include(urn(types.configuration, "wk01"));
  });
});
