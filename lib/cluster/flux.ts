import { setTimeout as sleep } from "node:timers/promises";
import { explain, Problem } from "../../toolchain/problem.ts";
import { readiness, type Kubernetes, type KubernetesObject } from "./kubernetes.ts";

/** Where the API has the kinds of Flux. */
export const fluxApi = {
  repositories: "/apis/source.toolkit.fluxcd.io/v1/gitrepositories",
  kustomizations: "/apis/kustomize.toolkit.fluxcd.io/v1/kustomizations",
  releases: "/apis/helm.toolkit.fluxcd.io/v2/helmreleases",
};

/** One object of Flux and how it stands. */
export interface FluxObject {
  kind: "GitRepository" | "Kustomization" | "HelmRelease";
  namespace: string;
  name: string;
  isReady: boolean;
  /** Whether its controller works on it, or waits for the health of what it applied. */
  isUnderWay: boolean;
  /** Whether somebody has stopped its reconciliation. */
  isSuspended: boolean;
  /** Revision it has fetched or applied, as `refs/heads/main@sha1:…`; of a HelmRelease, the chart's version. */
  revision: string;
  message: string;
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

const describe = (kind: FluxObject["kind"], object: KubernetesObject, revision: unknown): FluxObject => ({
  kind,
  namespace: object.metadata.namespace ?? "",
  name: object.metadata.name,
  ...readiness(object),
  isUnderWay: object.status?.conditions?.find(({ type }) => type === "Ready")?.status === "Unknown",
  isSuspended: object.spec?.suspend === true,
  revision: text(revision),
});

const chartVersion = (release: KubernetesObject): unknown =>
  (release.status?.history as { chartVersion?: string }[] | undefined)?.[0]?.chartVersion;

/** Everything that Flux reconciles in the cluster. */
export const fluxObjects = async (kubernetes: Kubernetes): Promise<FluxObject[]> => {
  const [repositories, kustomizations, releases] = await Promise.all([
    kubernetes.list(fluxApi.repositories),
    kubernetes.list(fluxApi.kustomizations),
    kubernetes.list(fluxApi.releases),
  ]);
  return [
    ...repositories.map((each) =>
      describe("GitRepository", each, (each.status?.artifact as { revision?: string } | undefined)?.revision),
    ),
    ...kustomizations.map((each) => describe("Kustomization", each, each.status?.lastAppliedRevision)),
    ...releases.map((each) => describe("HelmRelease", each, chartVersion(each))),
  ];
};

/** Returns the objects that have not applied the revision; none once it is applied everywhere. */
export const unapplied = (objects: readonly FluxObject[], revision: string): FluxObject[] =>
  objects
    .filter(({ isSuspended }) => !isSuspended)
    .filter((object) => !object.isReady || !hasRevision(object, revision));

/** Sources and releases of charts have revisions of their own. */
const hasRevision = (object: FluxObject, revision: string): boolean =>
  object.kind === "HelmRelease" || object.revision === revision;

/** Whether there is something to wait for: a repository and a Kustomization of it. */
const hasStarted = (objects: readonly FluxObject[]): boolean =>
  ["GitRepository", "Kustomization"].every((kind) => objects.some((object) => object.kind === kind));

/** Asks Flux to look at its sources now, and not when their interval is over. */
const hurry = async (kubernetes: Kubernetes, objects: readonly FluxObject[]): Promise<void> => {
  const now = new Date().toISOString();
  for (const { kind, namespace, name } of objects) {
    const group = {
      GitRepository: fluxApi.repositories,
      Kustomization: fluxApi.kustomizations,
      HelmRelease: fluxApi.releases,
    }[kind];
    const path = `${group.replace(/\/([a-z]+)$/, `/namespaces/${namespace}/$1`)}/${name}`;
    await kubernetes.annotate(path, "reconcile.fluxcd.io/requestedAt", now).catch(() => undefined);
  }
};

export interface WaitOptions {
  /** The revision to wait for, as `refs/heads/main@sha1:…`. */
  revision: string;
  signal?: AbortSignal;
  /** In milliseconds. */
  timeout?: number;
  onProgress?: (objects: FluxObject[], waitingFor: FluxObject[]) => void;
}

/** Waits until Flux has applied the revision, and everything that came from it is Ready. */
export const waitForFlux = async (
  kubernetes: Kubernetes,
  { revision, signal, timeout = 600_000, onProgress }: WaitOptions,
): Promise<FluxObject[]> => {
  const deadline = Date.now() + timeout;
  let asked = 0;
  for (;;) {
    signal?.throwIfAborted();
    let silent: string | undefined;
    const objects = await fluxObjects(kubernetes).catch((error: unknown): FluxObject[] => {
      silent = explain(error);
      return [];
    });
    const waitingFor = unapplied(objects, revision);
    if (hasStarted(objects) && waitingFor.length === 0) return objects;
    onProgress?.(objects, waitingFor);
    if (Date.now() > deadline) throw new Problem(silent ?? late(waitingFor, revision));
    if (Date.now() - asked > 10_000) {
      asked = Date.now();
      const sources = waitingFor.filter(({ kind }) => kind === "GitRepository");
      // A request would end a Kustomization's wait for health, and begin it anew. Source: kustomize-controller v1.9.4, HealthCheckCanceled.
      const idle = waitingFor.filter(({ kind, isUnderWay }) => kind === "Kustomization" && !isUnderWay);
      await hurry(kubernetes, sources.length > 0 ? sources : idle);
    }
    await sleep(500, undefined, { ...(signal && { signal }) }).catch(() => undefined);
  }
};

/** What the others wait for, as far as that shows: a source or a release, or a Kustomization that waits for no other. */
export const culprit = (waitingFor: readonly FluxObject[]): FluxObject | undefined =>
  waitingFor.find(({ kind }) => kind === "GitRepository") ??
  waitingFor.find(({ kind }) => kind === "HelmRelease") ??
  waitingFor.find(({ message }) => !message.startsWith("dependency ")) ??
  waitingFor[0];

const late = (waitingFor: readonly FluxObject[], revision: string): string => {
  const first = culprit(waitingFor);
  if (first === undefined)
    return "Flux has no GitRepository and no Kustomization yet: see the lab's logs of its controllers";
  return `Flux did not apply ${revision} in time: ${first.kind} ${first.namespace}/${first.name} says: ${first.message}`;
};
