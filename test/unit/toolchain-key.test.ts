import { expect } from "chai";
import fc from "fast-check";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { contentKey, filesBelow, type BuildInputs } from "../../toolchain/key.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const inputs = (): BuildInputs => ({
  files: { "go.mod": bytes("module m"), "main.go": bytes("package main") },
  command: ["build", "-o", "x", "."],
  goVersion: "go1.26.8",
  platform: "linux/amd64",
});

describe("contentKey", () => {
  it("is the same for the same inputs, in whatever order files were read", () => {
    const { files } = inputs();
    const reversed = Object.fromEntries(Object.entries(files).reverse());
    expect(contentKey({ ...inputs(), files: reversed })).to.equal(contentKey(inputs()));
  });

  for (const [what, change] of Object.entries<Partial<BuildInputs>>({
    "a file's content": { files: { ...inputs().files, "main.go": bytes("package other") } },
    "a file's name": { files: { "go.mod": bytes("module m"), "other.go": bytes("package main") } },
    "a new file": { files: { ...inputs().files, "new.go": bytes("") } },
    "a flag": { command: ["build", "-v", "-o", "x", "."] },
    "the Go version": { goVersion: "go1.27.0" },
    "the platform": { platform: "linux/arm64" },
  })) {
    it(`changes with ${what}`, () => {
      expect(contentKey({ ...inputs(), ...change })).to.not.equal(contentKey(inputs()));
    });
  }

  it("tells where one part ends and the next begins", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (a, b) => {
        const joined = contentKey({ ...inputs(), command: [a + b] });
        expect(contentKey({ ...inputs(), command: [a, b] })).to.not.equal(joined);
      }),
    );
  });
});

describe("filesBelow", () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), "hearth-key-"))));
  afterEach(() => rm(folder, { recursive: true }));

  it("skips tests, other languages and inner modules, and names files by their path in the module", async () => {
    for (const path of ["own/inner", "own/package/testdata"]) await mkdir(join(folder, path), { recursive: true });
    for (const path of [
      ...["go.mod", "own/main.go", "own/package/code.go", "own/package/page.html"],
      ...["own/main_test.go", "own/main.ts", "own/package/testdata/x.go", "own/inner/go.mod", "own/inner/inner.go"],
    ]) {
      await writeFile(join(folder, path), path);
    }
    expect(Object.keys(await filesBelow(folder, "own"))).to.have.members([
      ...["own/main.go", "own/package/code.go", "own/package/page.html"],
    ]);
  });
});
