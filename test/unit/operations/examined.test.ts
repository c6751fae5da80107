import { expect } from "chai";

import { brokenLines, notReady } from "../../../operations/deploy/examined.ts";
import { problem } from "../../../operations/doctor/finding.ts";
import { apis } from "../../../operations/doctor/subjects.ts";

const expired = problem("Cloudflare token", "is refused: it is expired", "make another");

describe("what the doctor says of a deployment", () => {
  it("keeps it from beginning, with what to do", () => {
    expect(notReady("dev", [expired])).to.equal(
      [
        "Nothing was changed, for an update would end half-way:",
        "  problem: Cloudflare token: is refused: it is expired",
        "    make another",
        "npx hearth doctor dev looks at everything. --unchecked deploys all the same.",
      ].join("\n"),
    );
  });

  it("is said after it has failed, and nothing where the doctor finds nothing", () => {
    expect(brokenLines("dev", [expired])).to.deep.equal([
      "npx hearth doctor dev would have told:",
      "  problem: Cloudflare token: is refused: it is expired",
      "    make another",
    ]);
    expect(brokenLines("dev", [])).to.deep.equal([]);
  });

  it("is asked first of what may end an update half-way: the APIs that it changes, and the machines' firewall", () => {
    expect(apis.map(({ name }) => name)).to.deep.equal(["Proxmox", "factory", "firewall", "Cloudflare"]);
  });
});
