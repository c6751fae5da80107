import { setTimeout as sleep } from "node:timers/promises";

import { culprit, fluxObjects, unapplied, type FluxObject } from "../cluster/flux.ts";
import type { Kubernetes } from "../cluster/kubernetes.ts";
import { Problem } from "../../toolchain/problem.ts";

interface Reconciled {
  metadata: { name: string; namespace?: string };
  spec?: { suspend?: boolean };
  status?: { lastHandledReconcileAt?: string };
}

const repositories = "/apis/source.toolkit.fluxcd.io/v1/gitrepositories";
const kustomizations = "/apis/kustomize.toolkit.fluxcd.io/v1/kustomizations";

/** Timeout for Flux, in milliseconds. */
const timeout = 20 * 60_000;

export interface GitWait {
  say: (text: string) => void;
  signal: AbortSignal;
  /** Has every Kustomization apply what is in Git, though its revision is the same: something that it made was taken away. */
  isAnew?: boolean;
}

/**
 * Has Flux look at its repository now, and waits until everything is at what it found there.
 *
 * What a recovered etcd says of Flux is what was true before the disaster, so only what it says after a new look counts.
 */
export const waitForGit = async (kubernetes: Kubernetes, { say, signal, isAnew = false }: GitWait): Promise<string> => {
  const asked = new Date().toISOString();
  const deadline = Date.now() + timeout;
  let last: FluxObject[] = [];
  while (Date.now() < deadline) {
    signal.throwIfAborted();
    const found = await look(kubernetes, asked, isAnew).catch(() => undefined);
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
          "The cluster is there; mend that in Git, and run this again to go on",
  );
};

/** The revision that everything is at, or what is waited for. */
const look = async (
  kubernetes: Kubernetes,
  asked: string,
  isAnew: boolean,
): Promise<{ revision?: string; waiting: FluxObject[] }> => {
  const hasLooked = await request(kubernetes, repositories, asked);
  const hasApplied = hasLooked && (!isAnew || (await request(kubernetes, kustomizations, asked)));
  const objects = await fluxObjects(kubernetes);
  const source = objects.find(({ kind, name }) => kind === "GitRepository" && name === "flux-system");
  if (source === undefined || !hasApplied) {
    return { waiting: objects.filter(({ kind }) => kind === (hasLooked ? "Kustomization" : "GitRepository")) };
  }
  const waiting = unapplied(objects, source.revision);
  for (const { namespace, name } of waiting.filter(({ kind }) => kind === "Kustomization")) {
    await ask(kubernetes, kustomizations, { namespace, name, asked });
  }
  const hasKustomization = objects.some(({ kind }) => kind === "Kustomization");
  return waiting.length === 0 && hasKustomization ? { revision: source.revision, waiting } : { waiting };
};

/** Asks everything of a kind to reconcile, and tells whether all of it has since then. */
const request = async (kubernetes: Kubernetes, list: string, asked: string): Promise<boolean> => {
  const all = ((await kubernetes.list(list)) as Reconciled[]).filter(({ spec }) => spec?.suspend !== true);
  const waiting = all.filter(({ status }) => (status?.lastHandledReconcileAt ?? "") < asked);
  for (const { metadata } of waiting) {
    await ask(kubernetes, list, { namespace: metadata.namespace ?? "", name: metadata.name, asked });
  }
  return all.length > 0 && waiting.length === 0;
};

const ask = (
  kubernetes: Kubernetes,
  list: string,
  { namespace, name, asked }: { namespace: string; name: string; asked: string },
): Promise<void> => {
  const path = `${list.replace(/\/([a-z]+)$/, `/namespaces/${namespace}/$1`)}/${name}`;
  return kubernetes.annotate(path, "reconcile.fluxcd.io/requestedAt", asked);
};
