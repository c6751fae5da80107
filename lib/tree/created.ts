import { fluxInstanceSpec, fluxNamespace } from "../../components/gitops/flux-instance.ts";
import type { HearthConfig } from "../../infra/config/index.ts";
import { clusterFacts, clusterSecrets, type Tunnels } from "../../infra/facts.ts";

/** An object of Kubernetes, as far as everything here needs it. */
export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  [field: string]: unknown;
}

/** A placeholder for a secret, or for a value that is known only once the tunnel exists. */
const placeholder = (what: string): string => `placeholder-${what}`;

const tunnel = (name: string) => ({
  tunnelId: placeholder(`tunnel-id-${name}`),
  target: placeholder(`tunnel-target-${name}`),
  token: placeholder(`token-${name}`),
});

/** The tunnels that the program will have opened. */
const tunnels = ({ cluster, cloudflare }: HearthConfig): Tunnels | undefined =>
  cloudflare && {
    tunnel: cloudflare.tunnel ? tunnel(cluster.name) : undefined,
    others: Object.fromEntries(Object.keys(cloudflare.tunnels).map((name) => [name, tunnel(name)])),
  };

const created = (kind: "ConfigMap" | "Secret", name: string, values: Record<string, unknown>): KubernetesObject => ({
  apiVersion: "v1",
  kind,
  metadata: { name, namespace: fluxNamespace },
  [kind === "Secret" ? "stringData" : "data"]: values,
});

/** What the program creates for the tree before Flux is there; see components/gitops/flux.ts. */
export const createdObjects = (config: HearthConfig): KubernetesObject[] => [
  created("ConfigMap", "cluster-settings", clusterFacts(config, tunnels(config))),
  created("Secret", "cluster-secrets", clusterSecrets(tunnels(config), placeholder("signing-key"))),
  created("Secret", "sops-age", { "age.agekey": placeholder("age-identity") }),
  created("Secret", "webhook-token", { token: placeholder("webhook-token") }),
];

/**
 * The Kustomization from which Flux starts, and the patches that the FluxInstance puts on it.
 *
 * Source: controlplaneio-fluxcd/flux-operator, internal/builder, the template of a sync.
 */
export const rootKustomization = ({ gitops }: HearthConfig): { root: KubernetesObject; patches: unknown[] } => {
  const repository = { url: gitops.repository, branch: gitops.branch, path: gitops.path };
  const { sync, kustomize } = fluxInstanceSpec({ flux: gitops.flux ?? "", repository, hasCredential: true });
  return {
    root: {
      apiVersion: "kustomize.toolkit.fluxcd.io/v1",
      kind: "Kustomization",
      metadata: { name: fluxNamespace, namespace: fluxNamespace },
      spec: {
        interval: "10m0s",
        path: sync.path,
        prune: true,
        sourceRef: { kind: sync.kind, name: fluxNamespace },
      },
    },
    patches: kustomize.patches,
  };
};
