import { expect } from "chai";

import { parseFile, TreeError } from "../../../infra/tree-error.ts";

describe("a file of the tree", () => {
  it("is named where it is no YAML, in one line", () => {
    expect(() => parseFile("resources: [", "gitops/clusters/dev/kustomization.yaml"))
      .to.throw(TreeError)
      .with.property("message")
      .that.matches(/^gitops\/clusters\/dev\/kustomization\.yaml is not YAML: .* at line 1, column 13$/);
    expect(parseFile("resources: [a]", "a.yaml")).to.deep.equal({ resources: ["a"] });
  });
});
