import { execFileSync } from "node:child_process";
import { createPublicKey, generateKeyPairSync } from "node:crypto";

import { expect } from "chai";
import fc from "fast-check";

import { certificateRequest } from "../../../../lib/secrets/certificate-request.ts";

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });

const openssl = (request: string, ...args: string[]): string =>
  execFileSync("openssl", ["req", "-noout", ...args], { input: request, encoding: "utf8", stdio: "pipe" });

describe("a request for a certificate", () => {
  it("is what OpenSSL reads, with its subject, and signed by its key", () => {
    const request = certificateRequest(
      { commonName: "hearth:anna", organizations: ["hearth:admins", "b"] },
      privateKey,
    );
    expect(openssl(request, "-verify", "-subject", "-nameopt", "RFC2253,sep_multiline")).to.contain(
      "CN=hearth:anna\n    O=b\n    O=hearth:admins",
    );
    expect(openssl(request, "-pubkey")).to.equal(createPublicKey(privateKey).export({ type: "spki", format: "pem" }));
  });

  it("is well formed for names of every length", () => {
    const name = fc
      .string({ unit: "grapheme-ascii", minLength: 1, maxLength: 64 })
      .filter((text) => /^\w+$/.test(text));
    fc.assert(
      fc.property(name, fc.array(name, { maxLength: 8 }), (commonName, organizations) => {
        const subject = openssl(certificateRequest({ commonName, organizations }, privateKey), "-verify", "-subject");
        for (const each of [commonName, ...organizations]) expect(subject).to.contain(each);
      }),
      { numRuns: 20 },
    );
  });
});
