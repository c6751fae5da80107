import { expect } from "chai";

import { known, record, secret, text } from "../../../../lib/recovery/adoption/properties.ts";
import { secretOnWire, unknownMark as unknown } from "../../../support/wire.ts";

describe("properties on the wire", () => {
  it("have secrets marked as the SDK marks them", () => {
    expect(secret({ a: "b" })).to.deep.equal(secretOnWire({ a: "b" }));
  });

  it("are known without what is not known yet, secret or not, in objects and lists", () => {
    const given = { a: unknown, b: { c: secretOnWire(unknown), d: 1 }, e: [unknown, secretOnWire("f")], g: null };
    expect(known(given)).to.deep.equal({ b: { d: 1 }, e: [secretOnWire("f")], g: null });
  });

  it("are text also where they are numbers or secret, and empty where they are not known", () => {
    const given = { a: secretOnWire("x"), b: 2011, c: unknown };
    expect(["a", "b", "c", "d"].map((key) => text(given, key))).to.deep.equal(["x", "2011", "", ""]);
  });

  it("are objects without marks, empty where there is none", () => {
    const given = { a: secretOnWire({ b: secretOnWire("c") }), d: [1] };
    expect([record(given, "a"), record(given, "d")]).to.deep.equal([{ b: "c" }, {}]);
  });
});
