import { randomUUID } from "node:crypto";

import { expect } from "chai";

import { GettingStarted } from "../support/getting-started.ts";

const octet = 72;
const guide = "getting-started-proxmox";

/** A fresh Proxmox host: no token, and no datastore with the content type import. */
describe("the guide from a Proxmox host to a platform, followed from a fresh clone", () => {
  let person: GettingStarted;

  before(async () => {
    person = await GettingStarted.at("dev", octet, (config) => ({
      ...config,
      proxmox: {
        ...config.proxmox,
        token: `nobody@pve!none=${randomUUID()}`,
        datastores: { local: ["iso", "vztmpl", "backup"], "local-lvm": ["images", "rootdir"] },
      },
    }));
  });

  after(() => person.remove());

  it("makes a copy, and keys", () => person.steps.copy());

  it("writes the stack file", async () => {
    const facts = await person.facts();
    const { address, nodes } = person.config.proxmox;
    const proxmox = [
      ["URL of the Proxmox API", `https://${address}`],
      ["Proxmox hosts", nodes.join(",")],
    ] as const;
    await person.follow(guide, "The stack file", { "npx hearth init": { answers: () => [...facts, ...proxmox] } });
  });

  it("makes a state", () => person.steps.state());

  it("makes the tree's secrets its own", () => person.steps.secrets());

  it("makes a token with the commands that the doctor prints, and mends what it finds", async () => {
    const secret = randomUUID();
    let doctored = 0;
    await person.follow(guide, "Proxmox", {
      "npx hearth doctor": {
        exitCode: () => [1, 1, 0][doctored] ?? 0,
        then: async (output) => {
          doctored += 1;
          const [, privileges] = /pveum role add Hearth --privs "([^"]+)"/.exec(output) ?? [];
          const [, datastore = "", content] = /pvesm set (\S+) --content (\S+)/.exec(output) ?? [];
          if (privileges !== undefined)
            await person.changeProxmox({ token: `hearth@pve!deploy=${secret}`, privileges: privileges.split(" ") });
          if (content !== undefined) {
            const { datastores } = person.config.proxmox;
            await person.changeProxmox({ datastores: { ...datastores, [datastore]: content.split(",") } });
          }
        },
      },
      "pulumi config set --secret hearth:proxmoxToken": { fill: () => secret },
    });
    expect(doctored).to.equal(3);
  });

  it("deploys, and has an app behind the tunnel", async () => {
    await person.follow(guide, "Deploy");
    await person.steps.deploy({ isDeployed: true });
    await person.isThere(["den-dev-cp01", "den-dev-wk01", "den-dev-wk02"]);
  });

  it("keeps the escrow", () => person.steps.escrow());
});
