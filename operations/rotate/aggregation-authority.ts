import { setTimeout as sleep } from "node:timers/promises";

import { parse, stringify } from "yaml";

import { resourceTypes } from "../../components/resource-types.ts";
import type { BundleCertificate } from "../../components/talos/secrets-bundle.ts";
import { Kubernetes } from "../../lib/cluster/kubernetes.ts";
import { Talosctl } from "../../lib/cluster/talosctl.ts";
import { outputsOf } from "../../lib/engine/state.ts";
import { Problem } from "../../toolchain/problem.ts";
import { Toolchain } from "../../toolchain/toolchain.ts";
import { nextStep } from "./authority-plan.ts";
import { MachineAuthority } from "./machine-authority.ts";
import { clusterSecretsOf, withClusterAuthority, type ClusterSecrets } from "./machine-secrets.ts";
import { PendingAuthority } from "./pending-authority.ts";
import { requireEscrowable, writeRecordedEscrow } from "./recorded-escrow.ts";
import { commitStep, deployCommand, type Rotation, type Surroundings } from "./rotation.ts";

/**
 * The authority by which the Kubernetes API proves itself to the API servers behind it, such as metrics-server's.
 *
 * Talos has no list of accepted ones here, and needs none: each API server adds its own to a ConfigMap that the servers behind it trust,
 * so while control planes change one by one, both are trusted. Nothing takes the old one out of it but this.
 * Source: kubernetes v1.36.4, clusterauthenticationtrust/cluster_authentication_trust_controller.go, combineCertLists.
 */
export const aggregationAuthority: Rotation = {
  name: "aggregation-authority",
  what: "the authority by which the Kubernetes API proves itself to the API servers behind it",
  interrupts:
    "Each control plane restarts its API server, one after the other; with one control plane the API is away for half a minute. Metrics and other " +
    "APIs behind it refuse requests for seconds.",
  rotate: async (surroundings) => {
    const { target, credentials } = surroundings;
    await requireEscrowable(target);
    const secrets = await clusterSecretsOf(target);
    const { talosctl = "talosctl" } = await new Toolchain({ root: target.root }).ensure(["talosctl"]);
    const pending = new PendingAuthority(target, "k8saggregator");
    const begun = await pending.get();
    const next = begun ?? (await pending.draw(talosctl, secrets.contract));
    if (next.crt !== secrets.bundle.certs.k8saggregator.crt) {
      await giveControlPlanes(surroundings, talosctl, secrets, next);
      credentials.live("Taking it into the state");
      await target.engine.changeState((state) => withClusterAuthority(state, "k8sAggregator", next));
    }
    await writeRecordedEscrow(target, credentials);
    await pending.forget();
    const escrow = await writeRecordedEscrow(target, credentials);
    return {
      resumed: begun !== undefined,
      said: [`Every control plane of ${target.stack} has another aggregation authority, and so has the state`],
      left: [
        ...commitStep(target, escrow, `Pulumi.${target.stack}.yaml`),
        `${deployCommand(target)}   renders what the machines have`,
      ],
      escrow,
    };
  },
};

const place = { issuing: ["cluster", "aggregatorCA"], accepted: undefined };

const giveControlPlanes = async (
  { target, credentials: { live } }: Surroundings,
  talosctl: string,
  { bundle, client }: ClusterSecrets,
  next: BundleCertificate,
): Promise<void> => {
  const { nodes } = await target.config();
  const planes = Object.entries(nodes).filter(([, { role }]) => role === "controlplane");
  const kubeconfig = String(outputsOf(await target.engine.state(), resourceTypes.kubeconfig)?.kubeconfigRaw);
  const servers = new Map(planes.map(([name, { address }]) => [name, kubernetesAt(kubeconfig, address)]));
  const machines = new Map(
    planes.map(([name, { address }]) => [
      name,
      new MachineAuthority(address, true, place, [new Talosctl(talosctl, client)]),
    ]),
  );
  live("Looking at the control planes");
  const seen = new Map(
    await Promise.all([...machines].map(async ([name, machine]) => [name, await machine.read()] as const)),
  );
  for (;;) {
    // A run before may have ended while one was restarting.
    const started = new Map(
      await Promise.all([...servers].map(async ([name, server]) => [name, await untilReady(name, server)] as const)),
    );
    const step = nextStep(seen, { from: bundle.certs.k8saggregator.crt, to: next.crt, accepts: false });
    if (!step) break;
    const { machine: name } = step;
    live(`Giving ${name} another authority`);
    await machines.get(name)?.write(step.to, next);
    const server = servers.get(name);
    if (server) await untilReady(name, server, started.get(name));
    seen.set(name, step.to);
  }
  live("Taking the old one from the servers behind the API");
  await trustOnly(kubeconfig, next);
};

/** What an API server says when it began, and whether it is ready. Source: kubernetes, its health checks and metrics. */
const startOf = async (server: Kubernetes): Promise<string> => {
  await server.text("/readyz");
  const [, start = ""] = /^process_start_time_seconds (\S+)/m.exec(await server.text("/metrics")) ?? [];
  return start;
};

/** How long an API server may take to restart, in milliseconds. */
const timeout = 180_000;

/**
 * Waits until an API server is ready, and gives when it started.
 *
 * @param before when it had started, if it has to restart
 */
const untilReady = async (name: string, server: Kubernetes, before?: string): Promise<string> => {
  const deadline = Date.now() + timeout;
  for (;;) {
    const started = await startOf(server).catch((error: unknown) => error as Error);
    if (typeof started === "string" && started !== before) return started;
    if (Date.now() > deadline) {
      const why = typeof started === "string" ? "it did not restart" : started.message;
      throw new Problem(`The API server of ${name} is not ready (${why}): look at it, and run this again`);
    }
    await sleep(1000);
  }
};

/** The API of one control plane, past the shared address. */
const kubernetesAt = (kubeconfig: string, address: string): Kubernetes => {
  const file = parse(kubeconfig) as { clusters: { cluster: { server: string } }[] };
  for (const { cluster } of file.clusters) {
    const server = new URL(cluster.server);
    server.hostname = address;
    server.port = "6443";
    cluster.server = server.href.replace(/\/$/, "");
  }
  return new Kubernetes(stringify(file));
};

/** Makes the servers behind the API trust the new authority alone. */
const trustOnly = async (kubeconfig: string, { crt }: BundleCertificate): Promise<void> => {
  const path = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication";
  const data = { "requestheader-client-ca-file": Buffer.from(crt, "base64").toString() };
  await new Kubernetes(kubeconfig).merge(path, { data });
};
