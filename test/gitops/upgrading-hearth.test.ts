import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { expect } from "chai";
import { execa } from "execa";

import { checkCluster, describeFinding } from "../../lib/tree/check.ts";
import { hearth } from "../support/hearth.ts";
import { chart, copyOfWelcome, editInside, makeRelease, writeInside } from "../support/next-release.ts";

const root = join(import.meta.dirname, "../..");

/** As docs/guides/upgrading-hearth.md merges a release. */
const keepingYours = ["-c", "merge.yours.driver=true"];

describe("a repository of somebody's own, a month old, merged with the next release", function () {
  this.timeout(240_000);
  let folder: string;

  const git = (...args: string[]) =>
    execa("git", ["-c", "user.name=Test", "-c", "user.email=test@example.com", ...args], {
      cwd: folder,
      reject: false,
    });
  const must = async (...args: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await git(...args);
    if (exitCode !== 0) throw new Error(`git ${args.join(" ")}: ${stdout}\n${stderr}`);
    return stdout;
  };
  const text = (path: string): string => readFileSync(join(folder, path), "utf8");
  const write = (path: string, content: string): void => {
    writeInside(folder, path, content);
  };
  const edit = (path: string, from: string | RegExp, to: string): void => {
    editInside(folder, path, from, to);
  };
  const committed = async (what: string): Promise<void> => {
    await must("add", "--all");
    await must("commit", "--quiet", "--message", what);
  };

  const list = "gitops/clusters/dev/kustomization.yaml";
  const environment = "gitops/clusters/dev/environment.yaml";
  /** What a person has of their own after a month. */
  const month = async (): Promise<void> => {
    edit("Pulumi.dev.yaml", /\b10\.20\./g, "10.77.");
    edit("Pulumi.dev.yaml", "hearth:cluster:\n", "hearth:cluster:\n    certSANs: [k8s.home.example.net]\n");
    edit(environment, "nas_clients: 10.20.0.0/24", "nas_clients: 10.77.0.0/24");
    copyOfWelcome(folder, "notes");
    edit(
      list,
      "  - ../../apps/welcome/flux.yaml\n",
      "  - ../../apps/welcome/flux.yaml\n  - ../../apps/notes/flux.yaml\n",
    );
    edit(list, "  - ../../apps/audiobookshelf/flux.yaml\n", "  # - ../../apps/audiobookshelf/flux.yaml\n");
    edit(
      list,
      / {2}# Nightly builds.*\n.*nightly\.yaml\n.*\n/,
      "  - path: mine.yaml\n    target: { kind: Kustomization, name: reloader }\n",
    );
    write(
      "gitops/clusters/dev/mine.yaml",
      `- op: add
  path: /spec/patches/-
  value:
    target: { kind: HelmRelease, name: reloader }
    patch: |
      - { op: replace, path: /spec/values/reloader/deployment/resources/limits/memory, value: 512Mi }
`,
    );
    await committed("A month of my own");
  };

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "hearth-upgrade-"));
    const { stdout } = await execa("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { cwd: root });
    for (const path of stdout
      .split("\n")
      .filter((each) => /^(gitops|infra|Pulumi\.|\.gitattributes|\.sops)/.test(each)))
      cpSync(join(root, path), join(folder, path));
    await must("init", "--quiet", "--initial-branch", "main");
    await committed("The release that was cloned");
    await must("branch", "release");
    await month();
    await must("switch", "--quiet", "release");
    makeRelease(folder);
    await committed("The next release");
    await must("switch", "--quiet", "main");
  });

  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it("is what the guide merges", () => {
    const guide = readFileSync(join(root, "docs/guides/upgrading-hearth.md"), "utf8");
    expect(guide).to.contain(`\ngit ${keepingYours.join(" ")} merge `);
  });

  it("conflicts in what is somebody's own alone, where git is not told to keep it", async () => {
    const { exitCode } = await git("merge", "--quiet", "release");
    expect(exitCode).to.equal(1);
    expect((await must("diff", "--name-only", "--diff-filter=U")).split("\n")).to.deep.equal([list]);
    await must("merge", "--abort");
  });

  it("merges without a conflict, keeps what is theirs, and takes what is Hearth's", async () => {
    const own = ["Pulumi.dev.yaml", list, environment, "gitops/clusters/dev/mine.yaml"];
    const before = own.map(text);
    await must(...keepingYours, "merge", "--quiet", "--no-edit", "release");
    expect(own.map(text)).to.deep.equal(before);
    expect(text("Pulumi.prod.yaml")).to.contain("talos: v1.13.99");
    expect(text(chart)).to.contain("tag: 2.99.0");
    expect(text("gitops/clusters/shared/kustomizations.yaml")).to.contain("# A remark of the release.");
    expect(text("infra/program.ts")).to.contain("// A change of the release.");
  });

  it("is told by check what the release brings, until their list says something of it", async () => {
    const warning = `${dirname(list)} says nothing of apps/greeter, which the tree has`;
    expect((await hearth(folder, ["check", "dev"])).stderr)
      .to.contain(warning)
      .and.not.to.contain("apps/notes");
    expect((await hearth(folder, ["check", "prod"])).stderr).to.contain("says nothing of apps/notes");
    edit(list, "  - ../../apps/notes", "  # - ../../apps/greeter/flux.yaml\n  - ../../apps/notes");
    expect((await hearth(folder, ["check", "dev"])).stderr).not.to.contain("says nothing of");
  });

  it("renders to a tree without a fault, and names the variable that a new system asks for", async () => {
    const faults = async () => (await checkCluster(folder, "dev")).findings.map(describeFinding);
    expect(await faults()).to.deep.equal([]);
    edit(list, "  # - ../../apps/greeter", "  - ../../apps/greeter");
    expect((await faults()).join("\n")).to.contain("greeting");
    edit(environment, "\ndata:\n", "\ndata:\n  greeting: hello\n");
    expect(await faults()).to.deep.equal([]);
  });
});
