import type { Matcher } from "./silence.ts";

/**
 * Alerts about a node that fire while it is out of service.
 *
 * Source: kube-prometheus-stack 88.5.3, templates/prometheus/rules-1.14/kubernetes-system-kubelet.yaml; and
 * gitops/infrastructure/monitoring/alerts.
 */
const ofNodes = ["KubeNodeNotReady", "KubeNodeUnreachable", "KubeNodeReadinessFlapping", "EtcdMemberDown"];

/**
 * Alerts that do not name a node, and fire for pods, copies and connections that one machine takes away.
 *
 * Those that tell of a loss stay, such as CephHealthError, LinstorVolumeWithoutQuorum, EtcdNoLeader and TunnelDown.
 *
 * Source: kube-prometheus-stack 88.5.3, templates/prometheus/rules-1.14; and the alerts of gitops/infrastructure.
 */
const ofCluster = [
  ...["TargetDown", "KubePodNotReady", "KubeContainerWaiting", "KubePdbNotEnoughHealthyPods"],
  ...["KubeDeploymentReplicasMismatch", "KubeDeploymentRolloutStuck", "KubeStatefulSetReplicasMismatch"],
  ...["KubeDaemonSetRolloutStuck", "KubeDaemonSetNotScheduled", "KubeDaemonSetMisScheduled"],
  ...["KubeAggregatedAPIErrors", "KubeAggregatedAPIDown", "KubeVersionMismatch"],
  ...["CephHealthWarning", "CephDiskDown", "LinstorCopiesNotConnected", "PostgresCopyLagging"],
  ...["TunnelWeak", "FluxNotReady"],
];

/** All alerts that a rollout silences, by their names. */
export const expectedAlerts = [...ofNodes, ...ofCluster];

const named = (alerts: readonly string[]): Matcher => ({ name: "alertname", value: alerts.join("|"), isRegex: true });

/** The matchers of the silences for a rollout that takes machines out of service, each silence's for itself. */
export const silencesFor = (machines: readonly string[]): Matcher[][] => [
  [
    named(ofNodes),
    { name: "node", value: machines.map((name) => name.replaceAll(".", "\\.")).join("|"), isRegex: true },
  ],
  [named(ofCluster)],
];
