import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import { execa } from "execa";

import { opensSalt, saltIn } from "../../../../lib/engine/passphrase.ts";
import { passphrase, requireCommitted, requireOwnFile, withSalt } from "../../../../operations/rotate/passphrase.ts";
import type { Surroundings } from "../../../../operations/rotate/rotation.ts";
import { messageOf } from "../../../support/failure.ts";

/** Source: pulumi 3.259, pkg/secrets/passphrase/manager_test.go. */
const salt = "v1:fozI5u6B030=:v1:F+6ZduKKd8G0/V7L:PGMFeIzwobWRKmEAzUdaQHqC5mMRIQ==";

describe("a passphrase", () => {
  it("opens the salt that Pulumi made with it, and no other does", async () => {
    expect(await opensSalt("password", salt)).to.equal(true);
    expect(await opensSalt("passwort", salt)).to.equal(false);
    expect(await opensSalt("password", salt.replace("PGMF", "PGMG"))).to.equal(false);
    expect(await opensSalt("password", "")).to.equal(false);
  });

  it("is what a stack file with a salt is encrypted by", () => {
    expect(saltIn(`encryptionsalt: ${salt}\nconfig: {}\n`)).to.equal(salt);
    expect(saltIn("secretsprovider: awskms://alias/hearth\nencryptedkey: AQ==\n")).to.equal(undefined);
  });

  it("is exchanged in a state by its salt alone", () => {
    const providers = { type: "passphrase", state: { salt: "v1:old" } };
    const state = { version: 3, deployment: { secrets_providers: providers, resources: [] } };
    expect(withSalt(state, salt)).to.deep.equal({
      version: 3,
      deployment: { secrets_providers: { type: "passphrase", state: { salt } }, resources: [] },
    });
  });
});

describe("the escrow with the old passphrase", () => {
  let root = "";
  const path = "escrow/dev.sops.yaml";
  const git = (...args: string[]) =>
    execa("git", ["-c", "user.name=Test", "-c", "user.email=test@example.com", ...args], { cwd: root });

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "hearth-"));
    await git("init", "--quiet");
    await execa("mkdir", ["escrow"], { cwd: root });
    await writeFile(join(root, path), "old");
  });

  afterEach(() => rm(root, { recursive: true, force: true }));

  it("is kept by Git once it is committed as it is", async () => {
    await git("add", ".");
    await git("commit", "--quiet", "--message", "Keep it");
    await requireCommitted(root, path);
  });

  it("is refused if it is not committed, or changed since", async () => {
    expect(await messageOf(requireCommitted(root, path))).to.contain("is not committed as it is");
    await git("add", ".");
    expect(await messageOf(requireCommitted(root, path))).to.contain("is not committed as it is");
    await git("commit", "--quiet", "--message", "Keep it");
    await writeFile(join(root, path), "new");
    expect(await messageOf(requireCommitted(root, path))).to.contain("is not committed as it is");
  });

  it("is refused without its signature, by which one knows later whose it is", async () => {
    await git("add", ".");
    await git("commit", "--quiet", "--message", "Keep it");
    await writeFile(join(root, `${path}.sig`), "signature");
    expect(await messageOf(requireCommitted(root, path, `${path}.sig`))).to.contain(`${path}.sig is not committed`);
  });

  it("is refused if Git ignores it", async () => {
    await writeFile(join(root, ".gitignore"), "escrow/\n");
    await git("add", ".");
    await git("commit", "--quiet", "--message", "Ignore it");
    expect(await messageOf(requireCommitted(root, path))).to.contain("is not committed as it is");
  });
});

describe("the file of a passphrase", () => {
  let root = "";

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "hearth-"));
    await writeFile(join(root, "Pulumi.dev.yaml"), `encryptionsalt: ${salt}\nconfig: {}\n`);
  });

  afterEach(() => rm(root, { recursive: true, force: true }));

  it("is the stack's own where no other stack file opens with it", async () => {
    await writeFile(join(root, "Pulumi.test.yaml"), "secretsprovider: awskms://alias/hearth\nconfig: {}\n");
    await writeFile(join(root, "Pulumi.prod.yaml"), `encryptionsalt: ${salt.replace("PGMF", "PGMG")}\nconfig: {}\n`);
    await requireOwnFile({ root, stack: "dev" }, "pass.txt", "password");
  });

  it("is not replaced while another stack needs it", async () => {
    await writeFile(join(root, "Pulumi.prod.yaml"), `encryptionsalt: ${salt}\nconfig: {}\n`);
    const file = join(root, "pass.txt");
    await writeFile(file, "password\n");
    const engine = {
      sealedState: () => Promise.resolve(JSON.stringify(withSalt({ version: 3, deployment: {} }, salt))),
    };
    const target = {
      ...{ root, stack: "dev", isLab: false, stackFile: join(root, "Pulumi.dev.yaml"), engine },
      environment: { PULUMI_CONFIG_PASSPHRASE: undefined, PULUMI_CONFIG_PASSPHRASE_FILE: file },
      config: () => Promise.resolve({}),
      passphrase: () => Promise.resolve("password"),
    };
    const before = await readdir(root);
    const surroundings = {
      target,
      credentials: { live: () => undefined },
    } as unknown as Surroundings;
    expect(await messageOf(passphrase.rotate(surroundings))).to.contain(
      `${file} also opens Pulumi.prod.yaml: give each stack a file of its own`,
    );
    expect(await readdir(root)).to.deep.equal(before);
    expect(await readFile(file, "utf8")).to.equal("password\n");
  });
});
