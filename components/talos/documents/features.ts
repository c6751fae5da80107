/** Port of localhost at which every node reaches the Kubernetes API, through any control plane. Cilium uses the same port. */
export const kubePrismPort = 7445;

/** The pods that may call the Talos API, such as one that backs up etcd. */
export interface TalosApiAccess {
  namespaces: string[];
  /** @example ["os:etcd:backup"] */
  roles: string[];
}

export interface FeatureSettings {
  /** Whether CoreDNS forwards to the machine's own resolver. */
  forwardDnsToHost: boolean;
  talosApiAccess: TalosApiAccess | undefined;
  /** Whether machines use the cache of images of their boot medium. @default false */
  imageCache?: boolean | undefined;
}

/**
 * Renders the machine section's features.
 *
 * By default CoreDNS does not forward to the host's resolver: with Cilium's BPF masquerading the answers get lost
 * (siderolabs/talos#10002, cilium/cilium#36737).
 */
export const featuresSection = (
  { forwardDnsToHost, talosApiAccess, imageCache }: FeatureSettings,
  controlPlane: boolean,
) => ({
  features: {
    kubePrism: { enabled: true, port: kubePrismPort },
    hostDNS: { enabled: true, forwardKubeDNSToHost: forwardDnsToHost },
    ...(imageCache && { imageCache: { localEnabled: true } }),
    // Talos refuses this field on workers.
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
