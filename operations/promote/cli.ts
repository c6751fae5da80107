import { setTimeout as sleep } from "node:timers/promises";

import { millisecondsOf } from "../../infra/config/promotion.ts";
import { kubernetesOf } from "../../lib/cluster/access.ts";
import { fluxHealth, fluxState, type FluxHealth } from "../../lib/cluster/flux-health.ts";
import type { Kubernetes } from "../../lib/cluster/kubernetes.ts";
import { Target } from "../../lib/engine/target.ts";
import type { Call } from "../../lib/terminal/command.ts";
import { Problem } from "../../toolchain/problem.ts";
import { PromotedBranch, type Branches } from "./branch.ts";
import { decide, former, short } from "./promote.ts";

/** Exit code where it is too early, or the first stack is not well. */
const notYet = 2;

/** How long a cluster may be busy, in milliseconds. It looks at itself each hour, and is busy meanwhile. */
const timeout = 300_000;

/** How long it is left alone before it is asked again, in milliseconds. */
const pause = 5000;

export interface PromoteFlags {
  back?: boolean | undefined;
  again?: boolean | undefined;
}

/** Moves the branch of a stack to the commit that another one runs healthily, or back. */
export const promote = async (call: Call<PromoteFlags>): Promise<number> => {
  const { root, stack, values, args } = call;
  const target = await call.open();
  if (target.isLab)
    throw new Problem("The lab of each stack has a Git server of its own, so nothing is promoted between labs");
  const { gitops } = await target.config();
  const { promotion } = gitops;
  if (promotion === undefined) {
    throw new Problem(
      `Pulumi.${stack}.yaml has no hearth:gitops.promotion, so ${stack} follows ${gitops.branch} as people push to it.\n` +
        "docs/guides/promotion.md tells how to have commits promoted",
    );
  }
  if (args.length > 0 && values.back !== true)
    throw new Problem("A commit is named with --back only: it goes back to it");
  const first = await Target.open(root, promotion.from);
  const source = (await first.config()).gitops;
  if (source.engine !== "flux")
    throw new Problem(`${promotion.from} is kept by Argo CD, and only Flux tells how it does`);
  return carryOut(call, {
    repository: gitops.repository,
    branches: { source: source.branch, target: gitops.branch },
    promotion,
    ask: async () => settled(await kubernetesOf(first.engine)),
  });
};

/** What a promotion goes by. */
export interface Given {
  /** URL or path that Git fetches from and pushes to. */
  repository: string;
  branches: Branches;
  promotion: { from: string; healthyFor: string };
  /** Asks how the first stack does. */
  ask: () => Promise<FluxHealth>;
}

/** Shows what becomes of the branch, asks, and moves it. */
export const carryOut = (call: Call<PromoteFlags>, { repository, branches, promotion, ask }: Given): Promise<number> =>
  PromotedBranch.with(repository, call.stack, branches, (branch) =>
    call.values.back === true
      ? goBack(call, branch, branches.target)
      : goOn(call, branch, { name: branches.target, promotion, ask }),
  );

const goBack = async (call: Call<PromoteFlags>, branch: PromotedBranch, name: string): Promise<number> => {
  const { stack, args, print, answer } = call;
  const { to, commits } = await former(branch, stack, args[0]);
  show(call, `${stack} goes back to ${short(to)}, and loses`, commits);
  if (!(await call.agreed(`Take ${name} back to ${short(to)}?`))) return 1;
  await branch.back(to);
  print(`${name} is at ${short(to)}. It is not promoted to ${short(branch.commits.target ?? "")} again by itself`);
  answer({ outcome: "back", commit: to });
  return 0;
};

const goOn = async (
  call: Call<PromoteFlags>,
  branch: PromotedBranch,
  { name, promotion: { from, healthyFor }, ask }: Pick<Given, "promotion" | "ask"> & { name: string },
): Promise<number> => {
  const { stack, values, print, answer, complain } = call;
  const health = await ask();
  if (health.suspended.length > 0) complain(`Suspended in ${from}, and not judged: ${health.suspended.join(", ")}`);
  const promotion = { from, stack, healthyFor: millisecondsOf(healthyFor), again: values.again === true };
  const decision = await decide(branch, health, promotion, Date.now());
  if (decision.outcome !== "move") {
    print(decision.reason);
    answer(decision);
    return decision.outcome === "wait" ? notYet : 0;
  }
  show(call, `${stack} gets ${short(decision.to)}, with`, decision.commits);
  if (!(await call.agreed(`Move ${name} to ${short(decision.to)}?`))) return 1;
  await branch.promote(decision.to);
  print(`${name} is at ${short(decision.to)}. npx hearth promote ${stack} --back takes it back`);
  answer(decision);
  return 0;
};

const show = ({ print }: Pick<Call, "print">, what: string, commits: readonly string[]): void => {
  print(
    commits.length === 0 ? what.replace(/, .*$/, "") : [`${what}:`, ...commits.map((line) => `  ${line}`)].join("\n"),
  );
};

/** How the cluster does once it is not just looking at itself. */
const settled = async (kubernetes: Kubernetes): Promise<FluxHealth> => {
  const deadline = Date.now() + timeout;
  for (;;) {
    const health = fluxHealth(await fluxState(kubernetes));
    if (!health.isBusy || health.failures.length > 0 || Date.now() > deadline) return health;
    await sleep(pause);
  }
};
