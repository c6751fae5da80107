import { listAt, textAt } from "../../../infra/tree-objects.ts";
import { called, everything, findingAt, type Rule } from "./rule.ts";

/** etcd's port for metrics in the guide, docs/guides/monitoring.md. */
const port = ":2381";

/** Whether etcd is scraped on machines that do not expose its metrics. An alert says then that each member is down, for ever. */
export const etcdMetrics: Rule = (tree) => {
  const { cluster, nodes } = tree.config;
  const patches = [cluster.patches, ...Object.values(nodes).map((node) => node.patches)];
  if (JSON.stringify(patches).includes("listen-metrics-urls")) return [];
  return everything(tree)
    .filter(({ kind, object }) => {
      const addresses = listAt(object, "spec", "relabelings").map((each) => textAt(each, "replacement") ?? "");
      return kind === "ScrapeConfig" && addresses.some((address) => address.endsWith(port));
    })
    .map((object) =>
      findingAt(tree, object, {
        message: `${called(object)} scrapes etcd, and no machine exposes its metrics: alerts call each member down`,
        advice: "set listen-metrics-urls of etcd in hearth:cluster.patches (docs/guides/monitoring.md), or turn it off",
      }),
    );
};
