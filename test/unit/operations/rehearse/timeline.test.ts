import { expect } from "chai";

import { seconds, table, timelineSvg, type Rehearsal } from "../../../../operations/rehearse/timeline.ts";

const rehearsal = (change: Partial<Rehearsal> = {}): Rehearsal => ({
  case: "machines",
  lost: "3 machines",
  spans: [
    { name: "backed up", from: -12, to: -10 },
    { name: "build", from: 0, to: 60 },
    { name: "verify", from: 60, to: 65.4 },
  ],
  recoveryTime: 65.4,
  lossWindow: 10,
  checks: [
    { what: "cluster CA", isSame: true },
    { what: "tunnel", isSame: false },
  ],
  ...change,
});

describe("table", () => {
  it("gives recovery time, lost writes and how much is the same, a line a case", () => {
    const lines = table([rehearsal(), rehearsal({ case: "state", lost: "state", lossWindow: undefined })]).split("\n");
    expect(lines).to.have.length(3);
    expect(lines[1]).to.match(/^machines +3 machines +65\.4 s +the last 10\.0 s +1 of 2$/);
    expect(lines[2]).to.match(/^state .* nothing +1 of 2$/);
  });
});

describe("timelineSvg", () => {
  it("draws a bar for each part, in proportion, with the disaster at one place", () => {
    const bars = [...timelineSvg([rehearsal()]).matchAll(/<rect x="([\d.]+)" y="56" width="([\d.]+)"/g)].map(
      ([, x, width]) => [Number(x), Number(width)],
    );
    expect(bars).to.have.length(3);
    const [backup = [], build = [], verify = []] = bars;
    expect(build[1]).to.be.closeTo((backup[1] ?? 0) * 30, 0.5);
    expect(verify[0]).to.be.closeTo((build[0] ?? 0) + (build[1] ?? 0), 0.2);
  });

  it("shows a name as text, whatever it has in it", () => {
    expect(timelineSvg([rehearsal({ case: "<all> & more" })])).to.contain("&lt;all&gt; &amp; more");
  });
});

describe("seconds", () => {
  it("are minutes where they are many", () => {
    expect([seconds(9.96), seconds(125)]).to.deep.equal(["10.0 s", "2 min 5 s"]);
  });
});
