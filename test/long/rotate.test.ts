import { spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { appendFile, readFile, stat, writeFile } from "node:fs/promises";

import { expect } from "chai";
import { execa } from "execa";
import { parse } from "yaml";

import { ageIdentity } from "../../components/secrets/age.ts";
import { publicKeyFingerprint, sshKeyPair } from "../../components/secrets/ssh.ts";
import { readEscrow, type Escrow } from "../../lib/secrets/escrow.ts";
import { labAgeIdentity } from "../../lib/secrets/lab-identity.ts";
import { Sops } from "../../lib/secrets/sops.ts";
import type { State } from "../../lib/engine/state.ts";
import { providersWith } from "../../operations/rotate/given-secret.ts";
import { LabCheckout } from "../support/lab-checkout.ts";
import { eventually } from "../support/lab-process.ts";
import { secretsOf } from "../support/leaks.ts";
import { tool } from "../support/tools.ts";

const file = ".lab/dev/escrow.sops.yaml";

describe("rotations of root secrets in the lab's dev", () => {
  let checkout: LabCheckout;
  let sops: Sops;
  let printed = "";
  /** Secrets of every state that there was, none of which may be printed. */
  const secrets = new Set<string>();
  /** What a state encrypts, and everybody may see. */
  const open = new Set<string>();

  const keepSecrets = async (): Promise<void> => {
    const state = JSON.parse(await shell("pulumi stack export --show-secrets")) as object;
    for (const secret of secretsOf(state)) secrets.add(secret);
  };

  const run = (args: string[], input?: string) =>
    execa("npx", ["hearth", ...args, "--lab"], {
      ...{ cwd: checkout.path, all: true, reject: false, env: { SOPS_AGE_KEY_FILE: undefined } },
      ...(input === undefined ? {} : { input }),
    });

  const rotated = async (what: string, input?: string): Promise<string> => {
    const { exitCode, all } = await run(["rotate", "dev", what, "--yes"], input);
    printed += all;
    expect(exitCode, all).to.equal(0);
    await keepSecrets();
    return all;
  };

  /** Begins a rotation, and kills it with all that it started once a condition holds. */
  const killedOnce = async (
    what: string,
    condition: (output: string) => Promise<boolean> | boolean,
    input = "",
  ): Promise<void> => {
    const args = ["--import", "tsx", "operations/main.ts", "rotate", "dev", what, "--yes", "--lab"];
    const child = spawn(process.execPath, args, {
      cwd: checkout.path,
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    });
    // A command that ends without reading it is judged by what it printed.
    child.stdin.on("error", () => undefined).end(input);
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    await eventually(`${what} came so far`, async () => condition(output), 120);
    expect(child.exitCode, output).to.equal(null);
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    if (child.signalCode === null) await once(child, "exit");
    printed += output;
  };

  /** Whether the stack file has a value. */
  const isStored = async (value: string): Promise<boolean> =>
    (await checkout.shell("pulumi config get hearth:proxmoxPassword")).stdout === value;

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

  const escrow = async (): Promise<Escrow> =>
    readEscrow(await readFile(checkout.file(file), "utf8"), { identities: [labAgeIdentity], kms: false }, sops);

  /** Nothing is left to deploy, and the escrow holds what the state does. */
  const settled = async (): Promise<void> => {
    expect(await lab("preview")).to.contain("no changes");
    const { exitCode, all } = await run(["escrow", "dev", "--check"]);
    expect(exitCode, all).to.equal(0);
  };

  before(async () => {
    checkout = await LabCheckout.createSmall(129);
    sops = new Sops(await tool("sops"));
    await lab();
    await keepSecrets();
    const { exitCode, all } = await run(["escrow", "dev"]);
    expect(exitCode, all).to.equal(0);
  });

  after(() => checkout.remove());

  it("are listed, each with what it interrupts", async () => {
    const { all } = await run(["rotate", "dev"]);
    for (const name of ["age", "deploy-key", "talos-authority", "etcd-authority", "passphrase"])
      expect(all).to.match(new RegExp(`^npx hearth rotate dev ${name}\\n {2}.+\\n {2}.+`, "m"));
    expect((await run(["rotate", "dev", "webhook-token"])).all).to.contain("say so with --yes");
    expect((await run(["rotate", "dev", "etcd-authority", "--yes"])).all).to.contain(
      "Hearth does not give etcd another",
    );
  });

  it("give the cluster another deploy key once the Git host accepts it, also where the first try was killed", async () => {
    const old = (await escrow()).deployKey;
    await killedOnce("deploy-key", (output) => output.includes("Register this deploy key"));
    const { deployKey } = await escrow();
    expect(deployKey).not.to.equal(old);
    const identity = "kubectl get secret flux-system --namespace flux-system --output 'jsonpath={.data.identity}'";
    expect(Buffer.from(await shell(identity), "base64").toString()).to.equal(old);
    const seed = Buffer.from(deployKey.split("\n")[1] ?? "", "base64").subarray(-32);
    const { publicKey } = sshKeyPair(seed, "hearth-den-dev");
    open.add(publicKey.split(" ")[1] ?? "");
    expect(printed).to.contain(publicKey);
    await appendFile(checkout.file(".lab/dev/git/authorized_keys"), `${publicKey}\n`);
    expect(await rotated("deploy-key"))
      .to.contain("Finished a rotation that an earlier run had begun")
      .and.to.contain(publicKeyFingerprint(old));
    expect(Buffer.from(await shell(identity), "base64").toString()).to.equal(deployKey);
  });

  it("give the webhook another token and URL", async () => {
    const path = "kubectl get receiver push --namespace flux-system --output 'jsonpath={.status.webhookPath}'";
    const before = [await shell(path), (await escrow()).webhookToken];
    await rotated("webhook-token");
    const { webhookToken } = await escrow();
    expect(webhookToken).not.to.equal(before[1]);
    const token = "kubectl get secret webhook-token --namespace flux-system --output 'jsonpath={.data.token}'";
    expect(Buffer.from(await shell(token), "base64").toString()).to.equal(webhookToken);
    await eventually("Flux computed another URL", async () => (await shell(path)) !== before[0], 60);
  });

  it("sign backups with other keys, and take none from before", async () => {
    const derived = ".lab/dev/Pulumi.dev.yaml";
    const signers = async () =>
      (
        parse(await readFile(checkout.file(derived), "utf8")) as {
          config: { "hearth:escrow": { signers: Record<string, string> } };
        }
      ).config["hearth:escrow"].signers;
    const carried = () =>
      shell(
        "kubectl get secret cluster-secrets --namespace flux-system --output 'jsonpath={.data.snapshot_signing_key}'",
      );
    const [old, key] = [await signers(), await carried()];
    const [, before = "?"] = /(\S+\.json\.age) holds/.exec((await run(["backup", "dev"])).all) ?? [];
    const [, after = "?"] = /The first state that they prove is (\S+)/.exec(await rotated("signing-key")) ?? [];
    const now = await signers();
    expect(now.stack).not.to.equal(old.stack);
    expect(now.cluster).not.to.equal(old.cluster);
    expect(await carried()).not.to.equal(key);
    const { exitCode, all } = await run(["backup", "dev", "--list"]);
    expect(exitCode, all).to.equal(1);
    expect(all)
      .to.contain(`${before} in`)
      .and.contain(`is signed by ${String(old.stack)}`);
    expect(all).to.match(new RegExp(`^${after} `, "m"));
    await settled();
  });

  it("give the tunnel another secret, and keep its identifier", async () => {
    const before = (await escrow()).tunnels["den-dev"];
    await rotated("tunnel-secret");
    const now = (await escrow()).tunnels["den-dev"];
    expect(now?.id).to.equal(before?.id);
    expect(now?.secret).not.to.equal(before?.secret);
    const token = "kubectl get secret cloudflared --namespace edge --output 'jsonpath={.data.token}'";
    const connectorToken = async () => Buffer.from(await shell(token), "base64").toString();
    await eventually("the connectors have its token", async () => (await connectorToken()) === now?.token, 60);
    await settled();
  });

  it("give every machine another Talos authority, also where the first try was killed", async () => {
    const old = await readFile(checkout.file(".lab/dev/talosconfig"), "utf8");
    const before = (await escrow()).talosSecrets.certs.os.crt;
    const machines = "talosctl --nodes 127.129.0.11 get machineconfig v1alpha1 --output yaml";
    await killedOnce("talos-authority", async () =>
      String((await checkout.shell(machines)).stdout).includes("acceptedCAs"),
    );
    expect(await rotated("talos-authority")).to.contain("Every machine of dev has another Talos authority");
    expect((await escrow()).talosSecrets.certs.os.crt).not.to.equal(before);
    expect(await lab()).to.contain("3 of 3 Ready");
    expect(await shell("talosctl --nodes 127.129.0.11 version")).to.contain("Server:");
    await settled();
    const refused = await execa(await tool("talosctl"), ["--nodes", "127.129.0.11", "version"], {
      ...{ reject: false, env: { TALOSCONFIG: "/dev/stdin" }, input: old, timeout: 20_000 },
    });
    expect(refused.exitCode).not.to.equal(0);
  });

  it("give every control plane another aggregation authority, and take the old one out of trust", async () => {
    const before = (await escrow()).talosSecrets.certs.k8saggregator.crt;
    await rotated("aggregation-authority");
    const { crt } = (await escrow()).talosSecrets.certs.k8saggregator;
    expect(crt).not.to.equal(before);
    await lab();
    const trusted = await shell(
      "kubectl get configmap extension-apiserver-authentication --namespace kube-system --output 'jsonpath={.data.requestheader-client-ca-file}'",
    );
    expect(trusted.trim()).to.equal(Buffer.from(crt, "base64").toString().trim());
    await settled();
  });

  it("give every machine another Kubernetes authority, also where the first try was killed or talosctl did it", async () => {
    const authority = async () => (await escrow()).talosSecrets.certs.k8s.crt;
    const before = await authority();
    const machines = "talosctl --nodes 127.129.0.11 get machineconfig v1alpha1 --output yaml";
    await killedOnce("kubernetes-authority", async () =>
      String((await checkout.shell(machines)).stdout).includes("acceptedCAs"),
    );
    expect(await rotated("kubernetes-authority"))
      .to.contain("Finished a rotation that an earlier run had begun")
      .and.to.contain("Every machine of dev has another Kubernetes authority");
    const drawn = await authority();
    expect(drawn).not.to.equal(before);
    await shell(
      "talosctl --nodes 127.129.0.11 rotate-ca --talos=false --dry-run=false --control-plane-nodes 127.129.0.11 --worker-nodes 127.129.0.21,127.129.0.22",
    );
    expect(await rotated("kubernetes-authority")).to.contain("Finished a rotation");
    expect(await authority()).not.to.equal(drawn);
    expect(await lab()).to.contain("3 of 3 Ready");
    await settled();
    const kubeconfig = parse(await readFile(checkout.file(".lab/dev/kubeconfig"), "utf8")) as {
      clusters: { cluster: Record<string, string> }[];
    };
    expect(kubeconfig.clusters[0]?.cluster["certificate-authority-data"]).to.equal(await authority());
    // What runs in the cluster trusts it as well.
    await checkout.edit("gitops/apps/welcome/app/deployment.yaml", (text) =>
      text.replace("spec:\n  selector:", "spec:\n  replicas: 3\n  selector:"),
    );
    await checkout.commit("Welcome thrice");
    await lab();
    const replicas = "kubectl get deployment welcome --namespace apps --output jsonpath={.spec.replicas}";
    expect(await shell(replicas)).to.equal("3");
  });

  it("exchange the tokens of Proxmox and Cloudflare for others, after trying them", async () => {
    const file = checkout.file(".lab/dev/credentials.json");
    const credentials = JSON.parse(await readFile(file, "utf8")) as Record<string, string>;
    const proxmoxToken = `hearth@pve!second=${randomUUID()}`;
    const cloudflareToken = randomBytes(30).toString("base64url");
    for (const [what, token] of [
      ["proxmox-token", proxmoxToken],
      ["cloudflare-token", cloudflareToken],
    ] as const) {
      secrets.add(token);
      const before = await readFile(checkout.file(".lab/dev/Pulumi.dev.yaml"), "utf8");
      const { exitCode, all } = await run(["rotate", "dev", what, "--yes"], `${token}\n`);
      printed += all;
      expect(exitCode, all).to.equal(1);
      expect(all).to.contain("refuses the new token");
      expect(await readFile(checkout.file(".lab/dev/Pulumi.dev.yaml"), "utf8")).to.equal(before);
    }
    await writeFile(file, JSON.stringify({ ...credentials, proxmoxToken, cloudflareToken }), { mode: 0o600 });
    await lab("preview");
    expect(await rotated("proxmox-token", `${proxmoxToken}\n`)).to.contain(
      "pveum user token remove 'hearth@pve' 'lab'",
    );
    await rotated("cloudflare-token", `${cloudflareToken}\n`);
    expect((await escrow()).configured).to.include({ proxmoxToken, cloudflareToken });
    expect(await lab()).to.contain("no changes");
  });

  it("exchange the password of root@pam, by which machines are managed, once Proxmox has it", async () => {
    const file = checkout.file(".lab/dev/credentials.json");
    const credentials = JSON.parse(await readFile(file, "utf8")) as Record<string, string>;
    const set = async (proxmoxPassword: string): Promise<void> => {
      secrets.add(proxmoxPassword);
      await writeFile(file, JSON.stringify({ ...credentials, proxmoxPassword }), { mode: 0o600 });
      await lab("preview");
    };
    const signsInWith = async (password: string): Promise<void> => {
      const state = JSON.parse(await shell("pulumi stack export --show-secrets")) as State;
      expect(providersWith(state, "pulumi:providers:proxmoxve", "password").map(({ value }) => value)).to.deep.equal([
        password,
      ]);
    };
    const [old, next] = [randomUUID(), randomUUID()];
    await set(old);
    await shell(`printf ${old} | pulumi config set --secret hearth:proxmoxPassword`);
    await lab();
    await signsInWith(old);
    const { exitCode, all } = await run(["rotate", "dev", "proxmox-password", "--yes"], `${next}\n`);
    printed += all;
    expect(exitCode, all).to.equal(1);
    expect(all).to.contain("Proxmox refuses the new password of root@pam");
    await signsInWith(old);
    await set(next);
    await killedOnce("proxmox-password", () => isStored(next), `${next}\n`);
    await signsInWith(old);
    expect(await rotated("proxmox-password")).to.contain("Finished a rotation that an earlier run had begun");
    await signsInWith(next);
    expect((await escrow()).configured).to.include({ proxmoxPassword: next });
    await settled();
    // A machine is managed by it.
    expect((await run(["drift", "dev"])).all).not.to.contain("authentication failure");
  });

  it("encrypt the state by another passphrase, also where the first try was killed, and the old one opens it no more", async () => {
    const path = checkout.file(".lab/dev/passphrase");
    const old = await readFile(path, "utf8");
    await killedOnce("passphrase", () => existsSync(checkout.file(".lab/dev/Pulumi.dev.yaml.new")));
    await rotated("passphrase");
    const now = await readFile(path, "utf8");
    secrets.add(old).add(now.trim());
    expect(now.trim()).not.to.equal(old.trim());
    expect((await stat(path)).mode & 0o077).to.equal(0);
    expect((await escrow()).passphrase).to.equal(now.trim());
    const { exitCode } = await checkout.shell(
      "sed -i 's/.*PASSPHRASE_FILE=.*/export PULUMI_CONFIG_PASSPHRASE=wrong-one/; /unset PULUMI_CONFIG_PASSPHRASE/d' .lab/dev/bin/pulumi && pulumi stack export --show-secrets",
    );
    expect(exitCode).not.to.equal(0);
    await settled();
    expect(ageIdentity(Buffer.from((await escrow()).ageSeed, "base64"))).to.equal((await escrow()).ageIdentity);
  });

  it("print no secret", async () => {
    await keepSecrets();
    secrets.add(readFileSync(checkout.file(".lab/dev/passphrase"), "utf8").trim());
    expect(secrets.size).to.be.greaterThan(30);
    expect([...secrets].filter((secret) => !open.has(secret) && printed.includes(secret)).length).to.equal(0);
  });
});
