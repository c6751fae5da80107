import * as pulumi from "@pulumi/pulumi";
import * as talos from "@pulumi/talos";

import type { Machine } from "../machines/machine.ts";
import { apiReady } from "./api-ready.ts";
import { endingAuthorities } from "./authorities.ts";
import { pinnedContract } from "./contract.ts";
import { bootstrapNodeOf } from "./bootstrap-node.ts";
import { machinePatches, type ClusterSettings } from "./machine-config.ts";
import { installerImage } from "./schematic.ts";
import { secretPatchesOf, type SecretPatches } from "./secret-patches.ts";

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
  /** Free-form patches that carry keys. They are applied before all others. */
  secretPatches?: pulumi.Input<SecretPatches>;
  /** Waits, in updates, until the API of a kubeconfig answers. @default apiReady */
  ready?: (kubeconfig: string) => Promise<void>;
}

/** A Talos cluster: from machines in maintenance mode to a Kubernetes API that answers. */
export class TalosCluster extends pulumi.ComponentResource {
  /** Administrator's kubeconfig, once the API is ready. Secret. */
  readonly kubeconfig: pulumi.Output<string>;
  /** Administrator's talosconfig. Secret. */
  readonly talosconfig: pulumi.Output<string>;
  /** The root secrets, for the escrow. Secret. */
  readonly machineSecrets: pulumi.Output<talos.MachineSecrets>;

  constructor(name: string, args: TalosClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hearth:talos:TalosCluster", name, {}, opts);
    const secrets = this.drawSecrets(args);
    const contract = pinContract(secrets, args.contract);
    const applied = Object.entries(args.machines).map(([node, machine]) =>
      this.configure(node, machine, { secrets, contract, args }),
    );
    const bootstrap = this.bootstrap(secrets, applied, args);
    this.kubeconfig = this.fetchKubeconfig(bootstrap, secrets, args.ready ?? apiReady);
    this.talosconfig = this.renderTalosconfig(secrets, args);
    this.machineSecrets = this.watched(secrets.machineSecrets, args.name);
    // The release is for the next update to know what it comes from: elsewhere in the state it is encrypted.
    this.registerOutputs({
      kubeconfig: this.kubeconfig,
      talosconfig: this.talosconfig,
      kubernetes: args.kubernetes,
    });
  }

  private drawSecrets(args: TalosClusterArgs): talos.machine.Secrets {
    return new talos.machine.Secrets(
      "machine-secrets",
      { talosVersion: args.contract },
      // Another contract would make other secrets, and every machine would be locked out.
      { parent: this, protect: true, ignoreChanges: ["talosVersion"] },
    );
  }

  /**
   * Gives a machine its configuration.
   *
   * What carries keys is the base; what was typed is a patch on it in the clear, so that a preview shows it line by line.
   */
  private configure(
    node: string,
    machine: Machine,
    {
      secrets,
      contract,
      args,
    }: { secrets: talos.machine.Secrets; contract: pulumi.Output<string>; args: TalosClusterArgs },
  ): talos.machine.ConfigurationApply {
    const { machineConfiguration } = talos.machine.getConfigurationOutput(
      {
        clusterName: args.name,
        clusterEndpoint: args.endpoint,
        machineType: machine.role,
        machineSecrets: secrets.machineSecrets,
        configPatches: pulumi
          .secret(args.secretPatches ?? {})
          .apply((patches) => secretPatchesOf(patches, node, machine.role)),
        kubernetesVersion: args.kubernetes,
        talosVersion: contract,
      },
      { parent: this },
    );
    return new talos.machine.ConfigurationApply(
      node,
      {
        node: machine.address,
        clientConfiguration: secrets.clientConfiguration,
        machineConfigurationInput: machineConfiguration,
        configPatches: machinePatches(
          { ...machine, hostname: node, installerImage: installerImage(machine, args.talos) },
          { ...args, endpointHost: new URL(args.endpoint).hostname },
        ),
        // The last control plane cannot leave etcd in order, so none tries: what is removed alone is reset by hand before.
        ...(machine.resetOnDestroy && { onDestroy: { reset: true, graceful: false, reboot: true } }),
      },
      {
        parent: this,
        // No input tells that the machine is there, or that it is another one than before.
        dependsOn: machine.resources,
        replaceWith: machine.resources,
      },
    );
  }

  /** Warns of authorities that end soon: with theirs, every certificate of the cluster ends. */
  private watched(secrets: pulumi.Output<talos.MachineSecrets>, cluster: string): pulumi.Output<talos.MachineSecrets> {
    return secrets.apply(async (known) => {
      for (const { of, ends, days } of endingAuthorities(known, new Date())) {
        const message = `The ${of} certificate authority of ${cluster} ends on ${ends}, in ${days} days. Give the cluster another one before`;
        await pulumi.log.warn(`${message}: docs/guides/disaster-recovery.md, "Single failures"`, this);
      }
      return known;
    });
  }

  private bootstrap(
    secrets: talos.machine.Secrets,
    applied: talos.machine.ConfigurationApply[],
    args: TalosClusterArgs,
  ): talos.machine.Bootstrap {
    return new talos.machine.Bootstrap(
      "bootstrap",
      { node: bootstrapNodeOf(args.machines).address, clientConfiguration: secrets.clientConfiguration },
      // Every machine has its configuration before one of them founds the cluster.
      { parent: this, dependsOn: applied },
    );
  }

  private fetchKubeconfig(
    bootstrap: talos.machine.Bootstrap,
    secrets: talos.machine.Secrets,
    ready: (kubeconfig: string) => Promise<void>,
  ): pulumi.Output<string> {
    const { kubeconfigRaw } = new talos.cluster.Kubeconfig(
      "kubeconfig",
      {
        node: bootstrap.node,
        clientConfiguration: secrets.clientConfiguration,
        certificateRenewalDuration: kubeconfigRenewal,
      },
      { parent: this },
    );
    return kubeconfigRaw.apply(async (kubeconfig) => {
      if (!pulumi.runtime.isDryRun()) await ready(kubeconfig);
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

/** The administrator's certificate lasts a year: any update in its last 90 days renews it. */
const kubeconfigRenewal = "2160h";

/** The contract that the cluster was created with. Another one in the configuration fails the run, and reaches no machine. */
const pinContract = (secrets: talos.machine.Secrets, configured: string): pulumi.Output<string> =>
  secrets.talosVersion.apply(async (recorded) => {
    const { contract, problem } = pinnedContract(configured, recorded);
    if (problem !== undefined) await pulumi.log.error(problem, secrets);
    return contract;
  });
