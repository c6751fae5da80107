/** Port of localhost where every node reaches the Kubernetes API, whichever control plane answers. Cilium is told the same. */
export const kubePrismPort = 7445;

/** Which pods may call the Talos API, such as one that backs etcd up. */
export interface TalosApiAccess {
  namespaces: string[];
  /** @example ["os:etcd:backup"] */
  roles: string[];
}

export interface FeatureSettings {
  /** CoreDNS asks the machine's own resolver. */
  forwardDnsToHost: boolean;
  talosApiAccess: TalosApiAccess | undefined;
}

/**
 * The machine section's features.
 *
 * CoreDNS does not ask the host's resolver by default: with Cilium's BPF masquerading the answers get lost
 * (siderolabs/talos#10002, cilium/cilium#36737).
 */
export const featuresSection = ({ forwardDnsToHost, talosApiAccess }: FeatureSettings, controlPlane: boolean) => ({
  features: {
    kubePrism: { enabled: true, port: kubePrismPort },
    hostDNS: { enabled: true, forwardKubeDNSToHost: forwardDnsToHost },
    // Talos refuses it on workers.
    ...(controlPlane &&
      talosApiAccess && {
        kubernetesTalosAPIAccess: {
          enabled: true,
          allowedRoles: talosApiAccess.roles,
          allowedKubernetesNamespaces: talosApiAccess.namespaces,
        },
      }),
  },
});
