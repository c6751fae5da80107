import { expect } from "chai";
import { setImmediate as turn } from "node:timers/promises";

import { Prober, withAbsent, type Reading } from "../../../../operations/try/prober.ts";
import { outagesOf } from "../../../../operations/try/outages.ts";

const reading = (is: Reading["is"], change: Partial<Reading> = {}): Reading => ({
  kind: "api",
  name: "",
  is,
  ...change,
});

describe("a prober", () => {
  let now: number;
  let answers: ((readings: Reading[]) => void)[];
  let prober: Prober;

  /** An ask that a test answers when it wants to. */
  const ask = () => new Promise<Reading[]>((resolve) => answers.push(resolve));

  const answer = async (index: number, ...readings: Reading[]) => {
    answers[index]?.(readings);
    await turn();
  };

  /** Waits until something was asked that many times. */
  const asked = async (times: number) => {
    while (answers.length < times) await turn();
  };

  beforeEach(() => {
    now = 1000;
    answers = [];
    prober = new Prober([{ every: 1, ask }], () => now);
  });

  afterEach(() => {
    prober.stop();
  });

  it("begins with what it found last, and forgets what was before", async () => {
    await answer(0, reading("down", { nodes: 2, name: "a/b", kind: "route" }), reading("up"));
    expect(prober.missing().map(({ name }) => name)).to.deep.equal(["a/b"]);
    expect(prober.hasAsked(["api", "route"])).to.equal(true);
    expect(prober.hasAsked(["etcd"])).to.equal(false);
    now = 5000;
    prober.begin();
    expect(prober.found()).to.deep.include({
      tracks: [
        { kind: "route", name: "a/b", samples: [{ at: 0, is: "down" }] },
        { kind: "api", name: "", samples: [{ at: 0, is: "up" }] },
      ],
      spread: { "a/b": 2 },
    });
  });

  it("puts an answer at the time at which it asked, in whichever order answers come", async () => {
    prober.begin();
    now = 2000;
    await asked(2);
    now = 3000;
    await asked(3);
    prober.stop();
    await answer(2, reading("up"));
    await answer(1, reading("down"));
    const [track] = prober.found().tracks;
    expect(track?.samples.filter(({ at }) => at > 0).map(({ is }) => is)).to.deep.equal(["down", "up"]);
    expect(prober.missing()).to.deep.equal([]);
  });

  it("does not take an answer to what it asked before it began", async () => {
    now = 2000;
    prober.begin();
    await answer(0, reading("down"));
    expect(prober.found().tracks).to.deep.equal([]);
  });

  it("says how late it was to ask", async () => {
    now = 1701;
    await asked(2);
    expect(prober.found().delay).to.equal(700);
  });
});

describe("what a list does not have any more", () => {
  it("is absent from then on, and nothing else is", () => {
    const seen = new Map<string, Pick<Reading, "kind" | "name">>();
    const [a, b] = [reading("up", { name: "a" }), reading("up", { name: "b" })];
    expect(withAbsent(seen, [a, b], "none")).to.deep.equal([a, b]);
    expect(withAbsent(seen, [b], "none")).to.deep.equal([b, { kind: "api", name: "a", is: "none" }]);
    expect(
      outagesOf(
        [
          { at: 0, is: "up" },
          { at: 1, is: "none" },
        ],
        9,
      ),
    ).to.deep.equal([]);
  });
});
