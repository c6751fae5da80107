/** Type tokens of the resources that commands look for in a state or in the engine's events. */
export const resourceTypes = {
  /** The stack itself, which holds its outputs. It is the first resource in the engine's events. */
  stack: "pulumi:pulumi:Stack",
  escrow: "hearth:secrets:Escrow",
  talosCluster: "hearth:talos:TalosCluster",
  schematic: "talos:imageFactory/schematic:Schematic",
  machineSecrets: "talos:machine/secrets:Secrets",
  /** A machine's configuration. The resource is named after its node. */
  machineConfiguration: "talos:machine/configurationApply:ConfigurationApply",
  bootstrap: "talos:machine/bootstrap:Bootstrap",
  kubeconfig: "talos:cluster/kubeconfig:Kubeconfig",
  /** The resource is named after its node. */
  virtualMachine: "proxmoxve:index/vmLegacy:VmLegacy",
  haResource: "proxmoxve:index/haresource:Haresource",
  haRule: "proxmoxve:index/harule:Harule",
  image: "proxmoxve:download/file:File",
  tunnel: "cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared",
  tunnelConfig: "cloudflare:index/zeroTrustTunnelCloudflaredConfig:ZeroTrustTunnelCloudflaredConfig",
  dnsRecord: "cloudflare:index/dnsRecord:DnsRecord",
  deployKey: "github:index/repositoryDeployKey:RepositoryDeployKey",
  webhook: "github:index/repositoryWebhook:RepositoryWebhook",
  password: "random:index/randomPassword:RandomPassword",
  namespace: "kubernetes:core/v1:Namespace",
  configMap: "kubernetes:core/v1:ConfigMap",
  secret: "kubernetes:core/v1:Secret",
  helmRelease: "kubernetes:helm.sh/v3:Release",
};
