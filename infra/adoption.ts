import * as pulumi from "@pulumi/pulumi";

import { resourceTypes } from "../components/resource-types.ts";
import { recordKey } from "../components/cloudflare/records.ts";
import { nameOf } from "../components/urn.ts";
import type { HearthConfig } from "./config/index.ts";

/**
 * Returns the configuration without `adopt` on records that the stack already has.
 *
 * If `import` stays set, the engine replaces the record: it imports the same record again and then deletes it.
 *
 * @param recorded names of the DNS records in the stack's state
 */
export const withoutAdopted = (config: HearthConfig, recorded: ReadonlySet<string>): HearthConfig => {
  const { cloudflare } = config;
  if (!cloudflare) return config;
  const settled = <T extends { adopt?: string | undefined }>(desired: T, name: string): T =>
    desired.adopt !== undefined && recorded.has(name) ? { ...desired, adopt: undefined } : desired;
  const rules = (ingress: typeof cloudflare.ingress) => ingress.map((rule) => settled(rule, rule.hostname));
  const tunnels = Object.entries(cloudflare.tunnels).map(([name, tunnel]) => [
    name,
    { ...tunnel, ingress: rules(tunnel.ingress) },
  ]);
  return {
    ...config,
    cloudflare: {
      ...cloudflare,
      ingress: rules(cloudflare.ingress),
      tunnels: Object.fromEntries(tunnels) as typeof cloudflare.tunnels,
      records: cloudflare.records.map((record) => settled(record, recordKey(record, cloudflare.zone))),
    },
  };
};

/** Whether the configuration imports any record. */
export const adopts = ({ cloudflare }: HearthConfig): boolean =>
  cloudflare !== undefined &&
  [
    ...cloudflare.ingress,
    ...Object.values(cloudflare.tunnels).flatMap(({ ingress }) => ingress),
    ...cloudflare.records,
  ].some(({ adopt }) => adopt !== undefined);

/**
 * Returns the names of the DNS records in the stack's state before this run.
 *
 * The second call fails on a state that was never written, for which the engine returns no outputs. Source: pulumi/pulumi,
 * pkg/resource/deploy/builtins.go.
 */
export const recordedDnsRecords = async (): Promise<Set<string>> => {
  const stack = [pulumi.getOrganization(), pulumi.getProject(), pulumi.getStack()].filter(Boolean).join("/");
  const { outputs } = await ask<{ outputs: object }>("readStackOutputs", { name: stack });
  if (Object.keys(outputs).length === 0) return new Set();
  const { outputs: resources } = await ask<{ outputs: Record<string, { type: string }> }>("readStackResourceOutputs", {
    stackName: stack,
  });
  return new Set(
    Object.entries(resources)
      .filter(([, { type }]) => type === resourceTypes.dnsRecord)
      .map(([urn]) => nameOf(urn)),
  );
};

const ask = <T>(name: string, inputs: Record<string, unknown>): Promise<T> =>
  pulumi.runtime.invoke(`pulumi:pulumi:${name}`, inputs) as Promise<T>;
