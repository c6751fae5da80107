import { expect } from "chai";
import fc from "fast-check";

import * as ipv4 from "../../../../infra/config/ipv4.ts";

const number = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const address = number.map(ipv4.toAddress);
const cidr = fc.tuple(address, fc.integer({ min: 0, max: 32 })).map(([text, length]) => `${text}/${length}`);

describe("the mathematics of addresses", () => {
  it("reads back what it writes", () => {
    fc.assert(fc.property(number, (value) => ipv4.toNumber(ipv4.toAddress(value)) === value));
  });

  it("writes four octets", () => {
    fc.assert(fc.property(address, (text) => /^(\d{1,3}\.){3}\d{1,3}$/.test(text)));
  });

  it("has as many addresses in a range as its prefix leaves room for", () => {
    fc.assert(
      fc.property(cidr, (text) => {
        const { first, last } = ipv4.rangeOf(text);
        expect(last - first + 1).to.equal(2 ** (32 - ipv4.prefixLength(text)));
      }),
    );
  });

  it("has every range contain its own address, and the range itself", () => {
    fc.assert(
      fc.property(address, fc.integer({ min: 0, max: 32 }), (text, length) => {
        expect(ipv4.contains(`${text}/${length}`, text)).to.equal(true);
        expect(ipv4.contains(`${text}/${length}`, `${text}/${length}`)).to.equal(true);
      }),
    );
  });

  it("finds overlaps in both directions, and wherever one range contains another", () => {
    fc.assert(
      fc.property(cidr, cidr, (a, b) => {
        expect(ipv4.overlap(a, b)).to.equal(ipv4.overlap(b, a));
        // Two CIDRs overlap only where one is inside of the other.
        expect(ipv4.overlap(a, b)).to.equal(ipv4.contains(a, b) || ipv4.contains(b, a));
      }),
    );
  });

  it("clears host bits once and for all", () => {
    fc.assert(
      fc.property(cidr, (text) => {
        const canonical = ipv4.canonical(text);
        expect(ipv4.canonical(canonical)).to.equal(canonical);
        expect(ipv4.rangeOf(canonical)).to.deep.equal(ipv4.rangeOf(text));
      }),
    );
  });

  it("finds free addresses that are hosts of the subnet and nobody's", () => {
    const subnet = fc.tuple(address, fc.integer({ min: 20, max: 30 })).map(([text, length]) => `${text}/${length}`);
    fc.assert(
      fc.property(subnet, fc.array(cidr, { maxLength: 3 }), (range, taken) => {
        // Four addresses at the least, two of them hosts'.
        expect(ipv4.free(range, [], 2)).to.have.lengthOf(2);
        for (const found of ipv4.free(range, taken, 5)) {
          expect(ipv4.isHost(range, found)).to.equal(true);
          expect(taken.some((other) => ipv4.overlap(other, found))).to.equal(false);
        }
      }),
    );
  });

  it("finds the first free addresses, and fewer where there are no more", () => {
    expect(ipv4.free("10.20.0.0/29", ["10.20.0.1", "10.20.0.3-10.20.0.4"], 2)).to.deep.equal([
      "10.20.0.2",
      "10.20.0.5",
    ]);
    expect(ipv4.free("10.20.0.0/30", ["10.20.0.1"], 2)).to.deep.equal(["10.20.0.2"]);
    expect(ipv4.free("10.20.0.0/29", ["10.20.0.0/29"])).to.deep.equal([]);
  });

  it("keeps a subnet's own address and its broadcast address from hosts", () => {
    expect(["10.20.0.0", "10.20.0.255", "10.20.1.1"].map((text) => ipv4.isHost("10.20.0.0/24", text))).to.deep.equal([
      false,
      false,
      false,
    ]);
    expect(ipv4.isHost("10.20.0.0/31", "10.20.0.0")).to.equal(true);
  });

  it("reads ranges from one address to another", () => {
    expect(ipv4.overlap("10.20.0.200-10.20.0.210", "10.20.0.210")).to.equal(true);
    expect(ipv4.overlap("10.20.0.200-10.20.0.210", "10.20.0.211")).to.equal(false);
  });
});
