import { count } from "../../infra/config/error.ts";
import type { Call } from "../../lib/terminal/command.ts";
import type { Checked } from "../../lib/tree/check.ts";
import type { FindChart } from "../../lib/tree/releases.ts";

/**
 * Reports problems in a cluster's part of the tree, as Flux and the API server would see them.
 *
 * @param find where charts are; the toolchain's Go modules unless it says otherwise
 */
export const checkTree = async (
  { root, print, complain }: Call,
  stack: string,
  find?: FindChart,
): Promise<Pick<Checked, "findings" | "withoutSchema" | "withoutChart">> => {
  // The renderer takes longer to load than stack files take to check.
  const { checkCluster, describeFinding } = await import("../../lib/tree/check.ts");
  const { cluster, findings, withoutSchema, withoutChart } = await checkCluster(root, stack, find);
  for (const finding of findings) complain(describeFinding(finding));
  print(`${stack}: ${contentOf(cluster)}, ${count(findings.length, "problem")}`);
  if (withoutSchema.length > 0) print(`  without a schema: ${withoutSchema.join(", ")}`);
  if (withoutChart.length > 0) print(`  values not checked, for want of the chart: ${withoutChart.join(", ")}`);
  return { findings, withoutSchema, withoutChart };
};

const contentOf = ({ config, kustomizations, objects }: Checked["cluster"]): string =>
  config.gitops.engine === "argocd"
    ? `${count(objects.length, "secret")}, and what Argo CD alone can render`
    : `${count(kustomizations.length, "Kustomization")}, ${count(objects.length, "object")}`;
