import { expect } from "chai";
import fc from "fast-check";

import { ingressOf, type IngressRule } from "../../../../components/cloudflare/ingress.ts";
import { fullName, within } from "../../../../components/cloudflare/names.ts";
import { recordKey } from "../../../../components/cloudflare/records.ts";

const rule = (hostname: string, path?: string): IngressRule => ({ hostname, path, service: `http://${hostname}` });

const hostname = fc.constantFrom("example.com", "a.example.com", "b.example.com", "*.example.com", "*.a.example.com");
const anyRule = fc.record({ hostname, path: fc.constantFrom(undefined, "^/api"), service: fc.constant("http://x") });

describe("ingress rules", () => {
  it("end with a 404 for everything else, whatever they are", () => {
    fc.assert(
      fc.property(fc.array(anyRule), (rules) => {
        const ingress = ingressOf(rules);
        expect(ingress).to.have.lengthOf(rules.length + 1);
        expect(ingress.at(-1)).to.deep.equal({ service: "http_status:404" });
      }),
    );
  });

  it("never stand behind one that hides them", () => {
    fc.assert(
      fc.property(fc.uniqueArray(anyRule, { selector: (each) => `${each.hostname}${each.path ?? ""}` }), (rules) => {
        const ingress = ingressOf(rules).slice(0, -1);
        ingress.forEach((later, index) => {
          for (const earlier of ingress.slice(0, index)) {
            const hides =
              earlier.path === undefined &&
              (earlier.hostname === later.hostname ||
                (earlier.hostname?.startsWith("*.") && later.hostname?.endsWith(earlier.hostname.slice(1))));
            expect(hides, `${String(earlier.hostname)} before ${String(later.hostname)}`).to.not.equal(true);
          }
        });
      }),
    );
  });

  it("keep their order otherwise", () => {
    const rules = [rule("b.example.com"), rule("a.example.com"), rule("b.example.com", "^/api")];
    expect(ingressOf(rules).map(({ hostname: host, path }) => `${host ?? ""}${path ?? ""}`)).to.deep.equal([
      "b.example.com^/api",
      "b.example.com",
      "a.example.com",
      "",
    ]);
  });

  it("tell the connector how to speak to the service, and nothing that was not said", () => {
    const [first, second] = ingressOf([
      { ...rule("a.example.com"), originRequest: { noTlsVerify: true }, comment: "c", adopt: "id" },
      { ...rule("b.example.com"), originRequest: {} },
    ]);
    expect(first).to.deep.equal({
      hostname: "a.example.com",
      service: "http://a.example.com",
      originRequest: { noTlsVerify: true },
    });
    expect(second).to.deep.equal({ hostname: "b.example.com", service: "http://b.example.com" });
  });
});

describe("a record's name", () => {
  const zone = "example.com";

  it("is the zone, relative to it, or in full", () => {
    expect(
      ["@", "*", "www", "www.example.com", "WWW.example.com.", "example.com"].map((name) => fullName(name, zone)),
    ).to.deep.equal([
      "example.com",
      "*.example.com",
      "www.example.com",
      "www.example.com",
      "www.example.com",
      "example.com",
    ]);
  });

  it("is in the zone, and stays when it is made full again", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z][a-z0-9.-]{0,20}[a-z]$/), (name) => {
        const full = fullName(name, zone);
        expect(within(full, zone)).to.equal(true);
        expect(fullName(full, zone)).to.equal(full);
      }),
    );
  });
});

describe("a record's key", () => {
  const zone = { id: "z", name: "example.com" };
  const txt = (content: string) => ({ name: "@", type: "TXT", ttl: 1, content });

  it("tells records of one name and type apart, whatever their order", () => {
    expect(recordKey(txt("one"), zone)).to.not.equal(recordKey(txt("two"), zone));
    expect(recordKey(txt("one"), zone)).to.match(/^example\.com\/TXT\/[0-9a-f]{8}$/);
  });

  it("stays for an alias that leads elsewhere, as there is only one", () => {
    const alias = { name: "www", type: "CNAME", ttl: 1 };
    expect(recordKey({ ...alias, content: "a.example.net" }, zone)).to.equal("www.example.com/CNAME");
  });

  it("does not depend on how parts are ordered", () => {
    const caa = { name: "@", type: "CAA", ttl: 1 };
    expect(recordKey({ ...caa, data: { tag: "issue", flags: 0 } }, zone)).to.equal(
      recordKey({ ...caa, data: { flags: 0, tag: "issue" } }, zone),
    );
  });
});
