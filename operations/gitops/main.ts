import { join } from "node:path";

import { stringify } from "yaml";

import { count } from "../../infra/config/error.ts";
import { stacksIn } from "../../infra/config/stack-file.ts";
import { readArguments } from "../../toolchain/arguments.ts";
import { Problem } from "../../toolchain/problem.ts";
import { runCommand } from "../../lib/terminal/session.ts";
import { checkCluster, describeFinding } from "../../lib/tree/check.ts";
import { renderCluster } from "../../lib/tree/render.ts";

const usage = `Usage: npm run gitops -- COMMAND [STACK…]

  check    say what is wrong with the tree, as Flux and the API server would have it
  render   print every object that Flux would apply, with the file that it comes from

All stacks unless named.`;

const root = join(import.meta.dirname, "../..");

const check = async (stacks: string[]): Promise<number> => {
  let found = 0;
  for (const stack of stacks) {
    const { cluster, findings, withoutSchema, withoutChart } = await checkCluster(root, stack);
    found += findings.length;
    for (const finding of findings) console.error(describeFinding(finding));
    const { kustomizations, objects } = cluster;
    console.log(
      `${stack}: ${count(kustomizations.length, "Kustomization")}, ${count(objects.length, "object")}, ${count(findings.length, "problem")}`,
    );
    if (withoutSchema.length > 0) console.log(`  without a schema: ${withoutSchema.join(", ")}`);
    if (withoutChart.length > 0) console.log(`  values not checked, for want of the chart: ${withoutChart.join(", ")}`);
  }
  return found === 0 ? 0 : 1;
};

const render = async (stacks: string[]): Promise<number> => {
  for (const stack of stacks) {
    for (const { file, line, kustomization, object } of await renderCluster(root, stack)) {
      const place = line === undefined ? file : `${file}:${line.toString()}`;
      process.stdout.write(`---\n# ${stack} ${kustomization}, ${place}\n${stringify(object, { lineWidth: 0 })}`);
    }
  }
  return 0;
};

const commands: Record<string, (stacks: string[]) => Promise<number>> = { check, render };

const main = async (args: string[]): Promise<number> => {
  const { positionals, values } = readArguments(args, {}, usage);
  if (values.help === true) {
    console.log(usage);
    return 0;
  }
  const [name = "", ...named] = positionals;
  const command = commands[name];
  if (command === undefined) throw new Problem(usage);
  const known = stacksIn(root);
  const unknown = named.find((stack) => !known.includes(stack));
  if (unknown !== undefined) throw new Problem(`There is no Pulumi.${unknown}.yaml; there is ${known.join(", ")}`);
  return command(named.length > 0 ? named : known);
};

await runCommand(main);
