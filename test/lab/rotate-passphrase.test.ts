import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { PulumiStack } from "../../lib/engine/pulumi-stack.ts";
import { Pulumi } from "../../lib/engine/pulumi.ts";
import type { Target } from "../../lib/engine/target.ts";
import { revealed, sealed } from "../../lib/engine/value.ts";
import { changePassphrase, progressOf, type Progress } from "../../operations/rotate/passphrase.ts";
import type { Surroundings } from "../../operations/rotate/rotation.ts";
import { messageOf } from "../support/failure.ts";
import { tool } from "../support/tools.ts";

const old = "correct horse battery staple";

describe("a change of the passphrase", function () {
  this.timeout(120_000);
  let root: string;
  let target: Target;
  let surroundings: Surroundings;
  const at = (...path: string[]): string => join(root, ...path);

  before(async () => {
    root = await mkdtemp(join(tmpdir(), "hearth-passphrase-"));
    await writeFile(at("Pulumi.yaml"), "name: hearth\nruntime: nodejs\n");
    await writeFile(at("passphrase"), `${old}\n`);
    await writeFile(at("Pulumi.dev.yaml"), "config:\n  hearth:name: den # ours\n");
    const environment = {
      PULUMI_HOME: at("home"),
      PULUMI_BACKEND_URL: `file://${root}?metadata=skip`,
      PULUMI_CONFIG_PASSPHRASE: undefined,
      PULUMI_CONFIG_PASSPHRASE_FILE: at("passphrase"),
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    };
    const stackFile = at("Pulumi.dev.yaml");
    const engine = new PulumiStack(new Pulumi(await tool("pulumi"), root, environment), "dev", stackFile);
    target = { root, stack: "dev", isLab: true, stackFile, environment, engine } as unknown as Target;
    surroundings = {
      target,
      credentials: { live: () => undefined },
      signal: new AbortController().signal,
      print: () => undefined,
      readValue: () => Promise.reject(new Error("Nobody is asked where a file holds the passphrase")),
    } as unknown as Surroundings;
    await engine.init();
    await engine.reconfigure(["config", "set", "--secret", "hearth:token"], "a token");
    const state = await engine.state();
    const urn = "urn:pulumi:dev::hearth::pulumi:pulumi:Stack::hearth-dev";
    const resources = [{ urn, type: "pulumi:pulumi:Stack", custom: false, outputs: { secret: sealed("a secret") } }];
    await engine.replaceState({ ...state, deployment: { ...state.deployment, resources } });
    await keep("before");
    await changePassphrase(surroundings, await progressOf(target));
    await keep("after");
  });

  after(() => rm(root, { recursive: true, force: true }));

  const parts = { file: "Pulumi.dev.yaml", state: ".pulumi", passphrase: "passphrase" };

  const keep = async (name: string): Promise<void> => {
    for (const part of Object.values(parts)) await cp(at(part), at("kept", name, part), { recursive: true });
  };

  /** Puts the world where a killed run has left it. */
  const world = async (
    of: Record<keyof typeof parts, "before" | "after">,
    next: { file: boolean; passphrase: boolean },
  ) => {
    for (const [part, name] of Object.entries(parts)) {
      await rm(at(name), { recursive: true, force: true });
      await cp(at("kept", of[part as keyof typeof parts], name), at(name), { recursive: true });
    }
    await rm(at("Pulumi.dev.yaml.new"), { force: true });
    await rm(at("passphrase.dev.new"), { force: true });
    if (next.file) await cp(at("kept", "after", parts.file), at("Pulumi.dev.yaml.new"));
    if (next.passphrase) await cp(at("kept", "after", "passphrase"), at("passphrase.dev.new"));
  };

  const passphrase = async () => (await readFile(at("passphrase"), "utf8")).trim();

  /** Another passphrase, and the same content as before. */
  const requireChanged = async (): Promise<void> => {
    expect(await passphrase()).not.to.equal(old);
    expect(await target.engine.configure(["config", "get", "hearth:token"])).to.equal("a token");
    const [resource] = (await target.engine.state()).deployment.resources ?? [];
    expect(revealed(resource?.outputs)).to.deep.equal({ secret: "a secret" });
    expect(await readFile(at("Pulumi.dev.yaml"), "utf8")).to.contain("hearth:name: den");
    expect((await progressOf(target)).is).to.equal("fresh");
  };

  it("leaves stack file and state as they were, under another passphrase", requireChanged);

  it("leaves nothing that the old one opens", async () => {
    await world({ file: "after", state: "after", passphrase: "before" }, { file: false, passphrase: false });
    expect(await messageOf(target.engine.state())).to.match(/passphrase/);
    expect(await messageOf(target.engine.configure(["config", "get", "hearth:token"]))).to.match(/passphrase/);
  });

  const boundaries: [Progress["is"], Parameters<typeof world>][] = [
    [
      "fresh",
      [
        { file: "before", state: "before", passphrase: "before" },
        { file: false, passphrase: true },
      ],
    ],
    [
      "prepared",
      [
        { file: "before", state: "before", passphrase: "before" },
        { file: true, passphrase: true },
      ],
    ],
    [
      "imported",
      [
        { file: "before", state: "after", passphrase: "before" },
        { file: true, passphrase: true },
      ],
    ],
    [
      "done but for the file",
      [
        { file: "after", state: "after", passphrase: "before" },
        { file: false, passphrase: true },
      ],
    ],
  ];
  for (const [is, left] of boundaries) {
    it(`goes on where it is ${is}`, async () => {
      await world(...left);
      const progress = await progressOf(target);
      expect(progress.is).to.equal(is);
      await changePassphrase(surroundings, progress);
      await requireChanged();
    });
  }

  it("stops where the new passphrase of a state is gone, and overwrites nothing", async () => {
    await world({ file: "before", state: "after", passphrase: "before" }, { file: true, passphrase: false });
    const progress = await progressOf(target);
    expect(await messageOf(changePassphrase(surroundings, progress))).to.contain("Put it there again");
    expect(await passphrase()).to.equal(old);
  });

  it("stops where stack file and state do not belong together", async () => {
    await world({ file: "before", state: "after", passphrase: "before" }, { file: false, passphrase: false });
    expect(await messageOf(progressOf(target))).to.contain("encrypted by different passphrases");
  });
});
