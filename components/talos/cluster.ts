import * as pulumi from "@pulumi/pulumi";
import * as talos from "@pulumi/talos";

import type { Machine } from "../machines/machine.ts";
import { apiReady } from "./api-ready.ts";
import { endingAuthorities } from "./authorities.ts";
import { pinnedContract } from "./contract.ts";
import { recoveryKeyDocuments } from "./documents/index.ts";
import { bootstrapNodeOf } from "./bootstrap-node.ts";
import { withServer } from "./kubeconfig.ts";
import { machinePatches, patchText, type ClusterSettings } from "./machine-config.ts";
import { installerImage } from "./schematic.ts";
import { secretPatchesOf, type SecretPatches } from "./secret-patches.ts";

export interface TalosClusterArgs extends Omit<ClusterSettings, "endpointHost"> {
  /** Name of the cluster; also the context in kubeconfig and talosconfig. */
  name: string;
  /** Machines by the name of their node. At least one is a control plane. */
  machines: Record<string, Machine>;
  /** Kubernetes API endpoint, `https://<VIP or name>:6443`. */
  endpoint: string;
  /** Talos release that machines install. @example "v1.13.9" */
  talos: string;
  /** Kubernetes release. @example "v1.36.4" */
  kubernetes: string;
  /** Resources that register the images which machines install. */
  imageProfiles?: pulumi.Input<pulumi.Resource>[];
  /** Free-form patches that contain keys. They are applied before all others. */
  secretPatches?: pulumi.Input<SecretPatches>;
  /** Second key of volumes whose key is in the TPM. Without it they have none. */
  diskRecoveryKey?: pulumi.Output<string> | undefined;
  /** Waits, in updates only, until the API of a kubeconfig is ready. @default apiReady */
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
    this.kubeconfig = this.fetchKubeconfig(bootstrap, secrets, args);
    this.talosconfig = this.renderTalosconfig(secrets, args);
    this.machineSecrets = this.watched(secrets.machineSecrets, args.name);
    // The next update reads the current release from this output. Everywhere else the state encrypts it.
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
      // Another contract would generate new secrets, and would lock out every machine.
      { parent: this, protect: true, ignoreChanges: ["talosVersion"] },
    );
  }

  /**
   * Applies a machine's configuration.
   *
   * The generated base contains keys and is secret. The configured settings are unencrypted patches, so that a preview shows
   * them line by line.
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
        configPatches: this.secretPatches(node, machine, args),
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
        // The last control plane cannot leave etcd gracefully, so none tries. To remove a single machine, reset it by hand first.
        ...(machine.resetOnDestroy && { onDestroy: { reset: true, graceful: false, reboot: true } }),
      },
      {
        parent: this,
        // No input shows that the machine exists, or that it was replaced.
        dependsOn: [...machine.resources, ...(args.imageProfiles ?? [])],
        // Its deletion wipes the machine.
        protect: machine.resetOnDestroy,
        ...(machine.resetOnDestroy && { deleteBeforeReplace: true, replacementTrigger: wipeTrigger(machine) }),
        ...aliasOf(machine),
        replaceWith: machine.resources,
      },
    );
  }

  private secretPatches(node: string, machine: Machine, args: TalosClusterArgs): pulumi.Output<string[]> {
    const given = pulumi
      .secret(args.secretPatches ?? {})
      .apply((patches) => secretPatchesOf(patches, node, machine.role));
    const { diskRecoveryKey } = args;
    // The configuration of a machine without it must not wait for the key, nor become unknown with it.
    if (!diskRecoveryKey || recoveryKeyDocuments(machine, "").length === 0) return given;
    return pulumi
      .all([given, diskRecoveryKey])
      .apply(([patches, key]) => [...patches, ...recoveryKeyDocuments(machine, key).map(patchText)]);
  }

  /** Warns of certificate authorities that expire soon. Certificates are invalid once their authority has expired. */
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
      // Every machine needs its configuration before one of them bootstraps the cluster.
      { parent: this, dependsOn: applied },
    );
  }

  private fetchKubeconfig(
    bootstrap: talos.machine.Bootstrap,
    secrets: talos.machine.Secrets,
    { endpoint, ready = apiReady }: TalosClusterArgs,
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
    return kubeconfigRaw.apply(async (fetched) => {
      const kubeconfig = withServer(fetched, endpoint);
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

/**
 * What a machine has to be wiped for. Talos encrypts no volume that exists, and a reset wipes those of the system only.
 *
 * Source: siderolabs/terraform-provider-talos v0.11.0, Delete of talos_machine_configuration_apply_resource.go.
 */
const wipeTrigger = ({ encryption, volumes }: Machine): string | undefined =>
  Object.keys(volumes).length === 0 ? encryption : undefined;

/** The name in the state of a machine whose node was renamed. */
const aliasOf = ({ renamedFrom }: Machine): pulumi.CustomResourceOptions =>
  renamedFrom === undefined ? {} : { aliases: [{ name: renamedFrom }] };

/** The administrator's certificate is valid for a year. Any update in its last 90 days renews it. */
const kubeconfigRenewal = "2160h";

/** Returns the contract that the cluster was created with. If another one is configured, the run fails and changes no machine. */
const pinContract = (secrets: talos.machine.Secrets, configured: string): pulumi.Output<string> =>
  secrets.talosVersion.apply(async (recorded) => {
    const { contract, problem } = pinnedContract(configured, recorded);
    if (problem !== undefined) await pulumi.log.error(problem, secrets);
    return contract;
  });
