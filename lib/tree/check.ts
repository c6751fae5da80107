import { readStackFile } from "../../infra/config/stack-file.ts";
import { encryptedTree } from "./argocd.ts";
import { chartsOfModules, refusal, renderReleases, type FindChart } from "./releases.ts";
import { imagesOf, type NamedImage } from "./images.ts";
import { schemaFile } from "./schemas.ts";
import { clusterConfig, renderTree, type Finding, type RenderedCluster } from "./render.ts";
import { askProgram } from "./program.ts";
import { Sources } from "./sources.ts";
import { admitted } from "./rules/admitted.ts";
import { budgets } from "./rules/budgets.ts";
import { claims } from "./rules/claims.ts";
import { definitionsInTime } from "./rules/definitions.ts";
import { dependencies } from "./rules/dependencies.ts";
import { digests } from "./rules/digests.ts";
import { duplicates } from "./rules/duplicates.ts";
import { egress } from "./rules/egress.ts";
import { environments } from "./rules/environments.ts";
import { etcdMetrics } from "./rules/etcd-metrics.ts";
import { extensions } from "./rules/extensions.ts";
import { images } from "./rules/images.ts";
import { machineLogs } from "./rules/machine-logs.ts";
import { memoryVolumes } from "./rules/memory-volumes.ts";
import { namespaces } from "./rules/namespaces.ts";
import { pastSignOn } from "./rules/past-sign-on.ts";
import { peerCache } from "./rules/peer-cache.ts";
import { podSecurity } from "./rules/pod-security.ts";
import { publicNames } from "./rules/public-names.ts";
import { references } from "./rules/references.ts";
import { requests } from "./rules/requests.ts";
import { findingAt, type CheckedObject, type Rule, type Tree } from "./rules/rule.ts";
import { outside } from "./rules/outside.ts";
import { schemas } from "./rules/schemas.ts";
import { secrets } from "./rules/secrets.ts";
import { strangers } from "./rules/strangers.ts";
import { trust } from "./rules/trust.ts";
import { working } from "./rules/working.ts";

/** The outcome of checking one cluster. */
export interface Checked {
  cluster: RenderedCluster;
  findings: Finding[];
  /** Images that it names, without those of charts that are not as published. */
  images: NamedImage[];
  /** Kinds that were checked for their form only, as `apiVersion/kind`. */
  withoutSchema: string[];
  /** Charts that no module has at the requested version, so their values were not checked. */
  withoutChart: string[];
}

/** What holds for encrypted files, whichever engine decrypts them. */
const secretRules: readonly Rule[] = [secrets, environments, strangers];

/** What the tree asks of the stack's machines. */
const machineRules: readonly Rule[] = [requests, extensions, etcdMetrics, machineLogs, peerCache];

/** What holds for a system that is off, whatever machines there are. */
export const rulesOfOptions: readonly Rule[] = [
  duplicates,
  namespaces,
  dependencies,
  definitionsInTime,
  ...secretRules,
  images,
  digests,
  egress,
  outside,
  schemas,
  references,
  admitted,
  podSecurity,
  memoryVolumes,
  claims,
  trust,
  pastSignOn,
  publicNames,
  budgets,
  working,
];

const allRules: readonly Rule[] = [...rulesOfOptions, ...machineRules];

/**
 * Checks a cluster's part of the tree: every object that Flux would apply, against the API server's own schemas and against
 * the others, and what its releases would create, as far as their charts can be had. Where Argo CD keeps the cluster, its secrets are
 * checked, and nothing else.
 *
 * @param checkout root of a checkout of the repository
 * @param stack name of the cluster's stack
 * @param find where charts are; the toolchain's Go modules unless it says otherwise
 * @param rules all that there are, unless some do not apply
 */
export const checkCluster = async (
  checkout: string,
  stack: string,
  find?: FindChart,
  rules: readonly Rule[] = allRules,
): Promise<Checked> => {
  const file = readStackFile(checkout, stack);
  const config = clusterConfig(file, stack);
  if (config.gitops.engine === "argocd") return checkSecrets(checkout, encryptedTree(checkout, config));
  const cluster = await renderTree(checkout, stack, { file });
  const schemasOf = await schemaFile(cluster.config.gitops.flux ?? "");
  const releases = await renderReleases(cluster, checkout, find ?? (await chartsOfModules()), schemasOf);
  const all = [...cluster.objects, ...releases.objects];
  const request = {
    schemas: schemasOf,
    objects: all.map(({ object }) => object),
  };
  const { objects: checked } = await askProgram<{ objects: CheckedObject[] }>("check", request, {
    [schemasOf]: schemasOf,
  });
  const withSchema = <Each>(objects: Each[], from: number) =>
    objects.map((object, index) => ({ ...object, checked: checked[from + index] ?? unchecked }));
  const tree: Tree = {
    ...cluster,
    sources: new Sources(checkout),
    objects: withSchema(cluster.objects, 0),
    released: withSchema(releases.objects, cluster.objects.length),
    unrendered: releases.unrendered,
  };
  const refused = releases.refused.map((each) => refusal(each, (what) => findingAt(tree, each.release, what)));
  return {
    cluster,
    findings: distinct([...cluster.findings, ...rules.flatMap((rule) => rule(tree)), ...refused]).sort(byPlace),
    images: [
      ...tree.objects,
      ...tree.released.filter(({ release }) => release && releases.published.has(release)),
    ].flatMap(imagesOf),
    withoutChart: releases.withoutChart,
    withoutSchema: [
      ...new Set(
        tree.objects
          .filter((each) => each.checked.source === undefined)
          .map((each) => `${each.apiVersion}/${each.kind}`),
      ),
    ].sort(),
  };
};

const checkSecrets = (checkout: string, cluster: RenderedCluster): Checked => {
  const objects = cluster.objects.map((object) => ({ ...object, checked: unchecked }));
  const tree: Tree = { ...cluster, sources: new Sources(checkout), objects, released: [], unrendered: [] };
  const findings = [...cluster.findings, ...secretRules.flatMap((rule) => rule(tree))];
  return { cluster, findings: distinct(findings).sort(byPlace), images: [], withoutChart: [], withoutSchema: [] };
};

const unchecked: CheckedObject = { namespaced: false, errors: [] };

/** A file that several Kustomizations use gives each finding once. */
const distinct = (findings: Finding[]): Finding[] => [
  ...new Map(findings.map((finding) => [describeFinding(finding), finding])).values(),
];

const byPlace = (a: Finding, b: Finding): number =>
  a.file === b.file ? (a.line ?? 0) - (b.line ?? 0) : a.file < b.file ? -1 : 1;

/** A finding in words: file and message, and below them what to do. */
export const describeFinding = ({ file, line, message, advice }: Finding): string =>
  `${file}${line === undefined ? "" : `:${line.toString()}`}  ${message}\n    ${advice}`;
