import { isIPv6 } from "node:net";

import { expect } from "chai";
import fc from "fast-check";

import * as ip from "../../../../infra/config/ip.ts";
import * as ipv6 from "../../../../infra/config/ipv6.ts";

// Groups of zero are common, so that all ways of shortening an address occur.
const group = fc.oneof(fc.constant(0n), fc.bigInt(0n, 0xffffn));
const number = fc
  .array(group, { minLength: 8, maxLength: 8 })
  .map((groups) => groups.reduce((value, each) => (value << 16n) | each, 0n));
const address = number.map(ipv6.toAddress);
const cidr = fc.tuple(address, fc.integer({ min: 0, max: 128 })).map(([text, length]) => `${text}/${length}`);

/** The browser's own way to write an address. */
const byUrl = (text: string): string => new URL(`http://[${text}]`).hostname.slice(1, -1);

describe("the mathematics of IPv6 addresses", () => {
  it("reads back what it writes", () => {
    fc.assert(fc.property(number, (value) => ipv6.toNumber(ipv6.toAddress(value)) === value));
  });

  it("writes addresses as others do, in their shortest form", () => {
    fc.assert(
      fc.property(address, (text) => {
        expect(isIPv6(text), text).to.equal(true);
        expect(text).to.equal(byUrl(text));
      }),
    );
  });

  it("reads an end in four octets", () => {
    expect(ipv6.toNumber("::ffff:192.0.2.1")).to.equal(ipv6.toNumber("::ffff:c000:201"));
  });

  it("has every range contain itself and its own address, and begin where its canonical form does", () => {
    fc.assert(
      fc.property(cidr, (text) => {
        expect(ipv6.contains(text, text)).to.equal(true);
        expect(ipv6.contains(text, text.split("/")[0] ?? "")).to.equal(true);
        expect(ipv6.canonical(text)).to.equal(`${ipv6.nth(text, 0)}/${ipv6.prefixLength(text)}`);
      }),
    );
  });

  it("finds overlaps in both directions, and wherever one range contains another", () => {
    fc.assert(
      fc.property(cidr, cidr, (a, b) => {
        expect(ipv6.overlap(a, b)).to.equal(ipv6.overlap(b, a));
        if (ipv6.contains(a, b)) expect(ipv6.overlap(a, b)).to.equal(true);
      }),
    );
  });

  it("gives a host no address that is the routers', and none outside", () => {
    expect(ipv6.isHost("fd00::/64", "fd00::")).to.equal(false);
    expect(ipv6.isHost("fd00::/64", "fd00::1")).to.equal(true);
    expect(ipv6.isHost("fd00::/64", "fd00:0:0:1::1")).to.equal(false);
  });

  it("counts from the first address", () => {
    expect(ipv6.nth("fd00:10:20::1:0/112", 3)).to.equal("fd00:10:20::1:3");
  });

  it("knows what is private", () => {
    expect(["fd00::1", "fe80::1", "2001:db8::1"].map(ipv6.isPrivate)).to.deep.equal([true, true, false]);
  });
});

describe("the mathematics of both families", () => {
  it("keeps them apart", () => {
    expect(ip.contains("0.0.0.0/0", "::1")).to.equal(false);
    expect(ip.overlap("::/0", "0.0.0.0/0")).to.equal(false);
    expect(ip.isHost("::/0", "10.0.0.1")).to.equal(false);
    expect(ip.contains("10.0.0.0/8", "10.1.0.0/16") && ip.contains("fd00::/8", "fd00::1")).to.equal(true);
    expect([ip.canonical("10.1.2.3/8"), ip.canonical("fd00::1/64")]).to.deep.equal(["10.0.0.0/8", "fd00::/64"]);
  });
});
