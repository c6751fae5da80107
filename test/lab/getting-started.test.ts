import { expect } from "chai";

import { GettingStarted } from "../support/getting-started.ts";

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
      "npx hearth init": { answers: () => [...facts, ["Hardware addresses of the machines", macs]] },
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
});
