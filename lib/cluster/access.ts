import type { ClientConfiguration } from "@pulumi/talos";

import { resourceTypes } from "../../components/resource-types.ts";
import { Problem } from "../../toolchain/problem.ts";
import type { PulumiStack } from "../engine/pulumi-stack.ts";
import { outputsOf, type State } from "../engine/state.ts";
import { Kubernetes } from "./kubernetes.ts";

/** The cluster of a stack, as its administrator. */
export const kubernetesOf = async (stack: PulumiStack): Promise<Kubernetes> =>
  new Kubernetes(String(outputsOf(await stack.state(), resourceTypes.kubeconfig)?.kubeconfigRaw));

/** The certificate of the cluster's Talos administrator that a state holds. */
export const talosClientOf = (state: State): ClientConfiguration => {
  const client = outputsOf(state, resourceTypes.machineSecrets)?.clientConfiguration;
  if (client === undefined) throw new Problem("The state has no Talos secrets: bring the stack up first");
  return client as ClientConfiguration;
};
