import { expect } from "chai";

import { outputsOf, type State } from "../../../../lib/engine/state.ts";
import { etcdMembers } from "../../../../lib/cluster/talosctl.ts";
import { withKubernetesAuthority } from "../../../../operations/rotate/kubernetes-authority.ts";
import { secretInState as secret, secretMark } from "../../../support/wire.ts";

const urn = (type: string, name: string) => `urn:pulumi:dev::hearth::${type}::${name}`;
const [secrets, kubeconfig, provider] = [
  "talos:machine/secrets:Secrets",
  "talos:cluster/kubeconfig:Kubeconfig",
  "pulumi:providers:kubernetes",
];

const state: State = {
  version: 3,
  deployment: {
    resources: [
      {
        urn: urn(secrets, "machine-secrets"),
        type: secrets,
        outputs: {
          talosVersion: "v1.13",
          machineSecrets: secret({
            certs: { k8s: { cert: "old", key: "old-key" }, os: { cert: "os", key: "os-key" } },
          }),
        },
      },
      { urn: urn(kubeconfig, "kubeconfig"), type: kubeconfig },
      {
        urn: urn(provider, "kubernetes"),
        type: provider,
        dependencies: [urn(kubeconfig, "kubeconfig"), urn(secrets, "machine-secrets")],
      },
    ],
  },
};

describe("a state whose cluster was given another Kubernetes authority", () => {
  const changed = withKubernetesAuthority(state, { crt: "new", key: "new-key" });

  it("has that one, encrypted, and all others as before", () => {
    expect(outputsOf(changed, secrets)).to.deep.equal({
      talosVersion: "v1.13",
      machineSecrets: { certs: { k8s: { cert: "new", key: "new-key" }, os: { cert: "os", key: "os-key" } } },
    });
    const marked = changed.deployment.resources?.[0]?.outputs?.machineSecrets as Record<string, unknown>;
    expect(marked).to.include(secretMark);
  });

  it("asks for another kubeconfig, and nothing points to the old one", () => {
    const [, left, ...others] = changed.deployment.resources ?? [];
    expect(others).to.deep.equal([]);
    expect(left?.dependencies).to.deep.equal([urn(secrets, "machine-secrets")]);
  });
});

describe("etcdMembers", () => {
  it("tells who votes, and who still learns", () => {
    const table = [
      "NODE          ID                 HOSTNAME   PEER URLS                CLIENT URLS              LEARNER",
      "127.57.0.13   1e2b3c4d5e6f7a8b   cp01       https://127.57.0.11:2380 https://127.57.0.11:2379 false",
      "127.57.0.13   2e2b3c4d5e6f7a8b   cp02       https://127.57.0.12:2380                          true",
    ].join("\n");
    expect(etcdMembers(table)).to.deep.equal([
      { id: "1e2b3c4d5e6f7a8b", name: "cp01", isVoting: true },
      { id: "2e2b3c4d5e6f7a8b", name: "cp02", isVoting: false },
    ]);
  });
});
