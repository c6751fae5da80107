import { expect } from "chai";

import { distance, nearest } from "../../../../infra/config/nearest.ts";

describe("the nearest word", () => {
  it("is the one with the fewest letters to change", () => {
    expect(nearest("rebuidl", ["rehearse", "rebuild", "restore"])).to.equal("rebuild");
    expect(nearest("prdo", ["dev", "prod"])).to.equal("prod");
  });

  it("counts two letters in the wrong order as one mistake", () => {
    expect(distance("chekc", "check")).to.equal(1);
    expect(distance("dve", "dev")).to.equal(1);
    expect(distance("abc", "cba")).to.equal(2);
  });

  it("is none where everything differs", () => {
    expect(nearest("xyz", ["dev", "prod"])).to.equal(undefined);
  });
});
