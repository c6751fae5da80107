import { createPrivateKey, createPublicKey, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import { execa } from "execa";
import fc from "fast-check";

import { openSshKey, publicKeyFingerprint, sshKeyPair } from "../../../components/secrets/ssh.ts";

describe("a deploy key", () => {
  it("has a public half in OpenSSH's format that belongs to the private one", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (seed) => {
        const { privateKey, publicKey } = sshKeyPair(seed, "hearth-test");
        const [type, blob = "", comment] = publicKey.split(" ");
        const raw = createPublicKey(createPrivateKey(privateKey)).export({ format: "jwk" });
        expect([type, comment]).to.deep.equal(["ssh-ed25519", "hearth-test"]);
        expect(Buffer.from(blob, "base64").subarray(-32).toString("base64url")).to.equal(raw.x);
      }),
      { numRuns: 50 },
    );
  });

  it("is the published one for the first test vector of RFC 8032", () => {
    const seed = Buffer.from("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex");
    const blob = Buffer.from(sshKeyPair(seed, "x").publicKey.split(" ")[1] ?? "", "base64");
    expect(blob.subarray(-32).toString("hex")).to.equal(
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    );
  });

  it("is read by OpenSSH in its own format, also by versions that read no Ed25519 key in PKCS #8", async () => {
    const folder = await mkdtemp(join(tmpdir(), "hearth-"));
    try {
      for (const comment of ["", "hearth-den-dev", "hearth-a-much-longer-name-of-a-cluster"]) {
        const seed = randomBytes(32);
        const { privateKey, publicKey } = sshKeyPair(seed, comment);
        const file = join(folder, "key");
        await writeFile(file, openSshKey(seed, comment), { mode: 0o600 });
        const { stdout } = await execa("ssh-keygen", ["-y", "-f", file]);
        expect(stdout.trim()).to.equal(publicKey.trim());
        await writeFile(`${file}.pub`, `${publicKey}\n`);
        const shown = await execa("ssh-keygen", ["-l", "-f", `${file}.pub`]);
        expect(shown.stdout).to.contain(publicKeyFingerprint(privateKey));
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
