import { expect } from "chai";

import { parseServiceSecrets } from "../../../infra/config/service-secrets.ts";
import { examineStackFile, parseStackFile } from "../../../infra/config/stack-file.ts";
import type { StackConfig } from "../../../lab/derive.ts";
import { labSecrets } from "../../../lab/secrets.ts";
import { examples } from "../../support/examples.ts";

const credentials = { proxmoxToken: "hearth@pve!lab=secret", cloudflareToken: "token", passphrase: "words" };

describe("the lab's secrets", () => {
  for (const { name, stacks, read } of examples) {
    it(`are all that the example ${name} lacks, and no other`, () => {
      const file = parseStackFile(read(stacks[0] ?? ""));
      const secrets = labSecrets(file.settings as StackConfig, credentials);
      const encrypted = Object.fromEntries(Object.keys(secrets).map((key) => [key, { secure: "v1:x" }]));
      const { config, undeployable, warnings } = examineStackFile({
        ...file,
        settings: { ...file.settings, ...encrypted },
      });
      expect(undeployable.filter(({ path }) => path[0] !== "escrow")).to.deep.equal([]);
      expect(warnings).to.deep.equal([]);
      if (!config) throw new Error("the example has problems");
      expect(() => parseServiceSecrets(secrets["hearth:serviceSecrets"], "prod", config)).not.to.throw();
    });
  }

  it("have what each service reads, of each node", () => {
    const services = {
      ...{ tailscale: {}, netbird: {}, cloudflared: {}, newt: { endpoint: "https://pangolin.example.com", id: "x" } },
      ...{ "nut-client": { ups: "ups", host: "10.0.0.8", user: "monitor" }, nebula: { configuration: "pki: {}" } },
    };
    const stack = { "hearth:network": { subnet: "10.0.0.0/24" }, "hearth:nodes": { a: {}, b: {} } };
    const committed = { ...stack, "hearth:images": { all: { services } } } as unknown as StackConfig;
    const read = parseServiceSecrets(labSecrets(committed, credentials)["hearth:serviceSecrets"], "prod", {
      images: { all: { services } },
      nodes: { a: { image: "all" }, b: { image: "all" } },
    } as never);
    expect(read).to.have.all.keys(Object.keys(services));
  });

  it("are drawn for each lab", () => {
    const committed = {
      "hearth:network": { subnet: "10.0.0.0/24", announce: { authentication: "password" } },
      "hearth:nodes": {},
      "hearth:images": {},
    } as unknown as StackConfig;
    const [one, other] = [labSecrets(committed, credentials), labSecrets(committed, credentials)];
    expect(one["hearth:bgpPassword"])
      .to.match(/^\S{20}$/)
      .and.not.equal(other["hearth:bgpPassword"]);
  });
});
