import { expect } from "chai";

import {
  readValue,
  readValues,
  revealed,
  sealed,
  Secret,
  secretStrings,
  Unknown,
} from "../../../../lib/engine/value.ts";
import {
  outputSignature,
  secretInState,
  secretOnWire,
  secretMark,
  signatureKey,
  unknownMark,
} from "../../../support/wire.ts";

describe("a value of the engine", () => {
  it("is a secret by the SDK's own mark, in a message and in an exported state", () => {
    expect(readValue(secretOnWire({ a: ["b"] }))).to.deep.equal(new Secret({ a: ["b"] }));
    expect(readValue(secretInState({ a: ["b"] }))).to.deep.equal(new Secret({ a: ["b"] }));
    expect(sealed({ a: ["b"] })).to.deep.equal(secretInState({ a: ["b"] }));
  });

  it("is unknown where it is a secret of an event, which is blinded", () => {
    const { token } = readValues({ token: { ...secretMark, ciphertext: "[secret]" } });
    expect(token).to.deep.equal(new Secret(new Unknown()));
    expect(JSON.stringify(token)).not.to.contain("[secret]");
  });

  it("is unknown by the SDK's own mark, and so is an output without a value", () => {
    const output = (rest: object) => readValue({ [signatureKey]: outputSignature, ...rest });
    expect(readValue(unknownMark)).to.be.instanceOf(Unknown);
    expect(output({})).to.be.instanceOf(Unknown);
    expect(output({ value: "a", secret: true })).to.deep.equal(new Secret("a"));
  });

  it("is plain without its marks, wherever those are, and undefined where it is unknown", () => {
    const raw = { a: secretOnWire({ b: secretOnWire("c") }), d: [secretInState(1)], e: unknownMark, f: null };
    expect(revealed(raw)).to.deep.equal({ a: { b: "c" }, d: [1], e: undefined, f: null });
    expect(revealed(secretOnWire(unknownMark))).to.equal(undefined);
    expect(revealed(undefined)).to.equal(undefined);
  });

  it("tells its secret strings by the name that they go by", () => {
    const value = readValues({ open: "a", token: secretOnWire({ inner: ["b"], count: 1 }) });
    expect(secretStrings(value)).to.deep.equal([{ name: "inner", text: "b" }]);
  });
});
