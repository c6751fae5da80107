import type { ClientConfiguration } from "@pulumi/talos";

import { resourceTypes } from "../../components/resource-types.ts";
import { Problem } from "../../toolchain/problem.ts";
import type { PulumiStack } from "../engine/pulumi-stack.ts";
import { kubeconfigOf, outputsOf, type State } from "../engine/state.ts";
import { Kubernetes } from "./kubernetes.ts";

/** The cluster of a stack, as its administrator, at the endpoint that the last update declared. */
export const kubernetesOf = async (stack: PulumiStack): Promise<Kubernetes> => {
  const kubeconfig = kubeconfigOf(await stack.state());
  if (kubeconfig === undefined) throw new Problem("The state has no kubeconfig: bring the stack up first");
  return new Kubernetes(kubeconfig);
};

/** The certificate of the cluster's Talos administrator that a state holds. */
export const talosClientOf = (state: State): ClientConfiguration => {
  const client = outputsOf(state, resourceTypes.machineSecrets)?.clientConfiguration;
  if (client === undefined) throw new Problem("The state has no Talos secrets: bring the stack up first");
  return client as ClientConfiguration;
};
