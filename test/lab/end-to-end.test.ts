import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { LabCheckout } from "../support/lab-checkout.ts";
import { filesWith, secretsOf } from "../support/leaks.ts";
import { exposed, processTree, survivors, type Process } from "../support/processes.ts";

describe("npm run lab", () => {
  let checkout: LabCheckout;
  let printed = "";

  /** Runs a command that has to succeed, and keeps what it printed. */
  const lab = async (...args: string[]): Promise<string> => {
    const { exitCode, all } = await checkout.lab(...args);
    printed += all;
    expect(exitCode, all).to.equal(0);
    return all;
  };

  const tree = async (): Promise<Process[]> => processTree(await checkout.supervisor());

  const { TMPDIR, XDG_RUNTIME_DIR } = process.env;
  let temporary: string;

  /** Kubeconfigs among the temporary files of everything that the lab runs, and of one run of the engine. */
  const kubeconfigs = (): string[] => globSync(["kubeconfig*", "hearth-private-*/**/kubeconfig*"], { cwd: temporary });

  before(async () => {
    checkout = await LabCheckout.createSmall(62);
    temporary = mkdtempSync(join(tmpdir(), "hearth-tmp-"));
    process.env.TMPDIR = temporary;
    delete process.env.XDG_RUNTIME_DIR;
  });

  after(async () => {
    await checkout.remove();
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
    if (XDG_RUNTIME_DIR !== undefined) process.env.XDG_RUNTIME_DIR = XDG_RUNTIME_DIR;
    rmSync(temporary, { recursive: true, force: true });
  });

  it("takes dev from nothing to GitOps", async () => {
    const output = await lab();
    expect(output).to.match(/3 of 3 Ready: den-dev-cp01, den-dev-wk01, den-dev-wk02/);
    expect(output).to.match(/Flux +\d+ objects Ready, \d+ suspended, at refs\/heads\/main@sha1:[0-9a-f]{40}/);
    expect(output).to.match(/secrets +(\d+) of \1 decrypted: .*\bwelcome\b/);
    expect(output).to.match(/tunnel +den-dev,.* CNAME welcome-dev\.example\.com/);
    for (const phase of ["set-up", "machines", "talos", "network", "gitops", "flux"]) {
      expect(output).to.match(new RegExp(`time .*${phase} \\d`));
    }
  });

  it("says that nothing changes when it is run again", async () => {
    expect(await lab()).to.contain("Preview: no changes");
  });

  it("keeps the state in files that are replaced whole, so that a killed engine leaves none half-written", () => {
    const files = readdirSync(checkout.file(".lab/dev/pulumi"), { recursive: true, encoding: "utf8" });
    expect(files.filter((file) => file.endsWith("/dev.json"))).to.have.length.greaterThan(0);
    expect(files.filter((file) => file.endsWith(".attrs"))).to.deep.equal([]);
  });

  it("gives kubectl, talosctl and pulumi what they need", async () => {
    const { all, exitCode } = await checkout.shell(
      "kubectl get nodes --output name && talosctl etcd members --nodes 127.62.0.11 && pulumi stack output deployKey",
    );
    printed += String(all);
    expect(exitCode, String(all)).to.equal(0);
    expect(all).to.contain("node/den-dev-wk02").and.to.contain("den-dev-cp01").and.to.contain("ssh-ed25519 ");
  });

  it("has the decrypted secret in the cluster", async () => {
    const { stdout } = await checkout.shell(
      "kubectl get secret welcome --namespace apps --output jsonpath={.data.message}",
    );
    expect(Buffer.from(String(stdout), "base64").toString()).to.equal("The hearth is lit");
  });

  it("gives an app its secrets in each of four ways", async () => {
    const value = async (secret: string, key: string): Promise<string> => {
      const path = `{.data.${key.replaceAll(".", String.raw`\.`)}}`;
      const { stdout } = await checkout.shell(
        `kubectl -n secret-ways get secret ${secret} --output 'jsonpath=${path}'`,
      );
      return Buffer.from(String(stdout), "base64").toString();
    };
    const { stdout } = await checkout.shell("kubectl -n secret-ways get deployment secret-ways --output json");
    const { spec } = JSON.parse(String(stdout)) as {
      spec: { template: { spec: { containers: { envFrom: SecretReference[]; env: KeyReference[] }[] } } };
    };
    const [container] = spec.template.spec.containers;
    expect(await value(container?.envFrom[0]?.secretRef.name ?? "", "GREETING")).to.equal("from the environment");
    const { name, key } = container?.env[0]?.valueFrom.secretKeyRef ?? { name: "", key: "" };
    expect(await value(name, key)).to.equal("by one key");
    expect(await value("from-helm", "password")).to.equal("example-password");
    expect(await value("from-helm", "greeting")).to.equal("by one key");
    expect(await value("substituted", "message")).to.equal("filled in by Flux");
  });

  it("listens on loopback addresses only", async () => {
    expect(await exposed(await tree())).to.deep.equal([]);
  });

  it("applies a commit to the tree, and the program still changes nothing", async () => {
    await checkout.edit("gitops/apps/welcome/app/deployment.yaml", (text) =>
      text.replace("spec:\n  selector:", "spec:\n  replicas: 2\n  selector:"),
    );
    const commit = await checkout.commit("Welcome twice");
    const output = await lab();
    expect(output).to.contain("Preview: no changes").and.to.contain(commit);
    const { stdout } = await checkout.shell(
      "kubectl get deployment welcome --namespace apps --output jsonpath={.spec.replicas}",
    );
    expect(stdout).to.equal("2");
  });

  it("shows no secret in its output, its logs, a preview or the stored state", async () => {
    printed += await lab("preview");
    printed += await lab("status");
    const { stdout } = await checkout.shell("pulumi stack export --show-secrets");
    const { stdout: exported } = await checkout.shell("pulumi stack export");
    const { proxmoxToken, cloudflareToken, passphrase } = JSON.parse(
      readFileSync(checkout.file(".lab/dev/credentials.json"), "utf8"),
    ) as Record<string, string>;
    const secrets = [
      ...secretsOf(JSON.parse(String(stdout))),
      ...[proxmoxToken, cloudflareToken, passphrase].filter((secret) => secret !== undefined),
    ];
    expect(secrets.length).to.be.greaterThan(20);
    const shown = (text: string) => secrets.filter((secret) => text.includes(secret)).length;
    expect(shown(printed), "in the output").to.equal(0);
    expect(shown(String(exported)), "in the exported state").to.equal(0);
    expect(
      filesWith(secrets, checkout.file(".lab/dev"), ["logs/**", "pulumi/**", "Pulumi.dev.yaml"]),
      "in files",
    ).to.deep.equal([]);
  });

  it("comes back with everything after its supervisor was killed", async () => {
    const before = await tree();
    process.kill(await checkout.supervisor(), "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(await survivors(before)).to.deep.equal([]);
    expect(await lab())
      .to.contain("Preview: no changes")
      .and.to.contain("3 of 3 Ready");
  });

  it("comes back with everything after every simulator was killed", async () => {
    const supervisor = await checkout.supervisor();
    const children = (await tree()).filter(({ parent }) => parent === supervisor);
    expect(children).to.have.length.greaterThan(4);
    for (const { pid } of children) process.kill(pid, "SIGKILL");
    expect(await lab())
      .to.contain("Preview: no changes")
      .and.to.contain("3 of 3 Ready");
  });

  it("destroys the stack to the end, and the simulators hold nothing afterwards", async () => {
    expect(await lab("destroy")).to.match(/Destroyed 4\d resources\n.*The simulators hold nothing/s);
  });

  it("goes on after the engine was killed in the middle of an update, and leaves no kubeconfig behind", async () => {
    const before = kubeconfigs();
    const seen = new Set<string>();
    // Beside, so that the engine is killed no later than it would be without.
    const watching = setInterval(() => {
      for (const each of kubeconfigs()) seen.add(each);
    }, 200).unref();
    const running = checkout.lab();
    // It takes seconds, so the engine is killed before it is done.
    await untilBegun(checkout, "cilium");
    // The engine begins a resource beside the start of its plugin, which is what writes the kubeconfig.
    for (let wait = 0; seen.size === 0 && wait < 600; wait++) await new Promise((resolve) => setTimeout(resolve, 50));
    process.kill(Number(readFileSync(checkout.file(".lab/dev/engine.pid"), "utf8")), "SIGKILL");
    clearInterval(watching);
    const { exitCode, all } = await running;
    printed += all;
    expect(exitCode).not.to.equal(0);
    expect(all).not.to.match(/^ +at .*:\d+:\d+/m);
    expect(kubeconfigs()).to.deep.equal(before);
    const during = [...seen].filter((each) => !before.includes(each));
    expect(during).to.have.length.greaterThan(0);
    for (const each of during) expect(each).to.match(/^hearth-private-/);
    const recovered = await lab();
    expect(recovered, recovered)
      .to.contain("Recovering: An update was interrupted: what it had begun is looked for, and the rest is made.")
      .and.to.contain("Recovering: Make sure that nothing is left to change")
      .and.to.contain("3 of 3 Ready");
    expect(await lab("preview")).to.contain("no changes");
    expect(kubeconfigs()).to.deep.equal(before);
  });

  it("stops every process with down", async () => {
    const before = await tree();
    await lab("down");
    expect(await survivors(before)).to.deep.equal([]);
  });

  it("names a port that somebody else uses, and stops", async () => {
    const { internet } = JSON.parse(readFileSync(checkout.file(".lab/dev/lab.json"), "utf8")) as {
      internet: { proxy: string };
    };
    const [host, port] = internet.proxy.split(":");
    const intruder = createServer().listen(Number(port), host);
    try {
      const { exitCode, all } = await checkout.lab();
      expect(exitCode).not.to.equal(0);
      expect(all).to.contain(`${internet.proxy} is in use by another process`);
      expect(all).not.to.match(/^ +at .*:\d+:\d+/m);
    } finally {
      intruder.close();
      await checkout.lab("down");
    }
  });
});

interface SecretReference {
  secretRef: { name: string };
}

interface KeyReference {
  valueFrom: { secretKeyRef: { name: string; key: string } };
}

interface Checkpoint {
  checkpoint: { latest?: { pending_operations?: { resource: { urn: string } }[] } };
}

/** Waits until the stack's state says that the engine has begun a resource. Its log says so a moment before. */
const untilBegun = async (checkout: LabCheckout, name: string): Promise<void> => {
  const [file = ""] = globSync(checkout.file(".lab/dev/pulumi/.pulumi/stacks/*/dev.json"));
  const started = Date.now();
  while (Date.now() - started < 300_000) {
    try {
      const { checkpoint } = JSON.parse(readFileSync(file, "utf8")) as Checkpoint;
      if (checkpoint.latest?.pending_operations?.some(({ resource }) => resource.urn.endsWith(`::${name}`))) return;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`The state has no operation on ${name} under way`);
};
