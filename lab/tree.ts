import semver from "semver";
import type { AvailableChart } from "../lib/tree/charts.ts";
import type { RenderedCluster, RenderedObject } from "../lib/tree/render.ts";
import { chartOf, groupOf as group, isRelease, listAt, textAt, type AskedChart } from "../infra/tree-objects.ts";
import type { LabChart } from "./lab-config.ts";

/** A chart that the lab can serve. */
export interface ServableChart extends AvailableChart {
  /** Whether the registry serves it anyway, whatever the tree asks for. */
  isServed: boolean;
}

/** A release that the lab suspends. */
export interface StoppedRelease {
  namespace: string;
  name: string;
  /** Why it cannot run in the lab. */
  reason: string;
}

/** What the lab can run of a cluster's tree, and what it needs for the rest. */
export interface LabTree {
  /** Charts that the lab's registry has to serve, where the tree fetches them. */
  charts: LabChart[];
  stopped: StoppedRelease[];
  /** Objects whose health nothing in the lab can establish, as `Kind namespace/name`. */
  unchecked: string[];
  /** Custom resources whose definition must exist, as `group/kind`. */
  kinds: string[];
  /** Projects whose definitions come with a chart that the lab runs. */
  brought: string[];
  /** Admission policies that make Flux suspend what cannot run, and not wait for it. */
  policies: object[];
}

type Objects = RenderedCluster["objects"];

/** Definitions that charts ask for although the tree does not name their kinds. */
const monitoring = ["ServiceMonitor", "PodMonitor", "PrometheusRule"].map((kind) => `monitoring.coreos.com/${kind}`);

/** Definitions of objects that controllers create although the tree does not name their kinds. */
const made = ["VolumeSnapshot", "VolumeSnapshotContent"].map((kind) => `snapshot.storage.k8s.io/${kind}`);

/** Works out what the lab can run of a cluster. Pure. */
export const labTree = ({ kustomizations, objects }: RenderedCluster, available: readonly ServableChart[]): LabTree => {
  const releases = objects.filter(isRelease).map((release) => ({ release, ...chartOf(objects, release) }));
  const judged = releases.map((each) => ({ ...each, verdict: judge(each, available) }));
  const stopped = judged.flatMap(({ release, verdict }) =>
    typeof verdict === "string" ? [{ namespace: release.namespace ?? "", name: release.name, reason: verdict }] : [],
  );
  const running = judged.flatMap(({ verdict, source, name, version }) =>
    typeof verdict === "string" || source === undefined ? [] : [{ chart: verdict, source, name, version }],
  );
  const suspended = stoppedObjects(judged);
  const checks = healthChecks(kustomizations, objects, suspended);
  return {
    charts: running.filter(({ chart }) => chart !== undefined && !chart.isServed).flatMap(published),
    stopped,
    unchecked: checks.unchecked,
    kinds: [
      ...new Set([...objects.map(({ object }) => `${group(object)}/${object.kind}`), ...monitoring, ...made]),
    ].sort(),
    brought: running.flatMap(({ chart }) => chart?.project ?? []),
    policies: [
      ...policy("lab-stopped", ["helm.toolkit.fluxcd.io", "source.toolkit.fluxcd.io"], {
        names: suspended.map((object) => `${object.kind}/${object.namespace ?? ""}/${object.name}`),
        patches: `[JSONPatch{op: "add", path: "/spec/suspend", value: true}]`,
      }),
      ...policy("lab-dependencies", ["helm.toolkit.fluxcd.io"], {
        ...byName(remainingDependencies(objects, suspended), "HelmRelease"),
        patches: `[JSONPatch{op: "add", path: "/spec/dependsOn", value: variables.values[variables.name]}]`,
      }),
      ...policy("lab-health", ["kustomize.toolkit.fluxcd.io"], {
        ...byName(checks.remaining, "Kustomization"),
        patches:
          `[JSONPatch{op: "add", path: "/spec/wait", value: false}, ` +
          `JSONPatch{op: "add", path: "/spec/healthChecks", value: variables.values[variables.name]}]`,
      }),
    ],
  };
};

/** The chart to run, undefined if it is in the repository itself, or the reason why the lab cannot run it. */
const judge = (
  { kind, name: chart, version }: AskedChart,
  available: readonly ServableChart[],
): ServableChart | undefined | string => {
  if (kind === "GitRepository") return undefined;
  const found = available.find(({ name }) => name === chart);
  if (found === undefined) return `the chart ${chart} cannot be had here`;
  if (semver.clean(version) !== found.version) return `the chart ${chart} can be had here at ${found.version} only`;
  if (found.isOnlyChecked) return `the chart ${chart} needs a controller that does not run here`;
  return found.hasWebhook ? `the API server would call ${chart}, whose pods only look alive here` : found;
};

/** The releases that cannot run, and the sources that nothing else fetches from. */
const stoppedObjects = (
  judged: { release: Objects[number]; source: Objects[number] | undefined; verdict: unknown }[],
): Objects => {
  const used = new Set(judged.filter(({ verdict }) => typeof verdict !== "string").map(({ source }) => source));
  return judged
    .filter(({ verdict }) => typeof verdict === "string")
    .flatMap(({ release, source }) => (source === undefined || used.has(source) ? [release] : [release, source]));
};

/** For each release that depends on a stopped one, the dependencies that remain. */
const remainingDependencies = (objects: Objects, suspended: Objects): Map<string, unknown[]> => {
  const isSuspended = (namespace: string, name: string): boolean =>
    suspended.some((each) => isRelease(each) && each.namespace === namespace && each.name === name);
  const remaining = new Map<string, unknown[]>();
  for (const release of objects.filter(isRelease).filter((each) => !suspended.includes(each))) {
    const all = listAt(release.object, "spec", "dependsOn");
    const kept = all.filter(
      (each) => !isSuspended(textAt(each, "namespace") ?? release.namespace ?? "", textAt(each, "name") ?? ""),
    );
    if (kept.length < all.length) remaining.set(`${release.namespace ?? ""}/${release.name}`, kept);
  }
  return remaining;
};

/** API groups whose controllers run in the lab: those of Kubernetes itself and of Flux. */
const checkable =
  /^(|apps|batch|autoscaling|policy|(networking|rbac\.authorization|storage|apiextensions|scheduling)\.k8s\.io|(.+\.)?toolkit\.fluxcd\.io|fluxcd\.controlplane\.io)$/;

/** Whether a controller in the lab sets the status of objects of an API version. */
export const hasController = ({ apiVersion }: { apiVersion?: unknown }): boolean =>
  checkable.test(group({ apiVersion: String(apiVersion) }));

/** The remaining health checks of each Kustomization that contains something that cannot be checked here. */
const healthChecks = (kustomizations: RenderedCluster["kustomizations"], objects: Objects, suspended: Objects) => {
  const remaining = new Map<string, unknown[]>();
  const unchecked: string[] = [];
  for (const { name, object } of kustomizations) {
    if (textAt(object, "metadata", "name") === undefined || !waits(object)) continue;
    const odd = listAt(object, "spec", "healthCheckExprs")
      .map((each) => `${group({ apiVersion: textAt(each, "apiVersion") ?? "" })}/${textAt(each, "kind") ?? ""}`)
      .filter((kind) => !checkable.test(kind.split("/")[0] ?? ""));
    const own = objects.filter(({ kustomization }) => kustomization === name);
    const skipped = own.filter((each) => suspended.includes(each) || odd.includes(`${group(each)}/${each.kind}`));
    if (skipped.length === 0) continue;
    unchecked.push(...skipped.filter((each) => !suspended.includes(each)).map(described));
    // Flux counts any other custom resource as healthy at once if no controller sets its status.
    const kept = own.filter((each) => !skipped.includes(each) && checkable.test(group(each)));
    remaining.set(name, kept.map(reference));
  }
  return { remaining, unchecked };
};

const waits = (object: unknown): boolean =>
  (object as { spec?: { wait?: boolean } }).spec?.wait === true || listAt(object, "spec", "healthChecks").length > 0;

const described = ({ kind, namespace, name }: RenderedObject): string =>
  `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;

const reference = ({ apiVersion, kind, namespace, name }: RenderedObject) => ({
  apiVersion,
  kind,
  name,
  namespace: namespace ?? "",
});

interface Served {
  chart: ServableChart | undefined;
  source: Objects[number];
  name: string;
  version: string;
}

/** The location at which the registry has to serve a chart. */
const published = ({ chart, source, name, version }: Served): LabChart[] => {
  if (chart === undefined) return [];
  const { hostname, pathname } = new URL(textAt(source.object, "spec", "url") ?? "");
  const path = pathname.replace(/^\/|\/$/g, "");
  const isIndex = source.kind === "HelmRepository" && textAt(source.object, "spec", "type") !== "oci";
  const repository = source.kind === "HelmRepository" && !isIndex ? `${path}/${name}` : path;
  return [{ host: hostname, repository, isIndex, folder: chart.folder, version, with: chart.with }];
};

interface Mutation {
  /** The objects to change, as `Kind/namespace/name`. */
  names: string[];
  /** A value for each object, by `namespace/name`. */
  values?: Record<string, unknown>;
  /** The changes, in CEL. */
  patches: string;
}

const byName = (values: Map<string, unknown[]>, kind: string) => ({
  names: [...values.keys()].map((name) => `${kind}/${name}`),
  values: Object.fromEntries(values),
});

/** A policy that changes the named objects whenever they are written, with its binding. */
const policy = (name: string, groups: string[], { names, values = {}, patches }: Mutation): object[] => {
  const metadata = { name };
  const apiVersion = "admissionregistration.k8s.io/v1";
  const objectName = `object.metadata.namespace + "/" + object.metadata.name`;
  return [
    {
      apiVersion,
      kind: "MutatingAdmissionPolicy",
      metadata,
      spec: {
        matchConstraints: {
          resourceRules: [
            { apiGroups: groups, apiVersions: ["*"], operations: ["CREATE", "UPDATE"], resources: ["*"] },
          ],
        },
        matchConditions: [
          { name: "named", expression: `(object.kind + "/" + ${objectName}) in ${JSON.stringify(names)}` },
        ],
        variables: [
          { name: "name", expression: objectName },
          // A JSON literal is a CEL literal too. An empty one would have no type.
          {
            name: "values",
            expression: Object.keys(values).length === 0 ? "dyn({})" : `dyn(${JSON.stringify(values)})`,
          },
        ],
        failurePolicy: "Fail",
        reinvocationPolicy: "Never",
        mutations: [{ patchType: "JSONPatch", jsonPatch: { expression: patches } }],
      },
    },
    { apiVersion, kind: "MutatingAdmissionPolicyBinding", metadata, spec: { policyName: name } },
  ];
};
