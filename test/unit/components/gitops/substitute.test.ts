import { expect } from "chai";
import fc from "fast-check";

import { substitute } from "../../../../components/gitops/substitute.ts";

describe("a manifest's variables", () => {
  it("are filled in", () => {
    expect(substitute("cidr: ${pool}", { pool: "10.20.0.192/26" })).to.equal("cidr: 10.20.0.192/26");
  });

  it("have defaults", () => {
    expect(substitute("${a:=one} ${b:-two} ${c:=}", { a: "1" })).to.equal("1 two ");
  });

  it("may be escaped", () => {
    expect(substitute("$${HOME} $HOME", {})).to.equal("${HOME} $HOME");
  });

  it("are refused by name where nothing is known of them", () => {
    expect(() => substitute("${a} ${b} ${a}", { b: "2" })).to.throw("has no value for ${a}");
  });

  it("leave all other text as it is", () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes("$")),
        (text) => {
          expect(substitute(text, {})).to.equal(text);
        },
      ),
    );
  });

  it("are not read from values", () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        expect(substitute("<${a}>", { a: value })).to.equal(`<${value}>`);
      }),
    );
  });
});
