import { expect } from "chai";

import { announcement, completion } from "../../../../operations/deploy/step-lines.ts";
import { describePlan } from "../../../../operations/deploy/rollout.ts";
import type { Step } from "../../../../lib/rollout/step.ts";
import { doneIn, everywhere, killedAt, resumed, stepsSaid } from "../../../../operations/try/deployment.ts";

const step = (name: string): Step => ({
  ...{ kind: "configure", machine: name.split("/")[1] ?? "", name, seconds: 240, restarts: "machine", isDrained: true },
  ...{ what: "restarts for its cores: 4 → 6", out: "den-dev-cp01, and with it the Kubernetes API" },
});

describe("the steps that a deployment says", () => {
  const steps = [step("configure/den-dev-wk01"), step("configure/den-dev-cp01")];
  const plan = describePlan({ steps, refusals: [], notes: ["a note: of one"] }).map((line) => ({
    at: 5000,
    text: `  ${line}`,
  }));
  const other = { at: 6000, text: "  Step 1 of 2, usually 4 min 0 s: den-dev-wk01: draining (31 s)" };

  it("are read with their times, as the deployment writes them", () => {
    const done = steps.map((each, index) => ({
      at: 10_000 * (index + 1),
      text: completion(`Step ${index + 1} of 2`, each, 5),
    }));
    expect(stepsSaid([...plan, other, ...done], 30_000)).to.deep.equal([
      { ...said(steps[0]), from: 5000, to: 10_000, isDone: true },
      { ...said(steps[1]), from: 10_000, to: 20_000, isDone: true },
    ]);
  });

  it("have the one at their end that was under way", () => {
    const [first] = steps.map((each) => ({ at: 10_000, text: completion("Step 1 of 2", each, 5) }));
    expect(stepsSaid([...plan, ...(first ? [first] : [])], 30_000).at(-1)).to.deep.equal({
      ...said(steps[1]),
      ...{ from: 10_000, to: 30_000, isDone: false },
    });
  });

  it("are none where it announces none", () => {
    expect(stepsSaid([other, { at: 1, text: "Preview of dev: 2 to update" }], 30_000)).to.deep.equal([]);
    expect(announcement(steps[0] ?? step("")).startsWith("configure/den-dev-wk01: restarts")).to.equal(true);
  });
});

describe("a deployment that is killed and run again", () => {
  const timed = (name: string, from: number, to: number, isDone = true) => ({
    ...{ name, what: "", out: "", from, to, isDone },
  });

  it("has a step until the next one about its machine is done", () => {
    const runs = [
      [timed("talos/a", 0, 10), timed("talos/b", 10, 20, false)],
      [timed("finish/b", 30, 40), timed("talos/c", 40, 50)],
    ];
    expect(doneIn(runs)).to.equal(3);
    expect(resumed(runs)).to.deep.equal([timed("talos/a", 0, 10), timed("finish/b", 10, 40), timed("talos/c", 40, 50)]);
  });

  it("has a step that nothing went on with as not done", () => {
    const runs = [[timed("talos/a", 0, 10, false)], [timed("talos/b", 30, 40)]];
    expect(resumed(runs).map(({ name, isDone }) => [name, isDone])).to.deep.equal([
      ["talos/a", false],
      ["talos/b", true],
    ]);
  });

  it("is killed when so many steps are done, or with the plan", () => {
    const plan = `  ${announcement(step("configure/a"))}`;
    const done = completion("Step 1 of 2", step("configure/a"), 5);
    const [first, begun] = [killedAt({ done: 1, after: 7 }), killedAt({ done: 0, after: 0 })];
    expect(["Preview of dev", plan, done].map(first)).to.deep.equal([undefined, undefined, 7]);
    expect(["Preview of dev", plan].map(begun)).to.deep.equal([undefined, 0]);
  });

  it("is killed at each boundary of its steps, and within each step", () => {
    const kills = everywhere();
    const found = Array.from({ length: 4 }, () => kills.next().value);
    expect(found.map(({ done, after }) => [done, after > 0])).to.deep.equal([
      [0, false],
      [0, true],
      [1, false],
      [1, true],
    ]);
  });
});

const said = (each: Step | undefined) => ({ name: each?.name, what: each?.what, out: each?.out });
