/** Types of resources by which a state is read, or a run of the engine is judged. The engine has them in its state and in URNs. */
export const resourceTypes = {
  /** Stands for the stack itself, and holds its outputs. The engine tells of it first. */
  stack: "pulumi:pulumi:Stack",
  escrow: "hearth:secrets:Escrow",
  talosCluster: "hearth:talos:TalosCluster",
  schematic: "talos:imageFactory/schematic:Schematic",
  machineSecrets: "talos:machine/secrets:Secrets",
  /** Gives a machine its configuration. It is named after its node. */
  machineConfiguration: "talos:machine/configurationApply:ConfigurationApply",
  bootstrap: "talos:machine/bootstrap:Bootstrap",
  kubeconfig: "talos:cluster/kubeconfig:Kubeconfig",
  /** It is named after its node. */
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
