import semver from "semver";

import { resourceTypes } from "../../components/resource-types.ts";
import { versionChecks } from "../../infra/config/checks/versions.ts";
import { platforms } from "../../infra/platforms/index.ts";
import { machineDocuments, setting } from "../machine-documents.ts";
import type { Resource } from "../resource.ts";
import type { Finding, Rule } from "../rule.ts";
import type { Stack } from "../stack.ts";

/**
 * The Kubernetes minors that each Cilium minor is tested with, first and last.
 *
 * Source: cilium/cilium, Documentation/network/kubernetes/compatibility.rst, of v1.18.14 and v1.20.2.
 */
const tested: Record<string, [first: number, last: number]> = {
  "1.18": [30, 33],
  "1.20": [33, 36],
};

/** Talos, Kubernetes and Cilium know each other, and no minor of the first two is skipped. */
export const versionSkew: Rule = {
  name: "version-skew",
  description: "Talos, Kubernetes and Cilium belong together, and Talos and Kubernetes go up by a minor at a time.",
  check: (resource, stack) => {
    if (resource.type === resourceTypes.machineConfiguration) return talosStep(resource, stack);
    if (resource.type !== resourceTypes.stack) return [];
    return [...talosWithKubernetes(stack), ...ciliumWithKubernetes(stack), ...kubernetesStep(stack)];
  },
};

const talosWithKubernetes = ({ surroundings: { config } }: Stack): Finding[] =>
  versionChecks
    .flatMap((check) => check({ ...config, complete: true, platforms }))
    .map(({ path, problem, advice }) => ({
      problem: `${path.map(String).join(".")}: ${problem}`,
      advice,
      subject: config.cluster.name,
    }));

const ciliumWithKubernetes = ({ surroundings: { cilium, config } }: Stack): Finding[] => {
  const kubernetes = config.cluster.kubernetes;
  const version = semver.coerce(cilium.version);
  const range = tested[version === null ? "" : `${version.major}.${version.minor}`];
  const subject = "cilium";
  if (range === undefined) {
    const known = Object.keys(tested).join(", ");
    return [
      {
        problem: `nobody has noted with which Kubernetes Cilium ${cilium.version} is tested`,
        advice: `use Cilium ${known}, or add its minor to policy/rules/version-skew.ts from its documentation`,
        subject,
      },
    ];
  }
  const [first, last] = range;
  const minor = semver.minor(kubernetes);
  if (first <= minor && minor <= last) return [];
  return [
    {
      problem: `Cilium ${cilium.version} is not tested with Kubernetes ${kubernetes}`,
      advice: `use Kubernetes v1.${first} to v1.${last}, or another Cilium`,
      subject,
    },
  ];
};

/** Source: Kubernetes, "Version Skew Policy": control planes go from each minor to the next, and never back. */
const kubernetesStep = ({ surroundings: { config, recorded } }: Stack): Finding[] => {
  const from = recorded.find(({ type }) => type === resourceTypes.talosCluster)?.outputs.kubernetes;
  return typeof from === "string"
    ? step("Kubernetes", from, config.cluster.kubernetes, {
        who: config.cluster.name,
        back: "what a newer API server stored an older one may not read",
      })
    : [];
};

/** Source: Talos, "Upgrading Talos Linux": from each minor to the next, and never back across one. */
const talosStep = (resource: Resource, stack: Stack): Finding[] => {
  const recorded = stack.recorded(resource.urn);
  const [from, to] = [recorded && talosOf(recorded), talosOf(resource)];
  if (!from || !to) return [];
  return step("Talos", from, to, {
    who: resource.name,
    back: "what a newer Talos wrote to its disks an older one may not read",
  });
};

/** What is wrong with going from one release to another: only the same minor and the next are near enough. */
const step = (what: string, from: string, to: string, { who, back }: { who: string; back: string }): Finding[] => {
  const minors = semver.major(to) === semver.major(from) ? semver.minor(to) - semver.minor(from) : Infinity;
  if (minors === 0 || minors === 1) return [];
  return [
    minors < 0
      ? {
          problem: `${who} would go back from ${what} ${from} to ${to}`,
          advice: `stay at its minor: ${back}`,
          subject: who,
        }
      : {
          problem: `${who} would go from ${what} ${from} to ${to}, past a minor`,
          advice: `go to ${what} v${semver.major(from)}.${semver.minor(from) + 1} first`,
          subject: who,
        },
  ];
};

/** The release of Talos that a machine installs. */
const talosOf = (resource: Pick<Resource, "inputs">): string | undefined => {
  const image = setting(machineDocuments(resource), "machine", "install", "image");
  const tag = typeof image === "string" ? image.split(":").at(-1) : undefined;
  return tag !== undefined && semver.valid(tag) !== null ? tag : undefined;
};
