/**
 * Renders the patch that makes Talos install the Gateway API's CRDs when it bootstraps the cluster.
 *
 * Cilium's operator looks for the CRDs only when it starts, and no other part of Hearth runs before it. The machines download
 * them from the project's release. The experimental channel is needed for single sign-on at a gateway: the filter
 * ExternalAuth of GEP-1494 is not in the standard channel.
 */
export const gatewayApiPatch = (release: string): Record<string, unknown> => ({
  cluster: {
    extraManifests: [
      `https://github.com/kubernetes-sigs/gateway-api/releases/download/${release}/experimental-install.yaml`,
    ],
  },
});
