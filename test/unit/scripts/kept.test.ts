import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import { execa } from "execa";

import { contentKey } from "../../../scripts/content.ts";
import { Kept } from "../../../scripts/kept.ts";

describe("a check", () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "hearth-kept-"));
    await execa("git", ["init", "--quiet"], { cwd: root });
    await writeFile(join(root, "main.ts"), "1");
    await writeFile(join(root, ".gitignore"), "kept.json\n");
  });

  afterEach(() => rm(root, { recursive: true }));

  /** Checks as another process would, and tells whether the check ran. */
  const ran = async ({
    passed = true,
    others = [] as string[],
    name = "types",
    during = () => Promise.resolve(),
  } = {}): Promise<boolean> => {
    const kept = new Kept({
      store: join(root, "kept.json"),
      key: (patterns) => contentKey(root, patterns, others),
    });
    let hasRun = false;
    const check = async (): Promise<{ passed: boolean; count: number }> => {
      hasRun = true;
      await during();
      return { passed, count: 7 };
    };
    expect(await kept.unlessPassed(name, ["*.ts"], check)).to.deep.equal({ passed, count: 7 });
    return hasRun;
  };

  it("is skipped where it passed the same, with the result of then", async () => {
    expect(await ran()).to.equal(true);
    expect(await ran()).to.equal(false);
  });

  it("runs where a file changed, is new or is gone", async () => {
    await ran();
    await writeFile(join(root, "main.ts"), "2");
    expect(await ran()).to.equal(true);
    await writeFile(join(root, "new.ts"), "");
    expect(await ran()).to.equal(true);
    await rm(join(root, "new.ts"));
    expect(await ran()).to.equal(true);
    expect(await ran()).to.equal(false);
  });

  it("is skipped where a file changed that it does not read", async () => {
    await ran();
    await writeFile(join(root, "README.md"), "");
    expect(await ran()).to.equal(false);
  });

  it("runs where what is installed changed, and for another check", async () => {
    await ran({ others: ["1"] });
    expect(await ran({ others: ["2"] })).to.equal(true);
    expect(await ran({ others: ["2"], name: "layers" })).to.equal(true);
  });

  it("runs again where it failed, or where a file was edited meanwhile", async () => {
    await ran({ passed: false });
    expect(await ran({ during: () => writeFile(join(root, "main.ts"), "edited") })).to.equal(true);
    expect(await ran()).to.equal(true);
  });

  it("runs where what is kept cannot be read, or is of an older release", async () => {
    await ran();
    await writeFile(join(root, "kept.json"), "{");
    expect(await ran()).to.equal(true);
    await writeFile(join(root, "kept.json"), '{ "types": "key" }');
    expect(await ran()).to.equal(true);
    expect(JSON.parse(await readFile(join(root, "kept.json"), "utf8"))).to.have.keys("types");
  });
});
