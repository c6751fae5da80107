import semver from "semver";

import { resourceTypes } from "../../components/resource-types.ts";
import { versionChecks } from "../../infra/config/checks/versions.ts";
import { platforms } from "../../infra/platforms/index.ts";
import { machineDocuments, setting } from "../machine-documents.ts";
import type { Resource } from "../resource.ts";
import type { Finding, Rule } from "../rule.ts";
import type { Stack } from "../stack.ts";

/**
 * The first and last Kubernetes minor that each Cilium minor is tested with.
 *
 * Source: cilium/cilium, Documentation/network/kubernetes/compatibility.rst, of v1.18.14 and v1.20.2.
 */
const tested: Record<string, [first: number, last: number]> = {
  "1.18": [30, 33],
  "1.20": [33, 36],
};

/** Requires compatible releases of Talos, Kubernetes and Cilium, and upgrades of the first two that skip no minor. */
export const versionSkew: Rule = {
  name: "version-skew",
  description:
    "Talos, Kubernetes and Cilium are compatible, and Talos and Kubernetes are upgraded by one minor at a time.",
  check: (resource, stack) => {
    if (resource.type === resourceTypes.machineConfiguration) return talosStep(resource, stack);
    if (resource.type !== resourceTypes.stack) return [];
    return [...talosWithKubernetes(stack), ...ciliumWithKubernetes(stack), ...kubernetesStep(stack)];
  },
};

const talosWithKubernetes = ({ surroundings: { config } }: Stack): Finding[] =>
  versionChecks
    .flatMap((check) => check({ ...config, complete: true, secrets: [], platforms }))
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
        problem: `Hearth does not know which Kubernetes minors Cilium ${cilium.version} is tested with`,
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

/** Source: Kubernetes, "Version Skew Policy": upgrades of control planes skip no minor, and there are no downgrades. */
const kubernetesStep = ({ surroundings: { config, recorded } }: Stack): Finding[] => {
  const from = recorded.find(({ type }) => type === resourceTypes.talosCluster)?.outputs.kubernetes;
  return typeof from === "string"
    ? step("Kubernetes", from, config.cluster.kubernetes, {
        who: config.cluster.name,
        back: "an older API server may not be able to read what a newer one stored",
      })
    : [];
};

/** Source: Talos, "Upgrading Talos Linux": upgrades skip no minor, and downgrades stay within a minor. */
const talosStep = (resource: Resource, stack: Stack): Finding[] => {
  const recorded = stack.recorded(resource.urn);
  const [from, to] = [recorded && talosOf(recorded), talosOf(resource)];
  if (!from || !to) return [];
  return step("Talos", from, to, {
    who: resource.name,
    back: "an older Talos may not be able to read what a newer one wrote to disk",
  });
};

/** Checks a change of release. Only the same minor and the next one are allowed. */
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
          problem: `${who} would go from ${what} ${from} to ${to}, which skips a minor`,
          advice: `go to ${what} v${semver.major(from)}.${semver.minor(from) + 1} first`,
          subject: who,
        },
  ];
};

/** Returns the Talos release that a machine installs. */
const talosOf = (resource: Pick<Resource, "inputs">): string | undefined => {
  const image = setting(machineDocuments(resource), "machine", "install", "image");
  const tag = typeof image === "string" ? image.split(":").at(-1) : undefined;
  return tag !== undefined && semver.valid(tag) !== null ? tag : undefined;
};
