import { readFile, rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

import { expect } from "chai";

import { Outside } from "../support/lab-outside.ts";
import { LabCheckout } from "../support/lab-checkout.ts";

describe("npx hearth destroy", () => {
  let checkout: LabCheckout;
  let outside: Outside;

  before(async () => {
    checkout = await LabCheckout.createSmall(63);
    const { exitCode, all } = await checkout.lab();
    expect(exitCode, all).to.equal(0);
    outside = new Outside(checkout, "dev");
  });

  after(() => checkout.remove());

  const destroy = async (...flags: string[]): Promise<{ exitCode: number | undefined; all: string }> => {
    const { exitCode, all } = await checkout.shell(`npx hearth destroy dev --lab ${flags.join(" ")}`);
    return { exitCode, all: String(all) };
  };
  const count = async (): Promise<number> => {
    const { stdout } = await checkout.shell("pulumi stack export");
    return (JSON.parse(String(stdout)) as { deployment: { resources?: unknown[] } }).deployment.resources?.length ?? 0;
  };
  const replicas = async (): Promise<string> => {
    const { stdout } = await checkout.shell(
      "kubectl get deployments --all-namespaces -o jsonpath='{.items[?(@.metadata.name==\"cloudflared\")].spec.replicas}'",
    );
    return String(stdout).trim();
  };

  it("does nothing without the stack's name, and says what would be lost", async () => {
    const before = await count();
    for (const flags of [[], ["--yes"], ["--confirm", "prod"]]) {
      const { exitCode, all } = await destroy(...flags);
      expect(exitCode, all).to.equal(1);
      expect(all).to.contain("den-dev-cp01").and.to.contain("tunnels").and.to.contain("--confirm dev");
    }
    expect(await count()).to.equal(before);
  });

  it("does nothing where something cannot be kept", async () => {
    const before = await count();
    await checkout.write(".lab/dev/backups", "a file where backups should be");
    const { exitCode, all } = await destroy("--confirm", "dev");
    expect(exitCode, all).to.equal(1);
    expect(all)
      .to.contain(".lab/dev/backups")
      .and.not.to.match(/^ +at .*:\d+:\d+/m);
    await rm(checkout.file(".lab/dev/backups"));
    expect(await count()).to.equal(before);
  });

  it("keeps what brings it back, waits for the tunnel's connections, and leaves nothing", async () => {
    await outside.connect(4);
    // Stands for cloudflared, which ends its connections when it is stopped.
    const connector = (async () => {
      while ((await replicas()) !== "0") await sleep(500);
      await outside.connect(0);
    })();
    const { exitCode, all } = await destroy("--confirm", "dev");
    await connector;
    expect(exitCode, all).to.equal(0);
    expect(all).to.contain("Kept and opened: snapshot in").and.to.contain("cloudflared");
    expect(await count()).to.equal(0);
    expect(await readFile(checkout.file(".lab/dev/escrow.sops.yaml"), "utf8")).to.contain("sops");
  });

  it("has nothing to do then", async () => {
    const { exitCode, all } = await destroy("--confirm", "dev");
    expect(exitCode, all).to.equal(0);
    expect(all).to.contain("nothing that could be destroyed");
  });
});
