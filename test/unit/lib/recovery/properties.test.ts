import { expect } from "chai";

import { known, plain, secret, text } from "../../../../lib/recovery/adoption/properties.ts";

const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

describe("properties on the wire", () => {
  it("are plain without the marks of secrets, wherever those are", () => {
    expect(plain({ a: secret({ b: secret("c") }), d: [secret(1)] })).to.deep.equal({ a: { b: "c" }, d: [1] });
  });

  it("are known without what is not known yet, secret or not, in objects and lists", () => {
    const given = { a: unknown, b: { c: secret(unknown), d: 1 }, e: [unknown, secret("f")] };
    expect(known(given)).to.deep.equal({ b: { d: 1 }, e: [secret("f")] });
  });

  it("are text also where they are numbers or secret", () => {
    expect([text({ id: secret("x") }, "id"), text({ id: 2011 }, "id"), text({}, "id")]).to.deep.equal([
      "x",
      "2011",
      "",
    ]);
  });
});
