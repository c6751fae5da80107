import { expect } from "chai";
import fc from "fast-check";

import { fingerprintOf, type RootSecretValues } from "../../../components/secrets/fingerprint.ts";

const values: RootSecretValues = {
  cluster: "den-dev",
  talos: { cluster: { id: "i", secret: "s" }, secrets: { bootstrapToken: "t" } },
  ageIdentity: "AGE-SECRET-KEY-1",
  deployKey: "key",
  webhookToken: "token",
  tunnels: { a: "1", b: "2" },
  configured: { cloudflareToken: "c" },
};

describe("the fingerprint of root secrets", () => {
  it("is the same whatever the order of their keys, and whether what is absent is named", () => {
    const reordered = Object.fromEntries(Object.entries(values).reverse()) as unknown as RootSecretValues;
    const named = {
      ...reordered,
      talos: { secrets: { aescbcEncryptionSecret: "", bootstrapToken: "t" }, cluster: { secret: "s", id: "i" } },
      configured: { gitToken: undefined, cloudflareToken: "c" },
    };
    expect(fingerprintOf(named)).to.equal(fingerprintOf(values));
  });

  it("is another one for any other value", () => {
    const paths = ["cluster", "ageIdentity", "deployKey", "webhookToken"] as const;
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.string({ minLength: 1 }), (path, other) => {
        fc.pre(values[path] !== other);
        expect(fingerprintOf({ ...values, [path]: other })).not.to.equal(fingerprintOf(values));
      }),
    );
    const deeper: RootSecretValues[] = [
      { ...values, talos: { cluster: { id: "i", secret: "S" }, secrets: { bootstrapToken: "t" } } },
      { ...values, tunnels: { a: "2", b: "1" } },
      { ...values, tunnels: { a: "1" } },
      { ...values, diskRecoveryKey: "key" },
      { ...values, configured: {} },
    ];
    expect(new Set([values, ...deeper].map(fingerprintOf))).to.have.lengthOf(deeper.length + 1);
  });
});
