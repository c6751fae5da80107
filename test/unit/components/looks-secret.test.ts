import { expect } from "chai";
import fc from "fast-check";

import { isSecretName, secretIn, secretsIn } from "../../../components/secrets/looks-secret.ts";

/** Key material of no meaning, cut so that no scanner of repositories takes it for a find. */
const pem = (kind: string): string =>
  `-----BEGIN ${kind}PRIVATE KEY-----\nbm9uZQ==\n-----END ${kind}PRIVATE KEY-----\n`;

describe("what looks like a secret", () => {
  for (const [what, value] of [
    ["a private key", pem("EC ")],
    ["an age identity", `AGE-SECRET-KEY-1${"Q".repeat(58)}`],
    ["a GitHub token", `ghp_${"a1B2".repeat(9)}`],
    ["a Tailscale key", `tskey-auth-${"k1".repeat(8)}`],
    ["a JSON Web Token", `eyJ${"a".repeat(20)}.eyJ${"b".repeat(20)}.${"c".repeat(20)}`],
    ["a URL with a password", "https://me:hunter2@registry.example.com/v2"],
    ["a URL with a token", "https://siderolink.example.com/?jointoken=w7uVuW3zbVKIYQuzEcyetAHeYMeo5q2L9RvkAVfCfSCD"],
  ] as const) {
    it(`is ${what}, whatever it is called`, () => {
      expect(secretIn("note", value)).to.equal(what);
      expect(secretIn("note", `before\n  ${value}`)).to.equal(what);
    });
  }

  it("is a private key in base64, however its kind shifts the digits", () => {
    for (const kind of ["", "EC ", "RSA ", "OPENSSH ", "ED25519 ", "ENCRYPTED "]) {
      expect(secretIn("key", Buffer.from(pem(kind)).toString("base64")), kind).to.equal("a private key");
    }
    expect(secretIn("crt", Buffer.from("-----BEGIN CERTIFICATE-----\nbm9uZQ==\n").toString("base64"))).to.equal(
      undefined,
    );
  });

  it("is whatever is called as secrets are", () => {
    for (const name of [
      "password",
      "privateKey",
      "presharedKey",
      "token",
      "identityToken",
      "auth",
      "TS_AUTHKEY",
      "api-key",
    ]) {
      expect(isSecretName(name), name).to.equal(true);
      expect(secretIn(name, "hunter2"), name).to.equal(`the secret ${name}`);
    }
    for (const name of ["publicKey", "key", "slot", "tokenTTL", "authorization-mode", "secretName"]) {
      expect(secretIn(name, "hunter2"), name).to.equal(undefined);
    }
  });

  it("is not the place where a secret is, nor that there is none", () => {
    for (const value of ["", "/etc/kubernetes/token", "${token}", "<your token>", "false"]) {
      expect(secretIn("token", value), value).to.equal(undefined);
    }
  });

  it("is a line of a file, of an environment or of containerd's settings", () => {
    for (const text of [
      "[Interface]\nPrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n",
      "TS_AUTHKEY=hunter2",
      '[plugins."io.containerd".auth]\n  password = "hunter2"\n',
      "data:\n  - token: hunter2\n",
    ]) {
      expect(secretIn("content", text), text).to.match(/^the secret /);
    }
  });

  it("is found with its place and never with its value", () => {
    const word = fc.stringMatching(/^[a-z0-9]{12,20}$/);
    fc.assert(
      fc.property(word, (value) => {
        const all = secretsIn({ list: [{ peers: [{ presharedKey: value }], environment: [`TOKEN=${value}`] }] });
        expect(all.map(({ path }) => path.join("."))).to.deep.equal([
          "list.0.peers.0.presharedKey",
          "list.0.environment.0",
        ]);
        expect(JSON.stringify(all)).not.to.contain(value);
      }),
    );
  });
});
