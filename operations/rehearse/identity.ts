import { createHash } from "node:crypto";

import { resourceTypes } from "../../components/resource-types.ts";
import type { Kubernetes, KubernetesObject } from "../../lib/cluster/kubernetes.ts";
import { outputsOf, stackOutputs, type State } from "../../lib/engine/state.ts";

/** What identifies a cluster: digests by name. */
export type Identity = Record<string, string>;

interface MachineSecrets {
  certs: Record<"etcd" | "k8s" | "os", { cert: string; key: string }> & { k8sServiceaccount: { key: string } };
}

const digest = (value: unknown): string =>
  createHash("sha256")
    .update(typeof value === "string" ? value : JSON.stringify(value ?? null))
    .digest("hex");

/** The identity in a state, and the one that the cluster itself shows. */
export const identityOf = async (state: State, kubernetes: Kubernetes): Promise<Identity> => {
  const { certs } = outputsOf(state, resourceTypes.machineSecrets)?.machineSecrets as MachineSecrets;
  const outputs = stackOutputs(state);
  const secret = async (namespace: string, name: string): Promise<string> =>
    digest((await kubernetes.get<KubernetesObject>(`/api/v1/namespaces/${namespace}/secrets/${name}`))?.data);
  const root = await kubernetes.get<KubernetesObject>("/api/v1/namespaces/kube-system/configmaps/kube-root-ca.crt");
  return {
    "Kubernetes CA": digest(certs.k8s),
    "Talos CA": digest(certs.os),
    "etcd CA": digest(certs.etcd),
    "service account key": digest(certs.k8sServiceaccount),
    "CA that the cluster publishes": digest(root?.data?.["ca.crt"]),
    "age recipient": digest(outputs.ageRecipient),
    "age identity in the cluster": await secret("flux-system", "sops-age"),
    "deploy key": digest(outputs.deployKey),
    "deploy key in the cluster": await secret("flux-system", "flux-system"),
    tunnel: digest(outputs.tunnel),
    "tunnel token in the cluster": await secret("flux-system", "cluster-secrets"),
    "webhook token in the cluster": await secret("flux-system", "webhook-token"),
    "fingerprint of the escrow": digest(outputs.escrow),
  };
};

const createdByProgram = ["sops-age", "webhook-token", "flux-system", "cluster-secrets"];

/** Evidence of changes: every boot of a node, and every write to what the program created. */
export const tracesOf = async (kubernetes: Kubernetes): Promise<Identity> => {
  const nodes = await kubernetes.list("/api/v1/nodes");
  const all = await kubernetes.list("/api/v1/namespaces/flux-system/secrets");
  const secrets = all.filter(({ metadata }) => createdByProgram.includes(metadata.name));
  const boot = ({ status }: KubernetesObject): unknown => (status?.nodeInfo as { bootID?: string } | undefined)?.bootID;
  const version = ({ metadata }: KubernetesObject): unknown =>
    (metadata as { resourceVersion?: string }).resourceVersion;
  return Object.fromEntries([
    ...nodes.map((node) => [`boot of ${node.metadata.name}`, digest(boot(node))]),
    ...secrets.map((secret) => [`version of Secret ${secret.metadata.name}`, digest(version(secret))]),
  ]) as Identity;
};

/** Secrets that Flux decrypted from the tree, by namespace and name. */
export const decryptedOf = async (kubernetes: Kubernetes): Promise<Identity> => {
  const all = (await kubernetes.list("/api/v1/secrets")) as (KubernetesObject & {
    metadata: { labels?: Record<string, string> };
  })[];
  return Object.fromEntries(
    all
      .filter(({ metadata }) => metadata.labels?.["kustomize.toolkit.fluxcd.io/name"] !== undefined)
      .map(({ metadata, data }) => [`SOPS secret ${metadata.namespace ?? ""}/${metadata.name}`, digest(data)]),
  );
};
