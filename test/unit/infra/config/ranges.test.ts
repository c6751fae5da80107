import { expect } from "chai";
import fc from "fast-check";

import { examineConfig } from "../../../../infra/config/index.ts";
import { toAddress, toNumber } from "../../../../infra/config/ipv4.ts";
import { changed } from "../../../support/changes.ts";

const problemsAt = (path: string, value: unknown): string[] =>
  examineConfig(changed("dev", [path, value])).problems.map((problem) => problem.path.join("."));

const base = toNumber("10.20.0.0");

describe("the ranges of a network", () => {
  it("hold the well-known addresses of the tree, with the first and the last address to spare", () => {
    fc.assert(
      fc.property(fc.integer({ min: 25, max: 32 }), (prefix) => {
        // DNS and both gateways are the second to the fourth address; neither end of the range is given out.
        const hasRoom = 2 ** (32 - prefix) >= 5;
        const found = problemsAt("network/loadBalancers", `10.20.0.128/${prefix}`);
        expect(found.includes("network.loadBalancers")).to.equal(!hasRoom);
      }),
    );
  });

  it("keep fixed addresses away from what a DHCP server gives out, and nothing else", () => {
    const fixed = { "cluster.vip": 10, "nodes.den-dev-cp01.address": 11 };
    const workers = { "nodes.den-dev-wk01.address": 21, "nodes.den-dev-wk02.address": 22 };
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 191 }), fc.integer({ min: 0, max: 60 }), (first, length) => {
        const last = Math.min(254, first + length);
        const inside = Object.entries({ ...fixed, ...workers })
          .filter(([, host]) => first <= host && host <= last)
          .map(([path]) => path);
        const expected = [...inside, ...(last >= 192 ? ["network.loadBalancers"] : [])];
        expect(problemsAt("network/dhcpRange", `${toAddress(base + first)}-${toAddress(base + last)}`)).to.have.members(
          expected,
        );
      }),
      { numRuns: 60 },
    );
  });
});
