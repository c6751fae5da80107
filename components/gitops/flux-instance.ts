import type { Repository } from "./repository.ts";

/** Namespace of Flux, and of the ConfigMap and Secret that its Kustomizations substitute from. */
export const fluxNamespace = "flux-system";

export interface FluxInstanceOptions {
  /** Release of Flux. @example "v2.9.4" */
  flux: string;
  repository: Pick<Repository, "url" | "branch" | "path">;
  /** Whether reading the repository needs credentials. */
  hasCredential: boolean;
}

/**
 * Renders the FluxInstance: a release of Flux, and the cluster's folder of the repository.
 *
 * Source: flux-operator's documentation, FluxInstance CRD.
 */
export const fluxInstanceSpec = ({ flux, repository, hasCredential }: FluxInstanceOptions) => ({
  distribution: { version: flux.replace(/^v/, ""), registry: "ghcr.io/fluxcd" },
  components: ["source-controller", "kustomize-controller", "helm-controller", "notification-controller"],
  // Ten Kustomizations at a time, which look at their dependencies every five seconds instead of every 30, for a faster start.
  cluster: { type: "kubernetes", size: "medium", networkPolicy: false },
  sync: {
    kind: "GitRepository",
    url: repository.url,
    ref: `refs/heads/${repository.branch}`,
    path: repository.path,
    ...(hasCredential && { pullSecret: fluxNamespace }),
  },
  kustomize: { patches: [rootPatch, healthChecksPatch] },
});

/**
 * Ends the wait for what does not become ready once there is a new commit, which may mend it. Otherwise it lasts until the timeout.
 *
 * Source: kustomize-controller v1.9.4, internal/features, CancelHealthCheckOnNewRevision.
 */
const healthChecksPatch = {
  target: { kind: "Deployment", name: "kustomize-controller" },
  patch: JSON.stringify([
    {
      op: "add",
      path: "/spec/template/spec/containers/0/args/-",
      value: "--feature-gates=CancelHealthCheckOnNewRevision=true",
    },
  ]),
};

/** Gives the root Kustomization what its files need: decryption, and the cluster's facts for substitution. */
const rootPatch = {
  target: { kind: "Kustomization", name: fluxNamespace },
  patch: JSON.stringify([
    { op: "add", path: "/spec/decryption", value: { provider: "sops", secretRef: { name: "sops-age" } } },
    {
      op: "add",
      path: "/spec/postBuild",
      value: {
        substituteFrom: [
          { kind: "ConfigMap", name: "cluster-settings" },
          { kind: "Secret", name: "cluster-secrets" },
        ],
      },
    },
  ]),
};
