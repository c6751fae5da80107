import { readdirSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { identityToRecipient } from "age-encryption";
import { expect } from "chai";

import { withoutCredentials } from "../../../../lib/engine/backend.ts";
import { backendIn, compareBackends, type Backends } from "../../../../lib/secrets/usual-backend.ts";
import { sealEscrow } from "../../../../lib/secrets/escrow.ts";
import { labAgeIdentity } from "../../../../lib/secrets/lab-identity.ts";
import { Sops } from "../../../../lib/secrets/sops.ts";
import { commands } from "../../../../operations/commands.ts";
import { anEscrow } from "../../../support/escrow.ts";
import { hearth } from "../../../support/hearth.ts";
import { tool } from "../../../support/tools.ts";

const usual = "s3://hearth-state?region=garage";
const compare = (changes: Partial<Backends>) => () => {
  compareBackends({ stack: "dev", usual, present: usual, named: undefined, path: "escrow/dev.sops.yaml", ...changes });
};

describe("commands that rely on a stack's state", () => {
  let root: string;
  const previous = process.env.PULUMI_BACKEND_URL;

  before(async () => {
    root = await mkdtemp(join(tmpdir(), "hearth-"));
    const checkout = join(import.meta.dirname, "../../../..");
    const others = readdirSync(checkout).filter((name) => !["escrow", ".git", ".lab", ".hearth"].includes(name));
    for (const name of others) await symlink(join(checkout, name), join(root, name));
    const recipients = { age: [await identityToRecipient(labAgeIdentity)], kms: [] };
    await mkdir(join(root, "escrow"));
    await writeFile(
      join(root, "escrow/dev.sops.yaml"),
      await sealEscrow(anEscrow(), recipients, new Sops(await tool("sops")), usual),
    );
    await mkdir(join(root, "state"));
    process.env.PULUMI_BACKEND_URL = `file://${root}/state`;
  });

  after(async () => {
    if (previous === undefined) delete process.env.PULUMI_BACKEND_URL;
    else process.env.PULUMI_BACKEND_URL = previous;
    await rm(root, { recursive: true });
  });

  for (const { name, forms } of commands.filter(({ uses }) => uses.includes("backend"))) {
    it(`refuse another backend than the escrow's before anything else: ${name}`, async () => {
      const [form = ""] = Object.keys(forms);
      const words = form.includes("[WHAT]") ? ["age"] : [];
      const { exitCode, stderr } = await hearth(root, [name, "dev", ...words, "--yes"]);
      expect([exitCode, stderr.split("\n").slice(1, 3)], stderr).to.deep.equal([
        1,
        [`  the escrow's   ${usual}`, `  this shell's   file://${root}/state`],
      ]);
    });
  }

  it("are those that read the state, change it, keep it, or take it for lost", () => {
    const relying = commands.filter(({ uses }) => uses.includes("backend")).map(({ name }) => name);
    expect(relying).to.deep.equal([
      "preview",
      "drift",
      "deploy",
      "rotate",
      "destroy",
      "escrow",
      "backup",
      "snapshot",
      "rebuild",
      "restore",
      "rehearse",
    ]);
  });
});

describe("the backend of a stack's state", () => {
  it("is the one that the escrow names", () => {
    expect(compare({})).not.to.throw();
    expect(compare({ usual: undefined, present: "file://~" })).not.to.throw();
  });

  it("is refused where it is another one, with both and what to say", () => {
    expect(compare({ present: "file://~/old" })).to.throw(
      [
        "escrow/dev.sops.yaml says that the state of dev is kept in another backend than this shell is logged in to, so nothing was done:",
        "  the escrow's   s3://hearth-state?region=garage",
        "  this shell's   file://~/old",
        "Log in to the first: pulumi login 's3://hearth-state?region=garage'. If the state has moved for good, say so: " +
          "--backend 'file://~/old'; npx hearth escrow dev then writes it down",
      ].join("\n"),
    );
  });

  it("is another one where the person names exactly that", () => {
    expect(compare({ present: "file://~/new", named: "file://~/new" })).not.to.throw();
    for (const present of [usual, "file://~/third"]) {
      expect(compare({ present, named: "file://~/new" })).to.throw(
        `--backend file://~/new is not where this shell is logged in, which is ${present}`,
      );
    }
  });

  it("stands in the escrow's head, and in none of before", async () => {
    const sops = new Sops(await tool("sops"));
    const recipients = { age: [await identityToRecipient(labAgeIdentity)], kms: [] };
    expect(backendIn(await sealEscrow(anEscrow(), recipients, sops, usual))).to.equal(usual);
    expect(backendIn(await sealEscrow(anEscrow(), recipients, sops))).to.equal(undefined);
    expect(backendIn("version: [")).to.equal(undefined);
    expect(backendIn(undefined)).to.equal(undefined);
  });

  it("is shown and kept without what opens it", () => {
    const cases = {
      "postgres://ada:s3cret@db.example.com/pulumi?sslmode=require": "postgres://db.example.com/pulumi?sslmode=require",
      "s3://bucket?region=eu&accessKey=AKIA&secret=x": "s3://bucket?region=eu",
      "azblob://container?sig=abc": "azblob://container",
      "file://~/hearth-state?metadata=skip": "file://~/hearth-state?metadata=skip",
      "https://app.pulumi.com/ada": "https://app.pulumi.com/ada",
    };
    for (const [url, shown] of Object.entries(cases)) expect(withoutCredentials(url)).to.equal(shown);
  });
});
