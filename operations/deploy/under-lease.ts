import { alertmanagersOf } from "../../lib/cluster/alertmanager.ts";
import { kubernetesLease } from "../../lib/cluster/kubernetes-lease.ts";
import { Kubernetes } from "../../lib/cluster/kubernetes.ts";
import { withLease, type LeaseStore, type LeaseTimes } from "../../lib/engine/lease.ts";
import type { Access } from "../../lib/rollout/read.ts";
import { Silences } from "../../lib/rollout/silences.ts";
import type { Display } from "../../lib/terminal/display.ts";

/** Another rollout that goes on is recognised within seconds. One that was killed keeps the next one waiting for a minute. */
const leaseTimes: LeaseTimes = { lapse: 60_000, renew: 15_000, pause: 2000, answer: 10_000 };

/** How the lease of rollouts is used. */
export const rolloutUse = { what: "A rollout", server: "the cluster's API", times: leaseTimes };

/** The lease of what changes a cluster's machines. */
export const rolloutLease = (kubernetes: Kubernetes): LeaseStore => kubernetesLease(kubernetes, "hearth-rollout");

/** What work has while its rollout holds the cluster's lease. */
export interface Held {
  /** Ends the work, also where the lease is lost. */
  signal: AbortSignal;
  /** Silences the alerts that are expected, until the work ends. */
  silence: () => Promise<void>;
}

/**
 * Does work while no other rollout changes the cluster.
 *
 * @param machines those that go out of service
 */
export const underLease = async <T>(
  { kubeconfig }: Pick<Access, "kubeconfig">,
  {
    display,
    signal,
    command,
    machines,
  }: { display: Display; signal: AbortSignal; command: string; machines: string[] },
  work: (held: Held) => Promise<T>,
): Promise<T> => {
  const kubernetes = new Kubernetes(kubeconfig);
  await using silences = new Silences({
    alertmanagers: () => alertmanagersOf(kubernetes),
    ...{ machines, command },
    warn: (problem) => {
      display.line(`  Alerts that are expected are not silenced: ${problem}`);
    },
  });
  const live = (text: string): void => {
    display.live(text);
  };
  return await withLease([rolloutLease(kubernetes)], { ...rolloutUse, live, signal }, (lost) =>
    work({ signal: AbortSignal.any([signal, lost]), silence: () => silences.begin() }),
  );
};
