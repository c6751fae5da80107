import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";

import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { expect } from "chai";
import { execa } from "execa";
import { parse } from "yaml";

import { labAgeIdentity } from "../../../lib/secrets/lab-identity.ts";
import { secret } from "../../../operations/secret/cli.ts";
import { callOf } from "../../support/hearth.ts";
import { tool } from "../../support/tools.ts";

const root = join(import.meta.dirname, "../../..");
const file = "gitops/clusters/dev/secrets/welcome/key.sops.yaml";

describe("npx hearth secret", function () {
  // The first time, sops is built.
  this.timeout(900_000);
  let folder: string;
  let said: string[];

  beforeEach(async () => {
    said = [];
    folder = await mkdtemp(join(tmpdir(), "hearth-secret-"));
    await cp(join(root, ".sops.yaml"), join(folder, ".sops.yaml"));
    await mkdir(join(folder, "gitops/clusters/dev/secrets/welcome"), { recursive: true });
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** Runs it on files of the lab, whose key `.sops.yaml` names. */
  const run = (args: string[], input = ""): Promise<number> => outside([...args, "--lab"], input);

  const outside = async (args: string[], input = ""): Promise<number> => {
    const say = (text: string) => said.push(text);
    const call = await callOf("secret", args, { root: folder, print: say, complain: say });
    return secret(call, Readable.from([input]));
  };

  const decrypted = async (identity = labAgeIdentity): Promise<unknown> => {
    const { stdout } = await execa(await tool("sops"), ["decrypt", join(folder, file)], {
      env: { SOPS_AGE_KEY: identity },
    });
    return parse(stdout);
  };

  const text = (): Promise<string> => readFile(join(folder, file), "utf8");

  it("writes a Secret that the recipients can open, and nobody else can read", async () => {
    expect(await run(["new", file, "user", "password", "--namespace", "apps"], "admin\nhunter2\n")).to.equal(0);
    expect(await text()).not.to.contain("hunter2");
    expect(await decrypted()).to.deep.equal({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "key", namespace: "apps" },
      stringData: { user: "admin", password: "hunter2" },
    });
    expect(said.join()).not.to.contain("hunter2");
  });

  it("leaves alone what is there, and writes nothing without a value for each key", async () => {
    await run(["new", file, "password"], "hunter2\n");
    const before = await text();
    expect(await refusal(["new", file, "password"], "other\n")).to.contain("npx hearth secret edit");
    expect(await text()).to.equal(before);
    const other = file.replace("key", "other");
    expect(await refusal(["new", other, "user", "password"], "admin\n")).to.contain("no value for password");
  });

  it("refuses a file that Flux would not decrypt", async () => {
    expect(await refusal(["new", "gitops/apps/key.yaml", "a"], "b\n")).to.contain("no file that Flux decrypts");
  });

  it("refuses a file that belongs to no environment", async () => {
    expect(await refusal(["new", "gitops/apps/welcome/app/key.sops.yaml", "a"], "b\n")).to.contain(
      ".sops.yaml has no rule for gitops/apps/welcome/app/key.sops.yaml",
    );
  });

  it("encrypts one environment's folder anew, and leaves the other's alone", async () => {
    const other = file.replace("/dev/", "/prod/");
    await mkdir(join(folder, "gitops/clusters/prod/secrets/welcome"), { recursive: true });
    for (const each of [file, other]) await run(["new", each, "password"], "hunter2\n");
    const [before, theirs] = [await text(), await readFile(join(folder, other), "utf8")];
    expect(await run(["rotate", "gitops/clusters/dev"])).to.equal(0);
    expect(await text()).not.to.equal(before);
    expect(await readFile(join(folder, other), "utf8")).to.equal(theirs);
  });

  it("encrypts nothing to a key that strangers have, but for the lab", async () => {
    const message = (args: string[], input = "") =>
      outside(args, input).then(
        () => "",
        (error: unknown) => (error as Error).message,
      );
    expect(await message(["new", file, "password"], "hunter2\n"))
      .to.contain(`.sops.yaml, for ${file}, names age1kgk8`)
      .and.to.contain("pulumi stack output ageRecipient")
      .and.not.to.contain("hunter2");
    expect(existsSync(join(folder, file))).to.equal(false);
    await run(["new", file, "password"], "hunter2\n");
    const before = await text();
    expect(await message(["rotate"])).to.contain(`.sops.yaml, for ${file}, names age1kgk8`);
    expect(await message(["edit", file])).to.contain(`npx hearth secret rotate ${file}`);
    expect(await text()).to.equal(before);
  });

  it("lets an editor change a file", async () => {
    await run(["new", file, "password"], "hunter2\n");
    const editor = join(folder, "editor.sh");
    await writeFile(editor, '#!/bin/sh\nsed -i s/hunter2/correct-horse/ "$1"\n', { mode: 0o700 });
    const before = process.env.EDITOR;
    process.env.EDITOR = editor;
    try {
      expect(await run(["edit", file])).to.equal(0);
    } finally {
      if (before === undefined) delete process.env.EDITOR;
      else process.env.EDITOR = before;
    }
    expect(await decrypted()).to.have.nested.property("stringData.password", "correct-horse");
  });

  it("encrypts everything anew to the recipients of today", async () => {
    await run(["new", file, "password"], "hunter2\n");
    const before = await text();
    const identity = await generateX25519Identity();
    const rules = join(folder, ".sops.yaml");
    const changed = (await readFile(rules, "utf8")).replace(
      /age: age1\w+/,
      `age: ${await identityToRecipient(identity)}`,
    );
    await writeFile(rules, changed);
    expect(await outside(["rotate"])).to.equal(0);
    expect(await text()).not.to.equal(before);
    expect(await decrypted(identity)).to.have.nested.property("stringData.password", "hunter2");
    const closed = await decrypted(labAgeIdentity).then(
      () => false,
      () => true,
    );
    expect(closed, "closed to whom it was encrypted before").to.equal(true);
  });

  const refusal = (args: string[], input: string): Promise<string> =>
    run(args, input).then(
      () => "",
      (error: unknown) => (error as Error).message,
    );
});
