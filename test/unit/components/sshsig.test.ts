import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import { execa } from "execa";
import fc from "fast-check";

import { digestOf, readSignature, signatureOf } from "../../../components/secrets/sshsig.ts";
import { sshKeyPair } from "../../../components/secrets/ssh.ts";

const pair = sshKeyPair(new Uint8Array(32).fill(7));
const content = Buffer.from("a backup");
const namespace = "hearth:dev/etcd/2026-11-28T12-00-00Z.db.age";
const signature = signatureOf(content, pair.privateKey, namespace);

describe("a signature", () => {
  it("says who signed what, as what", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.string({ minLength: 1 }), (bytes, name) => {
        const read = readSignature(signatureOf(bytes, pair.privateKey, name));
        const namespace = Buffer.from(name).toString();
        expect(read).to.deep.equal({ signer: pair.publicKey, namespace, digest: digestOf(bytes) });
      }),
      { numRuns: 50 },
    );
  });

  it("is none where a byte of it is another, or it is cut off", () => {
    const lines = signature.split("\n");
    for (let line = 1; line < lines.length - 1; line += 1) {
      const changed = [...lines];
      const text = changed[line] ?? "";
      changed[line] = `${text.slice(0, 2)}${text[2] === "0" ? "1" : "0"}${text.slice(3)}`;
      expect(readSignature(changed.join("\n")), `line ${line}`).to.equal(undefined);
    }
    for (let end = 0; end < signature.length; end += 7) {
      expect(readSignature(signature.slice(0, end)), `${end}`).to.equal(undefined);
    }
  });

  it("is none where it has the digest of something else", () => {
    const other = signature.replace(digestOf(content), digestOf(Buffer.from("another")));
    expect(readSignature(other)).to.equal(undefined);
  });

  describe("and ssh-keygen", () => {
    let folder = "";
    before(async function () {
      if (!(await hasSshKeygen())) this.skip();
      folder = await mkdtemp(join(tmpdir(), "hearth-sshsig-"));
      await writeFile(join(folder, "signers"), `hearth ${pair.publicKey}\n`);
      await writeFile(join(folder, "file"), content);
      await writeFile(join(folder, "file.sig"), signature);
    });
    after(() => rm(folder, { recursive: true, force: true }));

    const verify = async (input: Uint8Array, name: string): Promise<number | undefined> => {
      const args = ["-Y", "verify", "-f", "signers", "-I", "hearth", "-n", name, "-s", "file.sig"];
      return (await execa("ssh-keygen", args, { cwd: folder, input, reject: false })).exitCode;
    };

    it("agree on what is signed", async () => {
      expect(await verify(content, namespace)).to.equal(0);
      expect(await verify(content, `${namespace}x`)).not.to.equal(0);
      expect(await verify(Buffer.from("another"), namespace)).not.to.equal(0);
    });
  });
});

const hasSshKeygen = (): Promise<boolean> =>
  execa("ssh-keygen", ["-Y"], { reject: false }).then(({ code }) => code !== "ENOENT");
