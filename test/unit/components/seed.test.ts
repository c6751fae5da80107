import { expect } from "chai";

import { deriveSeed } from "../../../components/secrets/derive.ts";

describe("a seed", () => {
  it("has 32 bytes, the same for the same password and purpose", () => {
    const seed = deriveSeed("password", "age-seed");
    expect(Buffer.from(seed, "base64")).to.have.lengthOf(32);
    expect(deriveSeed("password", "age-seed")).to.equal(seed);
  });

  it("differs by purpose and by password", () => {
    const seeds = [deriveSeed("a", "x"), deriveSeed("a", "y"), deriveSeed("b", "x")];
    expect(new Set(seeds)).to.have.lengthOf(3);
  });
});
