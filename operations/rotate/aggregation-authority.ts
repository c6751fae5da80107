import type { BundleCertificate } from "../../components/talos/secrets-bundle.ts";
import { Kubernetes } from "../../lib/cluster/kubernetes.ts";
import { kubeconfigOf } from "../../lib/engine/state.ts";
import { ApiServers } from "./api-servers.ts";
import { giveAuthority, type GivenAuthority } from "./given-authority.ts";
import { withClusterAuthority } from "./machine-secrets.ts";
import { commitStep, deployCommand, type Rotation } from "./rotation.ts";

/**
 * The authority by which the Kubernetes API proves itself to the API servers behind it, such as metrics-server's.
 *
 * Talos has no list of accepted ones here, and needs none: each API server adds its own to a ConfigMap that the servers behind it trust,
 * so while control planes change one by one, both are trusted. Nothing takes the old one out of it but this.
 * Source: kubernetes v1.36.4, clusterauthenticationtrust/cluster_authentication_trust_controller.go, combineCertLists.
 */
export const aggregationAuthority: Rotation = {
  name: "aggregation-authority",
  what: "the authority by which the Kubernetes API proves itself to the API servers behind it",
  interrupts:
    "Each control plane restarts its API server, one after the other; with one control plane the API is away for half a minute. Metrics and other " +
    "APIs behind it refuse requests for seconds.",
  rotate: async (surroundings) => {
    const { target } = surroundings;
    const { resumed, escrow } = await giveAuthority(surroundings, "aggregation-authority", authority);
    return {
      resumed,
      said: [`Every control plane of ${target.stack} has another aggregation authority, and so has the state`],
      left: [
        ...commitStep(target, escrow, `Pulumi.${target.stack}.yaml`),
        `${deployCommand(target)}   renders what the machines have`,
      ],
      escrow,
    };
  },
};

const authority: GivenAuthority = {
  name: "k8saggregator",
  place: { issuing: ["cluster", "aggregatorCA"], accepted: undefined },
  isOfControlPlanes: true,
  way: async ({ target, config, credentials: { live }, next }) => {
    const kubeconfig = kubeconfigOf(await target.engine.state()) ?? "";
    const servers = new ApiServers(config, () => Promise.resolve(kubeconfig));
    return {
      settled: () => servers.ready(),
      watch: async (machine) => {
        const before = await servers.started(machine);
        return async () => {
          await servers.started(machine, before);
        };
      },
      finish: async () => {
        live("Taking the old one from the servers behind the API");
        await trustOnly(kubeconfig, next);
      },
      record: (state) => withClusterAuthority(state, "k8sAggregator", next),
    };
  },
};

/** Makes the servers behind the API trust the new authority alone. */
const trustOnly = async (kubeconfig: string, { crt }: BundleCertificate): Promise<void> => {
  const path = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication";
  const data = { "requestheader-client-ca-file": Buffer.from(crt, "base64").toString() };
  await new Kubernetes(kubeconfig).merge(path, { data });
};
