import type { ClientConfiguration } from "@pulumi/talos";

import type { BundleCertificate } from "../../components/talos/secrets-bundle.ts";
import { clientOfSecrets, Talosctl } from "../../lib/cluster/talosctl.ts";
import { Toolchain } from "../../toolchain/toolchain.ts";
import { writeEscrow } from "../escrow/write.ts";
import { nextStep } from "./authority-plan.ts";
import { MachineAuthority } from "./machine-authority.ts";
import { clusterSecretsOf, withClusterAuthority, type ClusterSecrets } from "./machine-secrets.ts";
import { PendingAuthority } from "./pending-authority.ts";
import { requireEscrowable, writeRecordedEscrow } from "./recorded-escrow.ts";
import { commitStep, deployCommand, type Rotation, type Surroundings } from "./rotation.ts";

/**
 * The authority of the Talos API.
 *
 * `talosctl rotate-ca` has the same sequence, but draws the authority itself and writes it down at its end: killed before, it leaves
 * machines that nobody can reach. Source: siderolabs/talos v1.13.9, pkg/rotate/pki/talos and cmd/talosctl/cmd/talos/rotate-ca.go.
 */
export const talosAuthority: Rotation = {
  name: "talos-authority",
  what: "the authority that signs the certificates of the Talos API, and of whoever administers the machines",
  interrupts:
    "Nothing that runs in the cluster. The Talos API of a machine closes its connections at each of three steps; every talosconfig of before stops working.",
  rotate: async (surroundings) => {
    const { target, credentials } = surroundings;
    await requireEscrowable(target);
    const secrets = await clusterSecretsOf(target);
    const { talosctl = "talosctl" } = await new Toolchain({ root: target.root }).ensure(["talosctl"]);
    const pending = new PendingAuthority(target, "os");
    const begun = await pending.get();
    const next = begun ?? (await pending.draw(talosctl, secrets.contract));
    if (next.crt !== secrets.bundle.certs.os.crt) {
      // The escrow has the stack file, and so the new authority, before any machine depends on it.
      await writeEscrow(target, credentials);
      const client = await administratorOf(surroundings, talosctl, secrets, next);
      await giveMachines(surroundings, talosctl, { secrets, next, client });
      credentials.live("Taking it into the state");
      await target.engine.changeState((state) => withClusterAuthority(state, "os", next, client));
    }
    await writeRecordedEscrow(target, credentials);
    await pending.forget();
    const escrow = await writeRecordedEscrow(target, credentials);
    return {
      resumed: begun !== undefined,
      said: [`Every machine of ${target.stack} has another Talos authority, and so has the state`],
      left: [
        ...commitStep(target, escrow, `Pulumi.${target.stack}.yaml`),
        `${deployCommand(target)}   renders what the machines have`,
        "replace every talosconfig: pulumi stack output --show-secrets talosconfig prints the new one",
      ],
      escrow,
    };
  },
};

interface Given {
  secrets: ClusterSecrets;
  next: BundleCertificate;
  client: ClientConfiguration;
}

/** An administrator's certificate of the new authority. */
const administratorOf = async (
  { target }: Surroundings,
  talosctl: string,
  { bundle, contract }: ClusterSecrets,
  next: BundleCertificate,
): Promise<ClientConfiguration> => {
  const { cluster } = await target.config();
  const talosSecrets = { ...bundle, certs: { ...bundle.certs, os: next } };
  return clientOfSecrets(talosctl, { contract, talosSecrets, passwords: {} }, cluster);
};

const giveMachines = async (
  { target, credentials: { live } }: Surroundings,
  talosctl: string,
  { secrets, next, client }: Given,
): Promise<void> => {
  const { nodes } = await target.config();
  const from = secrets.bundle.certs.os.crt;
  // Machines show certificates of either authority.
  const caCertificate = both(from, next.crt);
  const clients = [secrets.client, client].map((each) => new Talosctl(talosctl, { ...each, caCertificate }));
  const inOrder = Object.entries(nodes).sort(
    ([, a], [, b]) => Number(a.role === "worker") - Number(b.role === "worker"),
  );
  const machines = new Map(
    inOrder.map(([name, { address, role }]) => [
      name,
      new MachineAuthority(address, role === "controlplane", place, clients),
    ]),
  );
  live("Looking at the machines");
  const seen = new Map(
    await Promise.all([...machines].map(async ([name, machine]) => [name, await machine.read()] as const)),
  );
  for (;;) {
    const step = nextStep(seen, { from, to: next.crt, accepts: true });
    if (!step) return;
    live(`Giving ${step.machine} its authorities`);
    await machines.get(step.machine)?.write(step.to, next);
    seen.set(step.machine, step.to);
  }
};

const place = { issuing: ["machine", "ca"], accepted: ["machine", "acceptedCAs"] };

/** Two certificates in one file, base64 as each of them. */
export const both = (...certificates: string[]): string =>
  Buffer.from(certificates.map((each) => Buffer.from(each, "base64").toString().trimEnd()).join("\n") + "\n").toString(
    "base64",
  );
