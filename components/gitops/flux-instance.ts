import type { Repository } from "./repository.ts";

/** Where Flux lives, and where its Kustomizations read what they substitute. */
export const fluxNamespace = "flux-system";

export interface FluxInstanceOptions {
  /** Release of Flux. @example "v2.9.4" */
  flux: string;
  repository: Pick<Repository, "url" | "branch" | "path">;
  /** Whether the repository is read with a credential. */
  hasCredential: boolean;
}

/**
 * What the program asks of flux-operator: Flux, and the cluster's folder of the repository.
 *
 * Source: flux-operator's documentation, FluxInstance CRD.
 */
export const fluxInstanceSpec = ({ flux, repository, hasCredential }: FluxInstanceOptions) => ({
  distribution: { version: flux.replace(/^v/, ""), registry: "ghcr.io/fluxcd" },
  components: ["source-controller", "kustomize-controller", "helm-controller", "notification-controller"],
  cluster: { type: "kubernetes", networkPolicy: false },
  sync: {
    kind: "GitRepository",
    url: repository.url,
    ref: `refs/heads/${repository.branch}`,
    path: repository.path,
    ...(hasCredential && { pullSecret: fluxNamespace }),
  },
  kustomize: { patches: [rootPatch, requeuePatch] },
});

/** Has what waits for something else look again after five seconds instead of thirty: a chain of systems is up sooner. */
const requeuePatch = {
  target: { kind: "Deployment", name: "(kustomize|helm)-controller" },
  patch: JSON.stringify([
    { op: "add", path: "/spec/template/spec/containers/0/args/-", value: "--requeue-dependency=5s" },
  ]),
};

/** Gives the root Kustomization what its files need: decryption and the cluster's facts. */
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
