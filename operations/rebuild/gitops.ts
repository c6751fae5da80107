import { setTimeout as sleep } from "node:timers/promises";

import { culprit, fluxObjects, unapplied, type FluxObject } from "../../lab/flux.ts";
import type { Kubernetes } from "../../lab/kubernetes.ts";
import { Problem } from "../../toolchain/problem.ts";

interface Repository {
  metadata: { name: string; namespace?: string };
  status?: { lastHandledReconcileAt?: string };
}

const repositories = "/apis/source.toolkit.fluxcd.io/v1/gitrepositories";
const kustomizations = "/apis/kustomize.toolkit.fluxcd.io/v1";

/** How long Flux may take, in milliseconds. */
const patience = 20 * 60_000;

/**
 * Has Flux look at its repository now, and waits until everything is at what it found there.
 *
 * What a recovered etcd says of Flux is what was true before the disaster, so only what it says after a new look counts.
 */
export const waitForGit = async (
  kubernetes: Kubernetes,
  { say, signal }: { say: (text: string) => void; signal: AbortSignal },
): Promise<string> => {
  const asked = new Date().toISOString();
  const deadline = Date.now() + patience;
  let last: FluxObject[] = [];
  while (Date.now() < deadline) {
    signal.throwIfAborted();
    const found = await look(kubernetes, asked).catch(() => undefined);
    if (found?.revision !== undefined) return found.revision;
    last = found?.waiting ?? last;
    say(
      last.length === 0
        ? "Flux has not started"
        : `Flux: ${last.map(({ kind, name }) => `${kind} ${name}`).join(", ")}`,
    );
    await sleep(1000);
  }
  const first = culprit(last);
  throw new Problem(
    first === undefined
      ? "Flux did not start: see the logs of flux-operator and source-controller in flux-system"
      : `Flux is not done: ${first.kind} ${first.namespace}/${first.name} says: ${first.message}. ` +
          "The cluster is there; mend that in Git, and run the rebuild again to go on",
  );
};

/** The revision that everything is at, or what is waited for. */
const look = async (kubernetes: Kubernetes, asked: string): Promise<{ revision?: string; waiting: FluxObject[] }> => {
  const sources = (await kubernetes.list(repositories)) as Repository[];
  for (const { metadata, status } of sources) {
    if ((status?.lastHandledReconcileAt ?? "") >= asked) continue;
    const path = `${repositories.replace("/gitrepositories", "")}/namespaces/${metadata.namespace ?? ""}/gitrepositories/${metadata.name}`;
    await kubernetes.annotate(path, "reconcile.fluxcd.io/requestedAt", asked);
  }
  const objects = await fluxObjects(kubernetes);
  const source = objects.find(({ kind, name }) => kind === "GitRepository" && name === "flux-system");
  const handled = sources.length > 0 && sources.every(({ status }) => (status?.lastHandledReconcileAt ?? "") >= asked);
  if (source === undefined || !handled) return { waiting: objects.filter(({ kind }) => kind === "GitRepository") };
  const waiting = unapplied(objects, source.revision);
  for (const each of waiting.filter(({ kind }) => kind === "Kustomization")) {
    const path = `${kustomizations}/namespaces/${each.namespace}/kustomizations/${each.name}`;
    await kubernetes.annotate(path, "reconcile.fluxcd.io/requestedAt", asked);
  }
  const hasKustomization = objects.some(({ kind }) => kind === "Kustomization");
  return waiting.length === 0 && hasKustomization ? { revision: source.revision, waiting } : { waiting };
};
