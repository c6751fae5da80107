import { expect } from "chai";

import { judgedOutages, verdictsOf, type Measured } from "../../../../operations/try/judge.ts";
import { figureHeadings, figuresOf } from "../../../../operations/try/figures.ts";
import { outcomeOf, reportOf, type Part, type Trial } from "../../../../operations/try/report.ts";
import { timelineOf } from "../../../../operations/try/timeline.ts";

const measured: Measured = {
  tracks: [
    {
      kind: "machine",
      name: "wk01",
      samples: [
        { at: 0, is: "up" },
        { at: 3000, is: "down" },
        { at: 9000, is: "up" },
      ],
    },
    {
      kind: "api",
      name: "",
      samples: [
        { at: 0, is: "up" },
        { at: 4000, is: "unknown" },
        { at: 5000, is: "up" },
      ],
    },
    { kind: "flux", name: "Kustomization a/quiet", samples: [{ at: 0, is: "up" }] },
  ],
  steps: [
    { name: "configure/wk01", what: "restarts for <cores> | more", out: "wk01", from: 2000, to: 10_000, isDone: true },
  ],
  machines: { cp01: { role: "controlplane" }, wk01: { role: "worker" } },
  ...{ removed: [], planes: 1, spread: {}, end: 12_000, isDone: true },
};

const part = (change: Partial<Part> = {}): Part => ({
  title: "The change",
  refusal: undefined,
  seconds: 12,
  steps: measured.steps,
  verdicts: verdictsOf(measured),
  outages: judgedOutages(measured),
  flux: "Flux had applied it",
  isApplied: true,
  ...change,
});

const trial = (...parts: Part[]): Trial => ({ stack: "dev", base: "`abc`", head: "`def`", parts, notes: [] });

const bad = { verdicts: [{ what: "Machines", isHeld: false, measured: "2 at once", why: ["a and b"] }] };

describe("the outcome of a trial", () => {
  it("is that it held, was broken, or was not carried out", () => {
    expect(outcomeOf(trial(part(), part()))).to.equal("held");
    expect(outcomeOf(trial(part(bad)))).to.equal("broken");
    expect(outcomeOf(trial(part({ isApplied: false })))).to.equal("broken");
    expect(outcomeOf(trial(part({ refusal: "no", ...bad })))).to.equal("refused");
    expect(outcomeOf(trial())).to.equal("refused");
  });

  it("counts what was out on the way back, and not that there is none", () => {
    expect(outcomeOf(trial(part(), part(bad)))).to.equal("broken");
    expect(outcomeOf(trial(part(), part({ refusal: "Kubernetes does not go back" })))).to.equal("held");
  });
});

describe("the report of a trial", () => {
  it("says what held, the steps, and each outage with what announced it", () => {
    const text = reportOf(trial(part()), "try-dev.svg");
    expect(text)
      .to.contain("# dev: ✅ Everything held")
      .and.contain("| ✅ | Machines, 2 | 1 at once at most; wk01 for 6.0 s | configure/wk01 takes out wk01 |")
      .and.contain("| `configure/wk01` | restarts for <cores> \\| more | wk01 | 8.0 s |")
      .and.contain("| ✅ | machine wk01 | 3.0 s | 6.0 s | configure/wk01 takes out wk01 |")
      .and.contain("![What was out of service](try-dev.svg)");
  });

  it("gives the command's own words where it refuses, whatever they have in them", () => {
    const text = reportOf(trial(part({ refusal: "dev is not deployed:\n```\n| no" })), "try-dev.svg");
    expect(text)
      .to.contain("# dev: ⛔ The change is not carried out")
      .and.contain("````text\ndev is not deployed:\n```\n| no\n````");
  });
});

describe("the timeline of a trial", () => {
  const svg = timelineOf([{ title: "The <change>", ...measured, outages: judgedOutages(measured) }]);
  const bars = (colour: string): number[] =>
    [...svg.matchAll(new RegExp(`width="([\\d.]+)" height="14" fill="${colour}"`, "g"))].map(([, width]) =>
      Number(width),
    );

  it("draws each outage and what could not be asked, as long as it was", () => {
    const [outage = 0] = bars("#f6b26b");
    expect(bars("#d9d9d9")[0]).to.be.closeTo(outage / 6, 0.2);
    expect(outage).to.be.closeTo((bars("#d9ead3")[0] ?? 0) / 2, 0.2);
    expect(bars("#cc0000")).to.deep.equal([]);
  });

  it("shows names as text, and what was never out as one row", () => {
    expect(svg).to.contain("The &lt;change&gt;").and.contain("Objects of Flux (1)").and.contain("configure/wk01");
  });
});

describe("the figures of a deployment", () => {
  const down = (kind: "api" | "etcd", ...times: [number, number][]) => ({
    ...{ kind, name: "" },
    samples: [
      { at: 0, is: "up" as const },
      ...times.flatMap(([from, to]) => [
        { at: from, is: "down" as const },
        { at: to, is: "up" as const },
      ]),
    ],
  });

  it("are the longest outage in a row, and the most machines at once", () => {
    const tracks = [...measured.tracks.slice(0, 1), down("api", [3000, 3800], [5000, 6500]), down("etcd")];
    const row = figuresOf(part({ outages: judgedOutages({ ...measured, tracks }) }));
    expect(row).to.have.length(figureHeadings.length);
    expect(row).to.deep.equal(["The change", "`configure/wk01`", "1", "1.5 s, 2 times", "not gone", "12.0 s"]);
  });

  it("say that a change is refused", () => {
    const row = figuresOf(part({ steps: [], outages: [], refusal: "no" }));
    expect(row.slice(1, 3)).to.deep.equal(["refused", "0"]);
  });
});
