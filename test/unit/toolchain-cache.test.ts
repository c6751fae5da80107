import { expect } from "chai";
import { access, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ToolCache } from "../../toolchain/cache.ts";
import { stderrOf } from "../support/stderr.ts";

describe("ToolCache", () => {
  const key = "0123456789abcdef";
  let root: string;
  let cache: ToolCache;
  let program: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "hearth-cache-"));
    cache = new ToolCache(root);
    await cache.prepare();
    program = await add("hello");
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const add = async (content: string): Promise<string> => {
    let path = "";
    await cache.work(async (work) => {
      await mkdir(join(work, "greet"));
      await writeFile(join(work, "greet", "greet"), content, { mode: 0o755 });
      path = await cache.add("greet", key, join(work, "greet"));
    });
    return path;
  };

  it("keeps a program's digest beside it", async () => {
    expect(await readFile(`${program}.sha256`, "utf8")).to.equal(
      "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824  greet\n",
    );
    expect(await cache.has("greet", key)).to.equal(true);
  });

  it("removes a program that is not what was added, and says so", async () => {
    await writeFile(program, "hellO");
    const said = await stderrOf(async () => {
      expect(await cache.has("greet", key)).to.equal(false);
    });
    expect(said).to.match(/^greet in the cache has changed/);
    expect(await access(program).catch(() => "gone")).to.equal("gone");
  });

  it("notices a change that left size and time of change as they were", async () => {
    await cache.has("greet", key);
    const { atime, mtime } = await stat(program);
    await writeFile(program, "hellO");
    await utimes(program, atime, mtime);
    await stderrOf(async () => {
      expect(await cache.has("greet", key)).to.equal(false);
    });
  });

  it("removes a program whose digest was cut off", async () => {
    await writeFile(`${program}.sha256`, "");
    await stderrOf(async () => {
      expect(await cache.has("greet", key)).to.equal(false);
    });
    expect(await access(program).catch(() => "gone")).to.equal("gone");
  });

  it("does not take a program that has no digest, and replaces it", async () => {
    await rm(`${program}.sha256`);
    expect(await cache.has("greet", key)).to.equal(false);
    await add("anew");
    expect(await readFile(program, "utf8")).to.equal("anew");
    expect(await cache.has("greet", key)).to.equal(true);
    expect(await readdir(join(root, "work"))).to.deep.equal([]);
  });

  it("keeps the program of whoever was faster", async () => {
    await add("later");
    expect(await readFile(program, "utf8")).to.equal("hello");
  });

  it("does not read a program again that has not changed since it was verified", async () => {
    await cache.has("greet", key);
    const stamp = join(program, "../../verified.json");
    const before = await stat(stamp, { bigint: true });
    await cache.has("greet", key);
    expect((await stat(stamp, { bigint: true })).ino).to.equal(before.ino);
  });

  it("reads a program again that was copied to another place, and takes it", async () => {
    await cache.has("greet", key);
    const content = await readFile(program);
    await rm(program);
    await writeFile(program, content, { mode: 0o755 });
    expect(await cache.has("greet", key)).to.equal(true);
  });
});
