import * as cloudflare from "@pulumi/cloudflare";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { expect } from "chai";

import { connectorToken } from "../../../../components/cloudflare/connector-token.ts";
import type { IngressRule } from "../../../../components/cloudflare/ingress.ts";
import { Records, type RecordSpec } from "../../../../components/cloudflare/records.ts";
import { Tunnel } from "../../../../components/cloudflare/tunnel.ts";
import { deriveSeed } from "../../../../components/secrets/derive.ts";
import { run, type Graph } from "../../../support/graph.ts";
import { expectSound, leaks } from "../../../support/sound.ts";

const zone = { id: "0a1b2c3d4e5f60718293a4b5c6d7e8f9", name: "example.com" };
const password = "p4ssword".repeat(8);
const record = "cloudflare:index/dnsRecord:DnsRecord";
const config = "cloudflare:index/zeroTrustTunnelCloudflaredConfig:ZeroTrustTunnelCloudflaredConfig";

const options = { resources: { "random:index/randomPassword:RandomPassword": () => ({ result: password }) } };

const providers = () => ({
  providers: [new cloudflare.Provider("cloudflare", { apiToken: "t" }), new random.Provider("random")],
});

const tunnel = (ingress: IngressRule[], preview: boolean): Promise<Graph> =>
  run(() => new Tunnel("den-dev", { account: "a", zone, ingress }, providers()), { ...options, preview });

const records = (specs: (RecordSpec & { content?: string })[], preview: boolean): Promise<Graph> =>
  run(() => new Records("records", { zone, records: specs }, providers()), { preview });

const welcome: IngressRule = { hostname: "welcome.example.com", service: "http://welcome.apps" };

for (const preview of [true, false]) {
  const mode = preview ? "a preview" : "an update";

  describe(`a tunnel in ${mode}`, () => {
    it("is sound, and shows no secret", async () => {
      const graph = await tunnel([welcome], preview);
      expectSound(graph);
      expect(leaks(graph, [password, deriveSeed(password, "tunnel-secret")])).to.deep.equal([]);
    });

    it("has a proxied record for each host name, however many rules it has", async () => {
      const graph = await tunnel(
        [
          { ...welcome, path: "^/api", comment: "Welcome" },
          welcome,
          { hostname: "*.example.com", service: "http://gateway" },
          { hostname: "example.com", service: "http://gateway" },
        ],
        preview,
      );
      const made = graph.ofType(record, { exactly: 3 });
      expect(made.map(({ name }) => name)).to.have.members(["welcome.example.com", "*.example.com", "example.com"]);
      expect(
        made.every(({ inputs }) => inputs.proxied === true && inputs.ttl === 1 && inputs.type === "CNAME"),
      ).to.equal(true);
      expect(made.find(({ name }) => name === "welcome.example.com")?.inputs.comment).to.equal("Welcome");
      const [routes] = graph.ofType(config, { exactly: 1 });
      expect(routes?.inputs).to.have.nested.property("config.ingresses").with.lengthOf(5);
    });

    it("takes over the record of a host name where it is told to", async () => {
      const adopt = "372e67954025e0ba6aaa6d586b9e0b59";
      const [made] = (await tunnel([{ ...welcome, adopt }], preview)).ofType(record, { exactly: 1 });
      expect(made?.importId).to.equal(`${zone.id}/${adopt}`);
      expect(made?.inputs).to.not.have.property("adopt");
    });
  });

  describe(`records in ${mode}`, () => {
    it("say what they were told to say", async () => {
      const graph = await records(
        [
          { name: "@", type: "MX", ttl: 3600, content: "mail.example.net", priority: 10, comment: "Mail" },
          { name: "@", type: "CAA", ttl: 1, data: { flags: 0, tag: "issue", value: "letsencrypt.org" } },
          { name: "nas", type: "A", ttl: 300, content: "192.0.2.10", proxied: false },
        ],
        preview,
      );
      expectSound(graph);
      expect(graph.ofType(record, { exactly: 3 }).map(({ inputs }) => inputs)).to.have.deep.members([
        {
          zoneId: zone.id,
          name: "example.com",
          type: "MX",
          ttl: 3600,
          content: "mail.example.net",
          priority: 10,
          comment: "Mail",
        },
        {
          zoneId: zone.id,
          name: "example.com",
          type: "CAA",
          ttl: 1,
          data: { flags: 0, tag: "issue", value: "letsencrypt.org" },
        },
        { zoneId: zone.id, name: "nas.example.com", type: "A", ttl: 300, content: "192.0.2.10", proxied: false },
      ]);
    });

    it("are made, not taken over, unless one is named", async () => {
      const graph = await records([{ name: "nas", type: "A", ttl: 1, content: "192.0.2.10" }], preview);
      expect(graph.ofType(record, { exactly: 1 })[0]?.importId).to.equal("");
    });
  });
}

describe("a connector's token", () => {
  it("is what Cloudflare itself would give out", () => {
    const decoded: unknown = JSON.parse(Buffer.from(connectorToken("a", "t", "s"), "base64").toString());
    expect(decoded).to.deep.equal({ a: "a", t: "t", s: "s" });
  });

  it("is a secret from birth", async () => {
    const tokens: pulumi.Output<string>[] = [];
    await run(() => {
      tokens.push(new Tunnel("den-dev", { account: "a", zone, ingress: [] }, providers()).token);
    }, options);
    expect(await Promise.all(tokens.map((token) => pulumi.isSecret(token)))).to.deep.equal([true]);
  });
});
