import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { generateIdentity, identityToRecipient } from "age-encryption";
import { expect } from "chai";
import { parse } from "yaml";

import { signedAs, signersOf, signingKeys, type Signers } from "../../../components/secrets/signing.ts";
import { signatureOf } from "../../../components/secrets/sshsig.ts";
import type { Target } from "../../../lib/engine/target.ts";
import { sealEscrow } from "../../../lib/secrets/escrow.ts";
import { Sops } from "../../../lib/secrets/sops.ts";
import { seal } from "../../../operations/backup/sealed.ts";
import { signingKeysIn } from "../../../operations/backup/signing-key.ts";
import { escrowDoubt, signEscrow } from "../../../lib/secrets/escrow-signature.ts";
import { withoutSigners, withSigners } from "../../../operations/escrow/signers.ts";
import { openEscrow, withGivenSnapshot } from "../../../operations/rebuild/given.ts";
import { anEscrow, passwords } from "../../support/escrow.ts";
import { messageOf } from "../../support/failure.ts";
import { tool } from "../../support/tools.ts";
import { secretInState } from "../../support/wire.ts";

const keys = signingKeys(Buffer.alloc(32, 1).toString("base64"));
const others = signingKeys(Buffer.alloc(32, 2).toString("base64"));
const signers = signersOf(keys);
const own = keys.stack.privateKey;

describe("the signing keys of a state", () => {
  const state = (name: string) => ({
    version: 3,
    deployment: {
      resources: [
        {
          urn: `urn:pulumi:dev::hearth::random:index/randomPassword:RandomPassword::${name}`,
          type: "random:index/randomPassword:RandomPassword",
          outputs: { result: secretInState(passwords["signing-seed"]) },
        },
      ],
    },
  });

  it("are those that its escrow has", () => {
    expect(signingKeysIn(state("signing-seed"))?.stack.privateKey).to.equal(anEscrow().signingKey);
  });

  it("are none where an older release wrote it", () => {
    expect(signingKeysIn(state("age-seed"))).to.equal(undefined);
  });
});

describe("naming the signers in a stack file", () => {
  const added = ["signers:", `  stack: ${signers.stack}`, `  cluster: ${signers.cluster}`];

  it("leaves every other line as it is, wherever the escrow stands", () => {
    const escrows = [
      ["  hearth:escrow:", "    # Who opens it.", "    recipients: [age1one] # Ada"],
      ["  hearth:escrow:", "    recipients:", "      # Ada.", "      - age1one # at home", "      - age1two"],
      ["  hearth:escrow:", "    copies: [{ to: folder, path: /nas }]", "    recipients: [age1one]"],
    ];
    for (const escrow of escrows) {
      for (const after of [[], ["  # Next.", "  a: { b: [c] }"], ["", "# Rest."]]) {
        const text = (lines: string[]) => ["# Dev.", "config:", ...escrow, ...lines, ...after, ""].join("\n");
        const named = withSigners(text([]), signers, "it");
        expect(named).to.equal(text(added.map((line) => `    ${line}`)));
        expect(withoutSigners(named, "it")).to.equal(text([]));
        expect(withoutSigners(text([]), "it")).to.equal(text([]));
      }
    }
  });

  it("does so in the committed stack files, with and without their last line break", () => {
    for (const stack of ["dev", "prod"]) {
      const text = readFileSync(new URL(`../../../Pulumi.${stack}.yaml`, import.meta.url), "utf8");
      for (const each of [text, text.trimEnd()]) {
        const changed = withSigners(each, signers, "it");
        expect(changed.split("\n").filter((line) => !added.includes(line.slice(4)))).to.deep.equal(text.split("\n"));
        const { config } = parse(changed) as { config: Record<string, object> };
        expect(config["hearth:escrow"]).to.deep.include({ signers });
      }
    }
  });

  it("is refused where there is no escrow", () => {
    for (const text of ["config: {}\n", "config: { hearth:escrow: { recipients: [age1one] } }\n"]) {
      expect(() => withSigners(text, signers, "Pulumi.dev.yaml")).to.throw(
        "Pulumi.dev.yaml: hearth:escrow has not a line for each key",
      );
    }
  });
});

describe("removing the signers from a stack file", () => {
  it("is left to the person where they stand in one line with all else", () => {
    const text = `config: { hearth:escrow: { signers: { stack: ${signers.stack} } } }\n`;
    expect(() => withoutSigners(text, "Pulumi.dev.yaml")).to.throw("remove its signers yourself");
  });
});

describe("an escrow's signature", () => {
  const doubt = (signature: string | undefined, text = "escrow") =>
    escrowDoubt(text, signature, { stack: "dev", signers })?.problem;

  it("leaves no doubt where the stack signed this escrow", () => {
    expect(doubt(signEscrow("escrow", "dev", own))).to.equal(undefined);
  });

  it("is refused where it is missing, of another, of another stack, of something else, or of another text", () => {
    expect(doubt(undefined)).to.contain("is unsigned");
    expect(doubt(signEscrow("escrow", "dev", others.stack.privateKey))).to.contain("is signed by");
    expect(doubt(signEscrow("escrow", "dev", keys.cluster.privateKey))).to.contain("is signed by");
    expect(doubt(signEscrow("escrow", "prod", own))).to.contain(
      "is signed as hearth:prod/escrow, not as hearth:dev/escrow",
    );
    const state = signatureOf(Buffer.from("escrow"), own, signedAs("dev", "state", "x"));
    expect(doubt(state)).to.contain("is signed as hearth:dev/state/x");
    expect(doubt(signEscrow("escrow", "dev", own), "another")).to.contain("is not what was signed");
  });
});

describe("what a rebuild is given", () => {
  let root = "";
  let sealed = "";
  let identity = "";
  let sops: Sops;

  before(async () => {
    root = await mkdtemp(join(tmpdir(), "hearth-given-"));
    sops = new Sops(await tool("sops"));
    identity = await generateIdentity();
    sealed = await sealEscrow(anEscrow(), { age: [await identityToRecipient(identity)], kms: [] }, sops);
    await writeFile(join(root, "copy.sops.yaml"), sealed);
  });
  after(() => rm(root, { recursive: true, force: true }));

  const target = (named: Signers | undefined, stack = "dev"): Target =>
    ({
      ...{ root, stack },
      config: () => Promise.resolve({ escrow: { path: "copy.sops.yaml", ...(named && { signers: named }) } }),
    }) as unknown as Target;

  const open = async (named: Signers | undefined, file: string | undefined, unsigned: string[] = []) => {
    const credentials = { keys: { identities: [identity], kms: false }, sops, live: () => undefined };
    return (await openEscrow(target(named), file, credentials, unsigned)).stack;
  };

  const sign = (key: string): Promise<void> =>
    writeFile(join(root, "copy.sops.yaml.sig"), signEscrow(sealed, "dev", key));

  it("is no unsigned escrow, unless a person names it", async () => {
    await rm(join(root, "copy.sops.yaml.sig"), { force: true });
    for (const file of [undefined, "copy.sops.yaml"]) {
      expect(await messageOf(open(signers, file))).to.equal(
        "copy.sops.yaml is unsigned: it is older than signatures, or somebody else wrote it. " +
          "To take it all the same, give --unsigned copy.sops.yaml",
      );
      expect(await messageOf(open(signers, file, ["other.sops.yaml"]))).to.contain("is unsigned");
      expect(await open(signers, file, ["copy.sops.yaml"])).to.equal("dev");
    }
  });

  it("is the repository's own escrow where the stack file names no signers yet, and no other", async () => {
    expect(await open(undefined, undefined)).to.equal("dev");
    expect(await messageOf(open(undefined, "copy.sops.yaml"))).to.contain("cannot be verified");
  });

  it("is no escrow that another signed, whatever a person says", async () => {
    await sign(others.stack.privateKey);
    expect(await messageOf(open(signers, undefined, ["copy.sops.yaml"]))).to.contain("is signed by");
  });

  it("is the escrow that the stack signed", async () => {
    await sign(own);
    expect(await open(signers, undefined)).to.equal("dev");
    expect(await open(signers, "copy.sops.yaml")).to.equal("dev");
  });

  it("is no snapshot that was renamed, changed or not signed, even as a file", async () => {
    const name = "2026-11-01T00-00-00Z.db.age";
    const path = join(root, name);
    const content = await seal(Buffer.from("no snapshot"), [await identityToRecipient(identity)]);
    await writeFile(path, content);
    const given = (unsigned: string[]) =>
      messageOf(
        withGivenSnapshot(target(signers), { snapshot: path, unsigned, identities: [identity] }, () =>
          Promise.resolve(),
        ),
      );
    expect(await given([]))
      .to.contain("is unsigned")
      .and.to.contain(`give --unsigned ${name}`);
    // It is read then, and holds no snapshot.
    expect(await given([name])).to.contain("is no whole snapshot of etcd");
    const sig = (as: string, signed: Uint8Array) => writeFile(`${path}.sig`, signatureOf(signed, own, as));
    await sig("hearth:dev/etcd/2026-10-01T00-00-00Z.db.age", content);
    expect(await given([name])).to.contain("is signed as hearth:dev/etcd/2026-10-01T00-00-00Z.db.age");
    await sig(`hearth:dev/etcd/${name}`, Buffer.from("another"));
    expect(await given([name])).to.contain("is not what was signed");
    await sig(`hearth:dev/etcd/${name}`, content);
    expect(await given([])).to.contain("is no whole snapshot of etcd");
  });
});
