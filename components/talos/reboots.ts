import { isDeepStrictEqual } from "node:util";

import type { WhileRunning } from "./releases/index.ts";
import { section, type Section } from "./section.ts";

/** Names of the fields in which two objects differ. */
export const changed = (before: Section, after: Section): string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (key) => !isDeepStrictEqual(before[key], after[key]),
  );

/** Fields of `cluster` that make the arguments of an API server, or its certificate. */
const ofApiServers = ["controlPlane", "externalCloudProvider"];

/**
 * The fields of the document without a kind for whose change a control plane restarts its API server, and does not reboot.
 *
 * An image alone is nothing that an update brings: Kubernetes is upgraded before. Source: siderolabs/talos v1.13.9, control_plane.go and
 * control_plane_static_pod.go of internal/app/machined/pkg/controllers/k8s, where another certificate makes another secrets version.
 */
export const apiServerFields = (before: Section, after: Section): string[] => {
  const [old, now] = [section(before.cluster), section(after.cluster)];
  const server = ({ apiServer }: Section): Section => ({ ...section(apiServer), image: undefined });
  const subnets = ({ network }: Section): Section => ({ serviceSubnets: section(network).serviceSubnets });
  return [
    ...changed(server(old), server(now)).map((name) => `cluster.apiServer.${name}`),
    ...changed(subnets(old), subnets(now)).map((name) => `cluster.network.${name}`),
    ...changed(old, now)
      .filter((name) => ofApiServers.includes(name))
      .map((name) => `cluster.${name}`),
  ];
};

/**
 * The fields of the document without a kind for whose change Talos reboots.
 *
 * Source: siderolabs/talos v1.13.9, CanApplyImmediate of v1alpha1_runtime.go.
 */
export const rebootFields = (before: Section, after: Section, whileRunning: WhileRunning): string[] => {
  const beside = changed(before, after).filter((name) => !["machine", ...whileRunning.configuration].includes(name));
  const [old, now] = [section(before.machine), section(after.machine)];
  // Talos compares features one by one only if both configurations have some.
  const comparesFeatures = old.features !== undefined && now.features !== undefined;
  const sections = changed(old, now).filter(
    (name) => !whileRunning.machine.includes(name) && !(name === "features" && comparesFeatures),
  );
  const features = (comparesFeatures ? changed(section(old.features), section(now.features)) : []).filter(
    (name) => !whileRunning.features.includes(name),
  );
  return [
    ...beside,
    ...sections.map((name) => `machine.${name}`),
    ...features.map((name) => `machine.features.${name}`),
  ];
};
