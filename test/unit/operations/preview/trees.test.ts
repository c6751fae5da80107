import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import { execa } from "execa";

import { Git } from "../../../../operations/preview/git.ts";
import { treesOf } from "../../../../operations/preview/trees.ts";

const root = join(import.meta.dirname, "../../../..");

describe("what a preview compares the tree with", function () {
  this.timeout(60_000);
  let folder: string;

  const git = async (...args: string[]): Promise<string> => {
    const author = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"];
    return (await execa("git", [...author, ...args], { cwd: folder })).stdout.trim();
  };
  const commit = async (subject: string): Promise<string> => {
    await git("add", "--all");
    await git("commit", "--quiet", "--allow-empty", "--message", subject);
    return git("rev-parse", "HEAD");
  };
  /** The commit that prod's tree is compared with, where somebody asks for a base or previews another commit's data. */
  const base = async (asked: { base?: string; data?: string } = {}): Promise<string | undefined> =>
    (await treesOf(folder, "prod", new Git(folder), asked)).mergeBase;

  let promoted: string;
  let newest: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "hearth-scratch-"));
    await git("init", "--quiet", "--initial-branch=main");
    await cp(join(root, "Pulumi.prod.yaml"), join(folder, "Pulumi.prod.yaml"));
    promoted = await commit("Promoted");
    await git("branch", "prod");
    newest = await commit("Not promoted yet");
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  const promote = async (): Promise<void> => {
    const file = join(folder, "Pulumi.prod.yaml");
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace("    branch: main\n", "    branch: prod\n    promotion: { from: dev }\n"));
  };

  it("is the branch that everybody pushes to, or the data's, unless commits are promoted", async () => {
    expect(await base()).to.equal(newest);
    expect(await base({ data: newest })).to.equal(newest);
  });

  it("is what the cluster runs, whatever commit is previewed, where commits are promoted to it", async () => {
    await promote();
    expect(await base()).to.equal(promoted);
    expect(await base({ data: newest })).to.equal(promoted);
  });

  it("is what a person asks for", async () => {
    await promote();
    expect(await base({ base: "main", data: newest })).to.equal(newest);
  });
});
