import type { ConfigurationProblem } from "../error.ts";
import type { Check } from "./check.ts";

/** Source: Kubernetes, "Labels and Selectors", syntax and character set. */
const value = /^([A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?)?$/;
const key = /^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/;

/** Labels under Kubernetes's own prefixes that a worker may set. Source: Kubernetes, the admission plugin NodeRestriction. */
const allowed = new Set([
  "kubernetes.io/hostname",
  "kubernetes.io/arch",
  "kubernetes.io/os",
  "beta.kubernetes.io/instance-type",
  "node.kubernetes.io/instance-type",
  "topology.kubernetes.io/region",
  "topology.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region",
  "failure-domain.beta.kubernetes.io/zone",
]);

const refusedOfWorkers = (label: string): boolean => {
  const [prefix = "", name] = label.split("/");
  if (name === undefined || allowed.has(label)) return false;
  if (/(^|\.)(kubelet|node)\.kubernetes\.io$/.test(prefix)) return false;
  return /(^|\.)(kubernetes|k8s)\.io$/.test(prefix);
};

const labels: Check = ({ nodes }) =>
  Object.entries(nodes).flatMap(([node, { labels, role }]) =>
    Object.entries(labels).flatMap(([label, text]): ConfigurationProblem[] => {
      const path = ["nodes", node, "labels", label];
      if (!key.test(label)) {
        return [{ path, problem: "is not a label's key", advice: "write one such as hearth.dev/storage" }];
      }
      if (!value.test(text)) {
        return [
          {
            path,
            problem: `${text.slice(0, 63)} is not a label's value`,
            advice: "use at most 63 letters, digits, hyphens, dots and underscores",
          },
        ];
      }
      if (role === "worker" && refusedOfWorkers(label)) {
        return [
          {
            path,
            problem: "is a label that a worker may not give itself",
            advice: "use a prefix of your own, or label the node with kubectl",
          },
        ];
      }
      return [];
    }),
  );

/** Source: siderolabs/talos v1.13.9, pkg/machinery/labels/validate.go. */
const taintsAreTaints: Check = ({ nodes }) =>
  Object.entries(nodes).flatMap(([node, { taints }]) =>
    Object.entries(taints).flatMap(([taint, text]): ConfigurationProblem[] => {
      const path = ["nodes", node, "taints", taint];
      const written = text.includes(":") ? (text.split(":")[0] ?? "") : "";
      if (!key.test(taint)) return [{ path, problem: "is not a taint's key", advice: "write one such as dedicated" }];
      if (value.test(written)) return [];
      const advice = "use at most 63 letters, digits, hyphens, dots and underscores";
      return [{ path, problem: `${written.slice(0, 63)} is not a taint's value`, advice }];
    }),
  );

/** Annotations in which Talos remembers what it has set. */
const ofTalos = ["talos.dev/owned-labels", "talos.dev/owned-annotations", "talos.dev/owned-taints"];

const annotationsAreAnnotations: Check = ({ nodes }) =>
  Object.entries(nodes).flatMap(([node, { annotations }]) =>
    Object.keys(annotations).flatMap((annotation): ConfigurationProblem[] => {
      const path = ["nodes", node, "annotations", annotation];
      if (!key.test(annotation)) {
        return [{ path, problem: "is not an annotation's key", advice: "write one such as hearth.dev/rack" }];
      }
      return ofTalos.includes(annotation)
        ? [{ path, problem: "is an annotation that Talos keeps for itself", advice: "remove it" }]
        : [];
    }),
  );

export const labelChecks: Check[] = [labels, taintsAreTaints, annotationsAreAnnotations];
