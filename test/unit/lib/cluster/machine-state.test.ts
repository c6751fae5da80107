import { expect } from "chai";

import { stateBy } from "../../../../lib/cluster/machine-state.ts";

describe("stateBy", () => {
  it("takes a certificate of the cluster's authority for a member's, whatever its name", () => {
    expect(stateBy({ isTrusted: true, commonName: "cp01" })).to.equal("member");
  });

  it("takes maintenance mode for blank", () => {
    expect(stateBy({ isTrusted: false, commonName: "maintenance-service.talos.dev" })).to.equal("blank");
  });

  it("takes no certificate of another authority for blank: it may be another cluster's machine, or a clock may be off", () => {
    expect(stateBy({ isTrusted: false, commonName: "cp01" })).to.equal("foreign");
    expect(stateBy({ isTrusted: false, commonName: undefined })).to.equal("foreign");
  });
});
