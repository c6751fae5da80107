import { expect } from "chai";

import type { KubernetesObject } from "../../../../lib/cluster/kubernetes.ts";
import { olderThan, requireSigningKey } from "../../../../operations/rebuild/older-escrow.ts";

const escrow = { ageIdentity: "AGE-SECRET-KEY-1NEW", deployKey: "-----BEGIN PRIVATE KEY-----\nnew\n" };

/** A cluster with some Secrets, by their paths. */
const cluster = (secrets: Record<string, Record<string, string>>) => ({
  get: <T>(path: string) => {
    const data = secrets[path.replace("/api/v1/namespaces/", "")];
    const encoded = Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value).toString("base64")]);
    const object: KubernetesObject = {
      metadata: { name: path },
      data: Object.fromEntries(encoded) as Record<string, string>,
    };
    return Promise.resolve(data && (object as T));
  },
});

const created = (ageIdentity: string, deployKey: string) =>
  cluster({
    "flux-system/secrets/sops-age": { "age.agekey": `${ageIdentity}\n` },
    "flux-system/secrets/flux-system": { identity: deployKey },
  });

describe("an escrow beside a cluster that runs", () => {
  it("is of now where both have the same keys", async () => {
    expect(await olderThan(created(escrow.ageIdentity, escrow.deployKey), "flux", escrow)).to.deep.equal([]);
  });

  it("is older where the cluster has another key, which is named and not shown", async () => {
    expect(await olderThan(created("AGE-SECRET-KEY-1OLD", escrow.deployKey), "flux", escrow)).to.deep.equal([
      "age key",
    ]);
    expect(await olderThan(created("AGE-SECRET-KEY-1OLD", "old"), "flux", escrow)).to.deep.equal([
      "age key",
      "deploy key",
    ]);
    const argo = cluster({ "argocd/secrets/sops-age": { "age.agekey": "AGE-SECRET-KEY-1OLD" } });
    expect(await olderThan(argo, "argocd", escrow)).to.deep.equal(["age key"]);
  });

  it("is not called older where the cluster has no such Secret yet", async () => {
    expect(await olderThan(cluster({}), "flux", escrow)).to.deep.equal([]);
  });
});

describe("an escrow of before there were signing keys", () => {
  const signers = { stack: "ssh-ed25519 AAAA", cluster: "ssh-ed25519 BBBB" };
  const check = (which: "state" | "all", named: object | undefined, signingKey?: string) => () => {
    requireSigningKey({ signingKey }, { case: which }, { escrow: { signers: named } } as Parameters<
      typeof requireSigningKey
    >[2]);
  };

  it("begins a new state where no signers are named, but no takeover", () => {
    expect(check("all", undefined)).not.to.throw();
    expect(check("state", undefined)).to.throw("give --case all");
  });

  it("is refused where signers are named, whose key it does not have", () => {
    for (const which of ["state", "all"] as const) {
      expect(check(which, signers)).to.throw("older than the signing key that hearth:escrow.signers names");
      expect(check(which, signers, "key")).not.to.throw();
    }
  });
});
