import { resourceTypes } from "../../components/resource-types.ts";
import type { HearthConfig } from "../../infra/config/index.ts";
import { outputsOf, type State } from "../engine/state.ts";
import { hasEtcd, machineState } from "../cluster/machine-state.ts";
import type { Situation } from "./plan.ts";
import type { PulumiStack } from "../engine/pulumi-stack.ts";

interface SecretsOutputs {
  machineSecrets: { certs: { os: { cert: string } } };
}

/** The state, or undefined where it is lost: gone, or without the root secrets that everything else follows from. */
export const readState = async (stack: PulumiStack): Promise<State | undefined> => {
  if (((await stack.size()) ?? 0) === 0) return undefined;
  const state = await stack.state();
  return outputsOf(state, resourceTypes.machineSecrets) ? state : undefined;
};

/** The certificate of the cluster's Talos authority that a state holds, PEM. */
export const authorityOf = (state: State): string =>
  fromBase64(
    (outputsOf(state, resourceTypes.machineSecrets) as SecretsOutputs | undefined)?.machineSecrets.certs.os.cert ?? "",
  );

export const fromBase64 = (text: string): string => Buffer.from(text, "base64").toString();

/** Looks at every machine. */
export const lookAtMachines = async ({ nodes }: HearthConfig, authority: string): Promise<Situation["machines"]> => {
  const looked = Object.entries(nodes).map(async ([name, { role, address }]) => {
    const [state, etcd] = await Promise.all([
      machineState(address, authority),
      role === "controlplane" ? hasEtcd(address) : false,
    ]);
    return [name, { role, state, hasEtcd: etcd }] as const;
  });
  return Object.fromEntries(await Promise.all(looked));
};
