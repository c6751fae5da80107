import { expect } from "chai";

import { pinnedContract } from "../../../components/talos/contract.ts";

describe("the configuration contract", () => {
  it("is kept", () => {
    expect(pinnedContract("v1.13", "v1.13")).to.deep.equal({ contract: "v1.13" });
    expect(pinnedContract("v1.13", "1.13.4")).to.deep.equal({ contract: "v1.13" });
  });

  it("is not lowered", () => {
    expect(pinnedContract("v1.12", "v1.13")).to.deep.equal({
      contract: "v1.13",
      problem: "cluster.contract is v1.12, but this cluster was created with v1.13 and keeps it: set it back to v1.13",
    });
  });

  it("is not raised either, since etcd's data may become undecipherable", () => {
    expect(pinnedContract("v1.13", "v1.12").contract).to.equal("v1.12");
    expect(pinnedContract("v1.13", "v1.12").problem).to.contain("set it back to v1.12");
  });

  it("is taken from the configuration where the secrets were imported, which tells the plugin nothing of it", () => {
    expect(pinnedContract("v1.13", "v1.3")).to.deep.equal({ contract: "v1.13" });
  });
});
