import { cpSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";

import { generateIdentity, identityToRecipient } from "age-encryption";
import { expect } from "chai";
import { execa } from "execa";

import { engineEnvironment } from "../../lib/engine/lab-environment.ts";
import { labFolder } from "../../lib/engine/lab-folder.ts";
import type { LabConfig } from "../../lab/lab-config.ts";
import { LabCheckout } from "../support/lab-checkout.ts";
import { eventually } from "../support/lab-process.ts";
import { tool } from "../support/tools.ts";

const root = join(import.meta.dirname, "../..");
const octet = 56;
const guide = readFileSync(join(root, "docs/guides/disaster-recovery.md"), "utf8");

/** The shell commands of a section, a block each. */
const blocksOf = (heading: string): string[] => {
  const section = guide.split(/^## /m).find((each) => each.startsWith(heading)) ?? "";
  return [...section.matchAll(/^( *)```sh\n(.*?)^\1```$/gms)].map(([, indent = "", block = ""]) =>
    block.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
  );
};

/** What a person finds after a fire: the repository, a key that opens the escrow, and machines that are blank. */
describe("the guide to disaster recovery, followed in a fresh clone", () => {
  let checkout: LabCheckout;
  /** The clone of somebody whose stack is the lab's, with the lab's addresses in its stack file. */
  let clone: string;
  let environment: Record<string, string>;

  const lab = async (...args: string[]): Promise<void> => {
    const { exitCode, all } = await checkout.lab(...args);
    expect(exitCode, all).to.equal(0);
  };

  const hearth = async (...args: string[]): Promise<void> => {
    const { exitCode, all } = await execa("npx", ["hearth", ...args, "--lab"], {
      ...{ cwd: checkout.path, all: true, reject: false },
    });
    expect(exitCode, all).to.equal(0);
  };

  /** Types commands of the guide into a shell, with the lab's addresses. */
  const type = async (commands: string): Promise<string> => {
    const typed = commands.replaceAll(/\b10\.20\.0\./g, `127.${octet.toString()}.0.`);
    const { exitCode, all } = await execa("bash", ["-euc", typed], {
      ...{ cwd: clone, env: environment, extendEnv: false, all: true, reject: false, stdin: "ignore" },
    });
    expect(exitCode, `${typed}\n${all}`).to.equal(0);
    return all;
  };

  /** Types a command into a terminal, and the stack's name when it asks for that. */
  const answer = async (command: string): Promise<string> => {
    const { exitCode, all } = await execa("script", ["--quiet", "--return", "--command", command, "/dev/null"], {
      ...{ cwd: clone, env: environment, extendEnv: false, all: true, reject: false, input: "dev\n" },
    });
    expect(exitCode, all).to.equal(0);
    return all;
  };

  before(async () => {
    const identity = await generateIdentity();
    const recipient = await identityToRecipient(identity);
    checkout = await LabCheckout.createSmall(octet);
    await checkout.edit("Pulumi.dev.yaml", (text) =>
      text.replace("<an age recipient that is kept elsewhere>", recipient),
    );
    await checkout.commit("Name who opens the escrow");
    await lab();
    await checkout.shell("kubectl create configmap sentinel --namespace default");
    await hearth("escrow", "dev");
    await hearth("snapshot", "dev");
    const folder = labFolder(checkout.path, "dev");
    clone = await mkdtemp(join(tmpdir(), "hearth-guide-"));
    await execa("git", ["clone", "--quiet", checkout.path, clone]);
    await symlink(join(root, "node_modules"), join(clone, "node_modules"));
    await mkdir(join(clone, "escrow"), { recursive: true });
    const derived = readFileSync(folder.derived, "utf8")
      .replace(".lab/dev/escrow.sops.yaml", "escrow/dev.sops.yaml")
      // Outside of the lab nobody may open the escrow by the identity that everyone can derive.
      .replace(/^ *- age1kgk8\w+\n/m, "");
    await writeFile(join(clone, "Pulumi.dev.yaml"), derived);
    for (const end of ["", ".sig"]) {
      cpSync(join(folder.path, `escrow.sops.yaml${end}`), join(clone, `escrow/dev.sops.yaml${end}`));
    }
    cpSync(join(folder.path, "backups"), join(clone, "backups"), { recursive: true });
    await writeFile(join(clone, "identity.txt"), identity);
    const {
      PULUMI_HOME = "",
      PATH,
      ...others
    } = engineEnvironment(folder, JSON.parse(readFileSync(folder.config, "utf8")) as LabConfig);
    const tools = await Promise.all(["pulumi", "sops", "age", "talosctl"].map((name) => tool(name)));
    // What the person's shell has, and beside it only the lab's Internet and its plugins.
    environment = {
      HOME: clone,
      PATH: [dirname(process.execPath), ...tools.map(dirname), PATH].join(delimiter),
      PULUMI_HOME,
      PULUMI_BACKEND_URL: `file://${clone}?metadata=skip`,
      SOPS_AGE_KEY_FILE: join(clone, "identity.txt"),
      HEARTH_CACHE:
        process.env.HEARTH_CACHE ??
        join(process.env.XDG_CACHE_HOME ?? join(process.env.HOME ?? "", ".cache"), "hearth"),
      ...Object.fromEntries(Object.entries(others).filter(([name]) => /proxy|ssl_cert|extra_ca|no_proxy/i.test(name))),
    };
  });

  after(async () => {
    await checkout.remove();
    await rm(clone, { recursive: true, force: true });
  });

  it("brings back everything by the one command, and says what the guide says it will", async () => {
    await lab("lose", "dev", "all");
    const [command = ""] = blocksOf("2. The one command");
    expect(command).to.contain("npx hearth rebuild");
    const said = await answer(command.trim());
    expect(said).to.contain("State and machines are lost: a new state begins with the escrow");
    expect(said).to.match(/made anew +den-dev-cp01, den-dev-wk01, den-dev-wk02/);
    expect(said).to.match(/etcd +recovered from the snapshot/);
    expect(said).to.contain("Type the stack's name to do that:");
    expect(said).to.match(/Rebuilt in .* A preview says that nothing changes/);
  });

  it("brings back the cluster by hand, with sops, talosctl and kubectl", async () => {
    const [decrypt = "", apply = "", bootstrap = ""] = blocksOf("By hand");
    environment.PULUMI_CONFIG_PASSPHRASE_FILE = labFolder(checkout.path, "dev").passphrase;
    const addresses = ["10.20.0.11", "10.20.0.21", "10.20.0.22"];
    await type(decrypt);
    for (const address of addresses.toReversed()) {
      await type(`pulumi stack output talosconfig --show-secrets --stack dev > talosconfig.old
        talosctl --talosconfig talosconfig.old --endpoints ${address} --nodes ${address} reset --graceful=false --reboot --wait=false`);
    }
    await eventually(
      "the machines wait in maintenance mode",
      async () => {
        for (const address of addresses) await type(`talosctl get disks --insecure --nodes ${address}`);
        return true;
      },
      300,
    );
    const worker = apply.trim().split("\n").at(-1) ?? "";
    await type(
      `${apply}\n${worker.replace("wk01", "wk02").replace("10.20.0.21", "10.20.0.22").replace(":21 ", ":22 ")}`,
    );
    const [, open = ""] = /`(age -d [^`]+)`/.exec(guide) ?? [];
    await type(open.replace("SNAPSHOT.db.age", "$(ls backups/dev/etcd/*.db.age)"));
    const [setting = "", found = "", fetch = ""] = bootstrap.trim().split("\n");
    await eventually("etcd is founded", () => type(`${setting}\n${found}`), 300);
    await eventually("there is a kubeconfig", () => type(`${setting}\n${fetch}`), 300);
    const [, look = ""] = /`(kubectl --kubeconfig kubeconfig get [^`]+)`/.exec(guide) ?? [];
    await eventually(
      "the nodes are ready",
      async () => (await type(look)).match(/^node\/den-dev-(cp01|wk01|wk02) .*\bReady /gm)?.length === 3,
      300,
    );
    await type("kubectl --kubeconfig kubeconfig get configmap sentinel --namespace default");
  });
});
