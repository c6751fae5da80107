import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { signersOf, signingKeys } from "../../../../components/secrets/signing.ts";
import type { Target } from "../../../../lib/engine/target.ts";
import { withGivenSnapshot } from "../../../../operations/rebuild/given.ts";
import { messageOf } from "../../../support/failure.ts";

const name = "2026-11-01T00-00-00Z.db.age";

describe("a snapshot that a rebuild is given", () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "hearth-given-"));
    await mkdir(join(root, "backups/dev/etcd"), { recursive: true });
    await writeFile(join(root, "backups/dev/etcd", name), "age-encryption.org/v1\nx");
  });

  afterEach(() => rm(root, { recursive: true }));

  const given = (unsigned: string[]) => {
    const escrow = {
      recipients: ["age1x"],
      copies: [],
      signers: signersOf(signingKeys(Buffer.alloc(32, 7).toString("base64"))),
    };
    const target = { root, stack: "dev", isLab: false, config: () => Promise.resolve({ escrow }) } as unknown as Target;
    return messageOf(
      withGivenSnapshot(target, { snapshot: "latest", unsigned, identities: [] }, () => Promise.resolve()),
    );
  };

  it("is refused where it is unsigned, with what takes it, which then does", async () => {
    expect(await given([]))
      .to.contain("proves who wrote it")
      .and.contain("--unsigned NAME");
    // It is taken, and its tool is not here.
    expect(await given(["old.sops.yaml", name])).to.contain("go.mod");
  });
});
