import { expect } from "chai";

import { otherRules, recipientsOf, ruleFor, withRecipient } from "../../../../lib/secrets/creation-rules.ts";

const rules = `# Whose keys open what.
creation_rules:
  - path_regex: gitops/clusters/dev/.*\\.sops\\.yaml$
    age: age1dev,age1both # both
  - path_regex: gitops/clusters/prod/.*\\.sops\\.yaml$
    key_groups: [{ age: [age1prod, age1both] }]
`;

describe("the creation rules of .sops.yaml", () => {
  it("are found by the path of a file, the first first", () => {
    expect(ruleFor(rules, "gitops/clusters/dev/secrets/a.sops.yaml")?.recipients).to.deep.equal([
      "age1dev",
      "age1both",
    ]);
    expect(ruleFor(rules, "gitops/clusters/prod/a.sops.yaml")?.recipients).to.deep.equal(["age1prod", "age1both"]);
    expect(ruleFor(rules, "gitops/apps/a.sops.yaml")).to.equal(undefined);
    expect(ruleFor("creation_rules: [{ age: age1all }]", "gitops/apps/a.sops.yaml")?.recipients).to.deep.equal([
      "age1all",
    ]);
    expect(otherRules(rules, "gitops/clusters/dev/a.sops.yaml").map(({ recipients }) => recipients)).to.deep.equal([
      ["age1prod", "age1both"],
    ]);
    expect(ruleFor("", "gitops/apps/a.sops.yaml")).to.equal(undefined);
  });

  it("get another recipient in the rule of one environment only, and keep every comment", () => {
    const file = "gitops/clusters/dev/a.sops.yaml";
    const changed = withRecipient(rules, file, { from: "age1both", to: "age1new" });
    expect(changed).to.equal(rules.replace("age1both", "age1new"));
    expect(withRecipient(rules, "gitops/apps/a.sops.yaml", { from: "age1both", to: "age1new" })).to.equal(rules);
  });

  it("are compared with what a file says of itself", () => {
    const file = "data: { recipient: age1no }\nsops:\n  age:\n    - recipient: age1dev\n    - recipient: age1both\n";
    expect(recipientsOf(`a: 1\n---\n${file}`)).to.deep.equal(["age1dev", "age1both"]);
    expect(recipientsOf("a: 1\n")).to.deep.equal([]);
  });
});
