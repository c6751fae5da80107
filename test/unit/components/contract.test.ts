import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";

import { contractProblem } from "../../../components/talos/contract.ts";
import { keepContract } from "../../../components/talos/keep-contract.ts";

describe("the configuration contract", () => {
  it("is kept", () => {
    expect(contractProblem("v1.13", "v1.13")).to.equal(undefined);
    expect(contractProblem("v1.13", "1.13.4")).to.equal(undefined);
  });

  it("is not lowered", () => {
    expect(contractProblem("v1.12", "v1.13")).to.equal(
      "cluster.contract is v1.12, but this cluster was created with v1.13 and keeps it: set it back to v1.13",
    );
  });

  it("is not raised either, since etcd's data may become undecipherable", () => {
    expect(contractProblem("v1.13", "v1.12")).to.contain("set it back to v1.12");
  });

  it("is taken from the configuration where the secrets were imported, which tells the plugin nothing of it", () => {
    expect(contractProblem("v1.13", "v1.3")).to.equal(undefined);
  });

  it("reaches machines where it is kept", () => {
    expect(keepContract("v1.13")("v1.13")).to.equal("v1.13");
  });

  it("ends the run otherwise, with what to write and no stack trace", () => {
    expect(() => keepContract("v1.12")("v1.13")).to.throw(pulumi.RunError, "set it back to v1.13");
  });
});
