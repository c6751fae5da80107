import { isIP } from "node:net";

import { documentsIn, patchesIn } from "../components/talos/documents-in.ts";
import { section } from "../components/talos/section.ts";

/** How a cluster is reached, as the configuration of one of its control planes says. */
export interface Reach {
  /** The endpoint; undefined while the configuration is not known. */
  endpoint: string | undefined;
  /** Addresses that the control planes share. */
  vips: string[];
  /** Names and addresses in the certificates of API servers. */
  certSANs: string[];
  /** Who issued the tokens that API servers accept. The first one issues new ones. */
  issuers: string[];
  /** What tokens have to be for. */
  audiences: string[];
}

/**
 * Reads how a cluster is reached from the inputs of a machine's configuration.
 *
 * Talos issues tokens in the name of the endpoint unless a patch says otherwise. Source: siderolabs/talos v1.13.9,
 * internal/app/machined/pkg/controllers/k8s/control_plane_static_pod.go.
 */
export const reachOf = (inputs: Record<string, unknown>): Reach => {
  const generated = documentsIn(inputs.machineConfigurationInput);
  const patches = patchesIn(inputs);
  const clusters = [...generated, ...patches].map(({ cluster }) => section(cluster));
  const servers = clusters.map(({ apiServer }) => section(apiServer));
  const endpoint = clusters.flatMap(({ controlPlane }) => textsOf(section(controlPlane).endpoint)).at(-1);
  const argument = (name: string): string[] =>
    servers.map(({ extraArgs }) => textsOf(section(extraArgs)[name])).findLast((values) => values.length > 0) ??
    textsOf(endpoint);
  return {
    endpoint,
    vips: patches.flatMap(({ kind, name }) => (kind === "Layer2VIPConfig" ? textsOf(name) : [])),
    certSANs: servers.flatMap(({ certSANs }) => textsOf(certSANs)),
    issuers: argument("service-account-issuer"),
    audiences: argument("api-audiences"),
  };
};

/** One text or several. */
const textsOf = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value]).filter((each): each is string => typeof each === "string");

const guide = 'docs/guides/changing-a-cluster.md, "Another address", has the way';

/** Why a cluster must not be reached otherwise from one update to the next. What is beside the old way is no problem. */
export const reachProblems = (before: Reach, after: Reach): string[] => {
  const [from, to] = [before.endpoint, after.endpoint];
  if (from === undefined || to === undefined) return [];
  return from === to ? vipProblems(before, after, to) : endpointProblems(before, after, { from, to });
};

const endpointProblems = (before: Reach, after: Reach, { from, to }: { from: string; to: string }): string[] => {
  const [old, now] = [hostOf(from), hostOf(to)];
  const lacking = [
    ...(before.certSANs.includes(now) ? [] : [`${now} is in no certificate yet: add it to cluster.certSANs`]),
    ...(after.vips.includes(now) && !before.vips.includes(now)
      ? [`no machine answers at ${now} yet: add it as a Layer2VIPConfig to cluster.patches.controlPlanes`]
      : []),
    ...tokenProblems(before, after),
    ...(after.certSANs.includes(old)
      ? []
      : [`${old} would be in no certificate any more: keep it in cluster.certSANs`]),
    ...(before.vips.includes(old) && !after.vips.includes(old)
      ? [`no machine would answer at ${old} any more: keep it as a Layer2VIPConfig in cluster.patches.controlPlanes`]
      : []),
  ];
  if (lacking.length === 0) return [];
  return [`cluster.endpoint would go from ${from} to ${to}, and ${lacking.join("; ")}. ${guide}`];
};

/** Pods have tokens for an hour and more. API servers refuse those of an issuer and for an audience that they do not know. */
const tokenProblems = (before: Reach, after: Reach): string[] => {
  const kept = (name: string, old: string[], now: string[]): string[] => {
    const lost = old.slice(0, 1).filter((each) => !now.includes(each));
    return lost.map((each) => `${name}: ${each}`);
  };
  const lost = [
    ...kept("service-account-issuer", before.issuers, after.issuers),
    ...kept("api-audiences", before.audiences, after.audiences),
  ];
  if (lost.length === 0) return [];
  return [
    `API servers would refuse the tokens of all pods: write ${lost.join(" and ")} to cluster.apiServer.extraArgs in cluster.patches.controlPlanes`,
  ];
};

const vipProblems = (before: Reach, after: Reach, endpoint: string): string[] => {
  const gone = goneVips(before, after);
  const added = after.vips.filter((vip) => !before.vips.includes(vip));
  const lost = gone.filter((vip) => vip === hostOf(endpoint));
  if (lost.length > 0)
    return [
      `No machine would answer at ${lost.join()}, where cluster.endpoint leads: keep it as cluster.vip. ${guide}`,
    ];
  if (gone.length === 0 || added.length === 0) return tokenProblems(before, after);
  return [
    `cluster.vip would go from ${gone.join()} to ${added.join()} at once, and what leads to ${gone.join()} would lead nowhere: add ${added.join()} as a ` +
      `Layer2VIPConfig to cluster.patches.controlPlanes first. ${guide}`,
  ];
};

/** The name by which the cluster is reached, while an update takes VIPs away; undefined if there is none, or nothing is taken away. */
export const nameToResolve = (before: Reach, after: Reach): string | undefined => {
  const name = after.endpoint === undefined ? undefined : hostOf(after.endpoint);
  if (name === undefined || isIP(name) !== 0) return undefined;
  return goneVips(before, after).length > 0 ? name : undefined;
};

/**
 * Why a cluster would not be reached by a name any more.
 *
 * @param addresses what the name leads to
 */
export const strandedProblem = (
  name: string,
  addresses: readonly string[],
  before: Reach,
  after: Reach,
): string | undefined => {
  const lost = goneVips(before, after).filter((vip) => addresses.includes(vip));
  if (lost.length === 0) return undefined;
  return (
    `cluster.endpoint leads to ${name}, which leads to ${lost.join()}, where no machine would answer any more: have the name lead to a control plane ` +
    `or to another VIP first, and wait until nobody remembers the old address. ${guide}`
  );
};

const goneVips = (before: Reach, after: Reach): string[] => before.vips.filter((vip) => !after.vips.includes(vip));

const hostOf = (url: string): string => new URL(url).hostname.replace(/^\[|\]$/g, "");

/** Why an update does not give a machine another address. A deployment replaces it, unless it gets another name as well. */
export const addressProblem = (name: string, from: string, to: string): string =>
  `${name} would go from ${from} to ${to}, and no update changes the address of a machine that runs: it would wait for one at ${to}. ` +
  "npx hearth deploy replaces the machine, where only its address changes and an exemption from kept-resources names it";
