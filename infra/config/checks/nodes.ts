import { nodesOf, settingsOf } from "../../platforms/index.ts";
import type { Check } from "./check.ts";

const oddControlPlanes: Check = ({ nodes, complete }) => {
  const count = Object.values(nodes).filter(({ role }) => role === "controlplane").length;
  if (!complete || count % 2 === 1) return [];
  const problem =
    count === 0 ? "has no control plane" : `${count} control planes keep no better quorum than ${count - 1}`;
  return [{ path: ["nodes"], problem, advice: "have 1, 3 or 5 with role: controlplane" }];
};

/** Each platform checks its own nodes. */
const platformChecks: Check = ({ platforms, ...draft }) =>
  platforms.flatMap((platform) =>
    platform.check({ ...draft, nodes: nodesOf(draft.nodes, platform), settings: settingsOf(draft, platform) }),
  );

/** If control planes refuse pods and there are no workers, nothing can run pods. */
const somewhereToRun: Check = ({ cluster, nodes, complete }) =>
  complete && cluster?.scheduleOnControlPlanes === false && Object.values(nodes).every(({ role }) => role !== "worker")
    ? [
        {
          path: ["cluster", "scheduleOnControlPlanes"],
          problem: "false leaves no node where pods may run",
          advice: "leave it out, or add a node with role: worker",
        },
      ]
    : [];

/** A machine has one name, and had one. */
const renamedOnce: Check = ({ nodes }) =>
  Object.entries(nodes).flatMap(([name, { renamedFrom }]) => {
    if (renamedFrom === undefined) return [];
    const path = ["nodes", name, "renamedFrom"];
    const others = Object.entries(nodes).filter(([other]) => other !== name);
    if (renamedFrom in nodes) {
      return [{ path, problem: `${renamedFrom} is a node that is still there`, advice: "leave it out" }];
    }
    return others.some(([, other]) => other.renamedFrom === renamedFrom)
      ? [{ path, problem: `${renamedFrom} has become two nodes`, advice: "write it at one of them" }]
      : [];
  });

export const nodeChecks: Check[] = [oddControlPlanes, renamedOnce, platformChecks, somewhereToRun];
