import { join } from "node:path";

import { expect } from "chai";
import { execa } from "execa";

import { GettingStarted } from "../support/getting-started.ts";
import { copyOfWelcome, editInside, makeRelease } from "../support/next-release.ts";

const octet = 71;
const guide = "getting-started-metal";

/** Three small computers that booted Talos's ISO, one of them at an address that nobody reserved. */
describe("the guide from three computers to a platform, followed from a fresh clone", () => {
  let person: GettingStarted;

  before(async () => {
    person = await GettingStarted.at("prod", octet, (config) => ({
      ...config,
      metal: config.metal.map((machine, index) => ({
        ...{ ...machine, secureBoot: false },
        ...(index === 0 && { lease: `127.${octet.toString()}.0.157` }),
      })),
    }));
  });

  after(() => person.remove());

  it("1. makes a copy, and keys", () => person.steps.copy());

  it("2. writes the stack file", async () => {
    const facts = await person.facts();
    const macs = person.config.metal.map(({ mac }) => mac).join(",");
    await person.follow(guide, "2. The stack file", {
      "npx hearth init": {
        answers: () => [...facts, ["Hardware addresses of the machines", macs]],
        // The lab's small tree has nobody who takes the machines' logs.
        then: () => {
          editInside(
            join(person.newcomer.home, "hearth"),
            "Pulumi.prod.yaml",
            /^ {4}(?:kernelL|l)ogDestinations:.*\n(?: {6}.*\n)*/gm,
            "",
          );
        },
      },
    });
  });

  it("3. makes a state", () => person.steps.state());

  it("4. makes the tree's secrets its own", () => person.steps.secrets());

  it("5. boots the machines, moves the one that has another address, and discovers them", () =>
    person.follow(guide, "5. Boot the machines", {
      "npx hearth discover": {
        then: (output) => {
          for (const { mac, disks } of person.config.metal) {
            expect(output).to.contain(mac);
            expect(output).to.contain(disks[0]?.serial);
          }
        },
      },
    }));

  it("6. finds no problem", () => person.follow(guide, "6. Look before you leap"));

  it("7. deploys, and has an app behind the tunnel", async () => {
    await person.steps.deploy();
    await person.isThere(person.config.metal.map(({ name }) => name));
  });

  it("8. keeps the escrow", () => person.steps.escrow());

  it("takes the next release a month later, and a preview says that nothing changes but a variable that it brings", async () => {
    const clone = join(person.newcomer.home, "hearth");
    copyOfWelcome(clone, "notes");
    const app = "  - ../../apps/welcome/flux.yaml\n";
    editInside(clone, "gitops/clusters/prod/kustomization.yaml", app, `${app}  - ../../apps/notes/flux.yaml\n`);
    await person.types('git add gitops && git commit --quiet --message "An app of my own" && git push --quiet');
    const release = join(person.checkout.path, ".lab/release");
    await execa("git", ["clone", "--quiet", person.checkout.path, release]);
    makeRelease(release);
    const author = ["-c", "user.name=Hearth", "-c", "user.email=hearth@example.com"];
    await execa("git", ["add", "--all"], { cwd: release });
    await execa("git", [...author, "commit", "--quiet", "--message", "The next release"], { cwd: release });
    await execa("git", ["tag", "v0.2.0"], { cwd: release });
    await person.types(`git remote add hearth file://${release}`);
    await person.follow("upgrading-hearth", "Merge a release", {
      // The packages of this checkout stay.
      "npm ci": { instead: () => Promise.resolve() },
      // The lab's small tree has no issuer for its two gateways.
      "npx hearth check": {
        exitCode: () => 1,
        then: (output) => {
          expect(output.match(/names ClusterIssuer letsencrypt-production, which nothing creates/g)).to.have.length(2);
          expect(output).to.contain(" 2 problems");
        },
      },
    });
    const { output } = await person.newcomer.type("npx hearth preview prod");
    expect(output).to.match(/^\d+ unchanged, 1 object of the tree\.$/m);
    expect(output).to.contain("\n+  greeting: hello\n").and.not.to.contain("## Resources");
  });
});
