import type { ClientConfiguration, MachineSecrets } from "@pulumi/talos";

import { resourceTypes } from "../../components/resource-types.ts";
import { Problem } from "../../toolchain/problem.ts";
import { Toolchain } from "../../toolchain/toolchain.ts";
import type { Credentials, Written } from "../escrow/write.ts";
import { without } from "../../lib/engine/loss.ts";
import { outputsOf, type State } from "../../lib/engine/state.ts";
import { revealed, sealed } from "../../lib/engine/value.ts";
import { printedDocuments } from "../../lib/cluster/machine-configuration.ts";
import { Talosctl } from "../../lib/cluster/talosctl.ts";
import type { Target } from "../../lib/engine/target.ts";
import { requireEscrowable, writeRecordedEscrow } from "./recorded-escrow.ts";
import { commitStep, deployCommand, type Rotation } from "./rotation.ts";

/** A certificate authority with its key, both PEM in base64. */
interface Authority {
  crt: string;
  key: string;
}

/** The authority of the Kubernetes API's certificates. */
export const kubernetesAuthority: Rotation = {
  name: "kubernetes-authority",
  what: "the authority that signs the certificates of the Kubernetes API, and of whoever uses it",
  interrupts:
    "Each machine restarts its kubelet three times, and each control plane its API server; pods run on. With one control plane the API is away " +
    "for a minute at a time. Pods that read the old authority at their start have to be restarted.",
  rotate: async ({ target, credentials }) => {
    await requireEscrowable(target);
    const { talosctl = "talosctl" } = await new Toolchain({ root: target.root }).ensure(["talosctl"]);
    const { resumed, escrow } = await rotateAuthority(target, credentials, talosctl);
    return {
      resumed,
      said: [`Every machine of ${target.stack} has another Kubernetes authority, and so has the state`],
      left: [
        ...commitStep(target, escrow),
        `${deployCommand(target)}   renders what the machines have, and asks for a new kubeconfig`,
        "restart what talks to the Kubernetes API and trusts the old authority:\n" +
          "kubectl rollout restart deployment,daemonset,statefulset --namespace NAMESPACE, of each namespace",
      ],
      escrow,
    };
  },
};

/**
 * Gives a cluster another Kubernetes authority: talosctl rolls it out to every machine, which accepts the old one meanwhile;
 * then the state takes it over and the escrow is written again.
 *
 * If the machines already have another one than the state, as after a killed run, only the remaining steps are done.
 *
 * @throws Problem if the control planes do not agree on their authority
 */
const rotateAuthority = async (
  target: Target,
  credentials: Credentials,
  program: string,
): Promise<{ resumed: boolean; escrow: Written }> => {
  const { live } = credentials;
  const { nodes } = await target.config();
  const addresses = (role: string) =>
    Object.values(nodes).flatMap((node) => (node.role === role ? [node.address] : []));
  const [planes, workers] = [addresses("controlplane"), addresses("worker")];
  live("Reading the stack's state");
  const state = await target.engine.state();
  const outputs = outputsOf(state, resourceTypes.machineSecrets);
  if (outputs === undefined)
    throw new Problem(`The state of ${target.stack} has no Talos secrets: bring the stack up first`);
  const talos = new Talosctl(program, outputs.clientConfiguration as ClientConfiguration);
  live("Looking at the control planes");
  const resumed = (await authorityOf(talos, planes)).crt !== (outputs.machineSecrets as MachineSecrets).certs.k8s.cert;
  if (!resumed) {
    live("Giving every machine another authority");
    const machines = [
      "--control-plane-nodes",
      planes.join(","),
      ...(workers.length > 0 ? ["--worker-nodes", workers.join(",")] : []),
    ];
    // Run only once: another run would start from the new authority. The output contains keys, so it is discarded.
    await talos.run(planes[0] ?? "", ["rotate-ca", "--talos=false", "--kubernetes", "--dry-run=false", ...machines], 0);
  }
  live("Taking it into the state");
  const authority = await authorityOf(talos, planes);
  // The rotation took minutes, so the state that was read before it may be old.
  await target.engine.changeState((now) => withAuthority(now, authority));
  return { resumed, escrow: await writeRecordedEscrow(target, credentials) };
};

/** The common authority of all control planes. */
const authorityOf = async (talos: Talosctl, planes: readonly string[]): Promise<Authority> => {
  const [first, ...others] = await Promise.all(planes.map((address) => authorityAt(talos, address)));
  if (first === undefined) throw new Problem("The stack file has no control plane");
  if (others.every(({ crt }) => crt === first.crt)) return first;
  throw new Problem(
    "The control planes have different Kubernetes authorities, so an earlier rotation did not come to its end: finish it with " +
      "talosctl rotate-ca --talos=false --dry-run=false, and run this again",
  );
};

const authorityAt = async (talos: Talosctl, address: string): Promise<Authority> => {
  const printed = await talos.run(address, ["get", "machineconfig", "v1alpha1", "--output", "yaml"]);
  const configuration = printedDocuments(printed) as { cluster?: { ca?: Authority } }[];
  const found = configuration.find(({ cluster }) => cluster?.ca !== undefined)?.cluster?.ca;
  if (found === undefined) throw new Problem(`${address} has no Kubernetes authority: is it a control plane?`);
  return found;
};

/** Returns a state with another Kubernetes authority and without the kubeconfig, which the next update requests again. */
export const withAuthority = (state: State, { crt, key }: Authority): State => {
  const kept = without(state, ({ type }) => type === resourceTypes.kubeconfig);
  const resources = (kept.deployment.resources ?? []).map((each) => {
    if (each.type !== resourceTypes.machineSecrets) return each;
    const secrets = revealed(each.outputs?.machineSecrets) as MachineSecrets;
    const changed = { ...secrets, certs: { ...secrets.certs, k8s: { cert: crt, key } } };
    return { ...each, outputs: { ...each.outputs, machineSecrets: sealed(changed) } };
  });
  return { ...kept, deployment: { ...kept.deployment, resources } };
};
