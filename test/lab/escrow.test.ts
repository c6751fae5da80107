import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { copyFile, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { generateIdentity, identityToRecipient } from "age-encryption";
import { expect } from "chai";
import { execa } from "execa";
import { parse } from "yaml";

import { ageIdentity } from "../../components/secrets/age.ts";
import { escrowHead } from "../../components/secrets/escrow-head.ts";
import { labAgeIdentity } from "../../lib/secrets/lab-identity.ts";
import { readEscrow } from "../../lib/secrets/escrow.ts";
import { Sops } from "../../lib/secrets/sops.ts";
import { LabCheckout } from "../support/lab-checkout.ts";
import { filesWith, secretsOf } from "../support/leaks.ts";
import { tool } from "../support/tools.ts";

const octet = 126;
const controlPlane = `127.${octet}.0.11`;
const file = ".lab/dev/escrow.sops.yaml";
const older = ".lab/dev/older.sops.yaml";

describe("the escrow and backups of the lab's dev", () => {
  let checkout: LabCheckout;
  let sops: Sops;
  let printed = "";
  /** Two people who hold an identity each. */
  const people = { ada: { identity: "", recipient: "", file: "" }, bob: { identity: "", recipient: "", file: "" } };

  /** Runs a command of the project, and gives how it ended. */
  const hearth = async (...args: string[]): Promise<{ exitCode: number; all: string }> => {
    const { exitCode, all } = await execa("npx", ["hearth", ...args, "--lab"], {
      ...{ cwd: checkout.path, all: true, reject: false, env: { SOPS_AGE_KEY_FILE: undefined } },
    });
    printed += all;
    return { exitCode: exitCode ?? -1, all };
  };

  const well = async (...args: string[]): Promise<string> => {
    const { exitCode, all } = await hearth(...args);
    expect(exitCode, all).to.equal(0);
    return all;
  };

  const badly = async (...args: string[]): Promise<string> => {
    const { exitCode, all } = await hearth(...args);
    expect(exitCode, all).to.equal(1);
    expect(all).not.to.match(/^ +at .*:\d+:\d+/m);
    return all;
  };

  const lab = async (...args: string[]): Promise<string> => {
    const { exitCode, all } = await checkout.lab(...args);
    printed += all;
    expect(exitCode, all).to.equal(0);
    return all;
  };

  const shell = async (command: string): Promise<string> => {
    const { exitCode, stdout, all } = await checkout.shell(command);
    expect(exitCode, String(all)).to.equal(0);
    return String(stdout);
  };

  const escrowText = (): Promise<string> => readFile(checkout.file(file), "utf8");

  const opened = async (identity: string) =>
    readEscrow(await escrowText(), { identities: [identity], kms: false }, sops);

  /** What the engine said about the escrow in its last run. */
  const warning = (operation: string): string => {
    const logs = checkout.file(".lab/dev/logs");
    const last =
      readdirSync(logs)
        .filter((name) => name.startsWith(`pulumi-${operation}-`))
        .sort()
        .at(-1) ?? "";
    return readFileSync(join(logs, last), "utf8")
      .split("\n")
      .filter((line) => line.includes("warning: escrow"))
      .join("\n");
  };

  before(async () => {
    checkout = await LabCheckout.createSmall(octet);
    sops = new Sops(await tool("sops"));
    for (const [name, person] of Object.entries(people)) {
      person.identity = await generateIdentity();
      person.recipient = await identityToRecipient(person.identity);
      person.file = checkout.file(".git", `${name}.txt`);
      await writeFile(person.file, `# ${name}\n${person.identity}\n`);
    }
    await checkout.edit("Pulumi.dev.yaml", (text) =>
      text
        .replace("<an age recipient that is kept elsewhere>", people.ada.recipient)
        .replace("  hearth:escrow:\n", "  hearth:escrow:\n    copies: [{ to: folder, path: /mnt/nas }]\n"),
    );
    await checkout.commit("Name who opens the escrow");
    await lab();
  });

  after(() => checkout.remove());

  it("is missed by the program and by the command before it is written", async () => {
    expect(warning("up")).to.contain(`${file} is missing`).and.to.contain("npx hearth escrow dev");
    expect(await badly("escrow", "dev", "--check")).to.contain(`${file} is missing`);
  });

  it("is written, opened by each key at hand, and copied", async () => {
    const output = await well("escrow", "dev", "--identity", people.ada.file);
    expect(output).to.contain("Pulumi.dev.yaml names who signs backups");
    expect(output)
      .to.match(new RegExp(`${people.ada.recipient} +opened`))
      .and.to.match(/age1kgk8\w+ +opened/);
    const copy = await readFile(checkout.file(".lab/dev/copies/0/dev.sops.yaml"), "utf8");
    expect(copy).to.equal(await escrowText());
    expect(output).to.match(/Copied to .*copies\/0, and read back/);
  });

  it("is signed by a key that ssh-keygen alone can verify, and so is its copy", async () => {
    const derived = parse(await readFile(checkout.file(".lab/dev/Pulumi.dev.yaml"), "utf8")) as {
      config: { "hearth:escrow": { signers: { stack: string } } };
    };
    await writeFile(checkout.file(".git/signers"), `hearth ${derived.config["hearth:escrow"].signers.stack}\n`);
    for (const path of [file, ".lab/dev/copies/0/dev.sops.yaml"]) {
      const verify = `ssh-keygen -Y verify -f .git/signers -I hearth -n hearth:dev/escrow -s ${path}.sig < ${path}`;
      expect(await shell(verify)).to.contain("Good");
    }
    expect(await readFile(checkout.file("Pulumi.dev.yaml"), "utf8")).not.to.contain("signers");
  });

  it("has the fingerprint that the program keeps in the state, and the preview misses nothing any more", async () => {
    const read = escrowHead(await escrowText());
    if (!("head" in read)) throw new Error(JSON.stringify(read));
    expect(read.head.fingerprint).to.equal((await shell("pulumi stack output escrow")).trim());
    expect(await lab("preview")).to.contain("no changes");
    expect(warning("preview")).to.equal("");
    expect(await well("escrow", "dev", "--check")).to.contain(`${file} holds what the state does`);
  });

  it("gives back the cluster with nothing but sops and talosctl", async () => {
    const folder = checkout.file(".git");
    const talosctl = async (...args: string[]) => (await execa(await tool("talosctl"), args, { cwd: folder })).stdout;
    const { stdout } = await execa(
      await tool("sops"),
      ["decrypt", "--extract", '["secrets"]["talosSecrets"]', checkout.file(file)],
      { cwd: folder, env: { SOPS_AGE_KEY_FILE: people.ada.file } },
    );
    await writeFile(join(folder, "secrets.yaml"), stdout);
    const endpoint = `https://127.${octet}.0.10:6443`;
    await talosctl(
      "gen",
      "config",
      "den-dev",
      endpoint,
      "--with-secrets",
      "secrets.yaml",
      "--output-types",
      "talosconfig",
      "-o",
      "talosconfig",
    );
    const at = ["--talosconfig", "talosconfig", "--endpoints", controlPlane, "--nodes", controlPlane];
    expect(await talosctl(...at, "etcd", "members")).to.contain("den-dev-cp01");
  });

  it("is left alone where it holds what the state does", async () => {
    const before = await escrowText();
    expect(await well("escrow", "dev")).to.contain("holds what the state does already");
    expect(await escrowText()).to.equal(before);
  });

  it("is told to be stale once a secret is another, and by name which", async () => {
    await shell("echo -n new-token | pulumi config set --secret hearth:gitToken");
    await lab("preview");
    expect(warning("preview")).to.contain("root secrets have changed since");
    const output = await badly("escrow", "dev", "--check");
    expect(output).to.contain("is older than the state in configured.gitToken").and.not.to.contain("new-token");
    await well("escrow", "dev");
    expect((await opened(people.ada.identity)).configured.gitToken).to.equal("new-token");
    await shell("pulumi config rm hearth:gitToken");
    await well("escrow", "dev");
  });

  it("changes who can open it by one command", async () => {
    const bob = people.bob.recipient;
    const output = await well(
      ...["escrow", "dev", "--add", bob, "--remove", people.ada.recipient, "--identity", people.bob.file],
    );
    expect(output).to.match(new RegExp(`${bob} +opened`));
    expect(await readFile(checkout.file("Pulumi.dev.yaml"), "utf8"))
      .to.contain(`- ${bob}`)
      .and.not.to.contain(people.ada.recipient);
    expect((await opened(people.bob.identity)).stack).to.equal("dev");
    const refused = await opened(people.ada.identity).catch((error: unknown) => error as Error);
    expect(refused).to.be.instanceOf(Error).with.property("message").that.contains("No key at hand opens");
    await checkout.commit("Bob follows Ada");
  });

  it("is whole wherever its writer is killed", async () => {
    for (const [index, delay] of [900, 1500, 2100, 2700].entries()) {
      const change = [index % 2 === 0 ? "--add" : "--remove", people.ada.recipient];
      const child = spawn(
        process.execPath,
        ["--import", "tsx", "operations/main.ts", "escrow", "dev", ...change, "--lab"],
        {
          ...{ cwd: checkout.path, stdio: "ignore", detached: true },
        },
      );
      await sleep(delay);
      if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      expect((await opened(labAgeIdentity)).stack, `after ${delay} ms`).to.equal("dev");
    }
    const stack = await readFile(checkout.file("Pulumi.dev.yaml"), "utf8");
    if (stack.includes(people.ada.recipient)) await well("escrow", "dev", "--remove", people.ada.recipient);
    await well("escrow", "dev");
    await well("escrow", "dev", "--check");
  });

  it("is told to be damaged or of another stack, and is written anew", async () => {
    const whole = await escrowText();
    await writeFile(checkout.file(file), whole.slice(0, whole.length / 2));
    expect(await badly("escrow", "dev", "--check")).to.contain(`${file} is damaged`);
    await writeFile(checkout.file(file), whole.replace("stack: dev", "stack: prod"));
    expect(await badly("escrow", "dev", "--check")).to.contain("is the escrow of stack prod");
    await well("escrow", "dev");
    await well("escrow", "dev", "--check");
  });

  it("says which copy is missing or another", async () => {
    await writeFile(checkout.file(".lab/dev/copies/0/dev.sops.yaml"), "another");
    expect(await badly("escrow", "dev", "--check")).to.match(/copies\/0 has another copy/);
    await well("escrow", "dev");
    await rm(checkout.file(".lab/dev/copies/0/dev.sops.yaml.sig"));
    expect(await badly("escrow", "dev", "--check")).to.match(/The copy in \S+copies\/0 is unsigned/);
    await rm(checkout.file(`${file}.sig`));
    expect(await badly("escrow", "dev", "--check")).to.contain(`${file} is unsigned`);
    await well("escrow", "dev");
    await well("escrow", "dev", "--check");
  });

  it("keeps backups of the state, from which a damaged one comes back", async () => {
    // The cluster's own backups go to the new recipients as well.
    await lab();
    expect(await well("backup", "dev")).to.match(/json\.age holds \d+ resources/);
    const [name = ""] = readdirSync(checkout.file(".lab/dev/backups/dev/state"));
    expect(readFileSync(checkout.file(".lab/dev/backups/dev/state", name), "latin1")).to.match(
      /^age-encryption\.org\/v1\n/,
    );
    expect(readdirSync(checkout.file(".lab/dev/copies/0/dev/state"))).to.deep.equal([name, `${name}.sig`]);
    await shell(`pulumi stack export > exported.json && node -e '
      const state = JSON.parse(fs.readFileSync("exported.json"));
      state.deployment.resources = state.deployment.resources.filter(({ type }) => type !== "cloudflare:index/dnsRecord:DnsRecord");
      fs.writeFileSync("exported.json", JSON.stringify(state));' && pulumi stack import --file exported.json && rm exported.json`);
    expect(await lab("preview")).to.match(/\d+ changes/);
    await sleep(1000);
    expect(await badly("restore", "dev", name)).to.contain("say so with --yes");
    const output = await well("restore", "dev", name, "--yes", "--identity", people.bob.file);
    expect(output)
      .to.contain(`is that of ${name}`)
      .and.to.match(/What it was before is in /);
    expect(await lab("preview")).to.contain("no changes");
    expect((await well("backup", "dev", "--list")).match(/\.json\.age/g)).to.have.lengthOf(2);
  });

  it("takes no state that somebody else put there as the newest, and says why", async () => {
    const states = checkout.file(".lab/dev/backups/dev/state");
    const [oldest = "", , newest = ""] = readdirSync(states);
    const planted =
      new Date(Date.now() + 60_000)
        .toISOString()
        .replace(/\.\d+Z$/, "Z")
        .replaceAll(":", "-") + ".json.age";
    for (const end of ["", ".sig"]) await copyFile(join(states, oldest + end), join(states, planted + end));
    expect(await badly("backup", "dev", "--list")).to.match(
      new RegExp(`${planted} in \\S+ is signed as hearth:dev/state/${oldest}, not as hearth:dev/state/${planted}`),
    );
    expect(await badly("restore", "dev", planted, "--yes", "--unsigned", planted)).to.contain("is signed as");
    await rm(join(states, `${planted}.sig`));
    expect(await badly("restore", "dev", planted, "--yes"))
      .to.contain(`${planted} in`)
      .and.to.contain("is unsigned");
    const output = await well("restore", "dev", "--yes", "--identity", people.bob.file);
    expect(output).to.contain(`Skipped: ${planted} in`).and.to.contain(`is that of ${newest}`);
    expect(await well("restore", "dev", "--yes", "--unsigned", planted, "--identity", people.bob.file)).to.contain(
      `is that of ${planted}`,
    );
    await rm(join(states, planted));
    await lab();
  });

  it("takes snapshots of etcd that etcdutl finds whole, and tells a damaged one", async () => {
    expect(await well("snapshot", "dev")).to.match(/db\.age is of den-dev-cp01: revision \d+, \d+ keys/);
    const output = await well("snapshot", "dev", "--verify", "--identity", people.bob.file);
    const [, name = ""] = /^ *(\S+\.db\.age) is whole: revision \d+/m.exec(output) ?? [];
    expect(await well("snapshot", "dev", "--list")).to.contain(name);
    for (const place of ["backups", "copies/0"]) {
      const path = checkout.file(".lab/dev", place, "dev/etcd", name);
      const whole = await readFile(path);
      await writeFile(path, whole.subarray(0, whole.length - 100_000));
    }
    expect(await badly("snapshot", "dev", name, "--verify")).to.contain(
      "is not what was signed: it was changed, or is not whole",
    );
  });

  it("gives the stack another age key, also where the first try was killed", async () => {
    const old = (await opened(labAgeIdentity)).ageSeed;
    for (const end of ["", ".sig"]) await copyFile(checkout.file(file + end), checkout.file(older + end));
    const child = spawn(
      process.execPath,
      ["--import", "tsx", "operations/main.ts", "rotate", "dev", "age", "--yes", "--lab"],
      {
        ...{ cwd: checkout.path, stdio: "ignore", detached: true },
      },
    );
    await sleep(2500);
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    const output = await well("rotate", "dev", "age", "--yes");
    const [, recipient = ""] = /The age key of dev is (age1\w+), no longer age1kgk8/.exec(output) ?? [];
    expect(recipient).not.to.equal("");
    await checkout.commit("Encrypt to another age key");
    expect(await lab()).to.match(/secrets +(\d+) of \1 decrypted/);
    await well("escrow", "dev");
    const held = await opened(labAgeIdentity);
    expect(held.ageSeed).not.to.equal(old);
    expect(await identityToRecipient(held.ageIdentity)).to.equal(recipient);
    const created = await shell(
      "kubectl get secret sops-age --namespace flux-system --output 'jsonpath={.data.age\\.agekey}'",
    );
    expect(Buffer.from(created, "base64").toString() === ageIdentity(Buffer.from(held.ageSeed, "base64"))).to.equal(
      true,
    );
    expect(await lab("preview")).to.contain("no changes");
    await well("escrow", "dev", "--check");
  });

  it("brings a lost state back, but not by a copy from before the age key was another", async () => {
    await lab("lose", "dev", "state");
    await writeFile(checkout.file(".lab/dev/planted.sops.yaml"), await escrowText());
    expect(await badly("rebuild", "dev", "--yes", "--from", ".lab/dev/planted.sops.yaml")).to.contain(
      "planted.sops.yaml is unsigned",
    );
    expect(await badly("rebuild", "dev", "--yes", "--confirm", "dev", "--from", older))
      .to.contain("The escrow is older than the cluster, which has another age key")
      .and.to.contain("name it with --from");
    expect(await well("rebuild", "dev", "--yes", "--confirm", "dev"))
      .to.contain("Nothing is touched")
      .and.to.contain("Rebuilt in");
    expect(await lab()).to.contain("no changes");
    await well("escrow", "dev", "--check");
  });

  it("shows no secret in what it prints and what it keeps", async () => {
    const secrets = secretsOf(JSON.parse(await shell("pulumi stack export --show-secrets")));
    secrets.push(people.ada.identity, people.bob.identity, readFileSync(checkout.file(".lab/dev/passphrase"), "utf8"));
    expect(secrets.length).to.be.greaterThan(20);
    expect(secrets.filter((secret) => printed.includes(secret)).length, "in the output").to.equal(0);
    const kept = ["escrow.sops.yaml", "copies/**", "backups/**", "logs/**"];
    expect(filesWith(secrets, checkout.file(".lab/dev"), kept), "in files").to.deep.equal([]);
  });
});
