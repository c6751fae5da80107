import { expect } from "chai";

import { nameOf, stackOf, typesOf } from "../../../components/urn.ts";

describe("a URN", () => {
  const urn = "urn:pulumi:dev::hearth::hearth:cloudflare:Records$cloudflare:index/dnsRecord:DnsRecord::AAAA fd00::1";

  it("has the resource's name to its end, whatever is in it", () => {
    expect(nameOf(urn)).to.equal("AAAA fd00::1");
  });

  it("has the stack, and the types from the outermost component to the resource", () => {
    expect(stackOf(urn)).to.equal("dev");
    expect(typesOf(urn)).to.deep.equal(["hearth:cloudflare:Records", "cloudflare:index/dnsRecord:DnsRecord"]);
  });
});
