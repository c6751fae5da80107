import { expect } from "chai";
import fc from "fast-check";

import { authorityToGive, nextStep, type Authorities } from "../../../../operations/rotate/authority-plan.ts";

const change = { from: "old", to: "new", accepts: true };

/** Whether two machines trust what the other signs. */
const trusts = (one: Authorities, other: Authorities): boolean =>
  [one.issuing, ...one.accepted].includes(other.issuing);

/** All states on the way, from the first to the last. */
const wayFrom = (machines: ReadonlyMap<string, Authorities>, with_ = change): Map<string, Authorities>[] => {
  const states = [new Map(machines)];
  for (let steps = 0; steps < 100; steps += 1) {
    const now = states.at(-1) ?? new Map<string, Authorities>();
    const step = nextStep(now, with_);
    if (!step) return states;
    states.push(new Map(now).set(step.machine, step.to));
  }
  throw new Error("It does not end");
};

const machines = fc
  .uniqueArray(fc.constantFrom("cp01", "cp02", "cp03", "wk01", "wk02", "wk03"), { minLength: 1 })
  .map((names) => new Map(names.map((name) => [name, { issuing: "old", accepted: [] as string[] }])));

describe("the steps to another authority", () => {
  it("end with the new one alone on every machine, and change one machine at a time", () => {
    fc.assert(
      fc.property(machines, fc.boolean(), (first, accepts) => {
        const states = wayFrom(first, { ...change, accepts });
        expect([...(states.at(-1)?.values() ?? [])]).to.deep.equal(
          [...first].map(() => ({ issuing: "new", accepted: [] })),
        );
        expect(states.length - 1).to.equal(first.size * (accepts ? 3 : 1));
      }),
    );
  });

  it("never part machines that have to trust each other", () => {
    fc.assert(
      fc.property(machines, (first) => {
        for (const state of wayFrom(first))
          for (const one of state.values())
            for (const other of state.values()) expect(trusts(one, other)).to.equal(true);
      }),
    );
  });

  it("always let in who has a certificate of the old or of the new one", () => {
    fc.assert(
      fc.property(machines, (first) => {
        for (const state of wayFrom(first)) {
          const of = (authority: string) =>
            [...state.values()].every(({ issuing, accepted }) => [issuing, ...accepted].includes(authority));
          expect(of("old") || of("new")).to.equal(true);
        }
      }),
    );
  });

  it("go on from wherever they were interrupted, by what the machines have alone", () => {
    fc.assert(
      fc.property(machines, fc.nat(), (first, cut) => {
        const states = wayFrom(first);
        const middle = states[cut % states.length] ?? first;
        expect(wayFrom(middle)).to.deep.equal(states.slice(states.indexOf(middle)));
      }),
    );
  });

  it("keep an authority that a person accepts beside", () => {
    const own = new Map([["cp01", { issuing: "old", accepted: ["own"] }]]);
    for (const state of wayFrom(own)) expect(state.get("cp01")?.accepted).to.contain("own");
    expect(wayFrom(own).at(-1)?.get("cp01")).to.deep.equal({ issuing: "new", accepted: ["own"] });
  });

  it("do not begin where a machine has a third authority", () => {
    const strange = new Map([
      ["cp01", { issuing: "old", accepted: [] }],
      ["cp02", { issuing: "third", accepted: [] }],
    ]);
    expect(() => nextStep(strange, change)).to.throw("cp02 has another authority");
  });
});

describe("the authority that machines are being given", () => {
  const plane = (crt: string, ...accepted: string[]): Authorities => ({ issuing: crt, key: `${crt}-key`, accepted });
  const worker: Authorities = { issuing: "old", accepted: [] };
  const begun = { crt: "begun", key: "begun-key" };
  const of = (machines: Authorities[], pending?: typeof begun) =>
    authorityToGive(machines, { from: "old", begun: pending });

  it("is none, or the one that a run began", () => {
    expect(of([plane("old"), worker])).to.equal(undefined);
    expect(of([plane("old"), worker], begun)).to.equal(begun);
    expect(of([plane("begun", "old"), plane("old", "begun"), worker], begun)).to.equal(begun);
  });

  it("is the one that a control plane signs by already, whoever gave it", () => {
    const other = { crt: "other", key: "other-key" };
    expect(of([plane("other", "old"), plane("old", "other"), worker])).to.deep.equal(other);
    expect(of([plane("other"), plane("other")])).to.deep.equal(other);
    // A run drew one, and was refused before any machine had it.
    expect(of([plane("other"), plane("other")], begun)).to.deep.equal(other);
  });

  it("is refused where there are several", () => {
    expect(() => of([plane("one"), plane("two")])).to.throw("different rotations");
    expect(() => of([plane("one", "begun"), plane("one")], begun)).to.throw("different rotations");
  });
});
