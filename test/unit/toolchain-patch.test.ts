import { expect } from "chai";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { patchedCopy } from "../../toolchain/patch.ts";
import type { Patch } from "../../toolchain/patches.ts";

describe("patchedCopy", () => {
  let folder: string;
  const source = (): string => join(folder, "module");
  const copy = (): string => join(folder, "copy");
  const patched = async (patch: Omit<Patch, "module">, file: string): Promise<string> => {
    await patchedCopy(source(), copy(), { module: "example.com/m", ...patch });
    return readFile(join(copy(), file), "utf8");
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "hearth-patch-"));
    await mkdir(join(source(), "inner"), { recursive: true });
    await writeFile(join(source(), "inner", "code.go"), "old old new");
    await chmod(join(source(), "inner", "code.go"), 0o444);
    await chmod(join(source(), "inner"), 0o555);
  });
  afterEach(async () => {
    await chmod(join(source(), "inner"), 0o755);
    await rm(folder, { recursive: true });
  });

  it("adds files to a copy of a folder that may not be written", async () => {
    expect(await patched({ files: { "inner/more/page.html": "page" } }, "inner/more/page.html")).to.equal("page");
  });

  it("copies files to where the module's own build would", async () => {
    expect(await patched({ copies: { "inner/code.go": "inner/embed.go" } }, "inner/embed.go")).to.equal("old old new");
  });

  it("replaces a text wherever the file has it, and leaves the module as it was", async () => {
    const replacements = [{ file: "inner/code.go", from: "old", to: "young" }];
    expect(await patched({ replacements }, "inner/code.go")).to.equal("young young new");
    expect(await readFile(join(source(), "inner", "code.go"), "utf8")).to.equal("old old new");
  });

  it("fails where a release no longer has what is to be replaced", async () => {
    const replacements = [{ file: "inner/code.go", from: "ancient", to: "young" }];
    const failure = await patched({ replacements }, "inner/code.go").catch((error: unknown) => String(error));
    expect(failure).to.include(
      "example.com/m no longer has `ancient` in inner/code.go: check whether it still needs its entry in toolchain/patches.ts",
    );
  });
});
