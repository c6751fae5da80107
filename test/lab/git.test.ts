import { type ExecFileException, execFile } from "node:child_process";
import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { type LabFolder, type LabProcess, accepts, eventually, labFolder, startLab } from "../support/lab-process.ts";

const address = "127.93.255.4:2222";
const url = `ssh://git@${address}/hearth.git`;

/** What a command printed and how it ended. */
interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

const run = async (program: string, args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> => {
  const clean = Object.entries(process.env).filter(([name]) => !/^(GIT|SSH)_/.test(name));
  try {
    const result = await promisify(execFile)(program, args, { env: { ...Object.fromEntries(clean), ...env } });
    return { code: 0, ...result };
  } catch (error) {
    const { code, stdout = "", stderr = "" } = error as ExecFileException;
    return { code: Number(code), stdout, stderr };
  }
};

const done = async (outcome: Promise<Outcome>): Promise<string> => {
  const { code, stdout, stderr } = await outcome;
  expect(code, stderr).to.equal(0);
  return stdout.trim();
};

describe("the lab's Git server", function () {
  this.timeout(60_000);

  let work: string;
  let checkout: string;
  let folder: LabFolder;
  let lab: LabProcess;

  /** A Git command in the checkout. */
  const git = (...args: string[]): Promise<string> =>
    done(run("git", ["-C", checkout, "-c", "user.name=a", "-c", "user.email=a@b.example", ...args]));

  const commit = async (text: string): Promise<string> => {
    await writeFile(join(checkout, "file"), text);
    await git("add", "file");
    await git("commit", "-qm", text);
    return git("rev-parse", "HEAD");
  };

  const sshCommand = (key: string, more = ""): string =>
    `ssh -F none -i ${join(work, key)} -o IdentitiesOnly=yes -o IdentityAgent=none -o BatchMode=yes ` +
    `-o UserKnownHostsFile=${join(folder.dir, "git", "known_hosts")} -o StrictHostKeyChecking=yes ${more}`;

  /** A Git command that talks to the server with a key. */
  const remote = (args: readonly string[], key = "deploy"): Promise<Outcome> =>
    run("git", args, { GIT_SSH_COMMAND: sshCommand(key) });

  const clone = async (...options: string[]): Promise<string> => {
    const target = await mkdtemp(join(work, "clone-"));
    await done(remote(["clone", "-q", ...options, url, target]));
    return target;
  };

  const served = async (branch = "main"): Promise<string> =>
    (await done(remote(["ls-remote", url, `refs/heads/${branch}`]))).split("\t")[0] ?? "";

  const start = async (repository: string, branch?: string): Promise<void> => {
    const settings = { repository, git: { address, ...(branch !== undefined && { branch }) } };
    await writeFile(folder.config, JSON.stringify({ stack: "test", dir: folder.dir, ...settings }));
    lab = await startLab("git", folder.config);
    await eventually("the Git server listens", () => accepts(address));
  };

  /** Starts the server anew for another folder or branch. */
  const serve = async (repository: string, branch?: string): Promise<void> => {
    await lab.stop();
    await start(repository, branch);
  };

  const authorize = async (key: string): Promise<void> =>
    writeFile(join(folder.dir, "git", "authorized_keys"), await readFile(join(work, `${key}.pub`)));

  before(async () => {
    work = await mkdtemp(join(tmpdir(), "hearth-git-"));
    for (const key of ["deploy", "other"])
      await done(run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", key, "-f", join(work, key)]));
  });

  after(() => rm(work, { recursive: true, force: true }));

  beforeEach(async () => {
    checkout = await mkdtemp(join(work, "checkout-"));
    await git("init", "-q", "-b", "main");
    await commit("one");
    await commit("two");
    folder = await labFolder({});
    await start(checkout);
    await authorize("deploy");
  });

  afterEach(async () => {
    await lab.stop();
    await folder.remove();
  });

  it("serves the commit that is checked out", async () => {
    const target = await clone();
    expect(await readFile(join(target, "file"), "utf8")).to.equal("two");
    expect(await done(run("git", ["-C", target, "rev-list", "--count", "HEAD"]))).to.equal("2");
    expect(await done(run("git", ["-C", target, "branch", "--show-current"]))).to.equal("main");
  });

  it("serves a shallow clone of one branch, as Flux asks for", async () => {
    const target = await clone("--depth=1", "--single-branch", "--branch=main");
    expect(await done(run("git", ["-C", target, "rev-list", "--count", "HEAD"]))).to.equal("1");
  });

  it("serves clients of the first version of the protocol", async () => {
    const target = await mkdtemp(join(work, "clone-"));
    await done(remote(["-c", "protocol.version=0", "clone", "-q", "--depth=1", url, target]));
    expect(await readFile(join(target, "file"), "utf8")).to.equal("two");
  });

  it("shows a commit as soon as it is made", async () => {
    const target = await clone();
    const third = await commit("three");
    await done(remote(["-C", target, "pull", "-q"]));
    expect(await done(run("git", ["-C", target, "rev-parse", "HEAD"]))).to.equal(third);
  });

  it("gives HEAD as main when another branch is checked out, and nothing else", async () => {
    await git("checkout", "-q", "-b", "feature");
    const head = await commit("on a branch");
    const refs = await done(remote(["ls-remote", url]));
    expect(refs.split("\n")).to.have.members([`${head}\tHEAD`, `${head}\trefs/heads/main`]);
  });

  it("gives HEAD as main when it is detached and main is elsewhere", async () => {
    const first = await git("rev-parse", "HEAD~1");
    await git("checkout", "-q", "--detach", first);
    expect(await served()).to.equal(first);
  });

  it("gives HEAD as the branch that is configured", async () => {
    await serve(checkout, "trunk");
    expect(await served("trunk")).to.equal(await git("rev-parse", "HEAD"));
    expect(await served("main")).to.equal("");
  });

  it("serves a linked worktree, whose .git is a file", async () => {
    const tree = join(work, "linked");
    await git("worktree", "add", "-q", "-b", "linked", tree);
    expect((await stat(join(tree, ".git"))).isFile()).to.equal(true);
    await done(
      run("git", [
        "-C",
        tree,
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@b.example",
        "commit",
        "-q",
        "--allow-empty",
        "-m",
        "x",
      ]),
    );
    await serve(tree);
    expect(await served()).to.equal(await done(run("git", ["-C", tree, "rev-parse", "HEAD"])));
    await clone("--depth=1");
  });

  it("serves a checkout that is a shallow clone itself", async () => {
    const shallow = join(await mkdtemp(join(work, "shallow-")), "checkout");
    await done(run("git", ["clone", "-q", "--depth=1", `file://${checkout}`, shallow]));
    await serve(shallow);
    for (const options of [[], ["--depth=1"]])
      expect(await readFile(join(await clone(...options), "file"), "utf8")).to.equal("two");
  });

  it("serves a checkout that belongs to another user", async function () {
    if (process.getuid?.() !== 0) this.skip();
    await done(run("chown", ["-R", "65534:65534", checkout]));
    expect(await served()).to.match(/^[0-9a-f]{40}$/);
    await clone("--depth=1");
    await done(run("chown", ["-R", "0:0", checkout]));
  });

  it("changes nothing in the checkout", async () => {
    const before = await git("for-each-ref");
    await clone();
    expect(await git("for-each-ref")).to.equal(before);
    expect(await git("status", "--porcelain")).to.equal("");
  });

  it("lets nobody in before a key is registered", async () => {
    await rm(join(folder.dir, "git", "authorized_keys"));
    expect((await remote(["ls-remote", url])).stderr).to.contain("Permission denied (publickey)");
  });

  it("refuses every other key, and takes a new one without a restart", async () => {
    expect((await remote(["ls-remote", url], "other")).stderr).to.contain("Permission denied (publickey)");
    await authorize("other");
    expect((await remote(["ls-remote", url], "other")).code).to.equal(0);
    expect((await remote(["ls-remote", url], "deploy")).stderr).to.contain("Permission denied (publickey)");
  });

  it("goes on after a line of the key file that is not a key", async () => {
    const path = join(folder.dir, "git", "authorized_keys");
    const key = await readFile(path, "utf8");
    await writeFile(path, "# keys\nnot a key\n\n");
    expect((await remote(["ls-remote", url])).code).to.equal(128);
    await appendFile(path, key);
    expect((await remote(["ls-remote", url])).code).to.equal(0);
  });

  it("refuses the right key under another name than git", async () => {
    const other = await remote(["ls-remote", url.replace("git@", "root@")]);
    expect(other.stderr).to.contain("Permission denied (publickey)");
  });

  it("refuses a push as a host refuses a read-only deploy key", async () => {
    const target = await clone();
    const push = await remote(["-C", target, "push", "origin", "HEAD:refs/heads/x"]);
    expect(push.code).to.equal(128);
    expect(push.stderr).to.contain("ERROR: The key you are authenticating with has been marked as read only.");
  });

  it("knows no repository whose path does not end in .git", async () => {
    const { stderr } = await remote(["ls-remote", `ssh://git@${address}/hearth`]);
    expect(stderr).to.contain("ERROR: Repository not found.");
    expect((await remote(["ls-remote", `ssh://git@${address}/owner/anything.git`])).code).to.equal(0);
  });

  const host = address.split(":")[0] ?? "";
  const ssh = (...command: string[]): Promise<Outcome> =>
    run("sh", ["-c", `${sshCommand("deploy", "-p 2222")} "$@"`, "ssh", ...command]);

  it("gives no shell, no other program and no forwarding", async () => {
    expect((await ssh(`git@${host}`)).stderr).to.contain("does not provide shell access");
    expect((await ssh("-tt", `git@${host}`)).stderr).to.contain("PTY allocation request failed");
    expect((await ssh(`git@${host}`, "ls", "/")).stderr).to.contain("Invalid command");
    expect((await ssh(`git@${host}`, "git-upload-pack --help x.git")).stderr).to.contain("Invalid command");
    expect((await ssh("-s", `git@${host}`, "sftp")).code).to.not.equal(0);
    expect((await ssh("-W", address, `git@${host}`)).stderr).to.contain("unknown channel type");
  });

  it("keeps its host key over a restart", async () => {
    const known = await readFile(join(folder.dir, "git", "known_hosts"), "utf8");
    expect(known).to.match(/^\[127\.93\.255\.4\]:2222 ssh-ed25519 \S+\n$/);
    expect((await stat(join(folder.dir, "git", "host_key"))).mode & 0o777).to.equal(0o600);
    await lab.stop();
    await start(checkout);
    expect(await readFile(join(folder.dir, "git", "known_hosts"), "utf8")).to.equal(known);
    expect(await served()).to.equal(await git("rev-parse", "HEAD"));
  });

  it("says when there is no commit to serve", async () => {
    const empty = await mkdtemp(join(work, "empty-"));
    await done(run("git", ["-C", empty, "init", "-q"]));
    await serve(empty);
    expect((await remote(["ls-remote", url])).stderr).to.contain(`ERROR: ${empty} has no commit to serve`);
  });

  it("ends connections when it is stopped", async () => {
    const socket = connect(2222, host);
    await new Promise((resolve) => socket.once("data", resolve));
    const closed = new Promise((resolve) => socket.once("close", resolve));
    expect(await lab.stop()).to.equal(0);
    await closed;
  });
});
