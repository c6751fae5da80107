import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "chai";
import { identityToRecipient } from "age-encryption";
import { stringify } from "yaml";

import { escrowVersion } from "../../../../components/secrets/escrow-head.ts";
import { fromDocument, readers, type Escrow, type Reader } from "../../../../lib/secrets/escrow-formats/index.ts";
import { readEscrow, sealEscrow } from "../../../../lib/secrets/escrow.ts";
import { identitiesIn } from "../../../../lib/secrets/keys.ts";
import { Sops } from "../../../../lib/secrets/sops.ts";
import { anEscrow } from "../../../support/escrow.ts";
import { messageOf } from "../../../support/failure.ts";
import { tool } from "../../../support/tools.ts";

const fixtures = join(import.meta.dirname, "../../../fixtures/escrow");
const textOf = (version: number, file: string): string => readFileSync(join(fixtures, `v${version}`, file), "utf8");

const full = anEscrow();

const without = (escrow: Escrow, part: keyof Escrow): Escrow =>
  Object.fromEntries(Object.entries(escrow).filter(([name]) => name !== part)) as Escrow;

/** An escrow as version 1 had it: without a signing key, and without the password that it is derived from. */
const inV1 = (escrow: Escrow): Escrow => {
  const passwords = Object.entries(escrow.passwords).filter(([name]) => name !== "signing-seed");
  return { ...without(escrow, "signingKey"), passwords: Object.fromEntries(passwords) };
};

/** An escrow as version 2 had it: without a recovery key of disks, and without the password that it is derived from. */
const inV2 = (escrow: Escrow): Escrow => {
  const passwords = Object.entries(escrow.passwords).filter(([name]) => name !== "disk-recovery-seed");
  return { ...without(escrow, "diskRecoveryKey"), passwords: Object.fromEntries(passwords) };
};

const fullest: Escrow = {
  ...full,
  talosSecrets: {
    ...full.talosSecrets,
    secrets: { ...full.talosSecrets.secrets, aescbcencryptionsecret: "YWVzY2Jj" },
  },
  configured: { ...full.configured, machinePatches: '{"all":[{"machine":{"env":{"KEY":"value"}}}]}' },
};

const least = (createdAt: string): Escrow =>
  without(anEscrow({ createdAt, tunnels: {}, configured: {} }), "passphrase");

/** Files of each version that there ever was, as they were written then, and what they hold. They stay as they are. */
const written: { version: number; file: string; sha256: string; holds: Escrow }[] = [
  {
    version: 1,
    file: "full.sops.yaml",
    sha256: "924dec1140d3cc4b0bae4f44e410bd4cec633a8da1de99233888f76bd7f67029",
    holds: inV1(inV2(fullest)),
  },
  {
    version: 1,
    file: "least.sops.yaml",
    sha256: "c0676030b732639292b4762512e110be9beb0379f755d44420b7d230d33fffc4",
    holds: inV1(inV2(least("2026-11-27T10:25:09.000Z"))),
  },
  {
    version: 2,
    file: "full.sops.yaml",
    sha256: "1b8a59eb6782816a7c3f6982b1ccff84349b55cb81db164c7625494a32474a6d",
    holds: inV2(fullest),
  },
  {
    version: 2,
    file: "least.sops.yaml",
    sha256: "e386086cc4f1a62452b3533b70bd76f73eb8cf2c99c8c31689c4803502150187",
    holds: inV2(least("2026-11-28T19:10:09.000Z")),
  },
  {
    version: 3,
    file: "full.sops.yaml",
    sha256: "9fb8180b12eb88a8ae178ccde597ad551a2aac23b9f0f7fea703a0a3ddee5f98",
    holds: fullest,
  },
  {
    version: 3,
    file: "least.sops.yaml",
    sha256: "779f63ece8611b054535691fcda8a7b1a8b6be518d561ffdadf8af629c77ee4e",
    holds: inV2(least("2026-11-29T12:10:00.000Z")),
  },
];

describe("the formats of the escrow", () => {
  let sops: Sops;
  before(async () => {
    sops = new Sops(await tool("sops"));
  });

  for (const { version, file, sha256, holds } of written) {
    it(`open ${file} of version ${version}, and find what it was written with`, async () => {
      const text = textOf(version, file);
      expect(createHash("sha256").update(text).digest("hex"), `test/fixtures/escrow/v${version}/${file}`).to.equal(
        sha256,
      );
      const keys = { identities: identitiesIn(textOf(version, "identity.txt")), kms: false };
      expect(await readEscrow(text, keys, sops)).to.deep.equal(holds);
    });
  }

  it("have a reader for each version up to the one that is written, and files of each", () => {
    const versions = Array.from({ length: escrowVersion }, (_, index) => index + 1);
    expect(Object.keys(readers).map(Number)).to.deep.equal(versions);
    expect([...new Set(written.map(({ version }) => version))]).to.deep.equal(versions);
  });

  it("write the newest", async () => {
    const [identity] = identitiesIn(textOf(1, "identity.txt"));
    const recipients = [await identityToRecipient(identity ?? "")];
    const sealed = await sealEscrow(anEscrow(), { age: recipients, kms: [] }, sops);
    expect(sealed).to.match(new RegExp(`^version: ${escrowVersion}$`, "m"));
  });

  it("refuse a newer one, and say who reads it", async () => {
    const keys = { identities: identitiesIn(textOf(1, "identity.txt")), kms: false };
    for (const rest of ["", stringify({ stack: "dev", sops: {} })]) {
      expect(await messageOf(readEscrow(`version: 4\n${rest}`, keys, sops, "escrow/dev.sops.yaml"))).to.equal(
        "escrow/dev.sops.yaml is of format 4, and this Hearth reads up to format 3: " +
          "use the Hearth that wrote it, or a later one",
      );
    }
  });

  it("take a number that is none for damage", async () => {
    const keys = { identities: [], kms: false };
    for (const version of ["0", "1.5", "two"]) {
      const text = textOf(1, "full.sops.yaml").replace(/^version: 1$/m, `version: ${version}`);
      expect(await messageOf(readEscrow(text, keys, sops))).to.contain("its head is not that of an escrow");
    }
  });

  it("refuse a part that their version does not have", () => {
    const { stack, cluster, createdAt, ...secrets } = anEscrow();
    const document = {
      version: 3,
      stack,
      cluster,
      createdAt,
      fingerprint: "sha256:1",
      secrets: { ...secrets, moon: "" },
    };
    expect(fromDocument(document)).to.deep.equal({ problem: "it holds secrets.moon, which format 3 does not have" });
    expect(fromDocument({ ...document, version: 2 })).to.deep.equal({
      problem: "it holds secrets.diskRecoveryKey, secrets.moon, which format 2 does not have",
    });
    expect(fromDocument({ ...document, version: 1 })).to.deep.equal({
      problem: "it holds secrets.signingKey, secrets.diskRecoveryKey, secrets.moon, which format 1 does not have",
    });
  });

  it("are read by the reader of their version, each into what Hearth holds now", () => {
    const next: Reader = (document) => ({
      escrow: { ...anEscrow(), webhookToken: (document as { secrets: { token: string } }).secrets.token },
    });
    const read = fromDocument({ version: 4, secrets: { token: "from four" } }, { ...readers, 4: next });
    expect(read).to.deep.equal({ escrow: anEscrow({ webhookToken: "from four" }) });
  });
});
