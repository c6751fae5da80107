import type { HearthConfig } from "../../../infra/config/index.ts";
import { clusterFolder } from "../../../infra/facts.ts";
import { at, listAt, textAt } from "../../../infra/tree-objects.ts";
import type { Finding } from "../render.ts";
import { podSpecOf } from "./images.ts";
import { everything, type Rule, type TreeObject } from "./rule.ts";

const loopback = /^(?:127\.|localhost$|\[::1\]$)/;

/** The ports of a machine itself to which the stack file sends its logs, by the setting that says so. */
const destinationsOf = ({ cluster }: HearthConfig): { setting: string; url: URL }[] =>
  [
    ...cluster.logDestinations.map(({ url }, index) => ({
      setting: `logDestinations.${String(index)}`,
      url: new URL(url),
    })),
    ...Object.entries(cluster.kernelLogDestinations).map(([name, url]) => ({
      setting: `kernelLogDestinations.${name}`,
      url: new URL(url),
    })),
  ].filter(({ url }) => loopback.test(url.hostname));

/** The ports at which pods of every machine listen, such as `tcp 6051`. */
const portsOf = ({ kind, object }: TreeObject): string[] => {
  if (kind !== "DaemonSet") return [];
  const spec = at(object, ...podSpecOf(kind));
  const onHost = at(spec, "hostNetwork") === true;
  return listAt(spec, "containers").flatMap((container) =>
    listAt(container, "ports").flatMap((port) => {
      const number = at(port, onHost ? "containerPort" : "hostPort");
      return typeof number === "number" ? `${(textAt(port, "protocol") ?? "TCP").toLowerCase()} ${String(number)}` : [];
    }),
  );
};

/** Machines that send their logs to a port of their own at which no pod listens. Talos retries for ever, and says nothing. */
export const machineLogs: Rule = (tree) => {
  const listening = new Set(everything(tree).flatMap(portsOf));
  return destinationsOf(tree.config)
    .filter(({ url }) => !listening.has(`${url.protocol.replace(":", "")} ${url.port}`))
    .map(({ setting, url }): Finding => ({
      file: `${clusterFolder(tree.config.gitops)}/kustomization.yaml`,
      message: `hearth:cluster.${setting} sends logs to ${url.href.replace(/\/$/, "")}, and no pod of each machine listens there`,
      advice: "turn on monitoring/logs, or remove the destination from the stack file",
    }));
};
