import * as pulumi from "@pulumi/pulumi";

import { adopts, recordedDnsRecords, withoutAdopted } from "./adoption.ts";
import { releaseProblems } from "./config/checks/releases.ts";
import { format, stackFile } from "./config/error.ts";
import { ConfigurationError, configKeys, examineConfig, unknownKeys, type HearthConfig } from "./config/index.ts";
import { approverProblems } from "./kubelet-approver.ts";
import { platforms, platformSecrets } from "./platforms/index.ts";
import { program } from "./program.ts";
import { untrustedProxmox } from "./proxmox-trust.ts";
import { guardMachines } from "./rollout-guard.ts";
import { rolloutNote, withRunningKubernetes } from "./rollout.ts";
import { readTree, TreeError, type Tree } from "./tree.ts";

const settings = new pulumi.Config("hearth");

const load = (): HearthConfig => {
  const stack = pulumi.getStack();
  const raw = configKeys.map((key) => [key, settings.getObject(key)]);
  const keys = Object.keys(pulumi.runtime.allConfig()).flatMap((key) => /^hearth:(.+)$/.exec(key)?.[1] ?? []);
  const { config, problems, warnings, undeployable } = examineConfig(
    Object.fromEntries(raw.filter(([, value]) => value !== undefined)),
    platforms,
    keys,
  );
  const all = [...unknownKeys(keys), ...problems, ...undeployable];
  if (all.length > 0 || !config) throw new pulumi.RunError(new ConfigurationError(stack, all).message);
  if (warnings.length > 0) void pulumi.log.warn(format(stackFile(stack), warnings, "warning"));
  return config;
};

const readOrExplain = (config: HearthConfig): Tree => {
  try {
    const tree = readTree(config);
    const found = [...releaseProblems(config, tree), ...approverProblems(config)];
    const [problems, warnings] = [found.filter(({ warning }) => !warning), found.filter(({ warning }) => warning)];
    if (problems.length > 0) throw new pulumi.RunError(new ConfigurationError(pulumi.getStack(), problems).message);
    if (warnings.length > 0) void pulumi.log.warn(format(stackFile(pulumi.getStack()), warnings, "warning"));
    return tree;
  } catch (error) {
    if (error instanceof TreeError) throw new pulumi.RunError(error.message);
    throw error;
  }
};

const rollout = rolloutNote(process.env);
const loaded = withRunningKubernetes(load(), rollout);
guardMachines(pulumi.getStack(), rollout);
// Commands start the engine with what it has to trust.
const untrusted =
  loaded.proxmox && rollout === undefined
    ? await untrustedProxmox(pulumi.getStack(), loaded.proxmox, process.env)
    : undefined;
if (untrusted !== undefined) throw new pulumi.RunError(untrusted);

// Reading the state takes time, and only an import needs it.
const config = adopts(loaded) ? withoutAdopted(loaded, await recordedDnsRecords()) : loaded;

const outputs = program(
  config,
  {
    ...Object.fromEntries(Object.keys(platformSecrets).map((key) => [key, settings.getSecret(key)])),
    cloudflareToken: settings.getSecret("cloudflareToken"),
    ageSeed: settings.getSecret("ageSeed"),
    gitToken: settings.getSecret("gitToken"),
    githubToken: settings.getSecret("githubToken"),
    bgpPassword: settings.getSecret("bgpPassword"),
    registryCredentials: settings.getSecretObject("registryCredentials"),
    serviceSecrets: settings.getSecret("serviceSecrets"),
    machinePatches: settings.getSecretObject("machinePatches"),
  },
  readOrExplain(config),
);

export const { deployKey, ageRecipient, kubeconfig, talosconfig, tunnel, escrow } = outputs;
