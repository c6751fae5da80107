import { readFile } from "node:fs/promises";

import { expect } from "chai";

import { stateUrl } from "../../lib/engine/lab-environment.ts";
import { labFolder } from "../../lib/engine/lab-folder.ts";
import type { State } from "../../lib/engine/state.ts";
import { storedState } from "../../lib/engine/stored-state.ts";
import { recordedOf } from "../../policy/recorded.ts";
import { GitHubSimulator } from "../support/github.ts";
import { LabCheckout } from "../support/lab-checkout.ts";

/** The committed dev stack, running, and changes to it that policies have to refuse. */
describe("the policy pack with the real engine", () => {
  let checkout: LabCheckout;

  before(async () => {
    checkout = await LabCheckout.createSmall(94);
    const { exitCode, all } = await checkout.lab();
    expect(exitCode, all).to.equal(0);
  });

  after(() => checkout.remove());

  /** Runs a command of the lab's shell, and gives what it printed with its exit code in front. */
  const shell = async (command: string): Promise<string> => {
    const { exitCode, all } = await checkout.shell(command);
    return `exit ${String(exitCode)}\n${String(all)}`;
  };

  const shellOutput = async (command: string): Promise<string> => {
    const { exitCode, all, stdout } = await checkout.shell(command);
    expect(exitCode, String(all)).to.equal(0);
    return String(stdout);
  };

  /** Does something while files of the checkout are changed, and puts them back. */
  const during = async <T>(changes: Record<string, (text: string) => string>, work: () => Promise<T>): Promise<T> => {
    const files = Object.keys(changes);
    const before = await Promise.all(files.map((file) => readFile(checkout.file(file), "utf8")));
    try {
      for (const [file, change] of Object.entries(changes)) await checkout.edit(file, change);
      return await work();
    } finally {
      await Promise.all(files.map((file, index) => checkout.write(file, before[index] ?? "")));
    }
  };

  const preview = async (): Promise<string> => {
    const { exitCode, all } = await checkout.lab("preview");
    return `exit ${String(exitCode)}\n${all}`;
  };

  const withRecord = (text: string): string =>
    text.replace(
      "  hearth:gitops:",
      "    records:\n      - { name: home, type: A, content: 203.0.113.7 }\n  hearth:gitops:",
    );

  const withExemption = (text: string): string =>
    text.replace(
      "  hearth:gitops:",
      "  hearth:policy:\n    exemptions:\n      - { policy: proxied-records, reason: The camera has no other way out, until: 2999-12-31 }\n  hearth:gitops:",
    );

  const otherMachine = (text: string): string => text.replace("vmId: 2011", "vmId: 2911");

  it("lets what is committed pass", async () => {
    expect(await preview())
      .to.contain("exit 0")
      .and.to.contain("no changes");
  });

  it("reads the same of the state as the engine says", async () => {
    const exported = JSON.parse(await shellOutput("pulumi stack export")) as State;
    const stored = await storedState(checkout.path, "dev", {
      PULUMI_BACKEND_URL: stateUrl(labFolder(checkout.path, "dev")),
    });
    expect(stored && recordedOf(stored))
      .to.deep.equal(recordedOf(exported))
      .and.to.have.length.above(30);
  });

  it("refuses a public record, and says what to do", async () => {
    const output = await during({ "Pulumi.dev.yaml": withRecord }, preview);
    expect(output).to.contain("exit 1");
    expect(output).to.contain(
      "proxied-records: the record A home.example.com shows 203.0.113.7 to everyone: set proxied: true",
    );
    expect(output).to.contain("hearth:policy.exemptions { policy: proxied-records, reason: … }");
  });

  it("lets it pass where an exemption says why, and tells of it; a person's pulumi runs the pack too", async () => {
    const output = await during({ "Pulumi.dev.yaml": (text) => withExemption(withRecord(text)) }, async () => [
      await preview(),
      await shell("pulumi preview --non-interactive"),
    ]);
    expect(output[0]).to.contain("exit 0").and.to.contain("create DnsRecord home.example.com");
    expect(output[1]).to.contain("exit 0").and.to.contain("until 2999-12-31: The camera has no other way out");
  });

  it("refuses that the only control plane becomes another machine, in an update without a preview too", async () => {
    const output = await during({ "Pulumi.dev.yaml": otherMachine }, async () => [
      await preview(),
      await shell("pulumi up --yes --skip-preview --non-interactive"),
    ]);
    for (const each of output) {
      expect(each).not.to.contain("exit 0");
      expect(each).to.contain(
        "den-dev-cp01 of 1 control plane would be replaced or deleted, and etcd needs 1 of them to decide",
      );
    }
    expect(await preview()).to.contain("no changes");
    expect(await shell("kubectl get node den-dev-cp01 --output name")).to.contain("node/den-dev-cp01");
  });

  it("refuses a secret in the clear, and does not say it", async () => {
    const open = "data: { ...args.settings, note: pulumi.unsecret(pulumi.output(args.ageIdentity)) }";
    const output = await during(
      { "components/gitops/flux.ts": (text) => text.replace("data: args.settings", open) },
      preview,
    );
    expect(output)
      .to.contain("exit 1")
      .and.to.contain("secret-inputs: cluster-settings has an age identity in the clear");
    expect(output).not.to.match(/AGE-SECRET-KEY-1|BEGIN [A-Z ]*PRIVATE KEY/);
  });

  it("deploys a change, and comes to rest", async () => {
    await checkout.edit("Pulumi.dev.yaml", (text) => withExemption(withRecord(text)));
    // The lab derives its configuration from the stack file.
    await preview();
    const first = await shell("npx hearth deploy dev");
    expect(first).to.contain("exit 0").and.to.contain("create DnsRecord home.example.com");
    expect(first).to.contain("dev is as the program says").and.to.contain("The state is kept in");
    expect(await shell("npx hearth deploy dev")).to.match(/exit 0[^]*no changes[^]*Nothing to deploy/);
  });

  it("finds drift, names where, and changes nothing", async () => {
    expect(await shell("npx hearth drift dev")).to.match(/exit 0[^]*Everything of `dev` is as its state says/);
    const patch = JSON.stringify({ data: { cluster_name: "somebody-else-s" } });
    await shell(`kubectl --namespace flux-system patch configmap cluster-settings --type merge --patch '${patch}'`);
    for (let times = 0; times < 2; times += 1) {
      const output = await shell("npx hearth drift dev --report drift.md");
      expect(output).to.match(/exit 2[^]*ConfigMap cluster-settings \| was changed \| `data\.cluster_name`/);
      expect(output).not.to.contain("somebody-else-s");
    }
    expect(await readFile(checkout.file("drift.md"), "utf8")).to.contain("ConfigMap cluster-settings");
  });

  it("keeps an issue for as long as there is drift", async () => {
    const bot = "github-actions[bot]";
    const simulator = new GitHubSimulator("den/hearth", { t0ken: { login: bot, permissions: ["issues"] } });
    const url = await simulator.start();
    const env = `GITHUB_API_URL=${url} GITHUB_REPOSITORY=den/hearth GITHUB_TOKEN=t0ken`;
    const drift = () => shell(`${env} npx hearth drift dev --issue`);
    try {
      expect(await drift()).to.match(/exit 0[^]*Issue: opened/);
      expect(await drift()).to.match(/exit 0[^]*Issue: unchanged/);
      const patch = JSON.stringify({ data: { cluster_name: "den-dev" } });
      await shell(`kubectl --namespace flux-system patch configmap cluster-settings --type merge --patch '${patch}'`);
      expect(await drift()).to.match(/exit 0[^]*Issue: closed/);
      expect(simulator.issues.map(({ title, state }) => [title, state])).to.deep.equal([["dev has drifted", "closed"]]);
    } finally {
      simulator.stop();
    }
  });
});
