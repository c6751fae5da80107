import { expect } from "chai";
import { testCounts } from "../../../scripts/go-counts.ts";

const events = (...all: object[]): string => all.map((event) => JSON.stringify(event)).join("\n");

describe("testCounts", () => {
  it("counts tests, and not their packages", () => {
    const counts = testCounts(
      events(
        { Action: "start", Package: "a" },
        { Action: "pass", Package: "a", Test: "TestOne" },
        { Action: "pass", Package: "a", Test: "TestTwo" },
        { Action: "pass", Package: "a" },
      ),
    );
    expect(counts).to.deep.equal({ passed: 2, failed: 0, output: "" });
  });

  it("counts a failed test once, with what it printed", () => {
    const counts = testCounts(
      events(
        { Action: "output", Package: "a", Test: "TestOne", Output: "got 1, want 2\n" },
        { Action: "fail", Package: "a", Test: "TestOne" },
        { Action: "fail", Package: "a" },
      ),
    );
    expect(counts).to.deep.equal({ passed: 0, failed: 1, output: "got 1, want 2\n" });
  });

  it("counts a package that ends without a failed test, as one that does not build", () => {
    const counts = testCounts(
      events(
        { Action: "output", Package: "a", Output: "FAIL a [build failed]\n" },
        { Action: "fail", Package: "a" },
        { Action: "pass", Package: "b", Test: "TestOne" },
      ),
    );
    expect(counts).to.deep.equal({ passed: 1, failed: 1, output: "FAIL a [build failed]\n" });
  });

  it("skips what is not the report's", () => {
    expect(testCounts("go: downloading x\n")).to.deep.equal({ passed: 0, failed: 0, output: "" });
  });
});
