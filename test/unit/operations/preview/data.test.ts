import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { expect } from "chai";
import { execa } from "execa";

import { examine, isData, withDataOf } from "../../../../operations/preview/data.ts";
import { removeForeignData, requireOwnData } from "../../../../operations/preview/foreign-data.ts";
import { Git } from "../../../../operations/preview/git.ts";
import { messageOf } from "../../../support/failure.ts";
import { hearth } from "../../../support/hearth.ts";

const root = join(import.meta.dirname, "..", "..", "..", "..");

describe("the data of another commit", function () {
  this.timeout(30_000);
  let folder: string;
  let git: Git;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "hearth-data-"));
    git = new Git(folder);
    await run("init", "--quiet", "--initial-branch=main");
    await run("config", "user.name", "Somebody");
    await run("config", "user.email", "somebody@example.com");
    await cp(join(root, "Pulumi.dev.yaml"), join(folder, "Pulumi.dev.yaml"));
    await write("gitops/apps/one.yaml", "a: 1\n");
    await write("gitops/apps/old.yaml", "a: 1\n");
    await write("infra/program.ts", "export {};\n");
    await write(".gitignore", ".hearth/\n");
    await commit("main");
  });

  afterEach(() => rm(folder, { recursive: true }));

  const run = async (...args: string[]): Promise<string> => (await execa("git", args, { cwd: folder })).stdout;

  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  };

  const read = (path: string): Promise<string> => readFile(join(folder, path), "utf8").catch(() => "nothing");

  const commit = async (message: string): Promise<void> => {
    await run("add", "--all", "--force");
    await run("commit", "--quiet", "--message", message);
  };

  /** Makes a branch with changes, and goes back to main. */
  const branch = async (change: () => Promise<unknown>, from = "main"): Promise<void> => {
    await run("switch", "--quiet", "--create", "theirs", from);
    await change();
    await commit("theirs");
    await run("switch", "--quiet", "main");
  };

  const edit = async (from: string, to: string): Promise<void> => {
    await write("Pulumi.dev.yaml", (await read("Pulumi.dev.yaml")).replace(from, to));
  };

  const concerns = async (): Promise<string[]> => (await examine(git, "theirs")).concerns;

  it("is in the checkout for as long as the work runs, with the checkout's own code", async () => {
    await branch(async () => {
      await edit("kubernetes: v1.36.4", "kubernetes: v1.36.5");
      await write("gitops/apps/one.yaml", "a: 2\n");
      await write("gitops/apps/new.yaml", "a: 1\n");
      await rm(join(folder, "gitops/apps/old.yaml"));
    });
    const proposal = await examine(git, "theirs");
    expect(proposal.concerns).to.deep.equal([]);
    const files = ["gitops/apps/one.yaml", "gitops/apps/new.yaml", "gitops/apps/old.yaml", "infra/program.ts"];
    const seen = await withDataOf(git, proposal, () => Promise.all([...files, "Pulumi.dev.yaml"].map(read)));
    expect(seen.slice(0, 4)).to.deep.equal(["a: 2\n", "a: 1\n", "nothing", "export {};\n"]);
    expect(seen[4]).to.contain("kubernetes: v1.36.5");
    expect(await Promise.all(files.map(read))).to.deep.equal(["a: 1\n", "nothing", "a: 1\n", "export {};\n"]);
    expect(await run("status", "--porcelain")).to.equal("");
  });

  it("is taken out again when the work fails", async () => {
    await branch(() => write("gitops/apps/one.yaml", "a: 2\n"));
    const proposal = await examine(git, "theirs");
    const failed = await withDataOf(git, proposal, () => Promise.reject(new Error("no"))).catch(() => "failed");
    expect([failed, await read("gitops/apps/one.yaml")]).to.deep.equal(["failed", "a: 1\n"]);
  });

  for (const name of ["SIGINT", "SIGTERM"] as const) {
    it(`is taken out again after ${name}`, async () => {
      await branch(() => write("gitops/apps/one.yaml", "a: 2\n"));
      const proposal = await examine(git, "theirs");
      const failed = await withDataOf(git, proposal, async () => {
        expect(process.listenerCount(name)).to.be.greaterThan(0);
        process.kill(process.pid, name);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }).catch((error: unknown) => (error as Error).message);
      expect(failed).to.match(/was interrupted/);
      expect(await read("gitops/apps/one.yaml")).to.equal("a: 1\n");
    });
  }

  describe("that a killed preview left", () => {
    /** Kills a preview while it works: a process of its own, which says that it has the data. */
    const killed = async (): Promise<void> => {
      await branch(async () => {
        await write("gitops/apps/one.yaml", "a: 2\n");
        await write("gitops/apps/new.yaml", "a: 1\n");
        await rm(join(folder, "gitops/apps/old.yaml"));
      });
      const modules = ["data", "git"].map((name) => join(root, "operations/preview", `${name}.ts`));
      const script = `
        const [{ examine, withDataOf }, { Git }] = await Promise.all(${JSON.stringify(modules)}.map((each) => import(each)));
        const git = new Git(${JSON.stringify(folder)});
        await withDataOf(git, await examine(git, "theirs"), () => process.kill(process.pid, "SIGKILL"));`;
      const { signal } = await execa("node", ["--import", "tsx", "--input-type=module", "--eval", script], {
        ...{ cwd: root, reject: false },
      });
      expect(signal).to.equal("SIGKILL");
      expect(await read("gitops/apps/one.yaml")).to.equal("a: 2\n");
    };

    it("is used by no command that changes, keeps or recovers anything", async () => {
      await killed();
      for (const args of [
        ["deploy", "dev"],
        ["rebuild", "dev", "--plan"],
        ["rotate", "dev", "age"],
        ["escrow", "dev"],
      ]) {
        const { exitCode, stderr } = await hearth(folder, args);
        expect([exitCode, stderr], args[0]).to.satisfy(
          ([code, said]: [number, string]) => code === 1 && said.includes("which a preview put there"),
        );
      }
    });

    it("is taken out by the next preview, and then nothing is refused", async () => {
      await killed();
      await removeForeignData(git);
      expect(await run("status", "--porcelain")).to.equal("");
      expect(await read("gitops/apps/new.yaml")).to.equal("nothing");
      await requireOwnData(folder);
    });

    it("is taken out before other data is put in", async () => {
      await killed();
      const seen = await withDataOf(git, await examine(git, "theirs"), () => read("gitops/apps/one.yaml"));
      expect(seen).to.equal("a: 2\n");
      expect(await run("status", "--porcelain")).to.equal("");
    });

    it("takes nothing with it that a person wrote since", async () => {
      await killed();
      await write("gitops/apps/one.yaml", "mine: true\n");
      expect(await messageOf(removeForeignData(git))).to.contain("gitops/apps/one.yaml was changed since");
      expect(await read("gitops/apps/one.yaml")).to.equal("mine: true\n");
      expect(await messageOf(requireOwnData(folder))).to.contain("which a preview put there");
    });

    it("is not taken out while the preview runs", async () => {
      await branch(() => write("gitops/apps/one.yaml", "a: 2\n"));
      await withDataOf(git, await examine(git, "theirs"), async () => {
        expect(await messageOf(removeForeignData(git))).to.contain("is under way in this checkout");
        expect(await messageOf(requireOwnData(folder))).to.contain("which a preview put there");
        expect(await read("gitops/apps/one.yaml")).to.equal("a: 2\n");
      });
      await requireOwnData(folder);
    });
  });

  const refused: [what: string, change: () => Promise<unknown>, concern: string][] = [
    ["code", () => write("infra/program.ts", "steal();\n"), "infra/program.ts is not data: code may read or run it"],
    [
      "a workflow",
      () => write(".github/workflows/x.yml", "on: push\n"),
      ".github/workflows/x.yml is not data: code may read or run it",
    ],
    [
      "the project's file",
      () => write("Pulumi.yaml", "runtime: evil\n"),
      "Pulumi.yaml is not data: code may read or run it",
    ],
    [
      "what npm reads",
      () => write(".npmrc", "registry=https://evil.example\n"),
      ".npmrc is not data: code may read or run it",
    ],
    [
      "a link",
      () => symlink("/proc/self/environ", join(folder, "gitops/apps/link.yaml")),
      "gitops/apps/link.yaml is not a regular file of data",
    ],
    [
      "a link in place of a stack file",
      async () => {
        await rm(join(folder, "Pulumi.dev.yaml"));
        await symlink("/etc/passwd", join(folder, "Pulumi.dev.yaml"));
      },
      "Pulumi.dev.yaml is not a regular file of data",
    ],
    [
      "a link in place of the tree",
      async () => {
        await rm(join(folder, "gitops"), { recursive: true });
        await symlink("/etc", join(folder, "gitops"));
      },
      "gitops is not a regular file of data",
    ],
    [
      "Git's attributes, which run filters",
      () => write("gitops/.gitattributes", "* filter=lfs\n"),
      "gitops/.gitattributes is not a regular file of data",
    ],
    [
      "a program",
      () => execa("sh", ["-c", "printf 'a: 3\\n' > one.yaml; chmod +x one.yaml"], { cwd: join(folder, "gitops/apps") }),
      "gitops/apps/one.yaml is not a regular file of data",
    ],
    [
      "another destination of a credential",
      () => edit("https://10.20.0.5:8006", "https://evil.example:8006"),
      "Pulumi.dev.yaml hearth:proxmox.endpoint: the Proxmox token is sent there",
    ],
    [
      "a kustomization that names what is outside",
      () => write("gitops/apps/kustomization.yaml", "resources: ['file:///x?ref=--upload-pack%3Dsh']\n"),
      "gitops/apps/kustomization.yaml: file:///x?ref=--upload-pack%3Dsh is no path inside the repository",
    ],
    ["a new stack", () => write("Pulumi.evil.yaml", "config: {}\n"), "Pulumi.evil.yaml: is a new stack"],
  ];
  for (const [what, change, concern] of refused) {
    it(`is refused with ${what}`, async () => {
      await branch(change);
      expect(await concerns()).to.include(concern);
      const proposal = await examine(git, "theirs");
      const answer = await withDataOf(git, proposal, () => Promise.resolve("worked")).catch(
        (error: unknown) => (error as Error).message,
      );
      expect(answer).to.match(/has to be read first/);
      expect(await run("status", "--porcelain")).to.equal("");
    });
  }

  it("is refused with a submodule", async () => {
    await branch(async () => {
      await run("init", "--quiet", "gitops/apps/module");
      const author = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com"];
      await run("-C", "gitops/apps/module", ...author, "commit", "--quiet", "--allow-empty", "--message", "theirs");
    });
    expect(await concerns()).to.include("gitops/apps/module is not a regular file of data");
  });

  it("is refused with a destination that main has left since", async () => {
    await branch(() => write("gitops/apps/one.yaml", "a: 2\n"));
    await edit("https://10.20.0.5:8006", "https://10.20.0.6:8006");
    await commit("Move Proxmox");
    expect(await concerns()).to.deep.equal([
      "Pulumi.dev.yaml hearth:proxmox.endpoint: the Proxmox token is sent there",
    ]);
  });

  it("does not count what main changed meanwhile as the commit's own", async () => {
    await branch(() => write("gitops/apps/one.yaml", "a: 2\n"));
    await write("infra/program.ts", "export const better = 1;\n");
    await commit("Improve");
    expect(await concerns()).to.deep.equal([]);
  });

  it("overwrites no change that is not committed, and no new file", async () => {
    await branch(() => write("gitops/apps/new.yaml", "a: 1\n"));
    const proposal = await examine(git, "theirs");
    await write("gitops/apps/new.yaml", "mine: true\n");
    const answer = await withDataOf(git, proposal, () => Promise.resolve("worked")).catch(
      (error: unknown) => (error as Error).message,
    );
    expect(answer).to.equal(
      "gitops/apps/new.yaml would be overwritten: commit it, or move it away, and run this again",
    );
    expect(await read("gitops/apps/new.yaml")).to.equal("mine: true\n");
  });

  it("is of a commit that exists and belongs to the same history", async () => {
    const failure = (ref: string) => examine(git, ref).catch((error: unknown) => (error as Error).message);
    expect(await failure("nobody")).to.equal("There is no commit nobody here: fetch it, and name it again");
    expect(await failure("--output=/tmp/x")).to.match(/^There is no commit/);
    await run("switch", "--quiet", "--orphan", "alone");
    await write("gitops/a.yaml", "a: 1\n");
    await commit("alone");
    await run("switch", "--quiet", "main");
    expect(await failure("alone")).to.equal("alone shares no history with what is checked out: rebase it");
  });

  it("is checked without a preview, by a flag", async () => {
    await branch(() => write("gitops/apps/one.yaml", "a: 2\n"));
    const check = async () => hearth(folder, ["preview", "dev", "--data-from", "theirs", "--check"]);
    expect(await check()).to.include({ exitCode: 0 });
    await run("branch", "--quiet", "-D", "theirs");
    await branch(() => write("infra/program.ts", "steal();\n"));
    const { exitCode, stderr } = await check();
    expect(exitCode).to.equal(4);
    expect(stderr).to.contain("infra/program.ts is not data");
  });

  it("has names that Git does not read itself", () => {
    expect(
      ["Pulumi.dev.yaml", "gitops/a/b.json", "gitops/argocd/.helmignore"].filter((path) => !isData(path)),
    ).to.deep.equal([]);
    const others = [
      "Pulumi.yaml",
      "Pulumi.a/b.yaml",
      "gitops",
      "a/gitops/b.yaml",
      "gitops/.gitmodules",
      "gitops/.GIT/config",
    ];
    expect(others.filter(isData)).to.deep.equal([]);
  });
});
