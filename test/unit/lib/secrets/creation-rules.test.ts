import { expect } from "chai";

import { otherRules, recipientsOf, ruleFor, withOwn, withRecipient } from "../../../../lib/secrets/creation-rules.ts";

const rules = `# Whose keys open what.
creation_rules:
  - path_regex: gitops/clusters/dev/.*\\.sops\\.yaml$
    age: age1dev,age1both # both
  - path_regex: gitops/clusters/prod/.*\\.sops\\.yaml$
    key_groups: [ { age: [ age1prod, age1both ] } ]
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

  describe("with a stack's own recipients", () => {
    const isLab = (recipient: string) => recipient === "age1lab";
    const lab = rules.replace("age1dev,age1both", "age1lab,age1both");

    it("name no stranger, and keep whom the person named, every other rule and every comment", () => {
      expect(withOwn(lab, "gitops/clusters/dev", ["age1own", "age1me"], isLab)).to.equal(
        rules.replace("age1dev,age1both", "age1own,age1me,age1both"),
      );
    });

    it("stay as they are written where they name them already", () => {
      const own = rules.replace("age1dev,age1both", "age1both, age1own");
      expect(withOwn(own, "gitops/clusters/dev", ["age1both", "age1own"], isLab)).to.equal(own);
    });

    it("get a rule for a new environment", () => {
      const text = withOwn(rules, "gitops/clusters/staging", ["age1own", "age1me"], isLab);
      expect(ruleFor(text, "gitops/clusters/staging/secrets/a.sops.yaml")?.recipients).to.deep.equal([
        "age1own",
        "age1me",
      ]);
      expect(text.startsWith(rules)).to.equal(true);
    });

    it("are the person's to write where they are in key groups", () => {
      expect(() => withOwn(rules, "gitops/clusters/prod", ["age1own"], isLab)).to.throw(
        ".sops.yaml: the rule for gitops/clusters/prod has no recipients under age: name age1own in it yourself, and run this again",
      );
    });
  });

  it("are compared with what a file says of itself", () => {
    const file = "data: { recipient: age1no }\nsops:\n  age:\n    - recipient: age1dev\n    - recipient: age1both\n";
    expect(recipientsOf(`a: 1\n---\n${file}`)).to.deep.equal(["age1dev", "age1both"]);
    expect(recipientsOf("a: 1\n")).to.deep.equal([]);
  });
});
