import * as pulumi from "@pulumi/pulumi";
import * as talos from "@pulumi/talos";

import type { Machine } from "../machines/machine.ts";
import { apiReady } from "./api-ready.ts";
import { machinePatches, type ClusterSettings } from "./machine-config.ts";
import { installerImage } from "./schematic.ts";

export interface TalosClusterArgs extends Omit<ClusterSettings, "endpointHost"> {
  /** Name of the cluster; also the context in kubeconfig and talosconfig. */
  name: string;
  /** Machines by the name of their node. At least one control plane; their number is odd. */
  machines: Record<string, Machine>;
  /** Kubernetes API endpoint, `https://<VIP or name>:6443`. */
  endpoint: string;
  /** Talos release that machines install. @example "v1.13.9" */
  talos: string;
  /** Kubernetes release. @example "v1.36.4" */
  kubernetes: string;
  /** Configuration contract: the Talos minor the cluster was created with. It never goes down. @example "v1.13" */
  contract: string;
}

/** A Talos cluster: from machines in maintenance mode to a Kubernetes API that answers. */
export class TalosCluster extends pulumi.ComponentResource {
  /** Administrator's kubeconfig, once the API is ready. Secret. */
  readonly kubeconfig: pulumi.Output<string>;
  /** Administrator's talosconfig. Secret. */
  readonly talosconfig: pulumi.Output<string>;

  constructor(name: string, args: TalosClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hearth:talos:TalosCluster", name, {}, opts);
    const secrets = this.machineSecrets(args);
    const applied = Object.entries(args.machines).map(([node, machine]) =>
      this.configure(node, machine, secrets, args),
    );
    const bootstrap = this.bootstrap(secrets, applied, args);
    this.kubeconfig = this.fetchKubeconfig(bootstrap, secrets);
    this.talosconfig = this.renderTalosconfig(secrets, args);
    this.registerOutputs({ kubeconfig: this.kubeconfig, talosconfig: this.talosconfig });
  }

  private machineSecrets(args: TalosClusterArgs): talos.machine.Secrets {
    return new talos.machine.Secrets(
      "machine-secrets",
      { talosVersion: args.contract },
      // Another contract would make other secrets, and every machine would be locked out.
      { parent: this, protect: true, ignoreChanges: ["talosVersion"] },
    );
  }

  private configure(
    node: string,
    machine: Machine,
    secrets: talos.machine.Secrets,
    args: TalosClusterArgs,
  ): talos.machine.ConfigurationApply {
    const settings: ClusterSettings = { ...args, endpointHost: new URL(args.endpoint).hostname };
    const configPatches = pulumi.output(machine.address).apply((address) =>
      machinePatches(
        {
          ...machine,
          hostname: node,
          address,
          installerImage: installerImage(machine.platform, machine.schematic, args.talos),
        },
        settings,
      ),
    );
    const { machineConfiguration } = talos.machine.getConfigurationOutput(
      {
        clusterName: args.name,
        clusterEndpoint: args.endpoint,
        machineType: machine.role,
        machineSecrets: secrets.machineSecrets,
        configPatches,
        kubernetesVersion: args.kubernetes,
        talosVersion: args.contract,
      },
      { parent: this },
    );
    return new talos.machine.ConfigurationApply(
      node,
      {
        node: machine.address,
        clientConfiguration: secrets.clientConfiguration,
        machineConfigurationInput: machineConfiguration,
      },
      { parent: this },
    );
  }

  private bootstrap(
    secrets: talos.machine.Secrets,
    applied: talos.machine.ConfigurationApply[],
    args: TalosClusterArgs,
  ): talos.machine.Bootstrap {
    return new talos.machine.Bootstrap(
      "bootstrap",
      { node: firstControlPlane(args.machines).address, clientConfiguration: secrets.clientConfiguration },
      // Every machine has its configuration before one of them founds the cluster.
      { parent: this, dependsOn: applied },
    );
  }

  private fetchKubeconfig(bootstrap: talos.machine.Bootstrap, secrets: talos.machine.Secrets): pulumi.Output<string> {
    const { kubeconfigRaw } = new talos.cluster.Kubeconfig(
      "kubeconfig",
      { node: bootstrap.node, clientConfiguration: secrets.clientConfiguration },
      { parent: this },
    );
    return kubeconfigRaw.apply(async (kubeconfig) => {
      if (!pulumi.runtime.isDryRun()) await apiReady(kubeconfig);
      return kubeconfig;
    });
  }

  private renderTalosconfig(secrets: talos.machine.Secrets, args: TalosClusterArgs): pulumi.Output<string> {
    const addresses = (role: Machine["role"]) =>
      Object.values(args.machines).flatMap((machine) => (machine.role === role ? [machine.address] : []));
    return talos.client.getConfigurationOutput(
      {
        clusterName: args.name,
        clientConfiguration: secrets.clientConfiguration,
        endpoints: addresses("controlplane"),
        nodes: [...addresses("controlplane"), ...addresses("worker")],
      },
      { parent: this },
    ).talosConfig;
  }
}

/** The control plane that founds the cluster: the first by name, so that every run picks the same. */
const firstControlPlane = (machines: Record<string, Machine>): Machine => {
  const [first] = Object.entries(machines)
    .filter(([, machine]) => machine.role === "controlplane")
    .sort(([a], [b]) => a.localeCompare(b));
  if (!first) throw new pulumi.InputPropertyError({ propertyPath: "machines", reason: "has no control plane" });
  return first[1];
};
