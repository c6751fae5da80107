import { expect } from "chai";

import type { Actions } from "../../../../lib/rollout/actions.ts";
import { awaitBoot, personAwaitedIn } from "../../../../lib/rollout/first-boot.ts";
import type { BootReading } from "../../../../lib/rollout/read.ts";
import { usual } from "../../../../lib/rollout/surroundings.ts";

/** Waits for a machine that answers like this, one look after the other, and then like the last. Returns what was said, and how it ended. */
const wait = async (
  answers: readonly (BootReading | Error)[],
  { isSecureBoot = true, mayRun = false, person = 60 } = {},
): Promise<{ said: string[]; live: string[]; failure: string; looks: number }> => {
  let looks = 0;
  const [said, live]: [string[], string[]] = [[], []];
  const actions: Partial<Actions> = {
    boot: () => {
      const answer = answers[Math.min(looks, answers.length - 1)];
      looks += 1;
      return answer instanceof Error || answer === undefined
        ? Promise.reject(answer ?? new Error())
        : Promise.resolve(answer);
    },
  };
  const failure = await awaitBoot(
    { machine: "wk01", isSecureBoot, mayRun },
    {
      ...{ machines: {}, actions: actions as Actions, signal: new AbortController().signal },
      say: (text) => void said.push(text),
      live: (text) => void live.push(text),
      ...{ command: "npx hearth deploy dev", bootCommand: (machine) => `npx hearth boot dev ${machine}` },
      timeouts: { ...usual, person, pause: 1 },
    },
  ).then(
    () => "",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  return { said, live, failure, looks };
};

const [silent, foreign] = [{ state: "silent" }, { state: "foreign" }] as const;
const blank = (isSecureBoot?: boolean): BootReading => ({ state: "blank", isSecureBoot });
const member = (isSecureBoot?: boolean): BootReading => ({ state: "member", isSecureBoot });

describe("a machine that a person has to boot", () => {
  it("is waited for until it waits with SecureBoot, and what to do is said once", async () => {
    const answers = [silent, new Error("no answer"), blank(false), foreign, blank(true)];
    const { said, live, failure, looks } = await wait(answers, { person: 30_000 });
    expect([failure, looks]).to.deep.equal(["", 5]);
    expect(said.filter((line) => line.includes("waits for a person"))).to.have.length(1);
    expect(said.join("\n"))
      .to.contain("delete the keys")
      .and.contain("npx hearth boot dev wk01")
      .and.contain("Enroll Secure Boot keys: auto");
    expect(live.at(2)).to.match(
      /Waiting for a person at wk01, .* at most: waits in maintenance mode, and has SecureBoot off/,
    );
  });

  it("needs nobody where it waits so already", async () => {
    expect(await wait([blank(true)]))
      .to.include({ failure: "", looks: 1 })
      .and.deep.include({ said: [] });
    expect(await wait([blank(false)], { isSecureBoot: false })).to.deep.include({ failure: "", said: [] });
  });

  for (const [what, answer, why] of [
    ["is silent", silent, "it does not answer"],
    ["is booted otherwise", blank(false), "it waits in maintenance mode, and has SecureBoot off"],
    ["does not say how it was booted", blank(), "does not say whether SecureBoot is on"],
    ["is another cluster's", foreign, "it answers with the certificate of another cluster"],
  ] as const)
    it(`is not configured while it ${what}, and the end of the wait says so and how to go on`, async () => {
      const { failure } = await wait([answer]);
      expect(failure)
        .to.contain("wk01 is out of service, and no other machine will be taken out")
        .and.contain(why)
        .and.contain("npx hearth boot dev wk01")
        .and.contain("run npx hearth deploy dev again");
    });

  it("is to be turned off where SecureBoot is on and not wanted", async () => {
    const { failure, said } = await wait([blank(true)], { isSecureBoot: false });
    expect(failure).to.contain("has SecureBoot on");
    expect(said.join()).to.contain("turn SecureBoot off").and.not.contain("Enroll");
  });

  it("was not wiped where it runs, and may run where an interrupted run configured it", async () => {
    for (const isOn of [true, false]) {
      const { failure, looks } = await wait([member(isOn)]);
      expect(failure).to.contain("wk01 answers as a machine of the cluster").and.contain("its reset failed");
      expect(looks).to.equal(1);
    }
    expect(await wait([member(true)], { mayRun: true })).to.include({ failure: "" });
    expect((await wait([member(false)], { mayRun: true })).failure).to.contain("has to be wiped");
  });

  it("is read from the line that says so", async () => {
    const { said } = await wait([blank(false)]);
    expect(said.map(personAwaitedIn)[0]).to.deep.equal({ machine: "wk01", isSecureBoot: true });
    expect(said.slice(1).flatMap((line) => personAwaitedIn(line) ?? [])).to.deep.equal([]);
  });
});
