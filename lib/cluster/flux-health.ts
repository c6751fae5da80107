import { at, listAt, textAt } from "../../infra/tree-objects.ts";
import { readiness, type Kubernetes, type KubernetesObject } from "./kubernetes.ts";
import { fluxApi } from "./flux.ts";

/** What Flux keeps, as its API has it. */
export interface FluxState {
  repository: KubernetesObject | undefined;
  kustomizations: KubernetesObject[];
  releases: KubernetesObject[];
}

/** How a cluster does with what it follows. */
export interface FluxHealth {
  /** The commit that Flux has fetched; undefined before the first. */
  commit: string | undefined;
  /** What does not run it as it should, in words. */
  failures: string[];
  /** Whether something is just being looked at, so that it is not known how it does. */
  isBusy: boolean;
  /** Since when everything runs that commit without a failure, in milliseconds. */
  since: number;
  /** What somebody has suspended, so that it is not judged. */
  suspended: string[];
}

/** Asks for what Flux keeps; the repository is the one of the whole cluster. */
export const fluxState = async (kubernetes: Kubernetes, name = "flux-system"): Promise<FluxState> => {
  const [repositories, kustomizations, releases] = await Promise.all([
    kubernetes.list(fluxApi.repositories),
    kubernetes.list(fluxApi.kustomizations),
    kubernetes.list(fluxApi.releases),
  ]);
  const repository = repositories.find(({ metadata }) => metadata.name === name && metadata.namespace === name);
  return { repository, kustomizations, releases };
};

/**
 * Judges what Flux keeps, and since when it is so.
 *
 * A Kustomization is Unknown while it is reconciled, each hour, and its condition tells only since when it is not. Its history tells when each
 * outcome was last seen. Source: fluxcd/kustomize-controller v1.9.4, kustomization_controller.go, reconcile; fluxcd/pkg/apis/meta v1.31.0,
 * history.go.
 */
export const fluxHealth = ({ repository, kustomizations, releases }: FluxState): FluxHealth => {
  const revision = textAt(repository, "status", "artifact", "revision") ?? "";
  const commit = /@sha1:([0-9a-f]{40})$/.exec(revision)?.[1];
  const all = [
    ...kustomizations.map((object) => ({ kind: "Kustomization", object })),
    ...releases.map((object) => ({ kind: "HelmRelease", object })),
  ];
  const running = all.filter(({ object }) => object.spec?.suspend !== true);
  const stale = kustomizations
    .filter(
      (object) =>
        object.spec?.suspend !== true && textAt(object, "spec", "sourceRef", "name") === repository?.metadata.name,
    )
    .filter((object) => textAt(object, "status", "lastAppliedRevision") !== revision)
    .map((object) => `${called("Kustomization", object)} has not applied ${commit?.slice(0, 10) ?? "a commit"} yet`);
  const failures = running
    .filter(({ object }) => statusOf(object) === "False")
    .map(({ kind, object }) => `${called(kind, object)} is not ready: ${readiness(object).message}`);
  return {
    commit,
    failures: [
      ...failures,
      ...(repository && statusOf(repository) === "False" ? [notFetched(repository)] : []),
      ...stale,
    ],
    isBusy: running.some(({ object }) => !["True", "False"].includes(statusOf(object))),
    since: Math.max(
      timeAt(repository, "status", "artifact", "lastUpdateTime"),
      ...running.map(({ kind, object }) => (kind === "Kustomization" ? appliedSince(object) : readySince(object))),
    ),
    suspended: all
      .filter(({ object }) => object.spec?.suspend === true)
      .map(({ kind, object }) => called(kind, object)),
  };
};

const called = (kind: string, { metadata: { namespace = "", name } }: KubernetesObject): string =>
  `${kind} ${namespace}/${name}`;

const notFetched = (repository: KubernetesObject): string =>
  `${called("GitRepository", repository)} is not ready: ${readiness(repository).message}`;

const readyOf = (object: KubernetesObject) => object.status?.conditions?.find(({ type }) => type === "Ready");

const statusOf = (object: KubernetesObject): string => readyOf(object)?.status ?? "Unknown";

/** When what it applies now came to be, or when it last failed; the later counts. */
const appliedSince = (object: KubernetesObject): number => {
  const [latest, ...before] = listAt(object, "status", "history");
  const failed = [latest, ...before].filter((each) => at(each, "lastReconciledStatus") !== "ReconciliationSucceeded");
  // Without a history, nothing says that it did not fail a moment ago.
  if (latest === undefined) return readySince(object);
  return Math.max(timeAt(latest, "firstReconciled"), ...failed.map((each) => timeAt(each, "lastReconciled")));
};

const readySince = (object: KubernetesObject): number => timeAt(readyOf(object), "lastTransitionTime");

/** A time as milliseconds. One that is not there is as late as can be. */
const timeAt = (object: unknown, ...path: string[]): number => {
  const time = Date.parse(textAt(object, ...path) ?? "");
  return Number.isNaN(time) ? Infinity : time;
};
