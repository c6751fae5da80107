import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { passphraseIn } from "../../../../lib/engine/target.ts";

describe("the passphrase of a stack", () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "hearth-"));
    file = join(folder, "passphrase");
    await writeFile(file, "from the file\n");
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("is the variable's before the file's, an empty one too, as Pulumi has it", async () => {
    const both = (value: string | undefined) =>
      passphraseIn({ PULUMI_CONFIG_PASSPHRASE: value, PULUMI_CONFIG_PASSPHRASE_FILE: file });
    expect(await both("from the variable")).to.equal("from the variable");
    expect(await both("")).to.equal("");
    expect(await both(undefined)).to.equal("from the file");
  });

  it("is unknown where neither is set", async () => {
    expect(await passphraseIn({})).to.equal(undefined);
  });
});
