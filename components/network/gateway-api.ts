/**
 * The patch by which Talos installs the Gateway API's definitions as it bootstraps the cluster.
 *
 * Cilium's operator looks for them once, when it starts; nothing else of Hearth runs before it that could bring them. The
 * machines fetch them from the project's own release: its experimental channel, for single sign-on at a gateway (the filter
 * ExternalAuth of GEP-1494) is not in the standard one.
 */
export const gatewayApiPatch = (release: string): Record<string, unknown> => ({
  cluster: {
    extraManifests: [
      `https://github.com/kubernetes-sigs/gateway-api/releases/download/${release}/experimental-install.yaml`,
    ],
  },
});
