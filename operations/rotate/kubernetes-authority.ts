import { setTimeout as sleep } from "node:timers/promises";

import { parse } from "yaml";

import { resourceTypes } from "../../components/resource-types.ts";
import type { BundleCertificate } from "../../components/talos/secrets-bundle.ts";
import { Kubernetes, readiness } from "../../lib/cluster/kubernetes.ts";
import { Talosctl } from "../../lib/cluster/talosctl.ts";
import { without } from "../../lib/engine/loss.ts";
import type { State } from "../../lib/engine/state.ts";
import { Problem } from "../../toolchain/problem.ts";
import { ApiServers } from "./api-servers.ts";
import { giveAuthority, type GivenAuthority } from "./given-authority.ts";
import { withClusterAuthority } from "./machine-secrets.ts";
import { commitStep, deployCommand, type Rotation } from "./rotation.ts";

/** The authority of the Kubernetes API's certificates. */
export const kubernetesAuthority: Rotation = {
  name: "kubernetes-authority",
  what: "the authority that signs the certificates of the Kubernetes API, and of whoever uses it",
  interrupts:
    "Each machine restarts its kubelet three times, and each control plane its API server; pods run on. With one control plane the API is away " +
    "for a minute at a time. Pods that read the old authority at their start have to be restarted.",
  rotate: async (surroundings) => {
    const { target } = surroundings;
    const { resumed, escrow } = await giveAuthority(surroundings, "kubernetes-authority", authority);
    return {
      resumed,
      said: [`Every machine of ${target.stack} has another Kubernetes authority, and so has the state`],
      left: [
        ...commitStep(target, escrow, `Pulumi.${target.stack}.yaml`),
        `${deployCommand(target)}   renders what the machines have, and asks for a new kubeconfig`,
        "restart what talks to the Kubernetes API and trusts the old authority:\n" +
          "kubectl rollout restart deployment,daemonset,statefulset --namespace NAMESPACE, of each namespace",
      ],
      escrow,
    };
  },
};

/** The sequence is Talos's own. Source: siderolabs/talos v1.13.9, pkg/rotate/pki/kubernetes/kubernetes.go. */
const authority: GivenAuthority = {
  name: "k8s",
  place: { issuing: ["cluster", "ca"], accepted: ["cluster", "acceptedCAs"] },
  isOfControlPlanes: false,
  way: ({ config, talosctl, secrets: { client }, next }) => {
    const talos = new Talosctl(talosctl, client);
    const { nodes } = config;
    const [plane = ""] = Object.values(nodes).flatMap(({ role, address }) => (role === "controlplane" ? address : []));
    // Each step changes whose certificates are let in.
    const kubeconfig = () => talos.once(plane, ["kubeconfig", "-"], 30_000);
    const servers = new ApiServers(config, kubeconfig);
    const kubelet = (machine: string) => kubeletOf(talos, nodes[machine]?.address ?? "");
    return {
      settled: async () => {
        await servers.ready();
        await until("Every node is Ready again", async () => notReady(await kubeconfig()));
      },
      watch: async (machine) => {
        const before = await kubelet(machine);
        return () =>
          until(`The kubelet of ${machine} has restarted`, async () => {
            const { started, isHealthy } = await kubelet(machine);
            return isHealthy && started !== before.started ? undefined : "it has not";
          });
      },
      record: (state) => withKubernetesAuthority(state, next),
    };
  },
};

/** Returns a state with another Kubernetes authority and without the kubeconfig, which the next update requests again. */
export const withKubernetesAuthority = (state: State, authority: BundleCertificate): State =>
  withClusterAuthority(
    without(state, ({ type }) => type === resourceTypes.kubeconfig),
    "k8s",
    authority,
  );

interface ServiceResource {
  metadata: { created: string };
  spec: { running: boolean; healthy: boolean };
}

/** The kubelet's service: Talos makes its resource anew at each start. Source: siderolabs/talos v1.13.9, controllers/v1alpha1/service.go. */
const kubeletOf = async (talos: Talosctl, address: string): Promise<{ started: string; isHealthy: boolean }> => {
  const { metadata, spec } = parse(
    await talos.once(address, ["get", "service", "kubelet", "--output", "yaml"], 30_000),
  ) as ServiceResource;
  return { started: metadata.created, isHealthy: spec.running && spec.healthy };
};

/** What is not Ready; undefined if all is. */
const notReady = async (kubeconfig: string): Promise<string | undefined> => {
  const nodes = await new Kubernetes(kubeconfig).list("/api/v1/nodes");
  const names = nodes.filter((node) => !readiness(node).isReady).map(({ metadata }) => metadata.name);
  return names.length > 0 ? `not yet: ${names.join(", ")}` : undefined;
};

/** How long a kubelet may take to restart, and a node to be Ready, in milliseconds. */
const timeout = 180_000;

/** @param look gives what is missing; a failure counts as missing too */
const until = async (what: string, look: () => Promise<string | undefined>): Promise<void> => {
  const deadline = Date.now() + timeout;
  for (;;) {
    const missing = await look().catch((error: unknown) => (error as Error).message);
    if (missing === undefined) return;
    if (Date.now() > deadline) throw new Problem(`${what}: waited three minutes (${missing}). Run this again`);
    await sleep(1000);
  }
};
