import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { generateIdentity, identityToRecipient } from "age-encryption";
import { expect } from "chai";

import { seal, unseal } from "../../../operations/backup/sealed.ts";
import { hasItsDigest } from "../../../operations/etcd/snapshot.ts";
import { copyTo, folderDestination, type Destination } from "../../../operations/destinations/index.ts";
import { parseState } from "../../../operations/state/backup.ts";

const messageOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "",
    (error: unknown) => (error as Error).message,
  );

describe("a sealed backup", () => {
  const content = randomBytes(200_000);
  let sealed = new Uint8Array();
  let identities: string[] = [];

  before(async () => {
    identities = await Promise.all([generateIdentity(), generateIdentity()]);
    sealed = new Uint8Array(await seal(content, await Promise.all(identities.map(identityToRecipient))));
  });

  it("opens with the identity of each recipient", async () => {
    for (const identity of identities) {
      expect(Buffer.compare(await unseal(sealed, [identity], "it"), content)).to.equal(0);
    }
  });

  it("does not open for others, and says what would", async () => {
    expect(await messageOf(unseal(sealed, [await generateIdentity()], "it"))).to.contain(
      "No identity at hand opens it",
    );
    expect(await messageOf(unseal(sealed, [], "it"))).to.contain("No identity at hand opens it");
  });

  it("is refused wherever it is cut off or changed", async () => {
    const magic = "age-encryption.org/v1\n".length;
    for (const [length, message] of [
      [0, "it is no age file, or its beginning is lost"],
      [magic - 1, "it is no age file, or its beginning is lost"],
      [magic, "it is damaged, or not whole"],
      [sealed.length / 2, "it is damaged, or not whole"],
      [sealed.length - 1, "it is damaged, or not whole"],
    ] as const) {
      expect(await messageOf(unseal(sealed.slice(0, length), identities, "it")), `${length}`).to.contain(message);
    }
    const changed = sealed.slice();
    changed[100_000] = (changed[100_000] ?? 0) ^ 1;
    expect(await messageOf(unseal(changed, identities, "it"))).to.contain("it is damaged");
  });
});

describe("a state in a backup", () => {
  const text = (stack: string) =>
    Buffer.from(
      JSON.stringify({ version: 3, deployment: { resources: [{ urn: `urn:pulumi:${stack}::hearth::a::b` }] } }),
    );

  it("is taken where it is the stack's", () => {
    expect(parseState(text("dev"), "dev", "it").resources).to.equal(1);
  });

  it("is refused where it is another stack's, or none", () => {
    expect(() => parseState(text("prod"), "dev", "it")).to.throw("it is the state of stack prod, not of dev");
    expect(() => parseState(Buffer.from("{}"), "dev", "it")).to.throw("it holds no state");
    expect(() => parseState(Buffer.from("no"), "dev", "it")).to.throw("it holds no state");
  });
});

describe("a snapshot's digest", () => {
  const database = randomBytes(4096);
  const snapshot = Buffer.concat([database, createHash("sha256").update(database).digest()]);

  it("is that of the database before it", () => {
    expect(hasItsDigest(snapshot)).to.equal(true);
  });

  it("is missed where anything was changed or cut off", () => {
    const changed = Buffer.from(snapshot);
    changed[10] = (changed[10] ?? 0) ^ 1;
    expect(hasItsDigest(changed)).to.equal(false);
    for (const end of [0, 32, 4096, snapshot.length - 1, snapshot.length - 512]) {
      expect(hasItsDigest(snapshot.subarray(0, end)), `${end}`).to.equal(false);
    }
  });
});

describe("copying", () => {
  let folder = "";
  before(async () => (folder = await mkdtemp(join(tmpdir(), "hearth-copies-"))));
  after(() => rm(folder, { recursive: true, force: true }));

  it("tells a destination that keeps something else than it was given", async () => {
    const liar: Destination = {
      ...folderDestination(folder),
      name: "liar",
      write: () => writeFile(join(folder, "a"), "other"),
    };
    const [lied, kept] = await copyTo([liar, folderDestination(join(folder, "b"))], "a", Buffer.from("content"));
    expect(lied?.problem).to.contain("what was read back is not what was written");
    expect(kept?.problem).to.equal(undefined);
    expect(await readFile(join(folder, "b", "a"), "utf8")).to.equal("content");
  });
});
