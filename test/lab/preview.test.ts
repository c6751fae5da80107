import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { expect } from "chai";
import { execa } from "execa";

import { limit } from "../../operations/preview/limit.ts";
import { exitCodes, hasToBeRead } from "../../operations/preview/cli.ts";
import { labAgeIdentity } from "../../lib/secrets/lab-identity.ts";
import { LabCheckout } from "../support/lab-checkout.ts";
import { filesWith, secretsOf } from "../support/leaks.ts";
import { tool } from "../support/tools.ts";

const octet = 92;
const fixtures = join(import.meta.dirname, "..", "fixtures", "preview");

/** A password of a registry that machines get, before and after it is rotated. */
const [oldPassword, newPassword] = ["kT7-old-Password-9xQ2", "kT7-new-Password-4wB8"];
const patchWith = (password: string): string =>
  JSON.stringify({
    all: [
      {
        apiVersion: "v1alpha1",
        kind: "RegistryAuthConfig",
        name: "registry.example.com",
        username: "robot",
        password,
      },
    ],
  });

const stackFile = "Pulumi.dev.yaml";
const newNode = `    den-dev-wk03:
      platform: proxmox
      role: worker
      image: standard
      address: 10.${octet}.0.23
      mac: BC:24:11:20:00:23
      installDisk: /dev/sda
      proxmox: { host: pve1, vmId: 2023, cores: 4, memory: 8192, disk: 80 }
`;

describe("npx hearth preview", () => {
  let checkout: LabCheckout;
  let printed = "";
  let secrets: string[] = [];

  const setPatch = async (password: string): Promise<void> => {
    const { exitCode, all } = await checkout.shell(
      `printf %s '${patchWith(password)}' | pulumi config set --secret hearth:machinePatches`,
    );
    expect(exitCode, String(all)).to.equal(0);
  };
  const lab = async (...args: string[]): Promise<void> => {
    const { exitCode, all } = await checkout.lab(...args);
    expect(exitCode, all).to.equal(0);
  };
  const preview = async (): Promise<{ exitCode: number | undefined; report: string }> => {
    const { exitCode, all } = await checkout.shell("npx hearth preview dev --base base");
    printed += String(all);
    const report = await readFile(checkout.file(".hearth/preview-dev.md"), "utf8").catch(() => String(all));
    return { exitCode, report };
  };

  const addLabel = () =>
    checkout.edit(stackFile, (text) =>
      text.replace('hearth.dev/storage: "true"', 'hearth.dev/gpu: "true", hearth.dev/storage: "true"'),
    );

  /** Opens a pull request, holds its report against the committed one, and closes it. */
  const expectReport = async (
    name: string,
    change: () => Promise<unknown>,
    outcome: keyof typeof exitCodes,
  ): Promise<string> => {
    await checkout.git("switch", "--quiet", "--force-create", "pull-request", "base");
    try {
      await change();
      await checkout.commit(name);
      const { exitCode, report } = await preview();
      expect(exitCode, report).to.equal(exitCodes[outcome]);
      expect(report.length).to.be.at.most(limit);
      expectFixture(`${name}.md`, normalised(report));
      return report;
    } finally {
      await checkout.git("switch", "--quiet", "--force", "base");
    }
  };

  before(async () => {
    checkout = await LabCheckout.createSmall(octet);
    await lab();
    await setPatch(oldPassword);
    await lab();
    await checkout.git("switch", "--quiet", "--create", "base");
    const { stdout } = await checkout.shell("pulumi stack export --show-secrets");
    const { proxmoxToken, cloudflareToken, passphrase } = JSON.parse(
      readFileSync(checkout.file(".lab/dev/credentials.json"), "utf8"),
    ) as Record<string, string>;
    secrets = [
      ...secretsOf(JSON.parse(String(stdout))),
      ...[proxmoxToken, cloudflareToken, passphrase].filter((secret) => secret !== undefined),
      ...[oldPassword, newPassword].flatMap((secret) => [secret, Buffer.from(secret).toString("base64")]),
    ];
    expect(secrets).to.include(oldPassword).and.to.have.length.greaterThan(20);
  });

  after(() => checkout.remove());

  it("says that nothing changes where nothing does", async () => {
    const { exitCode, report } = await preview();
    expect(exitCode, report).to.equal(exitCodes.unchanged);
    expect(report).to.match(/^# Preview of dev: nothing changes/);
  });

  it("shows a label as a line, with no reboot", async () => {
    const report = await expectReport("label", addLabel, "changes");
    expect(report).to.contain('+    hearth.dev/gpu: "true"').and.not.to.contain("reboot");
  });

  it("shows a kernel argument as another image, which needs an upgrade with a reboot", async () => {
    const report = await expectReport(
      "kernel-argument",
      () =>
        checkout.edit(stackFile, (text) =>
          text.replace("[siderolabs/qemu-guest-agent]", "$&\n      kernelArguments: [net.ifnames=0]"),
        ),
      "changes",
    );
    expect(report).to.match(/`den-dev-wk02` \| upgrade with a reboot to `.* another schematic/);
  });

  it("shows a node that is added with all of its configuration, keys as fingerprints", async () => {
    const report = await expectReport(
      "node-added",
      () => checkout.edit(stackFile, (text) => text.replace("  hearth:cloudflare:", `${newNode}$&`)),
      "changes",
    );
    expect(report).to.match(/- create `den-dev-wk03` \(proxmoxve VmLegacy\)/);
    expect(report).to.match(/\+ {2}token: ‹[0-9a-f]{12}›/);
  });

  it("puts a node that is removed first, and says that it is refused", async () => {
    const report = await expectReport(
      "node-removed",
      () => checkout.edit(stackFile, (text) => text.replace(/ {4}den-dev-wk02:\n( {6}.*\n)+/, "")),
      "failed",
    );
    expect(report).to.match(/- ⚠ \*\*delete machine\*\* `den-dev-wk02` .*; refused, for no exemption/);
  });

  it("puts a control plane that is replaced first, and says that policy refuses it", async () => {
    const report = await expectReport(
      "control-plane-replaced",
      () => checkout.edit(stackFile, (text) => text.replace("{ host: pve1, vmId: 2011", "{ host: pve1, vmId: 2019")),
      "failed",
    );
    expect(report).to.contain("control-plane-quorum");
  });

  it("shows a key that is rotated as another fingerprint", async () => {
    await setPatch(newPassword);
    try {
      const { exitCode, report } = await preview();
      expect(exitCode, report).to.equal(exitCodes.changes);
      expectFixture("key-rotated.md", normalised(report));
      expect(report).to.match(/-password: ‹[0-9a-f]{12}›\n\+password: ‹[0-9a-f]{12}›/);
    } finally {
      await setPatch(oldPassword);
    }
  });

  it("shows a rule of the tunnel by itself, with its record", async () => {
    const rule = "- { hostname: notes-dev.example.com, service: http://notes.apps.svc.cluster.local:80 }\n      ";
    const report = await expectReport(
      "tunnel-rule",
      () => checkout.edit(stackFile, (text) => text.replace("- hostname: welcome", `${rule}$&`)),
      "changes",
    );
    expect(report).to.contain("- create `notes-dev.example.com`");
  });

  it("shows a chart's new version as a change of the tree", async () => {
    const report = await expectReport(
      "chart-bump",
      () =>
        checkout.edit("gitops/infrastructure/network/cilium/app/ocirepository.yaml", (text) =>
          text.replace(/tag: .*/, "tag: 1.20.99"),
        ),
      "changes",
    );
    expect(report).to.contain("+    tag: 1.20.99");
  });

  it("shows which value of an encrypted Secret changed", async () => {
    const report = await expectReport(
      "secret-changed",
      async () => {
        const file = checkout.file("gitops/clusters/dev/secrets/welcome/welcome.sops.yaml");
        await execa(await tool("sops"), ["set", file, '["stringData"]["message"]', '"The hearth is warm today"'], {
          env: { SOPS_AGE_KEY: labAgeIdentity },
        });
      },
      "changes",
    );
    expect(report)
      .to.match(/-\s+message: ‹.*›\n\+\s+message: ‹/)
      .and.not.to.contain("warm today");
  });

  it("names a file that cannot be parsed, and fails", async () => {
    const report = await expectReport(
      "unparsable-file",
      async () => {
        const file = checkout.file("gitops/apps/welcome/app/deployment.yaml");
        await writeFile(file, `${await readFile(file, "utf8")}  broken: [\n`);
      },
      "failed",
    );
    expect(report).to.contain("gitops/apps/welcome/app");
  });

  it("takes another commit's tree with its own code, leaves the checkout as it was, and refuses code", async () => {
    const theirs = async (file: string, change: (text: string) => string): Promise<void> => {
      await checkout.git("switch", "--quiet", "--force-create", "theirs", "base");
      await checkout.edit(file, change);
      await checkout.commit("theirs");
      await checkout.git("switch", "--quiet", "base");
    };
    const take = () => checkout.shell("npx hearth preview dev --data-from theirs");
    await theirs("gitops/apps/welcome/app/deployment.yaml", (text) =>
      text.replace("spec:\n", "spec:\n  replicas: 2\n"),
    );
    const taken = await take();
    printed += String(taken.all);
    expect(taken.exitCode, String(taken.all)).to.equal(exitCodes.changes);
    expect(String(taken.all)).to.match(/Data of commit `\w+`, with the code of commit `\w+`/);
    expect(String(taken.all)).to.match(/^\+ +replicas: 2$/m);
    expect(await checkout.git("status", "--porcelain", "--untracked-files=no")).to.equal("");
    await theirs("infra/index.ts", (text) => `throw new Error("their code ran");\n${text}`);
    const refused = await take();
    expect(refused.exitCode).to.equal(hasToBeRead);
    expect(String(refused.all)).to.contain("infra/index.ts is not data").and.not.to.contain("their code ran");
  });

  it("is the same with no API that answers", async () => {
    await lab("down");
    await checkout.git("switch", "--quiet", "--force-create", "pull-request", "base");
    await addLabel();
    await checkout.commit("label");
    const { exitCode, report } = await preview();
    expect(exitCode, report).to.equal(exitCodes.changes);
    expect(normalised(report)).to.equal(readFileSync(join(fixtures, "label.md"), "utf8"));
  });

  it("shows no secret in anything that it printed or wrote", () => {
    expect(printed.length).to.be.greaterThan(1000);
    expect(
      secrets.filter((secret) => printed.includes(secret)),
      "printed",
    ).to.have.length(0);
    expect(filesWith(secrets, checkout.path, [".hearth/**"]), "written").to.deep.equal([]);
  });
});

/** A report without what is another in each run: fingerprints keep only which of them are the same. */
const normalised = (report: string): string => {
  const numbers = new Map<string, number>();
  return report
    .replaceAll(/‹[0-9a-f]{12}›/g, (print) => {
      if (!numbers.has(print)) numbers.set(print, numbers.size + 1);
      return `‹${numbers.get(print) ?? 0}›`;
    })
    .replace(
      /^Commit `[0-9a-f]+`( with changes that are not committed)?, against `[0-9a-f]+`/m,
      "Commit `head`, against `base`",
    )
    .replace(/the state of [^,]+,/, "the state of TIME,")
    .replace(/\d+ unchanged/, "N unchanged")
    .replace(/^\d+ (policies found nothing wrong)/m, "N $1")
    .replaceAll(`127.${octet}.`, "127.20.")
    .replaceAll(`10.${octet}.`, "10.20.")
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "UUID");
};

const expectFixture = (name: string, text: string): void => {
  const file = join(fixtures, name);
  if (process.env.UPDATE_SNAPSHOTS === "1") {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  expect(text).to.equal(readFileSync(file, "utf8"));
};
