import { setTimeout as sleep } from "node:timers/promises";

import { millisecondsOf } from "../../infra/config/promotion.ts";
import { kubernetesOf } from "../../lib/cluster/access.ts";
import { fluxHealth, fluxState, type FluxHealth } from "../../lib/cluster/flux-health.ts";
import type { Kubernetes } from "../../lib/cluster/kubernetes.ts";
import { Target } from "../../lib/engine/target.ts";
import type { Call } from "../../lib/terminal/command.ts";
import { Problem } from "../../toolchain/problem.ts";
import { PromotedBranch } from "./branch.ts";
import { decide, former, short } from "./promote.ts";

/** Exit code where it is too early, or the first stack is not well. */
const notYet = 2;

/** How long a cluster may be busy, in milliseconds. It looks at itself each hour, and is busy meanwhile. */
const timeout = 300_000;

/** How long it is left alone before it is asked again, in milliseconds. */
const pause = 5000;

interface PromoteFlags {
  back?: boolean | undefined;
  again?: boolean | undefined;
}

/** Moves the branch of a stack to the commit that another one runs healthily, or back. */
export const promote = async (call: Call<PromoteFlags>): Promise<number> => {
  const { root, stack, values, args, print, answer } = call;
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
  const branches = { source: source.branch, target: gitops.branch };
  return PromotedBranch.with(gitops.repository, stack, branches, async (branch) => {
    if (values.back === true) {
      const { to, commits } = await former(branch, stack, args[0]);
      show(call, `${stack} goes back to ${short(to)}, and loses`, commits);
      if (!(await call.agreed(`Take ${gitops.branch} back to ${short(to)}?`))) return 1;
      await branch.back(to);
      print(
        `${gitops.branch} is at ${short(to)}. It is not promoted to ${short(branch.commits.target ?? "")} again by itself`,
      );
      answer({ outcome: "back", commit: to });
      return 0;
    }
    const health = await settled(await kubernetesOf(first.engine));
    if (health.suspended.length > 0)
      call.complain(`Suspended in ${promotion.from}, and not judged: ${health.suspended.join(", ")}`);
    const decision = await decide(
      branch,
      health,
      { from: promotion.from, stack, healthyFor: millisecondsOf(promotion.healthyFor), again: values.again === true },
      Date.now(),
    );
    answer(decision);
    if (decision.outcome !== "move") {
      print(decision.reason);
      return decision.outcome === "wait" ? notYet : 0;
    }
    show(call, `${stack} gets ${short(decision.to)}, with`, decision.commits);
    if (!(await call.agreed(`Move ${gitops.branch} to ${short(decision.to)}?`))) return 1;
    await branch.promote(decision.to);
    print(`${gitops.branch} is at ${short(decision.to)}. npx hearth promote ${stack} --back takes it back`);
    return 0;
  });
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
