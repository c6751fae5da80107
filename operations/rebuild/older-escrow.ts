import type { HearthConfig } from "../../infra/config/index.ts";
import { Kubernetes, type KubernetesObject } from "../../lib/cluster/kubernetes.ts";
import type { Plan } from "../../lib/recovery/plan.ts";
import { Problem } from "../../toolchain/problem.ts";
import type { Escrow } from "../../lib/secrets/escrow.ts";
import { fromBase64 } from "../../lib/recovery/examine.ts";
import { clientOfSecrets, Talosctl } from "../../lib/cluster/talosctl.ts";

type Held = Pick<Escrow, "ageIdentity" | "deployKey">;

/** The root secrets that a cluster holds, and their names there. */
const created = {
  flux: [
    {
      what: "age key",
      secret: "flux-system/secrets/sops-age",
      key: "age.agekey",
      held: ({ ageIdentity }: Held) => ageIdentity,
    },
    {
      what: "deploy key",
      secret: "flux-system/secrets/flux-system",
      key: "identity",
      held: ({ deployKey }: Held) => deployKey,
    },
  ],
  argocd: [
    {
      what: "age key",
      secret: "argocd/secrets/sops-age",
      key: "age.agekey",
      held: ({ ageIdentity }: Held) => ageIdentity,
    },
  ],
};

/** Returns the names of the root secrets that differ between a cluster and an escrow. */
export const olderThan = async (
  cluster: Pick<Kubernetes, "get">,
  engine: keyof typeof created,
  escrow: Held,
): Promise<string[]> => {
  const looked = created[engine].map(async ({ what, secret, key, held }) => {
    const found = await cluster.get<KubernetesObject>(`/api/v1/namespaces/${secret}`);
    const value = found?.data?.[key];
    return value !== undefined && fromBase64(value).trim() !== held(escrow).trim() ? [what] : [];
  });
  return (await Promise.all(looked)).flat();
};

/**
 * Checks that an escrow matches a running cluster. An escrow from before a rotation would restore the old secrets.
 *
 * @param address of a running control plane
 * @throws Problem if the cluster has another age key or deploy key
 */
export const requireEscrowOfNow = async (
  { cluster, gitops }: HearthConfig,
  escrow: Escrow,
  { address, talosctl }: { address: string; talosctl: string },
): Promise<void> => {
  const client = await clientOfSecrets(talosctl, escrow, cluster);
  const kubeconfig = await new Talosctl(talosctl, client).run(address, ["kubeconfig", "-"]);
  const older = await olderThan(new Kubernetes(kubeconfig), gitops.engine, escrow);
  if (older.length === 0) return;
  throw new Problem(
    `The escrow is older than the cluster, which has another ${older.join(" and another ")}: take a newer one from Git's ` +
      "history or from where it was copied to, and name it with --from",
  );
};

/** An escrow of a release that signed nothing has no signing key, so a new state would draw one. */
export const requireSigningKey = (
  { signingKey }: Pick<Escrow, "signingKey">,
  plan: Pick<Plan, "case">,
  { escrow }: Pick<HearthConfig, "escrow">,
): void => {
  if (signingKey !== undefined) return;
  if (escrow?.signers) {
    throw new Problem(
      "The escrow is older than the signing key that hearth:escrow.signers names: take a newer one (git log escrow/, the copies), or " +
        "remove hearth:escrow.signers if there is none, so that the rebuild may draw another",
    );
  }
  if (plan.case === "state") {
    throw new Problem(
      "The escrow is of a release that had no signing key, and a takeover creates nothing: give --case all, which draws one and applies " +
        "what is configured",
    );
  }
};
