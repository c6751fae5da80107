import { expect } from "chai";

import type { Exemption } from "../../infra/config/policy.ts";
import { judge } from "../../policy/rule.ts";

const finding = {
  problem: "the record A door.example.com shows 203.0.113.7",
  advice: "set proxied: true",
  subject: "door",
};
const exemption = (changes: Partial<Exemption> = {}): Exemption => ({
  policy: "proxied-records",
  reason: "The camera has no other way out",
  ...changes,
});
const judged = (...exemptions: Exemption[]) => judge("proxied-records", finding, exemptions, "2027-01-31");

describe("an exemption", () => {
  it("is asked for, with what to write, where there is none", () => {
    expect(judged()).to.deep.equal({
      message:
        "the record A door.example.com shows 203.0.113.7: set proxied: true. If this is intended, " +
        "add to hearth:policy.exemptions { policy: proxied-records, reason: … }",
      exempt: false,
    });
  });

  it("lets a finding pass, and tells why", () => {
    expect(judged(exemption())).to.deep.equal({
      message:
        "the record A door.example.com shows 203.0.113.7; exempt from proxied-records: The camera has no other way out",
      exempt: true,
    });
  });

  it("is for its policy and its resources alone", () => {
    expect(judged(exemption({ policy: "disk-encryption" })).exempt).to.equal(false);
    expect(judged(exemption({ resources: ["window"] })).exempt).to.equal(false);
    expect(judged(exemption({ resources: ["window", "door"] })).exempt).to.equal(true);
  });

  it("counts on its last day, and says afterwards that it ended", () => {
    expect(judged(exemption({ until: "2027-01-31" })).message).to.contain(
      "exempt from proxied-records until 2027-01-31",
    );
    const ended = judged(exemption({ until: "2027-01-30" }));
    expect(ended.exempt).to.equal(false);
    expect(ended.message).to.contain("The exemption from proxied-records ended on 2027-01-30.");
  });

  it("that ended does not hide one that counts", () => {
    expect(judged(exemption({ until: "2020-01-01" }), exemption()).exempt).to.equal(true);
  });
});
