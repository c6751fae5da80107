import * as pulumi from "@pulumi/pulumi";

import { resourceTypes } from "../components/resource-types.ts";
import { recordKey } from "../components/cloudflare/records.ts";
import { nameOf } from "../components/urn.ts";
import type { HearthConfig } from "./config/index.ts";

/**
 * The configuration without its wish to take over records that the stack has already.
 *
 * For the engine that wish is another record in the place of the one that it knows, which it deletes afterwards: the same one.
 *
 * @param recorded names of the records in the stack's state
 */
export const withoutAdopted = (config: HearthConfig, recorded: ReadonlySet<string>): HearthConfig => {
  const { cloudflare } = config;
  if (!cloudflare) return config;
  const settled = <T extends { adopt?: string | undefined }>(wish: T, name: string): T =>
    wish.adopt !== undefined && recorded.has(name) ? { ...wish, adopt: undefined } : wish;
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

/** Whether a record is to be taken over. */
export const adopts = ({ cloudflare }: HearthConfig): boolean =>
  cloudflare !== undefined &&
  [
    ...cloudflare.ingress,
    ...Object.values(cloudflare.tunnels).flatMap(({ ingress }) => ingress),
    ...cloudflare.records,
  ].some(({ adopt }) => adopt !== undefined);

/**
 * Names of the DNS records in the stack's state as its last run left it.
 *
 * Source: pulumi/pulumi, pkg/resource/deploy/builtins.go. The engine reads a state that was never written as nothing, which
 * the second function cannot bear.
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
