import { readFileSync } from "node:fs";

import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";

import { configKeys, parseConfig, type HearthConfig } from "../../infra/config/index.ts";
import type { ConfiguredSecrets } from "../../infra/configured-secrets.ts";
import { program, type Outputs } from "../../infra/program.ts";
import { readTree } from "../../infra/tree.ts";
import { labAgeSeed } from "../../lib/secrets/lab-identity.ts";
import { run, type Graph } from "./graph.ts";

/** The content of a committed stack file, before validation. */
export const rawConfig = (stack: string): Record<string, unknown> => {
  const { config } = parse(readFileSync(new URL(`../../Pulumi.${stack}.yaml`, import.meta.url), "utf8")) as {
    config: Record<string, unknown>;
  };
  return Object.fromEntries(
    configKeys.flatMap((key) => (config[`hearth:${key}`] === undefined ? [] : [[key, config[`hearth:${key}`]]])),
  );
};

const certificate = { cert: "Q0VSVA==", key: "S0VZ" };

const kubeconfig = "clusters: []\nusers: []\n";

/** Secrets that the mocked plugins return, by name, so that a test can search for them where they must not be. */
export const knownSecrets = {
  proxmoxToken: "root@pam!hearth=0b5d7a3e-secret",
  cloudflareToken: "cloudflare-api-token-secret",
  ageSeed: labAgeSeed,
  machineSecret: "bWFjaGluZS1zZWNyZXQ=",
  password: "p4ssword".repeat(8),
};

/** Runs the whole program of a stack against mocks. */
export const runStack = async (
  config: HearthConfig = parseConfig("dev", rawConfig("dev")),
  options: { preview?: boolean; secrets?: Partial<ConfiguredSecrets> } = {},
): Promise<Graph & { outputs: Outputs }> => {
  let outputs: Outputs | undefined;
  const graph = await run(
    () => {
      outputs = program(
        config,
        {
          proxmoxToken: pulumi.secret(knownSecrets.proxmoxToken),
          cloudflareToken: pulumi.secret(knownSecrets.cloudflareToken),
          ageSeed: pulumi.secret(knownSecrets.ageSeed),
          ...options.secrets,
        },
        readTree(config),
      );
    },
    {
      // There is no API to wait for, so the kubeconfig is a preview's.
      preview: options.preview ?? true,
      resources: {
        "random:index/randomPassword:RandomPassword": () => ({ result: knownSecrets.password }),
        "talos:machine/secrets:Secrets": () => ({
          clientConfiguration: { caCertificate: "Q0E=", clientCertificate: "Q0VSVA==", clientKey: "S0VZ" },
          machineSecrets: {
            cluster: { id: "id", secret: knownSecrets.machineSecret },
            secrets: { bootstrapToken: "t", secretboxEncryptionSecret: "s" },
            trustdinfo: { token: "t" },
            certs: {
              etcd: certificate,
              k8s: certificate,
              k8sAggregator: certificate,
              k8sServiceaccount: { key: "S0VZ" },
              os: certificate,
            },
          },
        }),
        "talos:cluster/kubeconfig:Kubeconfig": () => ({ kubeconfigRaw: kubeconfig }),
      },
      functions: {
        "talos:machine/getConfiguration:getConfiguration": ({ configPatches }) => ({
          machineConfiguration: [knownSecrets.machineSecret, ...(configPatches as string[])].join("\n---\n"),
        }),
        "talos:client/getConfiguration:getConfiguration": () => ({ talosConfig: "context: den-dev" }),
      },
    },
  );
  if (!outputs) throw new Error("The program gave no outputs");
  return Object.assign(graph, { outputs });
};
