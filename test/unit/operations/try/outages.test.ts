import { expect } from "chai";
import fc from "fast-check";

import {
  atOnce,
  longest,
  outagesOf,
  overlap,
  united,
  type Sample,
  type State,
} from "../../../../operations/try/outages.ts";

/** Samples 100 ms apart: u for up, d for down, ? for unknown, - for none. */
const samples = (text: string): Sample[] =>
  Array.from(text, (letter, index) => ({
    at: index * 100,
    is: ({ u: "up", d: "down", "?": "unknown", "-": "none" } as Record<string, State>)[letter] ?? "unknown",
  }));

const outages = (text: string): string[] =>
  outagesOf(samples(text), text.length * 100).map(({ from, to, isOver }) => `${from}-${to}${isOver ? "" : " and on"}`);

describe("the outages of samples", () => {
  const cases: [what: string, text: string, expected: string[]][] = [
    ["none where all is up", "uuuu", []],
    ["from the first that is down to the next that is up", "uudduu", ["200-400"]],
    ["each by itself", "uduudu", ["100-200", "400-500"]],
    ["until the end where nothing comes back", "uudd", ["200-400 and on"]],
    ["none before something was up for the first time", "--dduu", []],
    ["none of what was down from the beginning", "dduu", []],
    ["over where the thing is taken away", "udd--", ["100-300"]],
    ["not begun by what is unknown", "u???u", []],
    ["not ended by what is unknown", "ud??du", ["100-500"]],
  ];
  for (const [what, text, expected] of cases) {
    it(`are ${what}`, () => {
      expect(outages(text)).to.deep.equal(expected);
    });
  }

  const anySamples = fc
    .array(fc.constantFrom<State>("up", "down", "unknown", "none"), { maxLength: 40 })
    .map((states) => states.map((is, index) => ({ at: index * 250, is })));

  it("are in order, apart from each other, and each begins where something is down", () => {
    fc.assert(
      fc.property(anySamples, (given) => {
        const found = outagesOf(given, given.length * 250);
        found.forEach(({ from, to }, index) => {
          expect(from).to.be.lessThan(to);
          expect(given[from / 250]?.is).to.equal("down");
          expect(from).to.be.greaterThan(found[index - 1]?.to ?? -1);
        });
        expect(found.slice(0, -1).every(({ isOver }) => isOver)).to.equal(true);
      }),
    );
  });

  it("have no sample in them that is up", () => {
    fc.assert(
      fc.property(anySamples, (given) => {
        for (const { from, to } of outagesOf(given, given.length * 250))
          expect(given.filter(({ at, is }) => is === "up" && at >= from && at < to)).to.deep.equal([]);
      }),
    );
  });
});

describe("atOnce", () => {
  it("finds the most that were out together, and for how long", () => {
    expect(atOnce({ a: [{ from: 0, to: 10 }], b: [{ from: 7, to: 12 }], c: [{ from: 20, to: 90 }] })).to.deep.equal({
      names: ["a", "b"],
      milliseconds: 3,
    });
  });

  it("does not take one after the other for together", () => {
    expect(atOnce({ a: [{ from: 0, to: 10 }], b: [{ from: 10, to: 12 }] }).names).to.have.length(1);
    expect(atOnce({}).names).to.deep.equal([]);
  });

  it("is what counting at each moment gives", () => {
    const interval = fc
      .tuple(fc.nat(30), fc.integer({ min: 1, max: 10 }))
      .map(([from, length]) => ({ from, to: from + length }));
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom("a", "b", "c", "d"), fc.array(interval).map(united)), (out) => {
        const at = (moment: number): number =>
          Object.values(out).filter((all) => all.some(({ from, to }) => from <= moment && moment < to)).length;
        const counted = Math.max(...Array.from({ length: 41 }, (_, moment) => at(moment)));
        expect(atOnce(out).names).to.have.length(counted);
      }),
    );
  });
});

describe("intervals", () => {
  it("are united where they touch", () => {
    const all = [
      { from: 5, to: 8 },
      { from: 0, to: 5 },
      { from: 10, to: 11 },
    ];
    expect(united(all)).to.deep.equal([
      { from: 0, to: 8 },
      { from: 10, to: 11 },
    ]);
    expect(longest(united(all))).to.equal(8);
    expect(all[0]).to.deep.equal({ from: 5, to: 8 });
  });

  it("overlap where they share a moment", () => {
    expect(overlap({ from: 0, to: 5 }, { from: 4, to: 9 })).to.equal(true);
    expect(overlap({ from: 0, to: 5 }, { from: 5, to: 9 })).to.equal(false);
  });
});
