import { expect } from "chai";

import { resourceTypes } from "../../../components/resource-types.ts";
import { about, brokenLines, notReady, suspects } from "../../../operations/deploy/examined.ts";
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
    expect(brokenLines("dev", [expired], false)[0]).to.contain("may be the reason");
    expect(brokenLines("dev", [expired], true)).to.deep.equal([
      "npx hearth doctor dev would have told:",
      "  problem: Cloudflare token: is refused: it is expired",
      "    make another",
    ]);
    expect(brokenLines("dev", [], true)).to.deep.equal([]);
  });

  describe("after resources have failed", () => {
    const failure = (type: string, name: string, message = "it failed") => ({ type, name, message });
    const names = (...failures: ReturnType<typeof failure>[]) => suspects(failures).map(({ name }) => name);

    it("is what their API says, and not what else is broken", () => {
      expect(names(failure(resourceTypes.dnsRecord, "welcome"))).to.deep.equal(["Cloudflare"]);
      expect(names(failure(resourceTypes.virtualMachine, "wk01"))).to.deep.equal(["Proxmox", "factory"]);
      expect(
        names(failure(resourceTypes.virtualMachine, "wk01"), failure(resourceTypes.deployKey, "key")),
      ).to.deep.equal(["Proxmox", "factory", "Git"]);
    });

    it("may be everything where the program failed, or where nobody knows what", () => {
      expect(names(failure(resourceTypes.stack, "hearth-dev"))).to.have.length(10);
      expect(names(failure(resourceTypes.dnsRecord, "a"), failure("random:index:Thing", "b"))).to.have.length(10);
      expect(names()).to.have.length(10);
    });

    it("is not what is wrong with other machines", () => {
      const found = [
        problem("machine wk01 at 10.0.0.1", "does not answer", "look"),
        problem("machine wk02 at 10.0.0.2", "does not answer", "look"),
        problem("Proxmox host pve1", "has 4 cores, and wk01 asks for 8", "ask for less"),
        problem("Proxmox token", "is refused", "make another"),
      ];
      const left = (failure: string) => about(failure, found, ["wk01", "wk02"]).map(({ check }) => check);
      expect(left("wk01: 403")).to.deep.equal(["machine wk01 at 10.0.0.1", "Proxmox host pve1", "Proxmox token"]);
      expect(left("no answer of wk02")).to.deep.equal(["machine wk02 at 10.0.0.2", "Proxmox token"]);
      expect(left("talos: 500")).to.have.length(4);
    });
  });

  it("is asked first of what may end an update half-way: the APIs that it changes, and the machines' firewall", () => {
    expect(apis.map(({ name }) => name)).to.deep.equal(["Proxmox", "factory", "firewall", "Cloudflare"]);
  });
});
