import type { HearthConfig } from "../../infra/config/index.ts";
import { parseConfig } from "../../infra/config/index.ts";
import type { ConfiguredSecrets } from "../../infra/configured-secrets.ts";
import { readTree } from "../../infra/tree.ts";
import { type Resource } from "../../policy/resource.ts";
import { rules } from "../../policy/rules/index.ts";
import { Stack, type Recorded, type Surroundings } from "../../policy/stack.ts";
import type { Graph } from "./graph.ts";
import { rawConfig, runStack } from "./stack.ts";

/** The program's resources as the engine passes them to a policy, the stack's own first. */
export const resourcesOf = ({ resources }: Graph): Resource[] => {
  const inputsOf = (urn: string) => resources.find((resource) => resource.urn === urn)?.inputs ?? {};
  return [...resources]
    .sort((a, b) => Number(b.type === "pulumi:pulumi:Stack") - Number(a.type === "pulumi:pulumi:Stack"))
    .map(({ urn, type, name, inputs, secretPaths, protect, provider }) => ({
      urn,
      type,
      name,
      inputs,
      secretPaths,
      protect,
      provider: inputsOf(provider.split("::").slice(0, -1).join("::")),
    }));
};

/** The program's resources as the state holds them after an update. */
export const recordedOf = (resources: Resource[]): Recorded[] =>
  resources.map(({ urn, type, inputs, protect }) => ({ urn, type, inputs, outputs: {}, protect, ignoreChanges: [] }));

/** The resources of a stack, and their surroundings without a fault. */
export const stackOf = async (
  config: HearthConfig = parseConfig("dev", rawConfig("dev")),
  secrets: Partial<ConfiguredSecrets> = {},
): Promise<{ resources: Resource[]; surroundings: Surroundings }> => ({
  resources: resourcesOf(await runStack(config, { secrets })),
  surroundings: {
    stack: config.cluster.name.split("-").at(-1) ?? "",
    config,
    cilium: readTree(config).cilium,
    collisions: [],
    recorded: [],
    escrow: undefined,
  },
});

/** The findings of policies: policy, problem and advice. */
export const findings = async (
  resources: Resource[],
  surroundings: Surroundings,
): Promise<{ policy: string; problem: string; advice: string; subject: string | undefined }[]> => {
  const stack = new Stack(surroundings);
  const found = [];
  for (const resource of resources) {
    stack.see(resource);
    for (const { name, check } of rules) {
      for (const finding of await check(resource, stack)) found.push({ policy: name, subject: undefined, ...finding });
    }
  }
  for (const { name, finish } of rules) {
    for (const finding of (await finish?.(stack)) ?? []) found.push({ policy: name, subject: undefined, ...finding });
  }
  return found;
};

/** Copies the resources with a change to one of them. */
export const changed = (resources: Resource[], type: string, name: string, change: Partial<Resource>): Resource[] => {
  const all = resources.map((each) => (each.type === type && each.name === name ? { ...each, ...change } : each));
  if (all.every((each, index) => each === resources[index])) throw new Error(`There is no ${type} ${name}`);
  return all;
};
