import semver from "semver";

import type { ConfigurationProblem } from "../error.ts";
import type { HearthConfig } from "../schema.ts";

/** Releases that the GitOps tree names. */
export interface TreeReleases {
  cilium: { version: string };
  fluxOperator: { version: string };
}

/**
 * The minor of the Gateway API whose definitions each minor of Cilium is built with.
 *
 * Source: cilium/cilium, Documentation/network/servicemesh/gateway-api/installation.rst; of 1.20, its go.mod.
 */
const gatewayApiOf: Record<string, string> = { "1.17": "1.2", "1.19": "1.4", "1.20": "1.6" };

/** Cilium's operator starts no gateways where it misses definitions that it was built with. */
const gatewayApi = ({ network }: HearthConfig, { cilium }: TreeReleases): ConfigurationProblem[] => {
  const installed = semver.coerce(network.gatewayApi);
  const wanted = semver.coerce(gatewayApiOf[minorOf(cilium.version)]);
  if (!installed || !wanted || semver.major(installed) !== semver.major(wanted)) return [];
  const path = ["network", "gatewayApi"];
  const advice = `use a release of v${minorOf(wanted.version)}`;
  if (installed.minor < wanted.minor) {
    return [
      {
        path,
        problem: `${String(network.gatewayApi)} is older than v${minorOf(wanted.version)}, without which Cilium ${cilium.version} starts no gateway`,
        advice,
      },
    ];
  }
  return installed.minor > wanted.minor
    ? [
        {
          path,
          problem: `${String(network.gatewayApi)} is newer than v${minorOf(wanted.version)}, which Cilium ${cilium.version} was built with`,
          advice,
          warning: true,
        },
      ]
    : [];
};

/** Source: controlplaneio-fluxcd/flux-operator v0.58.1, config/data/flux-images: the oldest Flux that it installs. */
const oldestFlux = "2.2.0";

/** The newest Flux that each minor of flux-operator brings. Source: config/data/flux-images/VERSION of each release. */
const newestFlux: Record<string, string> = {
  "0.53": "2.9.0",
  "0.54": "2.9.1",
  "0.55": "2.9.2",
  "0.56": "2.9.3",
  "0.57": "2.9.3",
  "0.58": "2.9.4",
};

const flux = ({ gitops }: HearthConfig, { fluxOperator }: TreeReleases): ConfigurationProblem[] => {
  if (gitops.engine !== "flux" || gitops.flux === undefined) return [];
  const newest = newestFlux[minorOf(fluxOperator.version)];
  const isOld = semver.lt(gitops.flux, oldestFlux);
  if (!isOld && (newest === undefined || semver.lte(gitops.flux, newest))) return [];
  return [
    {
      path: ["gitops", "flux"],
      problem: `${gitops.flux} is not a release that flux-operator ${fluxOperator.version} installs`,
      advice: `use v${oldestFlux} to v${newest ?? "2"}${isOld ? "" : ", or a newer flux-operator"}`,
    },
  ];
};

const minorOf = (version: string): string => {
  const parsed = semver.coerce(version);
  return parsed ? `${parsed.major}.${parsed.minor}` : "";
};

/** Finds releases of the stack file that do not go with those of the tree. */
export const releaseProblems = (config: HearthConfig, tree: TreeReleases): ConfigurationProblem[] => [
  ...gatewayApi(config, tree),
  ...flux(config, tree),
];
