import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { generateIdentity, identityToRecipient } from "age-encryption";
import { expect } from "chai";

import { signersOf, signingKeys, type Signers } from "../../../../components/secrets/signing.ts";
import type { Target } from "../../../../lib/engine/target.ts";
import { sealEscrow } from "../../../../lib/secrets/escrow.ts";
import { Sops } from "../../../../lib/secrets/sops.ts";
import { holdsWholeState, requireKept } from "../../../../operations/destroy/keep.ts";
import { signEscrow } from "../../../../lib/secrets/escrow-signature.ts";
import { anEscrow } from "../../../support/escrow.ts";
import { messageOf } from "../../../support/failure.ts";
import { tool } from "../../../support/tools.ts";

const keys = signingKeys(Buffer.alloc(32, 1).toString("base64"));
const others = signingKeys(Buffer.alloc(32, 2).toString("base64"));

describe("the escrow that a begun destroy relies on", () => {
  let root = "";
  let sealed = "";
  let kept: (signers?: Signers) => ReturnType<typeof requireKept>;

  before(async () => {
    root = await mkdtemp(join(tmpdir(), "hearth-kept-"));
    const sops = new Sops(await tool("sops"));
    const identity = await generateIdentity();
    sealed = await sealEscrow(anEscrow(), { age: [await identityToRecipient(identity)], kms: [] }, sops);
    await writeFile(join(root, "dev.sops.yaml"), sealed);
    kept = (signers) => {
      const config = () => Promise.resolve({ escrow: { path: "dev.sops.yaml", signers } });
      const target = { ...{ root, stack: "dev" }, config } as unknown as Target;
      return requireKept(target, { keys: { identities: [identity], kms: false }, sops, live: () => undefined });
    };
  });
  after(() => rm(root, { recursive: true, force: true }));

  it("is refused unsigned, or signed by somebody else", async () => {
    expect(await messageOf(kept(signersOf(keys))))
      .to.contain("dev.sops.yaml is unsigned")
      .and.to.contain("Git's history");
    await writeFile(join(root, "dev.sops.yaml.sig"), signEscrow(sealed, "dev", others.stack.privateKey));
    expect(await messageOf(kept(signersOf(keys)))).to.contain("dev.sops.yaml is signed by");
  });

  it("is the repository's own as long as the stack file names no signers", async () => {
    expect(await kept()).to.deep.equal({ escrow: "dev.sops.yaml" });
  });

  it("is the one that the stack signed", async () => {
    await writeFile(join(root, "dev.sops.yaml.sig"), signEscrow(sealed, "dev", keys.stack.privateKey));
    expect(await kept(signersOf(keys))).to.deep.equal({ escrow: "dev.sops.yaml" });
  });
});

describe("a state that a destroy began with", () => {
  it("is not whole once it lacks a root secret, whatever the escrow says", async () => {
    const target = {
      root: "/nonexistent",
      stack: "dev",
      stackFile: new URL("../../../../Pulumi.dev.yaml", import.meta.url).pathname,
      config: () => Promise.resolve({ escrow: { path: "dev.sops.yaml" }, cluster: { name: "den-dev" } }),
      passphrase: () => Promise.resolve("correct horse"),
      engine: {
        state: () => Promise.resolve({ version: 3, deployment: { resources: [] } }),
        configure: () => Promise.resolve("{}"),
      },
    } as unknown as Target;
    expect(await holdsWholeState(target)).to.equal(false);
  });
});
