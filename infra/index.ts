import * as pulumi from "@pulumi/pulumi";

import { ConfigurationError, configKeys, parseConfig } from "./config/index.ts";
import { program } from "./program.ts";
import { readTree } from "./tree.ts";

const settings = new pulumi.Config("hearth");

const load = () => {
  const raw = configKeys.map((key) => [key, settings.getObject(key)]);
  try {
    return parseConfig(pulumi.getStack(), Object.fromEntries(raw.filter(([, value]) => value !== undefined)));
  } catch (error) {
    if (error instanceof ConfigurationError) throw new pulumi.RunError(error.message);
    throw error;
  }
};

const config = load();

const outputs = program(
  config,
  {
    proxmoxToken: settings.getSecret("proxmoxToken"),
    cloudflareToken: settings.getSecret("cloudflareToken"),
    ageSeed: settings.getSecret("ageSeed"),
  },
  readTree(config.gitops.path),
);

export const { deployKey, ageRecipient, kubeconfig, talosconfig, tunnel } = outputs;
