import { setTimeout as sleep } from "node:timers/promises";

import { resourceTypes } from "../../components/resource-types.ts";
import { nameOf } from "../../components/urn.ts";
import { Kubernetes } from "../../lib/cluster/kubernetes.ts";
import { describeProgress } from "../../lib/engine/describe.ts";
import { complaints } from "../../lib/engine/pulumi.ts";
import type { Operation } from "../../lib/engine/pulumi-stack.ts";
import { resourcesOf, stackOutputs, type State } from "../../lib/engine/state.ts";
import type { Target } from "../../lib/engine/target.ts";
import type { Display } from "../../lib/terminal/display.ts";
import { messageOf, Problem } from "../../toolchain/problem.ts";
import type { Credentials } from "../escrow/write.ts";
import { stopConnectors } from "./connectors.ts";
import { holdsWholeState, keepAll, requireKept, type Kept } from "./keep.ts";
import { hasBegun } from "./losses.ts";

export interface DestroyOptions {
  state: State;
  credentials: Credentials;
  /** Whether the cluster exists, so that a last snapshot can be taken. */
  hasCluster: boolean;
  display: Display;
  signal: AbortSignal;
  /** Timeout for Cloudflare to see that a tunnel has no connections any more, in milliseconds. */
  timeout?: number;
}

/**
 * Destroys a stack: saves what a rebuild needs, stops what keeps its tunnels open, and deletes everything, also protected
 * resources.
 *
 * @throws Problem if something cannot be saved, and then destroys nothing; or with the list of what remains
 */
export const destroy = async (target: Target, options: DestroyOptions): Promise<Kept> => {
  const { state, credentials, hasCluster, display } = options;
  const isWhole = !hasBegun(state) || (await holdsWholeState(target));
  // A machine may be gone already, and with it the API, so a destroy that goes on takes no snapshot.
  const kept = isWhole
    ? await keepAll(target, credentials, { hasCluster: hasCluster && !hasBegun(state) })
    : await requireKept(target, credentials);
  display.clear();
  for (const [what, where] of Object.entries(kept)) display.line(`Kept and opened: ${what} in ${where}`);
  if (hasCluster && !hasBegun(state)) await disconnect(state, display);
  await target.engine.call(["state", "unprotect", "--all", "--yes"]);
  await deleteAll(target, options);
  return kept;
};

const disconnect = async (state: State, display: Display): Promise<void> => {
  const { kubeconfig } = stackOutputs(state);
  if (typeof kubeconfig !== "string") return;
  display.live("Stopping the tunnel's connectors");
  try {
    const stopped = await stopConnectors(new Kubernetes(kubeconfig));
    display.clear();
    if (stopped.length > 0) display.line(`Stopped ${stopped.join(", ")}`);
  } catch (error) {
    display.line(`The tunnel's connectors were not stopped: ${messageOf(error)}`);
  }
};

/** After an error the engine continues with what does not depend on it. */
const everything: Operation = ["destroy", "--yes", "--skip-preview", "--continue-on-error"];

const deleteAll = async ({ engine, stack }: Target, options: DestroyOptions): Promise<void> => {
  const { display, signal, timeout = 300_000 } = options;
  const deadline = Date.now() + timeout;
  for (;;) {
    const ended = await engine.try(everything, {
      signal,
      onProgress: (report) => {
        display.live(`destroy: ${describeProgress(report)}`);
      },
    });
    display.clear();
    if (ended.exitCode === 0) return;
    const remaining = resourcesOf(await engine.state());
    const isHeldOpen = remaining.some(({ type }) => type === resourceTypes.tunnel);
    if (!isHeldOpen || Date.now() > deadline) {
      const lines = remaining.filter(({ type }) => !isOwn(type)).map(({ type, urn }) => `  ${nameOf(urn)} (${type})`);
      throw new Problem(
        [
          `${stack} is not destroyed to the end:`,
          ...complaints(ended).map((each) => `  ${each}`),
          "It still has:",
          ...lines,
          `Mend that, then run npx hearth destroy ${stack} again`,
        ].join("\n"),
      );
    }
    display.live("Waiting for Cloudflare to see that the tunnel has no connections");
    await sleep(Math.min(15_000, timeout), undefined, { signal });
  }
};

/** Components and providers exist only in the state. */
const isOwn = (type: string): boolean => type.startsWith("pulumi:") || type.startsWith("hearth:");
