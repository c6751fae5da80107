import { expect } from "chai";

import { driftReport } from "../../../operations/drift/drift.ts";
import { installedByHand, type Installed, type Releases } from "../../../operations/drift/machines.ts";

const old: Installed = { version: "v1.13.8", schematic: "abc" };
const newer: Installed = { version: "v1.13.9", schematic: "abc" };
const kubernetes = { recorded: "v1.36.3", desired: "v1.36.3", lowest: "v1.36.3", highest: "v1.36.3" };

/** What is told of a machine, and of Kubernetes. */
const told = (runs: Installed, desired: Installed | undefined = old, release: Releases["kubernetes"] = kubernetes) =>
  installedByHand({ machines: { wk01: { runs, recorded: old, desired } }, kubernetes: release }).map(
    ({ resource, installed }) => [resource, installed?.runs, installed?.recorded],
  );

describe("what was installed by hand", () => {
  it("is nothing where the last update's releases run", () => {
    expect(told(old)).to.deep.equal([]);
    expect(told(old, undefined, undefined)).to.deep.equal([]);
  });

  it("is another release of Talos", () => {
    expect(told(newer)).to.deep.equal([["machine wk01", "Talos v1.13.9", "v1.13.8"]]);
    expect(told(newer, undefined)).to.deep.equal([["machine wk01", "Talos v1.13.9", "v1.13.8"]]);
  });

  it("is an image of another profile", () => {
    expect(told({ version: "v1.13.8", schematic: "def" })).to.deep.equal([
      ["machine wk01", "the image of def", "that of abc"],
    ]);
    expect(told({ version: "v1.13.8", schematic: undefined })[0]).to.include("the image of no profile");
  });

  it("is not what a rollout to the stack file has installed, which waits with the others", () => {
    expect(told(newer, newer)).to.deep.equal([]);
    expect(
      told(old, old, { recorded: "v1.36.3", desired: "v1.36.4", lowest: "v1.36.3", highest: "v1.36.4" }),
    ).to.deep.equal([]);
  });

  it("is another release of Kubernetes, on all machines or on some", () => {
    expect(told(old, old, { ...kubernetes, lowest: "v1.36.5", highest: "v1.36.5" })).to.deep.equal([
      ["Kubernetes", "v1.36.5", "v1.36.3"],
    ]);
    expect(told(old, old, { ...kubernetes, highest: "v1.36.5" })).to.deep.equal([
      ["Kubernetes", "v1.36.3 to v1.36.5", "v1.36.3"],
    ]);
  });

  it("is told with what to write", () => {
    const found = installedByHand({ machines: { wk01: { runs: newer, recorded: old, desired: old } }, kubernetes });
    const report = driftReport("dev", found);
    expect(report).to.contain("| machine wk01 | runs Talos v1.13.9, and the last update installed v1.13.8 |  |");
    expect(report).to.contain("Write the release that runs into the stack file.");
  });
});
