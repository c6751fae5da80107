import { expect } from "chai";

import { type Cloudflare, cloudflareAccount, list, object, startCloudflare } from "../support/cloudflare.ts";
import { type Project, project, type Proxy, type Run, startProxy } from "../support/plugins.ts";

const { account, zone, token } = cloudflareAccount;
const tunnels = `/accounts/${account}/cfd_tunnel`;
const records = `/zones/${zone}/dns_records`;

/** A resource as `pulumi stack export` shows it. */
interface Exported {
  urn: string;
  type: string;
  id?: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
}

const succeeded = (run: Run): Run => {
  expect(run.code, run.output).to.equal(0);
  return run;
};

const failed = (run: Run): string => {
  expect(run.code, run.output).not.to.equal(0);
  return run.output;
};

/** The operations of a preview or an update, as its summary counts them. */
const summary = ({ text }: Run): string =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => /^([-+~] \d+|\d+ unchanged|\+-\d+)/.test(line))
    .join(", ");

const exported = async (stack: Project, ...flags: string[]): Promise<{ text: string; all: Exported[] }> => {
  const { text } = succeeded(await stack.pulumi("stack", "export", ...flags));
  const { deployment } = JSON.parse(text) as { deployment: { resources: Exported[] } };
  return { text, all: deployment.resources };
};

const named = (all: readonly Exported[], name: string): Exported => {
  const found = all.find(({ urn }) => urn.endsWith(`::${name}`));
  if (found === undefined) throw new Error(`there is no resource ${name}`);
  return found;
};

const outputs = async (stack: Project): Promise<Record<string, string>> =>
  JSON.parse(succeeded(await stack.pulumi("stack", "output", "--json", "--show-secrets")).text) as Record<
    string,
    string
  >;

describe("the stand-in random plugin", function () {
  this.timeout(600_000);
  let stack: Project;

  before(async () => {
    stack = await project({});
  });

  after(() => stack.remove());

  const program = (keeper: string): string => `
    import * as random from "@pulumi/random";
    const keepers = { keeper: ${JSON.stringify(keeper)} };
    const password = new random.RandomPassword("password", { length: 40, minSpecial: 3, special: true, keepers });
    const bytes = new random.RandomBytes("bytes", { length: 32 });
    const id = new random.RandomId("id", { byteLength: 4, prefix: "den-" });
    const text = new random.RandomString("text", { length: 12, upper: false, special: false, numeric: false });
    const uuid = new random.RandomUuid("uuid");
    const pet = new random.RandomPet("pet", { length: 3 });
    const integer = new random.RandomInteger("integer", { min: 3, max: 5 });
    export const results = {
      password: password.result, hash: password.bcryptHash, base64: bytes.base64, hex: bytes.hex, id: id.hex,
      b64: id.b64Std, dec: id.dec, text: text.result, uuid: uuid.result, pet: pet.id, integer: integer.result,
    };
  `;

  const results = async (): Promise<Record<string, string | number>> =>
    (await outputs(stack)).results as unknown as Record<string, string | number>;

  it("previews values that are not known yet, and makes them as asked", async () => {
    await stack.write(program("first"));
    expect(summary(succeeded(await stack.pulumi("preview")))).to.equal("+ 8 to create");
    succeeded(await stack.pulumi("up", "--yes", "--skip-preview"));
    const made = await results();
    expect(made.password).to.be.a("string").and.have.length(40);
    expect(String(made.password).match(/[^A-Za-z0-9]/g)?.length).to.be.at.least(3);
    expect(made.hash).to.match(/^\$2[ab]\$10\$/);
    expect(Buffer.from(String(made.base64), "base64").toString("hex")).to.equal(made.hex);
    expect(made.hex).to.have.length(64);
    expect(made.id).to.match(/^den-[0-9a-f]{8}$/);
    expect(made.dec).to.equal(`den-${parseInt(String(made.id).slice(4), 16)}`);
    expect(made.text).to.match(/^[a-z]{12}$/);
    expect(made.uuid).to.match(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(String(made.pet).split("-")).to.have.length(3);
    expect(made.integer).to.be.within(3, 5);
  });

  it("finds nothing to change afterwards, nor after a refresh", async () => {
    expect(summary(succeeded(await stack.pulumi("preview", "--expect-no-changes")))).to.equal("8 unchanged");
    succeeded(await stack.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes"));
  });

  it("marks as secret what the vendor's does", async () => {
    const made = await results();
    const { text, all } = await exported(stack);
    expect(text).not.to.contain(made.password).and.not.to.contain(made.hash).and.not.to.contain(made.hex);
    expect(named(all, "password").id).to.equal("none");
    expect(named(all, "text").outputs).to.include({ result: made.text });
  });

  it("uses bytes as their own ID, which is not secret, as the vendor's does", async () => {
    expect(named((await exported(stack)).all, "bytes").id).to.equal((await results()).base64);
  });

  it("replaces what has other keepers, and only that", async () => {
    const before = await results();
    await stack.write(program("second"));
    const { text } = succeeded(await stack.pulumi("up", "--yes", "--skip-preview"));
    expect(text).to.contain("+-1 replaced");
    const after = await results();
    expect(after.password).not.to.equal(before.password);
    expect(after.base64).to.equal(before.base64);
  });

  it("takes over values that exist", async () => {
    const bytes = Buffer.alloc(16, 5);
    const fresh = await project({});
    try {
      await fresh.write(`
        import * as random from "@pulumi/random";
        const bytes = new random.RandomBytes("bytes", { length: 16 }, { import: ${JSON.stringify(bytes.toString("base64"))} });
        const password = new random.RandomPassword("password", { length: 11 }, { import: "from before" });
        export const hex = bytes.hex;
        export const result = password.result;
      `);
      succeeded(await fresh.pulumi("up", "--yes", "--skip-preview"));
      expect(await outputs(fresh)).to.deep.equal({ hex: bytes.toString("hex"), result: "from before" });
      succeeded(await fresh.pulumi("preview", "--expect-no-changes"));
    } finally {
      await fresh.remove();
    }
  });

  for (const [what, args, complaint] of [
    ["an input that it does not know", "{ length: 8, lenght: 9 }", "lenght is not a known property"],
    ["an input of another type", '{ length: "8" }', "length is of type string: give a value of type integer"],
    ["a length that is no whole number", "{ length: 8.5 }", "length is of type number: give a value of type integer"],
    ["a missing input", "{}", "length is required and missing"],
    ["minimums beyond the length", "{ length: 3, minLower: 2, minUpper: 2 }", "length is less than the sum"],
  ] as const) {
    it(`refuses ${what}`, async () => {
      await stack.write(`
        import * as pulumi from "@pulumi/pulumi";
        class Raw extends pulumi.CustomResource {
          constructor(name: string, args: object) {
            super("random:index/randomPassword:RandomPassword", name, args);
          }
        }
        new Raw("wrong", ${args});
      `);
      expect(failed(await stack.pulumi("preview")))
        .to.contain("wrong")
        .and.contain(complaint);
    });
  }
});

describe("the stand-in Cloudflare plugin", function () {
  this.timeout(600_000);
  let api: Cloudflare;
  let proxy: Proxy;
  let stack: Project;

  before(async () => {
    api = await startCloudflare("127.84.0.1:8443");
    proxy = await startProxy("127.84.0.2", api.address);
    stack = await project({ HTTPS_PROXY: proxy.url, SSL_CERT_FILE: api.authority });
  });

  after(async () => {
    await stack.remove();
    await proxy.stop();
    await api.stop();
  });

  const secret = Buffer.alloc(32, 11).toString("base64");

  /** A program with a tunnel, its rules and a record. */
  const program = ({ service = "http://web:80", more = "", options = "" } = {}): string => `
    import * as cloudflare from "@pulumi/cloudflare";
    import * as pulumi from "@pulumi/pulumi";
    const provider = new cloudflare.Provider("cloudflare", { apiToken: pulumi.secret(${JSON.stringify(token)}) });
    const zone = cloudflare.getZoneOutput({ filter: { name: "example.com" } }, { provider });
    const tunnel = new cloudflare.ZeroTrustTunnelCloudflared(
      "tunnel",
      { accountId: "${account}", name: "den", configSrc: "cloudflare", tunnelSecret: "${secret}" },
      { provider },
    );
    new cloudflare.ZeroTrustTunnelCloudflaredConfig("rules", {
      accountId: "${account}",
      tunnelId: tunnel.id,
      config: {
        ingresses: [
          { hostname: "home.example.com", service: ${JSON.stringify(service)}, originRequest: { noTlsVerify: true } },
          { service: "http_status:404" },
        ],
      },
    }, { provider });
    const record = new cloudflare.DnsRecord("record", {
      zoneId: zone.zoneId,
      name: "home",
      type: "CNAME",
      content: pulumi.interpolate\`\${tunnel.id}.cfargotunnel.com\`,
      proxied: true,
      ttl: 1,
    }, { provider ${options} });
    ${more}
    const connector = cloudflare.getZeroTrustTunnelCloudflaredTokenOutput(
      { accountId: "${account}", tunnelId: tunnel.id }, { provider },
    );
    export const connectorToken = connector.token;
    export const tunnelId = tunnel.id;
    export const recordId = record.id;
    export const status = zone.status;
  `;

  const up = (...args: string[]): Promise<Run> => stack.pulumi("up", "--yes", "--skip-preview", ...args);

  it("previews before anything exists, without creating anything", async () => {
    await stack.write(program());
    expect(summary(succeeded(await stack.pulumi("preview")))).to.equal("+ 5 to create");
    expect(JSON.parse((await api.lab("GET", "/lab/state")).text)).to.include({ tunnels: 0, records: 0 });
  });

  it("creates a tunnel with rules, token and record, at the real address through the proxy", async () => {
    succeeded(await up());
    const { tunnelId = "", connectorToken = "", recordId = "", status } = await outputs(stack);
    expect(status).to.equal("active");
    expect(JSON.parse(Buffer.from(connectorToken, "base64").toString())).to.deep.equal({
      a: account,
      t: tunnelId,
      s: secret,
    });
    expect(object(await api.call("GET", `${tunnels}/${tunnelId}`))).to.include({
      name: "den",
      config_src: "cloudflare",
    });
    expect(object(await api.call("GET", `${tunnels}/${tunnelId}/configurations`)).config).to.deep.equal({
      ingress: [
        { hostname: "home.example.com", service: "http://web:80", originRequest: { noTLSVerify: true } },
        { service: "http_status:404" },
      ],
    });
    expect(object(await api.call("GET", `${records}/${recordId}`))).to.include({
      name: "home.example.com",
      type: "CNAME",
      content: `${tunnelId}.cfargotunnel.com`,
      proxied: true,
    });
    expect(new Set(proxy.asked)).to.deep.equal(new Set(["api.cloudflare.com:443"]));
  });

  it("finds nothing to change afterwards, nor after a refresh", async () => {
    succeeded(await stack.pulumi("preview", "--expect-no-changes"));
    succeeded(await stack.pulumi("refresh", "--yes", "--skip-preview"));
    succeeded(await stack.pulumi("preview", "--expect-no-changes"));
  });

  it("keeps the API token, the tunnel's secret and its token out of state and output", async () => {
    const { connectorToken = "" } = await outputs(stack);
    const { text } = await exported(stack);
    const { output } = succeeded(await stack.pulumi("preview", "--diff"));
    for (const hidden of [token, secret, connectorToken]) {
      expect(text).not.to.contain(hidden);
      expect(output).not.to.contain(hidden);
      expect(api.output()).not.to.contain(hidden);
    }
  });

  it("changes rules in place, and shows which", async () => {
    await stack.write(program({ service: "http://web:8080" }));
    const preview = succeeded(await stack.pulumi("preview", "--diff"));
    expect(summary(preview)).to.equal("~ 1 to update, 4 unchanged");
    expect(preview.text).to.match(/service\s*: "http:\/\/web:80" => "http:\/\/web:8080"/);
    succeeded(await up());
    const { tunnelId = "" } = await outputs(stack);
    expect(object(await api.call("GET", `${tunnels}/${tunnelId}/configurations`))).to.include({ version: 2 });
  });

  it("sees on a refresh what somebody else changed, and changes it back", async () => {
    const { recordId = "" } = await outputs(stack);
    await api.call("PATCH", `${records}/${recordId}`, { content: "elsewhere.example.net" });
    succeeded(await stack.pulumi("refresh", "--yes", "--skip-preview"));
    expect(summary(succeeded(await stack.pulumi("preview")))).to.equal("~ 1 to update, 4 unchanged");
    succeeded(await up());
    expect(object(await api.call("GET", `${records}/${recordId}`)).content).to.match(/\.cfargotunnel\.com$/);
  });

  it("sees on a refresh that a record is gone, and makes it again", async () => {
    const { recordId = "" } = await outputs(stack);
    await api.call("DELETE", `${records}/${recordId}`);
    succeeded(await stack.pulumi("refresh", "--yes", "--skip-preview"));
    succeeded(await up());
    expect((await outputs(stack)).recordId).not.to.equal(recordId);
    expect(JSON.parse((await api.lab("GET", "/lab/state")).text)).to.include({ records: 1 });
  });

  it("tries again when Cloudflare is busy, after the time that it says, or out of order", async () => {
    await api.lab("POST", "/lab/faults", { path: "dns_records", method: "POST", status: 429, times: 1, retryAfter: 2 });
    await api.lab("POST", "/lab/faults", { path: "dns_records", method: "POST", status: 502, times: 1 });
    await api.lab("POST", "/lab/faults", { path: "dns_records", method: "POST", drop: "before", times: 1 });
    const more = `new cloudflare.DnsRecord("text", { zoneId: zone.zoneId, name: "text", type: "TXT", content: "here", ttl: 300 }, { provider });`;
    await stack.write(program({ service: "http://web:8080", more }));
    const start = Date.now();
    succeeded(await up());
    expect(Date.now() - start).to.be.at.least(2000);
    expect(JSON.parse((await api.lab("GET", "/lab/state")).text)).to.include({ records: 2 });
  });

  it("names the resource, the status, the code and what to do when Cloudflare refuses", async () => {
    const more = `new cloudflare.DnsRecord("double", { zoneId: zone.zoneId, name: "home.example.com", type: "A", content: "192.0.2.1", ttl: 1 }, { provider });`;
    await stack.write(program({ service: "http://web:8080", more }));
    const output = failed(await up());
    expect(output).to.match(
      /creating DnsRecord "double": Cloudflare answers 400: A CNAME record with that host already exists.*\(81054\); remove the record/,
    );
  });

  it("refuses inputs that it does not know and wrong types, without asking Cloudflare", async () => {
    const before = (JSON.parse((await api.lab("GET", "/lab/state")).text) as { requests: number }).requests;
    for (const [args, complaint] of [
      [`{ zoneId: "${zone}", name: "a", type: "A", contnet: "192.0.2.1", ttl: 1 }`, "contnet is not a known property"],
      [`{ zoneId: "${zone}", name: "a", type: "A", content: "192.0.2.1", ttl: "1" }`, "ttl is of type string"],
      [
        `{ zoneId: "${zone}", name: "a", type: "Z", content: "192.0.2.1", ttl: 1 }`,
        "type has a value that is not allowed",
      ],
      [`{ name: "a", type: "A", content: "192.0.2.1", ttl: 1 }`, "zoneId is required and missing"],
      [`{ zoneId: "${zone}", name: "a", type: "A", createdOn: "now", ttl: 1 }`, "createdOn is decided by the resource"],
      [`{ zoneId: "${zone}", name: "a", type: "A", content: "192.0.2.1", ttl: 60, proxied: true }`, "ttl must be 1"],
    ] as const) {
      await stack.write(`
        import * as cloudflare from "@pulumi/cloudflare";
        import * as pulumi from "@pulumi/pulumi";
        const provider = new cloudflare.Provider("cloudflare", { apiToken: pulumi.secret(${JSON.stringify(token)}) });
        class Raw extends pulumi.CustomResource {
          constructor(name: string, args: object) {
            super("cloudflare:index/dnsRecord:DnsRecord", name, args, { provider });
          }
        }
        new Raw("wrong", ${args});
      `);
      expect(failed(await stack.pulumi("preview")))
        .to.contain("wrong")
        .and.contain(complaint);
    }
    expect(JSON.parse((await api.lab("GET", "/lab/state")).text)).to.include({ requests: before });
  });

  it("says which token it wants when it is refused", async () => {
    await stack.write(program().replaceAll(token, "wrong-token-of-forty-characters-00000000"));
    const output = failed(await stack.pulumi("preview"));
    expect(output).to.contain("calling getZone").and.contain("9109").and.contain("set cloudflare:apiToken");
    expect(output).not.to.contain("wrong-token-of-forty");
  });

  it("finds tunnels and records that exist, to take them over into an empty state", async () => {
    await stack.write(program({ service: "http://web:8080" }));
    succeeded(await up());
    const { tunnelId = "", recordId = "" } = await outputs(stack);
    const fresh = await project({ HTTPS_PROXY: proxy.url, SSL_CERT_FILE: api.authority });
    try {
      await fresh.write(`
        import * as cloudflare from "@pulumi/cloudflare";
        import * as pulumi from "@pulumi/pulumi";
        const provider = new cloudflare.Provider("cloudflare", { apiToken: pulumi.secret(${JSON.stringify(token)}) });
        const [found] = (await cloudflare.getZeroTrustTunnelCloudflareds(
          { accountId: "${account}", name: "den", isDeleted: false }, { provider },
        )).results;
        const [record] = (await cloudflare.getDnsRecords(
          { zoneId: "${zone}", name: { exact: "home.example.com" }, type: "CNAME" }, { provider },
        )).results;
        const tunnel = new cloudflare.ZeroTrustTunnelCloudflared(
          "tunnel",
          { accountId: "${account}", name: "den", configSrc: "cloudflare" },
          { provider, import: "${account}/" + found!.id },
        );
        new cloudflare.ZeroTrustTunnelCloudflaredConfig("rules", {
          accountId: "${account}",
          tunnelId: found!.id,
          config: {
            ingresses: [
              { hostname: "home.example.com", service: "http://web:8080", originRequest: { noTlsVerify: true } },
              { service: "http_status:404" },
            ],
          },
        }, { provider, import: "${account}/" + found!.id });
        new cloudflare.DnsRecord("record", {
          zoneId: "${zone}", name: "home", type: "CNAME", content: found!.id + ".cfargotunnel.com", proxied: true, ttl: 1,
        }, { provider, import: "${zone}/" + record!.id });
        export const tunnelId = tunnel.id;
        export const recordId = record!.id;
      `);
      const before = list(await api.call("GET", records));
      succeeded(await fresh.pulumi("up", "--yes", "--skip-preview"));
      expect(await outputs(fresh)).to.deep.equal({ tunnelId, recordId });
      expect(list(await api.call("GET", records))).to.deep.equal(before);
      succeeded(await fresh.pulumi("preview", "--expect-no-changes"));
    } finally {
      await fresh.remove();
    }
  });

  it("does not delete a tunnel that is in use, and says what to do", async () => {
    const { tunnelId } = await outputs(stack);
    await api.lab("POST", "/lab/connections", { tunnel: tunnelId, connections: 4 });
    expect(failed(await stack.pulumi("destroy", "--yes", "--skip-preview"))).to.match(
      /deleting ZeroTrustTunnelCloudflared "tunnel": .*\(1022\); stop the tunnel's connectors/,
    );
    await api.lab("POST", "/lab/connections", { tunnel: tunnelId, connections: 0 });
  });

  it("destroys everything", async () => {
    succeeded(await stack.pulumi("destroy", "--yes", "--skip-preview"));
    expect(JSON.parse((await api.lab("GET", "/lab/state")).text)).to.include({ tunnels: 0, records: 0 });
  });
});
