import { cpSync, existsSync, mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import { execa } from "execa";
import { parse } from "yaml";

import { hearth as config } from "../../support/hearth.ts";

const root = new URL("../../../", import.meta.url).pathname;

const facts = ["--subnet", "10.40.0.0/24", "--domain", "", "--recipients", ""];

describe("stack files at the command line", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "hearth-config-"));
    for (const stack of ["dev", "prod"]) {
      cpSync(join(root, `Pulumi.${stack}.yaml`), join(folder, `Pulumi.${stack}.yaml`));
      mkdirSync(join(folder, `gitops/clusters/${stack}`), { recursive: true });
    }
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const change = (stack: string, from: string | RegExp, to: string) => {
    const file = join(folder, `Pulumi.${stack}.yaml`);
    writeFileSync(file, readFileSync(file, "utf8").replace(from, to));
  };

  const nameRecipients = (...stacks: string[]) => {
    for (const stack of stacks) {
      change(stack, "<your age recipient>", "age1v0lncznkg79xx5ejz5nlqknczgnrsfe9wzxclk2z38m9alr0pqdqsxvj7d");
      change(
        stack,
        "<an age recipient that is kept elsewhere>",
        "age1xm6mgvjt7ffl7ayvk0fr89h6k5qgnctyxl3jf7y5pmayt563pafs4cduag",
      );
    }
  };

  it("check tells what has to be written before a committed stack can be deployed", async () => {
    const { exitCode, stdout, stderr } = await config(folder, ["check", "dev"]);
    expect(stdout).to.equal("Pulumi.dev.yaml is valid, but cannot be deployed yet: 1 control plane, 2 workers");
    expect(stderr).to.contain("escrow.recipients.0   <your age recipient> stands where a recipient has to be written");
    expect(stderr).to.contain("write the age1… that age-keygen -o FILE prints");
    expect(exitCode).to.equal(1);
  });

  it("check refuses recipients whose identity strangers have", async () => {
    change("dev", "<your age recipient>", "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p");
    const { exitCode, stderr } = await config(folder, ["check", "dev"]);
    expect(stderr).to.contain(
      "a sample of age's documentation: the escrow and all backups could be decrypted by strangers",
    );
    expect(exitCode).to.equal(1);
  });

  it("check accepts both committed stacks with recipients of one's own", async () => {
    nameRecipients("dev", "prod");
    const { exitCode, stdout, stderr } = await config(folder, ["check"]);
    expect(stderr).to.equal("");
    expect(stdout.split("\n")).to.deep.equal([
      "Pulumi.dev.yaml is valid: 1 control plane, 2 workers",
      "Pulumi.prod.yaml is valid: 3 control planes",
    ]);
    expect(exitCode).to.equal(0);
  });

  it("check tells what is wrong in each file, and what one takes from the other", async () => {
    change("dev", "hearth:network:", "hearth:netwrk: {}\n  hearth:network:");
    change("prod", "welcome.example.com", "welcome-dev.example.com");
    change("prod", "path: gitops/clusters/prod", "path: gitops/clusters/production");
    const { exitCode, stderr } = await config(folder, ["check"]);
    expect(exitCode).to.equal(1);
    expect(stderr).to.contain("Pulumi.dev.yaml has 1 problem:\n\n  hearth:netwrk   is not a key that Hearth knows");
    expect(stderr).to.contain("gitops.path   gitops/clusters/production is not a folder of this checkout");
  });

  it("check compares a stack file with the releases and the devices of its tree", async () => {
    const cilium = "gitops/infrastructure/network/cilium/app";
    cpSync(join(root, cilium), join(folder, cilium), { recursive: true });
    const release = join(folder, cilium, "helmrelease.yaml");
    writeFileSync(release, readFileSync(release, "utf8").replace(", net+]", "]"));
    change("dev", "gatewayApi: v1.6.1", "gatewayApi: v1.2.0");
    change("dev", "address: 10.20.0.21", "address: 10.20.0.21\n      vlan: 100");
    const { exitCode, stderr } = await config(folder, ["check", "dev"]);
    expect(exitCode).to.equal(1);
    expect(stderr).to.contain(
      "network.gatewayApi   v1.2.0 is older than v1.6, without which Cilium 1.20.2 starts no gateway",
    );
    expect(stderr).to.contain("leads to Cilium, whose value devices matches no net0.100");
    expect(stderr).to.contain("in gitops/infrastructure/network/cilium/app/helmrelease.yaml, add net+");
  });

  it("check warns, and its exit code is 0", async () => {
    nameRecipients("dev");
    change("dev", "welcome-dev.example.com", "welcome.dev.example.com");
    const { exitCode, stdout, stderr } = await config(folder, ["check", "dev"]);
    expect(stderr).to.contain("Pulumi.dev.yaml has 1 warning:");
    expect(stderr).to.contain("use welcome-dev.example.com, or order a certificate for *.dev.example.com");
    expect(stdout).to.contain("Pulumi.dev.yaml is valid: 1 control plane, 2 workers");
    expect(exitCode).to.equal(0);
  });

  it("check tells a collision as that of the stack that is asked for", async () => {
    change("dev", "welcome-dev.example.com", "welcome.example.com");
    const dev = await config(folder, ["check", "dev"]);
    expect(dev.stderr).to.contain("welcome.example.com is also a hostname in Pulumi.prod.yaml");
    const prod = await config(folder, ["check", "prod"]);
    expect(prod.stderr).to.contain("welcome.example.com is also a hostname in Pulumi.dev.yaml");
  });

  it("check finds a secret that stands in plain, and does not show it", async () => {
    change("dev", "config:\n", "config:\n  hearth:cloudflareToken: plain-secret\n");
    const { exitCode, stdout, stderr } = await config(folder, ["check", "dev"]);
    expect(exitCode).to.equal(1);
    expect(stderr).to.contain("hearth:cloudflareToken   is readable for everyone");
    expect(stderr + stdout).not.to.contain("plain-secret");
  });

  it("check says where a file is not YAML", async () => {
    change("dev", "  hearth:network:", "   hearth:network:");
    const { exitCode, stderr } = await config(folder, ["check", "dev"]);
    expect(exitCode).to.equal(1);
    expect(stderr).to.match(/line \d+ {3}is not YAML: /);
  });

  it("check knows which stacks there are", async () => {
    const { exitCode, stderr } = await config(folder, ["check", "staging"]);
    expect([exitCode, stderr]).to.deep.equal([
      1,
      "There is no stack staging, as Pulumi.staging.yaml is missing: use dev or prod",
    ]);
  });

  it("inventory lists the nodes of all stacks", async () => {
    const { exitCode, stdout } = await config(folder, ["inventory"]);
    const rows = stdout.split("\n").map((row) => row.split(/ {2,}/));
    expect(exitCode).to.equal(0);
    expect(rows[0]?.slice(0, 5)).to.deep.equal(["STACK", "NODE", "ROLE", "PLATFORM", "ADDRESS"]);
    expect(rows.slice(1).map(([stack, name, , platform]) => [stack, name, platform])).to.deep.equal([
      ["dev", "den-dev-cp01", "proxmox"],
      ["dev", "den-dev-wk01", "proxmox"],
      ["dev", "den-dev-wk02", "proxmox"],
      ["prod", "den-prod-cp01", "metal"],
      ["prod", "den-prod-cp02", "metal"],
      ["prod", "den-prod-cp03", "metal"],
    ]);
  });

  it("init writes a stack file that is valid beside the others, without asking", async () => {
    nameRecipients("dev");
    const { exitCode, stdout } = await config(folder, ["init", "lab", ...facts, "--workers", "2"]);
    expect(exitCode).to.equal(0);
    expect(stdout).to.contain("pulumi stack init lab");
    const text = readFileSync(join(folder, "Pulumi.lab.yaml"), "utf8");
    // Pulumi would read a day without quotes as a time, and write that into the file.
    expect(text).to.match(/emptyUntil: "\d{4}-\d\d-\d\d"/);
    const written = parse(text) as { config: Record<string, object> };
    expect(Object.keys(written.config["hearth:nodes"] ?? {})).to.deep.equal([
      "den-lab-cp01",
      "den-lab-wk01",
      "den-lab-wk02",
    ]);
    mkdirSync(join(folder, "gitops/clusters/lab"));
    expect(await config(folder, ["check", "lab"])).to.deep.include({
      exitCode: 0,
      stdout: "Pulumi.lab.yaml is valid: 1 control plane, 2 workers",
      stderr: "",
    });
  });

  const stepsAfter = async (stack: string): Promise<string[]> => {
    const virtual = ["--platform", "proxmox", "--proxmox", "https://10.40.0.5:8006", "--hosts", "pve1"];
    const { stdout } = await config(folder, ["init", stack, "--force", ...facts, ...virtual]);
    return stdout.split("\n").slice(1);
  };

  it("init asks for the folder of a new stack's tree, as another stack's is", async () => {
    nameRecipients("dev");
    expect(await stepsAfter("lab")).to.include("  make gitops/clusters/lab, as gitops/clusters/dev is");
    rmSync(join(folder, "gitops/clusters/dev"), { recursive: true });
    expect(await stepsAfter("lab")).to.include("  make gitops/clusters/lab, as gitops/clusters/prod is");
  });

  it("init asks for nothing that is there, and for no secret that the stack it wrote does not need", async () => {
    nameRecipients("dev", "prod");
    expect(await stepsAfter("dev")).to.deep.equal([
      "  pulumi stack init dev",
      "  pulumi config set --secret hearth:proxmoxToken",
      "  npx hearth secret init dev   makes the tree's secrets its own",
      "  npm run lab -- up dev     to try it without hardware",
    ]);
  });

  it("init writes bare metal where it is told to", async () => {
    nameRecipients("dev");
    const macs = "7C:83:34:40:00:11,7C:83:34:40:00:12,7C:83:34:40:00:13";
    const metal = ["--platform", "metal", "--control-planes", "3", "--macs", macs];
    expect(await config(folder, ["init", "lab", ...facts, ...metal])).to.deep.include({ exitCode: 0, stderr: "" });
    const { stdout } = await config(folder, ["inventory"]);
    expect(stdout.split("\n").filter((row) => row.startsWith("lab ") && row.includes(" metal "))).to.have.lengthOf(3);
    // The tree's releases have wants of their own, which check knows.
    const cilium = "gitops/infrastructure/network/cilium/app";
    cpSync(join(root, cilium), join(folder, cilium), { recursive: true });
    mkdirSync(join(folder, "gitops/clusters/lab"));
    expect(await config(folder, ["check", "lab"])).to.deep.include({ exitCode: 0, stderr: "" });
  });

  it("init writes machines that encrypt their disks, as policies ask of production", async () => {
    nameRecipients("dev");
    expect(await config(folder, ["init", "lab", ...facts])).to.deep.include({ exitCode: 0, stderr: "" });
    expect(readFileSync(join(folder, "Pulumi.lab.yaml"), "utf8")).to.contain("\n    diskEncryption: nodeID\n");
  });

  it("init without a terminal names the facts that it still needs, and writes nothing", async () => {
    nameRecipients("dev");
    const { exitCode, stderr } = await config(folder, ["init", "lab", "--platform", "metal", "--recipients", ""]);
    expect(exitCode).to.equal(1);
    expect(stderr).to.equal(
      "Without a terminal to ask at, these facts are needed: --subnet 10.40.0.0/24 --macs 7C:83:34:30:00:11 --domain example.com",
    );
    expect(existsSync(join(folder, "Pulumi.lab.yaml"))).to.equal(false);
  });

  it("init takes nothing but releases and a known server from the example, whose place and accounts are nobody's", async () => {
    const repository = ["--repository", "ssh://git@github.com/me/hearth.git"];
    const { stderr } = await config(folder, ["init", "lab", ...repository]);
    expect(stderr).to.equal(
      "Without a terminal to ask at, these facts are needed: --site den --subnet 10.40.0.0/24 --proxmox https://10.40.0.5:8006 " +
        "--hosts pve1,pve2 --domain example.com --recipients age1…",
    );
    const elsewhere = await config(folder, ["init", "lab", "--repository", "ssh://git@git.example.net/me/hearth.git"]);
    expect(elsewhere.stderr).to.contain("--known-hosts git.example.com");
  });

  it("init refuses answers that are wrong, all at once", async () => {
    nameRecipients("dev");
    const { exitCode, stderr } = await config(folder, [
      "init",
      "lab",
      ...facts,
      "--vip",
      "router",
      "--workers",
      "many",
    ]);
    expect(exitCode).to.equal(1);
    expect(stderr).to.contain("--vip: router is not an IPv4 address: write one such as 10.20.0.11");
    expect(stderr).to.contain("--workers: many is not a number");
  });

  it("init refuses what another stack has, and what is there already", async () => {
    nameRecipients("dev");
    const taken = await config(folder, ["init", "lab", ...facts, "--subnet", "10.20.0.0/24"]);
    expect(taken.exitCode).to.equal(1);
    expect(taken.stderr).to.contain("10.20.0.11 is also the address of den-dev-cp01 in Pulumi.dev.yaml");
    const there = await config(folder, ["init", "dev", ...facts]);
    expect([there.exitCode, there.stderr]).to.deep.equal([1, "Pulumi.dev.yaml is there already; --force replaces it"]);
  });

  it("explains itself, and refuses a command that is none", async () => {
    const [help, flags, none] = await Promise.all([
      config(folder, ["check", "--help"]),
      config(folder, ["init", "--help"]),
      config(folder, ["chekc"]),
    ]);
    expect([help.exitCode, flags.exitCode, none.exitCode]).to.deep.equal([0, 0, 1]);
    expect(help.stdout).to.contain("Usage: npx hearth check [STACK…]");
    expect(flags.stdout).to.contain("--load-balancers");
    expect(none.stderr).to.match(/^There is no command chekc: write check\n/);
    expect(none.stderr).not.to.contain("    at ");
  });

  it("init asks a person for what it is not told, again where the answer is wrong", async () => {
    nameRecipients("dev");
    const answers = ["10.40.0.0", "10.40.0.0/24", ""];
    const { exitCode, stderr } = await config(folder, ["init", "lab"], answers);
    expect([exitCode, stderr, answers]).to.deep.equal([
      0,
      "  10.40.0.0 is not an IPv4 range: write one such as 10.20.0.0/24",
      [],
    ]);
  });

  it("runs as a program of its own, on the checkout that it stands in", async function () {
    this.timeout(30_000);
    const { exitCode, stdout } = await execa(
      process.execPath,
      ["--import", import.meta.resolve("tsx"), join(root, "operations/main.ts"), "check", "dev"],
      { cwd: folder, stdin: "ignore", reject: false },
    );
    expect([exitCode, stdout]).to.deep.equal([
      1,
      "Pulumi.dev.yaml is valid, but cannot be deployed yet: 1 control plane, 2 workers",
    ]);
  });
});
