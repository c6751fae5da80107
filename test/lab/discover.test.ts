import { mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import { execa } from "execa";
import { parse } from "yaml";

import { machineState } from "../../lib/cluster/machine-state.ts";
import { eventually } from "../support/lab-process.ts";
import { type TalosLab, talosLab } from "../support/talos.ts";

const root = join(import.meta.dirname, "../..");
const machines = { waiting: "127.68.9.2", configured: "127.68.9.3", silent: "127.68.9.4" };

describe("npx hearth discover", () => {
  let lab: TalosLab;

  before(async () => {
    lab = await talosLab(machines.waiting);
    await (await lab.machine("waiting", machines.waiting)).start();
  });

  after(() => lab.stop());

  const discover = (...args: string[]) =>
    execa("node", [join(root, "bin/hearth.mjs"), "discover", ...args], { reject: false, all: true });

  it("prints a waiting machine as a node", async () => {
    const { exitCode, stdout, stderr } = await discover(machines.waiting);
    expect(exitCode, stderr).to.equal(0);
    const { wk01 } = parse(stdout) as { wk01: Record<string, unknown> };
    expect(wk01).to.include({ platform: "metal", role: "worker", image: "standard", address: machines.waiting });
    expect(wk01.mac).to.match(/^([0-9A-F]{2}:){5}[0-9A-F]{2}$/);
    expect(stdout).to.match(/# QEMU Hearth lab machine, \d+ threads, \d+ GiB, SecureBoot off; booted Talos v1\.1/);
  });

  it("says of each address that it cannot ask why, and prints the others", async () => {
    const machine = await lab.machine("configured", machines.configured);
    await machine.start();
    const file = await lab.configuration("controlplane", "configured");
    await lab.talosctl("apply-config", "--insecure", "--nodes", machines.configured, "--file", file);
    // A worker would wait for the certificate that a control plane issues.
    const isConfigured = async () => (await machineState(machines.configured, "")) === "foreign";
    await eventually("the machine runs with its configuration", isConfigured, 60);
    const { exitCode, stdout, stderr } = await discover(machines.waiting, machines.silent, machines.configured);
    expect(exitCode).to.equal(1);
    expect(Object.keys(parse(stdout) as object)).to.deep.equal(["wk01"]);
    expect(stderr).to.contain(`Nobody answers at ${machines.silent}: boot the machine from Talos's ISO`);
    expect(stderr).to.contain(`${machines.configured} runs Talos with a configuration already`);
  });

  it("adds a node to a stack's file, once", async () => {
    const folder = await mkdtemp(join(tmpdir(), "hearth-discover-"));
    try {
      await execa("git", ["clone", "--quiet", root, folder]);
      await symlink(join(root, "node_modules"), join(folder, "node_modules"));
      const run = () =>
        execa("node", ["bin/hearth.mjs", "discover", machines.waiting, "--role", "worker", "--write", "dev"], {
          ...({ cwd: folder, reject: false } as const),
        });
      const first = await run();
      expect(first.exitCode, first.stderr).to.equal(0);
      const text = await readFile(join(folder, "Pulumi.dev.yaml"), "utf8");
      const { config } = parse(text) as { config: Record<string, Record<string, { address: string }>> };
      expect(Object.values(config["hearth:nodes"] ?? {}).at(-1)?.address).to.equal(machines.waiting);
      const second = await run();
      expect(second.exitCode).to.equal(1);
      expect(second.stderr).to.match(/nodes\.[\w-]+ has 127\.68\.9\.2 already; nothing was written/);
      expect(await readFile(join(folder, "Pulumi.dev.yaml"), "utf8")).to.equal(text);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
