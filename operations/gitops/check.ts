import { count } from "../../infra/config/error.ts";
import type { Call } from "../../lib/terminal/command.ts";
import type { Checked } from "../../lib/tree/check.ts";
import type { FindChart } from "../../lib/tree/releases.ts";

/** What became of a cluster's tree. */
export type CheckedTree = Pick<Checked, "findings" | "withoutSchema" | "withoutChart" | "images">;

/**
 * Reports problems in a cluster's part of the tree, as Flux and the API server would see them.
 *
 * @param find where charts are; the toolchain's Go modules unless it says otherwise
 */
export const checkTree = async (call: Call, stack: string, find?: FindChart): Promise<CheckedTree> => {
  // The renderer takes longer to load than stack files take to check.
  const { checkCluster } = await import("../../lib/tree/check.ts");
  return report(call, stack, await checkCluster(call.root, stack, find));
};

/** As {@link checkTree}, with all on that the cluster's list has behind a `#`. Findings are those that it does not have without. */
export const checkTreeWithOptions = async (
  call: Call,
  stack: string,
  known: CheckedTree,
  find?: FindChart,
): Promise<CheckedTree | undefined> => {
  const { checkOptions } = await import("../../lib/tree/options.ts");
  const { options, skipped, checked } = await checkOptions(call.root, stack, known.findings, find);
  const name = `${stack} with ${options.map(systemOf).join(", ")}`;
  const reported = checked && (await report(call, name, checked));
  if (skipped.length > 0)
    call.print(
      `  not checked, because it takes something from outside of the repository: ${skipped.map(systemOf).join(", ")}`,
    );
  return reported;
};

/** An option in short, such as `compute/spegel`. */
const systemOf = (file: string): string =>
  file.replace(/^(\.\.\/)+(infrastructure\/)?/, "").replace(/\/flux\.yaml$/, "");

const report = async ({ print, complain }: Call, name: string, checked: Checked): Promise<CheckedTree> => {
  const { describeFinding } = await import("../../lib/tree/check.ts");
  const { cluster, findings, withoutSchema, withoutChart, images } = checked;
  for (const finding of findings) complain(describeFinding(finding));
  print(`${name}: ${contentOf(cluster)}, ${count(findings.length, "problem")}`);
  if (withoutSchema.length > 0) print(`  without a schema: ${withoutSchema.join(", ")}`);
  if (withoutChart.length > 0) print(`  values not checked, for want of the chart: ${withoutChart.join(", ")}`);
  return { findings, withoutSchema, withoutChart, images };
};

const contentOf = ({ config, kustomizations, objects }: Checked["cluster"]): string =>
  config.gitops.engine === "argocd"
    ? `${count(objects.length, "secret")}, and what Argo CD alone can render`
    : `${count(kustomizations.length, "Kustomization")}, ${count(objects.length, "object")}`;
