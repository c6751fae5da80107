import { expect } from "chai";

import { databaseWith, rowIn } from "../../../../operations/rehearse/database.ts";

describe("databaseWith", () => {
  it("has its row", async () => {
    expect(await rowIn(await databaseWith("a value"))).to.equal("a value");
  });

  it("is a file of SQLite, small enough to be an argument", async () => {
    const content = await databaseWith("a value");
    expect(content.toString("latin1", 0, 15)).to.equal("SQLite format 3");
    expect(content.length).to.be.lessThan(4096);
  });
});

describe("rowIn", () => {
  it("is undefined for what was cut off, was changed, or is no database", async () => {
    const whole = await databaseWith("a value");
    const changed = Buffer.from(whole).fill(0xff, 512);
    for (const content of [whole.subarray(0, 512), changed, Buffer.from("text"), Buffer.alloc(0)]) {
      expect(await rowIn(content)).to.equal(undefined);
    }
  });
});
