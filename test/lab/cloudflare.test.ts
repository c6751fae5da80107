import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect } from "chai";

import {
  type Answer,
  type Cloudflare,
  cloudflareAccount,
  list,
  object,
  startCloudflare,
} from "../support/cloudflare.ts";
import { labFolder, startLab } from "../support/lab-process.ts";

const { account, zone, token } = cloudflareAccount;
const tunnels = `/accounts/${account}/cfd_tunnel`;
const records = `/zones/${zone}/dns_records`;
const secret = Buffer.alloc(32, 9).toString("base64");

/** The codes of an answer's errors, those within them too. */
const codes = ({ errors }: Answer): number[] =>
  errors.flatMap(({ code, error_chain }) => [code, ...(error_chain ?? []).map((cause) => cause.code)]);

const cname = (name: string, content = "other.example.net"): object => ({ type: "CNAME", name, content, ttl: 1 });

describe("Cloudflare's API", () => {
  let api: Cloudflare;

  before(async () => {
    api = await startCloudflare("127.83.0.1:8443");
  });

  after(() => api.stop());

  const made = async (path: string, body: object): Promise<{ id: string }> => {
    const answer = await api.call("POST", path, body);
    expect(answer.status, JSON.stringify(answer.errors)).to.equal(200);
    return answer.result as { id: string };
  };

  describe("its tokens", () => {
    it("accepts the token that the lab has", async () => {
      const answer = await api.call("GET", "/user/tokens/verify");
      expect(answer).to.include({ status: 200, success: true });
      expect(answer.result).to.include({ status: "active" });
    });

    it("refuses a missing, a malformed and a wrong token, each in its own way", async () => {
      const missing = await api.call("GET", "/zones", undefined, { headers: {} });
      expect([missing.status, ...codes(missing)]).to.deep.equal([400, 9106]);
      const malformed = await api.call("GET", "/zones", undefined, { token: "short" });
      expect([malformed.status, ...codes(malformed)]).to.deep.equal([400, 6003, 6111]);
      const wrong = { token: "x".repeat(40) };
      expect(codes(await api.call("GET", "/zones", undefined, wrong))).to.deep.equal([9109]);
      const verified = await api.call("GET", "/user/tokens/verify", undefined, wrong);
      expect([verified.status, ...codes(verified)]).to.deep.equal([401, 1000]);
      expect(missing).to.deep.include({ success: false, result: null });
    });

    it("does not let a token do what it has no permission for", async () => {
      const limited = await startCloudflare("127.83.0.2:8443", {
        permissions: ["Account.Cloudflare Tunnel:Read", "Zone.DNS:Read"],
      });
      try {
        expect((await limited.call("GET", tunnels)).status).to.equal(200);
        expect((await limited.call("GET", records)).status).to.equal(200);
        for (const [method, path] of [
          ["POST", tunnels],
          ["POST", records],
          ["GET", `${tunnels}/11111111-2222-4333-8444-555555555555/token`],
        ] as const) {
          const answer = await limited.call(method, path, method === "POST" ? {} : undefined);
          expect([answer.status, ...codes(answer)], path).to.deep.equal([403, 10000]);
        }
        expect((await limited.call("GET", "/zones")).status).to.equal(403);
        expect(codes(await limited.call("GET", `/zones/${zone}`))).to.deep.equal([9109]);
      } finally {
        await limited.stop();
      }
    });

    it("keeps accounts and zones of others closed", async () => {
      const other = "a".repeat(32);
      expect((await api.call("GET", `/accounts/${other}/cfd_tunnel`)).status).to.equal(403);
      expect((await api.call("GET", `/zones/${other}/dns_records`)).status).to.equal(403);
      expect(codes(await api.call("GET", `/zones/${other}`))).to.deep.equal([1001]);
    });

    it("does not start with a permission that it does not know", async () => {
      const { config, remove } = await labFolder({
        cloudflare: { ...cloudflareAccount, address: "127.83.0.3:8443", permissions: ["Zone.DNS:Write"], zones: {} },
      });
      const process = await startLab("cloudflare", config);
      expect(await process.ended).to.equal(1);
      expect(process.output()).to.contain("Zone.DNS:Write").and.not.contain(token);
      await remove();
    });
  });

  describe("zones and accounts", () => {
    it("finds a zone by its name, and none by another", async () => {
      const found = await api.call("GET", "/zones?name=example.com");
      expect(found.result).to.have.length(1);
      expect(list(found)[0]).to.deep.include({ id: zone, name: "example.com", status: "active" });
      expect(found.result_info).to.include({ count: 1, total_count: 1, total_pages: 1 });
      expect((await api.call("GET", "/zones?name=example.org")).result).to.deep.equal([]);
      expect((await api.call("GET", `/zones/${zone}`)).result).to.deep.include({ name: "example.com" });
    });

    it("shows the account", async () => {
      expect(list(await api.call("GET", "/accounts"))[0]).to.include({ id: account });
      expect((await api.call("GET", `/accounts/${account}`)).result).to.include({ id: account });
    });

    it("has no route for identifiers of another form, nor for other paths", async () => {
      expect(codes(await api.call("GET", "/zones/example.com"))).to.deep.equal([7003, 7000]);
      expect(codes(await api.call("GET", "/nothing"))).to.deep.equal([7003, 7000]);
    });
  });

  describe("DNS records", () => {
    it("creates, reads, overwrites, edits and deletes a record", async () => {
      const { id } = await made(records, { ...cname("Home"), proxied: true, comment: "lab" });
      const read = (await api.call("GET", `${records}/${id}`)).result as Record<string, unknown>;
      expect(read).to.deep.include({
        id,
        name: "home.example.com",
        ttl: 1,
        proxied: true,
        proxiable: true,
        comment: "lab",
      });
      expect(read).to.have.keys(
        ..."id name type content proxiable proxied ttl settings meta comment tags created_on modified_on".split(" "),
        "comment_modified_on",
      );
      const edited = await api.call("PATCH", `${records}/${id}`, { content: "third.example.net." });
      expect(edited.result).to.include({ content: "third.example.net", comment: "lab", proxied: true });
      const overwritten = await api.call("PUT", `${records}/${id}`, {
        type: "A",
        name: "home",
        content: "192.0.2.7",
        ttl: 300,
      });
      expect(overwritten.result).to.include({ id, type: "A", comment: null, proxied: false, ttl: 300 });
      expect((await api.call("DELETE", `${records}/${id}`)).result).to.deep.equal({ id });
      for (const method of ["GET", "DELETE"]) {
        const gone = await api.call(method, `${records}/${id}`);
        expect([gone.status, ...codes(gone)]).to.deep.equal([404, 81044]);
      }
    });

    it("completes a name with the zone, and takes @ for the zone itself", async () => {
      for (const [name, full] of [
        ["@", "example.com"],
        ["deep.sub", "deep.sub.example.com"],
        ["outside.example.org", "outside.example.org.example.com"],
        ["full.example.com", "full.example.com"],
      ] as const) {
        const { id } = await made(records, { type: "TXT", name, content: "here", ttl: 60 });
        expect((await api.call("GET", `${records}/${id}`)).result).to.include({ name: full });
        await api.call("DELETE", `${records}/${id}`);
      }
    });

    it("refuses records that may not be beside each other", async () => {
      const { id } = await made(records, cname("taken"));
      const { id: address } = await made(records, { type: "A", name: "host", content: "192.0.2.1", ttl: 1 });
      const refused = async (body: object): Promise<number[]> => codes(await api.call("POST", records, body));
      expect(await refused(cname("taken", "another.example.net"))).to.deep.equal([81053]);
      expect(await refused(cname("host"))).to.deep.equal([81053]);
      expect(await refused({ type: "A", name: "taken", content: "192.0.2.1", ttl: 1 })).to.deep.equal([81054]);
      expect(await refused({ type: "A", name: "host", content: "192.0.2.1", ttl: 300 })).to.deep.equal([81058]);
      const second = await made(records, { type: "A", name: "host", content: "192.0.2.2", ttl: 1 });
      for (const one of [id, address, second.id]) await api.call("DELETE", `${records}/${one}`);
    });

    for (const [what, body, expected] of [
      ["an unknown type", { type: "X", name: "a", content: "b", ttl: 1 }, [1004, 9020]],
      ["no name", { type: "A", content: "192.0.2.1", ttl: 1 }, [1004, 9000]],
      ["a name that is none", { type: "A", name: "a b", content: "192.0.2.1", ttl: 1 }, [1004, 9000]],
      ["a TTL below a minute", { type: "A", name: "a", content: "192.0.2.1", ttl: 59 }, [9021]],
      ["a TTL above a day", { type: "A", name: "a", content: "192.0.2.1", ttl: 86401 }, [9021]],
      ["an A record without an IPv4 address", { type: "A", name: "a", content: "2001:db8::1", ttl: 1 }, [9005]],
      ["an AAAA record without an IPv6 address", { type: "AAAA", name: "a", content: "192.0.2.1", ttl: 1 }, [9006]],
      ["a CNAME to an address", cname("a", "192.0.2.1"), [9007]],
      ["a CNAME to itself", cname("a", "a.example.com"), [9039]],
      ["an MX record without priority", { type: "MX", name: "@", content: "mx.example.net", ttl: 1 }, [9101]],
      ["a proxied TXT record", { type: "TXT", name: "a", content: "b", ttl: 1, proxied: true }, [9004]],
      ["a proxied private address", { type: "A", name: "a", content: "10.0.0.1", ttl: 1, proxied: true }, [9003]],
      ["a TTL that is no number", { type: "A", name: "a", content: "192.0.2.1", ttl: "300" }, [9207]],
    ] as const) {
      it(`refuses ${what}`, async () => {
        const answer = await api.call("POST", records, body);
        expect([answer.status, ...codes(answer)]).to.deep.equal([400, ...expected]);
      });
    }

    it("refuses a body that is not JSON", async () => {
      expect(codes(await api.call("POST", records, undefined, { raw: "{" }))).to.deep.equal([9207]);
    });

    it("finds records by name, type and content, and page by page", async () => {
      const ids = [];
      for (const n of [1, 2, 3]) {
        ids.push((await made(records, { type: "A", name: `n${n}`, content: `192.0.2.${n}`, ttl: 1 })).id);
      }
      ids.push((await made(records, { type: "TXT", name: "n1", content: "text", ttl: 1 })).id);
      const names = async (query: string): Promise<string[]> => {
        const found = list(await api.call("GET", `${records}?${query}`));
        return found.map(({ name, type }) => `${String(type)} ${String(name)}`);
      };
      expect(await names("name=n1.example.com")).to.deep.equal(["A n1.example.com", "TXT n1.example.com"]);
      expect(await names("name.exact=n1.example.com&type=A")).to.deep.equal(["A n1.example.com"]);
      expect(await names("content.exact=192.0.2.2")).to.deep.equal(["A n2.example.com"]);
      expect(await names("content.startswith=192.0&direction=desc"))
        .to.have.length(3)
        .and.satisfy(([first]: string[]) => first === "A n3.example.com");
      expect(await names("name=n2.example.com&content=text&match=any")).to.have.length(2);
      const page = await api.call("GET", `${records}?per_page=3&page=2`);
      expect(page.result).to.have.length(1);
      expect(page.result_info).to.deep.equal({ page: 2, per_page: 3, count: 1, total_count: 4, total_pages: 2 });
      for (const id of ids) await api.call("DELETE", `${records}/${id}`);
    });
  });

  describe("tunnels", () => {
    it("creates a tunnel, gives its token, renames and deletes it, and still shows it as deleted", async () => {
      const { id } = await made(tunnels, { name: "den", config_src: "cloudflare", tunnel_secret: secret });
      const shown = await api.call("GET", `${tunnels}/${id}`);
      expect(shown.result).to.deep.include({
        name: "den",
        status: "inactive",
        config_src: "cloudflare",
        deleted_at: null,
      });
      expect(shown.result).not.to.have.any.keys("secret", "tunnel_secret", "token");
      const given = (await api.call("GET", `${tunnels}/${id}/token`)).result as string;
      expect(JSON.parse(Buffer.from(given, "base64").toString())).to.deep.equal({ a: account, t: id, s: secret });
      expect((await api.call("PATCH", `${tunnels}/${id}`, { name: "attic" })).result).to.include({ name: "attic" });
      expect((await api.call("DELETE", `${tunnels}/${id}`)).status).to.equal(200);
      expect(object(await api.call("GET", `${tunnels}/${id}`)).deleted_at).to.be.a("string");
      const again = await api.call("DELETE", `${tunnels}/${id}`);
      expect([again.status, ...codes(again)]).to.deep.equal([404, 1003]);
      expect((await api.call("GET", `${tunnels}/${id}/token`)).status).to.equal(404);
    });

    it("refuses a second tunnel of the same name, until the first is deleted", async () => {
      const { id } = await made(tunnels, { name: "twin" });
      const refused = await api.call("POST", tunnels, { name: "twin" });
      expect([refused.status, ...codes(refused)]).to.deep.equal([409, 1013]);
      await api.call("DELETE", `${tunnels}/${id}`);
      const second = await made(tunnels, { name: "twin" });
      await api.call("DELETE", `${tunnels}/${second.id}`);
    });

    it("does not delete a tunnel that is in use", async () => {
      const { id } = await made(tunnels, { name: "busy" });
      await api.lab("POST", "/lab/connections", { tunnel: id, connections: 4 });
      expect((await api.call("GET", `${tunnels}/${id}`)).result).to.include({ status: "healthy" });
      expect(list(await api.call("GET", `${tunnels}/${id}/connections`))[0]?.conns).to.have.length(4);
      const refused = await api.call("DELETE", `${tunnels}/${id}`);
      expect([refused.status, ...codes(refused)]).to.deep.equal([400, 1022]);
      await api.call("DELETE", `${tunnels}/${id}/connections`);
      expect((await api.call("GET", `${tunnels}/${id}`)).result).to.include({ status: "down" });
      expect((await api.call("DELETE", `${tunnels}/${id}`)).status).to.equal(200);
    });

    it("lists tunnels by name, with deleted ones unless told otherwise", async () => {
      const { id } = await made(tunnels, { name: "listed" });
      await api.call("DELETE", `${tunnels}/${id}`);
      const second = await made(tunnels, { name: "listed" });
      const found = async (query: string): Promise<string[]> =>
        ((await api.call("GET", `${tunnels}?${query}`)).result as { id: string }[]).map((tunnel) => tunnel.id);
      expect(await found("name=listed")).to.have.members([id, second.id]);
      expect(await found("name=listed&is_deleted=false")).to.deep.equal([second.id]);
      expect(await found("name=listed&is_deleted=true")).to.deep.equal([id]);
      expect(await found(`uuid=${second.id}`)).to.deep.equal([second.id]);
      await api.call("DELETE", `${tunnels}/${second.id}`);
    });

    it("refuses a tunnel without a name and with a secret that is too short", async () => {
      for (const body of [
        {},
        { name: "" },
        { name: 7 },
        { name: "x", tunnel_secret: "c2hvcnQ=" },
        { name: "x", config_src: "y" },
      ]) {
        expect((await api.call("POST", tunnels, body)).status, JSON.stringify(body)).to.equal(400);
      }
    });
  });

  describe("a tunnel's configuration", () => {
    let configurations: string;
    let id: string;
    const last = { service: "http_status:404" };

    before(async () => {
      ({ id } = await made(tunnels, { name: "configured", config_src: "cloudflare" }));
      configurations = `${tunnels}/${id}/configurations`;
    });

    after(() => api.call("DELETE", `${tunnels}/${id}`));

    it("keeps it, and counts its versions", async () => {
      expect((await api.call("GET", configurations)).result).to.deep.include({ version: 0, config: null });
      const config = {
        ingress: [
          { hostname: "home.example.com", service: "http://web:80", originRequest: { noTLSVerify: true } },
          last,
        ],
      };
      const first = await api.call("PUT", configurations, { config });
      expect(first.result).to.deep.include({ tunnel_id: id, version: 1, config, source: "cloudflare" });
      expect((await api.call("PUT", configurations, { config })).result).to.include({ version: 2 });
      expect((await api.call("GET", configurations)).result).to.deep.include({ version: 2, config });
    });

    for (const [what, ingress] of [
      ["rules without a last one that matches all", [{ hostname: "a.example.com", service: "http://a:80" }]],
      ["a rule after one that matches all", [last, last]],
      ["a service without a scheme", [{ service: "web:80" }]],
      ["a service with a path", [{ service: "http://web:80/path" }]],
      ["a service of an unknown scheme", [{ service: "gopher://web:70" }]],
      ["a status that is none", [{ service: "http_status:abc" }]],
      ["no service", [{}]],
      ["a host name with a port", [{ hostname: "a.example.com:80", service: "http://a" }, last]],
      ["an asterisk within a host name", [{ hostname: "a.*.example.com", service: "http://a" }, last]],
      ["a path that is no expression", [{ path: "(", service: "http://a" }, last]],
      ["a timeout that is no number", [{ service: "http://a", originRequest: { connectTimeout: "10s" } }]],
    ] as const) {
      it(`refuses ${what}`, async () => {
        const answer = await api.call("PUT", configurations, { config: { ingress } });
        expect([answer.status, ...codes(answer)]).to.deep.equal([400, 1056]);
      });
    }

    for (const service of ["https://web:8443", "unix:/run/web.sock", "tcp://db:5432", "ssh://host:22", "hello_world"]) {
      it(`accepts the service ${service}`, async () => {
        expect((await api.call("PUT", configurations, { config: { ingress: [{ service }] } })).status).to.equal(200);
      });
    }
  });

  describe("its limits and faults", () => {
    it("refuses more requests than allowed, and says when to come back", async () => {
      const limited = await startCloudflare("127.83.0.4:8443", { requestsPerFiveMinutes: 3 });
      try {
        for (const left of [2, 1, 0]) {
          expect((await limited.call("GET", "/zones")).headers.ratelimit).to.contain(`r=${left};`);
        }
        const refused = await limited.call("GET", "/zones");
        expect([refused.status, ...codes(refused)]).to.deep.equal([429, 971]);
        expect(Number(refused.headers["retry-after"])).to.be.within(1, 300);
      } finally {
        await limited.stop();
      }
    });

    it("fails as often as it is told to", async () => {
      await api.lab("POST", "/lab/faults", { path: "/zones$", method: "GET", status: 503, times: 2, retryAfter: 1 });
      expect((await api.call("GET", "/zones")).headers).to.include({ "retry-after": "1" });
      expect((await api.call("GET", "/zones")).status).to.equal(503);
      expect((await api.call("GET", "/zones")).status).to.equal(200);
    });

    it("can lose an answer after doing what was asked", async () => {
      await api.lab("POST", "/lab/faults", { path: "cfd_tunnel$", method: "POST", drop: "after" });
      const lost = await api.call("POST", tunnels, { name: "lost" }).catch((error: unknown) => error);
      expect(lost).to.be.instanceOf(Error);
      const [tunnel] = (await api.call("GET", `${tunnels}?name=lost`)).result as [{ id: string }];
      await api.call("DELETE", `${tunnels}/${tunnel.id}`);
    });

    it("refuses a fault that it does not understand", async () => {
      expect((await api.lab("POST", "/lab/faults", { pth: "x" })).status).to.equal(400);
      expect((await api.lab("POST", "/lab/faults", { path: "(" })).status).to.equal(400);
    });
  });

  describe("its state", () => {
    it("survives a kill", async () => {
      const { id } = await made(tunnels, { name: "kept", tunnel_secret: secret });
      const record = await made(records, cname("kept"));
      await api.restart("SIGKILL");
      expect((await api.call("GET", `${tunnels}/${id}`)).result).to.include({ name: "kept" });
      expect((await api.call("GET", `${records}/${record.id}`)).result).to.include({ name: "kept.example.com" });
      expect(JSON.parse((await api.lab("GET", "/lab/state")).text)).to.deep.include({
        tunnels: 1,
        records: 1,
        tunnelNames: ["kept"],
        recordNames: ["CNAME kept.example.com"],
      });
      expect(await readdir(join(api.dir, "cloudflare"))).to.deep.equal(["state.json"]);
      await api.call("DELETE", `${tunnels}/${id}`);
      await api.call("DELETE", `${records}/${record.id}`);
      expect(JSON.parse((await api.lab("GET", "/lab/state")).text)).to.include({ tunnels: 0, records: 0 });
    });

    it("keeps tokens and secrets out of the log", async () => {
      const { id } = await made(tunnels, { name: "silent", tunnel_secret: secret });
      const given = (await api.call("GET", `${tunnels}/${id}/token`)).result as string;
      await api.call("DELETE", `${tunnels}/${id}`);
      expect(api.output()).to.contain(`GET /client/v4${tunnels}/${id}/token 200`);
      for (const hidden of [secret, given, token]) expect(api.output()).not.to.contain(hidden);
    });

    it("does not start on a damaged state, and says what to do", async () => {
      const file = join(api.dir, "cloudflare", "state.json");
      const whole = await readFile(file);
      await writeFile(file, "{");
      const damaged = await startLab("cloudflare", join(api.dir, "lab.json"));
      expect(await damaged.ended).to.equal(1);
      expect(damaged.output()).to.match(/state\.json is damaged.*reset/);
      await writeFile(file, whole);
    });
  });
});
