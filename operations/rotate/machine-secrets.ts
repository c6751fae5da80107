import type { ClientConfiguration, MachineSecrets } from "@pulumi/talos";

import { resourceTypes } from "../../components/resource-types.ts";
import { toBundle, type BundleCertificate, type SecretsBundle } from "../../components/talos/secrets-bundle.ts";
import { outputsOf, type State } from "../../lib/engine/state.ts";
import { revealed, sealed } from "../../lib/engine/value.ts";
import type { Target } from "../../lib/engine/target.ts";
import { Problem } from "../../toolchain/problem.ts";

/** The root secrets of a cluster, as its state has them. */
export interface ClusterSecrets {
  contract: string;
  bundle: SecretsBundle;
  /** The certificate of the Talos administrator. */
  client: ClientConfiguration;
}

/** @throws Problem if the stack was never brought up */
export const clusterSecretsOf = async ({ engine, stack }: Target): Promise<ClusterSecrets> => {
  const outputs = outputsOf(await engine.state(), resourceTypes.machineSecrets);
  if (outputs === undefined) throw new Problem(`The state of ${stack} has no Talos secrets: bring the stack up first`);
  return {
    contract: String(outputs.talosVersion),
    bundle: toBundle(outputs.machineSecrets as MachineSecrets),
    client: outputs.clientConfiguration as ClientConfiguration,
  };
};

/** Returns a state with another authority of a name in its Talos secrets, and if given with another administrator's certificate. */
export const withClusterAuthority = (
  state: State,
  name: Exclude<keyof MachineSecrets["certs"], "k8sServiceaccount">,
  { crt, key }: BundleCertificate,
  client?: ClientConfiguration,
): State => {
  const resources = (state.deployment.resources ?? []).map((each) => {
    if (each.type !== resourceTypes.machineSecrets) return each;
    const secrets = revealed(each.outputs?.machineSecrets) as MachineSecrets;
    const changed = { ...secrets, certs: { ...secrets.certs, [name]: { cert: crt, key } } };
    return {
      ...each,
      outputs: {
        ...each.outputs,
        machineSecrets: sealed(changed),
        ...(client && { clientConfiguration: sealed(client) }),
      },
    };
  });
  return { ...state, deployment: { ...state.deployment, resources } };
};
