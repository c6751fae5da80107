import { fluxObjects } from "../../lib/cluster/flux.ts";
import { Kubernetes, type KubernetesObject } from "../../lib/cluster/kubernetes.ts";
import { machineState } from "../../lib/cluster/machine-state.ts";
import type { CloudflareState } from "../../lab/simulators.ts";
import { readyServices, routedServices, type EndpointSlice, type Route } from "./routes.ts";
import { withAbsent, type Ask, type Reading } from "./prober.ts";
import type { State } from "./outages.ts";

/** How a lab is asked. */
export interface Access {
  /** The administrator's kubeconfig, which names the endpoint. */
  kubeconfig: string;
  /** Certificate of the cluster's Talos authority, PEM. */
  authority: string;
  /** Machines by name, those of the base and of the change. */
  machines: Readonly<Record<string, { role: "controlplane" | "worker"; addresses: readonly string[] }>>;
  cloudflare: () => Promise<CloudflareState | undefined>;
}

/** How long the API may take to answer before it counts as gone, in milliseconds. */
const answerTimeout = 2000;

/** A connection for each question, since one that outlives its server would fail the next. */
const apart = { timeout: answerTimeout, isReused: false };

/** Everything that is asked of a lab. */
export const asksOf = (access: Access): Ask[] => {
  const { kubeconfig, machines } = access;
  const api = new Kubernetes(kubeconfig, apart);
  const planes = Object.values(machines).flatMap(({ role, addresses }) =>
    role === "controlplane" ? addresses.map((each) => new Kubernetes(kubeconfig, { host: each, ...apart })) : [],
  );
  return [
    { every: 250, ask: async () => [{ kind: "api", name: "", is: (await answers(api)) ? "up" : "down" }] },
    ...Object.entries(machines).map(([name, { addresses }]) => machineAsk(name, addresses, access.authority)),
    { every: 500, ask: quorumAsk(planes) },
    { every: 500, ask: listed(() => nodes(api), "down") },
    { every: 500, ask: listed(() => routes(api), "none") },
    { every: 1000, ask: listed(() => edge(access.cloudflare), "down") },
    { every: 2000, ask: listed(() => flux(api), "none") },
  ];
};

const answers = async (api: Kubernetes): Promise<boolean> => {
  try {
    return (await api.ask("GET", "/readyz")).status === 200;
  } catch {
    return false;
  }
};

/** A machine that never was a member of the cluster is none. */
const machineAsk = (name: string, addresses: readonly string[], authority: string): Ask => {
  let wasMember = false;
  return {
    every: 250,
    ask: async () => {
      const states = await Promise.all(addresses.map((address) => machineState(address, authority)));
      const isMember = states.includes("member");
      wasMember ||= isMember;
      return [{ kind: "machine", name, is: isMember ? "up" : wasMember ? "down" : "none" }];
    },
  };
};

/**
 * Asks API servers whether etcd answers. Each asks its own member for a key, which takes the quorum, at most once a second.
 *
 * Source: k8s.io/apiserver v0.36.4, pkg/storage/storagebackend/factory/etcd3.go, newETCD3Check.
 */
const quorumAsk = (planes: readonly Kubernetes[]) => async (): Promise<Reading[]> => {
  const statuses = await Promise.all(
    planes.map((each) =>
      each.ask("GET", "/readyz/etcd").then(
        ({ status }) => status,
        () => undefined,
      ),
    ),
  );
  return [{ kind: "etcd", name: "", is: quorumBy(statuses) }];
};

/** Whether etcd answers, by what API servers answer; undefined for one that does not. One whose own member is out says nothing of the others. */
export const quorumBy = (statuses: readonly (number | undefined)[]): State => {
  const known = statuses.filter((status) => status !== undefined);
  if (known.length === 0) return "unknown";
  return known.includes(200) ? "up" : "down";
};

/** What a list has, and what it had before. All of it is unknown where the list cannot be had. */
export const listed = (list: () => Promise<Reading[]>, absent: "down" | "none"): Ask["ask"] => {
  const seen = new Map<string, Pick<Reading, "kind" | "name">>();
  return async (): Promise<Reading[]> => {
    try {
      return withAbsent(seen, await list(), absent);
    } catch {
      return [...seen.values()].map((each) => ({ ...each, is: "unknown" }));
    }
  };
};

/** A list that the API has to answer; another answer than one of its own is an error, so that nothing looks gone. */
const list = async <T = KubernetesObject>(api: Kubernetes, path: string): Promise<T[]> => {
  const { status, body } = await api.ask("GET", path);
  if (status !== 200) throw new Error(`GET ${path} answers ${status.toString()}`);
  return (JSON.parse(body) as { items: T[] }).items;
};

const nodes = async (api: Kubernetes): Promise<Reading[]> =>
  (await list(api, "/api/v1/nodes")).map(({ metadata, spec, status }) => {
    const isReady = status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") === true;
    return { kind: "node", name: metadata.name, is: isReady && spec?.unschedulable !== true ? "up" : "down" };
  });

const routes = async (api: Kubernetes): Promise<Reading[]> => {
  const [found, slices] = await Promise.all([
    list<Route>(api, "/apis/gateway.networking.k8s.io/v1/httproutes"),
    list<EndpointSlice>(api, "/apis/discovery.k8s.io/v1/endpointslices"),
  ]);
  const ready = readyServices(slices);
  return routedServices(found).map((name) => {
    const on = ready.get(name);
    return { kind: "route", name, is: on === undefined ? "down" : "up", nodes: on?.size ?? 0 };
  });
};

const edge = async (cloudflare: Access["cloudflare"]): Promise<Reading[]> => {
  const { tunnelNames = [], recordNames = [] } = (await cloudflare()) ?? {};
  return [...tunnelNames.map((name) => `tunnel ${name}`), ...recordNames].map((name) => ({
    kind: "edge",
    name,
    is: "up",
  }));
};

const flux = async (api: Kubernetes): Promise<Reading[]> =>
  (await fluxObjects(api))
    .filter(({ isSuspended }) => !isSuspended)
    .map(({ kind, namespace, name, isReady }) => ({
      kind: "flux",
      name: `${kind} ${namespace}/${name}`,
      is: isReady ? "up" : "down",
    }));
