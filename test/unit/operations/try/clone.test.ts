import { lstat, mkdir, mkdtemp, readFile, readlink, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import { execa } from "execa";

import { Clone, isCloneOf } from "../../../../operations/try/clone.ts";
import { messageOf } from "../../../support/failure.ts";

const identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"];

describe("the clone of a trial", () => {
  let root: string;
  let folder: string;
  let first: string;

  const git = async (...args: string[]) => (await execa("git", [...identity, ...args], { cwd: root })).stdout;

  const write = (file: string, text: string) => writeFile(join(root, file), text);

  const commit = async (message: string) => {
    await git("add", "--all");
    await git("commit", "--quiet", "--message", message);
    return git("rev-parse", "HEAD");
  };

  beforeEach(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), "hearth-try-")));
    folder = join(root, ".hearth", "try", "dev");
    await git("init", "--quiet", "--initial-branch", "main");
    await write(".gitignore", ".hearth/\nnode_modules/\n");
    await write("package-lock.json", "1");
    await write("Pulumi.dev.yaml", "config:\n  a: 10.20.0.1\n");
    await mkdir(join(root, "node_modules"));
    await write("node_modules/ours", "");
    first = await commit("Begin");
  });

  afterEach(() => rm(root, { recursive: true, force: true }));

  it("finds where the checkout left its base, and says how to get one that is missing", async () => {
    await git("checkout", "--quiet", "-b", "change");
    await write("a", "a");
    await commit("Change");
    const clone = await Clone.create(root, folder, "dev");
    expect(await clone.base(["origin/main", "main"])).to.equal(first);
    expect(await messageOf(clone.base(["origin/main"]))).to.contain("fetch that branch");
  });

  it("makes a commit that changes the stack file of another one, and leaves the checkout as it is", async () => {
    const clone = await Clone.create(root, folder, "dev");
    const second = await clone.edited(first, "Change", (text) => `${text}  b: 1\n`);
    const third = await clone.edited(second, "Change again", (text) => `${text}  c: 2\n`);
    await clone.take(third);
    expect(await readFile(join(folder, "Pulumi.dev.yaml"), "utf8"))
      .to.contain("b: 1")
      .and.contain("c: 2");
    expect(await clone.changed(first, third)).to.deep.equal(["Pulumi.dev.yaml"]);
    expect(await git("rev-parse", "HEAD")).to.equal(first);
    expect(await git("status", "--short")).to.equal("");
  });

  it("is cloned once more with the lab, and without what commands keep", async () => {
    const clone = await Clone.create(root, folder, "dev");
    await clone.take(first);
    await mkdir(join(folder, ".lab"));
    await mkdir(join(folder, ".hearth"));
    await writeFile(join(folder, ".lab", "state"), "");
    await writeFile(join(folder, ".hearth", "kept"), "");
    for (let times = 0; times < 2; times += 1) {
      const again = await clone.again();
      expect(await readFile(join(again, "Pulumi.dev.yaml"), "utf8")).to.contain("10.148.0.1");
      expect(await readFile(join(again, ".lab", "state"), "utf8")).to.equal("");
      expect(await readFile(join(again, "node_modules", "ours"), "utf8")).to.equal("");
      expect(await lstat(join(again, ".hearth")).catch(() => undefined)).to.equal(undefined);
    }
  });

  it("is the commit of a checkout without changes", async () => {
    const clone = await Clone.create(root, folder, "dev");
    expect(await clone.present()).to.deep.equal({ commit: first, isCommitted: true });
  });

  it("does not take a link to packages for a change", async () => {
    await rm(join(root, "node_modules"), { recursive: true });
    await symlink(tmpdir(), join(root, "node_modules"));
    const clone = await Clone.create(root, folder, "dev");
    expect(await clone.present()).to.deep.equal({ commit: first, isCommitted: true });
  });

  it("has what is not committed, and leaves the checkout, its index and its objects as they are", async () => {
    await write("new", "untracked");
    await write("node_modules/more", "ignored");
    await rm(join(root, "package-lock.json"));
    await write("staged", "staged");
    await git("add", "staged");
    const [status, objects] = [await git("status", "--porcelain"), await git("count-objects", "--verbose")];
    const clone = await Clone.create(root, folder, "dev");
    const { commit: present, isCommitted } = await clone.present();
    expect(isCommitted).to.equal(false);
    expect((await clone.changed(first, present)).sort()).to.deep.equal(["new", "package-lock.json", "staged"]);
    expect(await git("status", "--porcelain")).to.equal(status);
    expect(await git("count-objects", "--verbose")).to.equal(objects);
  });

  it("checks a commit out with the addresses moved aside, and with the checkout's packages", async () => {
    const clone = await Clone.create(root, folder, "dev");
    await clone.take(first);
    expect(await readFile(join(folder, "Pulumi.dev.yaml"), "utf8")).to.equal("config:\n  a: 10.148.0.1\n");
    expect(await readlink(join(folder, "node_modules"))).to.equal(join(root, "node_modules"));
    await clone.take(first);
    expect(await readFile(join(root, "node_modules", "ours"), "utf8")).to.equal("");
  });

  it("does not use the checkout's packages for a commit that locks others, and never removes them", async () => {
    await write("package-lock.json", "2");
    const second = await commit("Update a package");
    const clone = await Clone.create(root, folder, "dev");
    await clone.take(second);
    await clone.take(first);
    expect(await lstat(join(folder, "node_modules")).catch(() => "none")).to.equal("none");
    await mkdir(join(folder, "node_modules"));
    await writeFile(join(folder, "node_modules", "theirs"), "");
    await clone.take(second);
    expect(await readlink(join(folder, "node_modules"))).to.equal(join(root, "node_modules"));
    expect(await readFile(join(root, "node_modules", "ours"), "utf8")).to.equal("");
  });

  it("is recognised, so that nothing else is removed in its place", async () => {
    expect(await isCloneOf(root, folder)).to.equal(false);
    await Clone.create(root, folder, "dev");
    expect(await isCloneOf(root, folder)).to.equal(true);
    const other = join(root, ".hearth", "mine");
    await mkdir(other);
    expect(await messageOf(isCloneOf(root, other))).to.contain("is no clone of this checkout, so it is not removed");
    await execa("git", ["init", "--quiet", other]);
    expect(await messageOf(isCloneOf(root, other))).to.contain("is no clone of this checkout, so it is not removed");
  });

  it("says that a commit has no such stack", async () => {
    const clone = await Clone.create(root, folder, "prod");
    expect(await messageOf(clone.take(first))).to.contain("has no stack prod");
  });
});
