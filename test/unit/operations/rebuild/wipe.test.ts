import { expect } from "chai";

import { messageOf } from "../../../support/failure.ts";
import type { FoundMachine } from "../../../../lib/recovery/plan.ts";
import type { Machines } from "../../../../operations/rebuild/silent.ts";
import { wipeEtcd, type Wiping } from "../../../../operations/rebuild/wipe.ts";

const plane = (change: Partial<FoundMachine> = {}): FoundMachine => ({
  role: "controlplane",
  state: "member",
  hasEtcd: true,
  hasLeader: false,
  keepsCeph: false,
  ...change,
});
const gone = plane({ state: "silent", hasEtcd: false, hasLeader: undefined });

/** cp02 is left of three; after its reset it has nothing. */
const leftOfThree = (change: Partial<Machines> = {}): Machines => ({
  cp01: gone,
  cp02: plane(),
  cp03: gone,
  ...change,
});

describe("wipeEtcd", () => {
  let did: string[];

  /** Wipes, where the machines are found as given one look after the other; what was reset has no data. */
  const wipe = (found: Machines[], change: Partial<Wiping> = {}): Promise<void> => {
    const left = [...found];
    let last: Machines = {};
    return wipeEtcd({
      names: ["cp02"],
      lost: ["cp01", "cp03"],
      lostData: [],
      begun: [],
      look: () => {
        last = left.shift() ?? last;
        const reset = did.flatMap((each) => (each.startsWith("reset ") ? [each.slice(6)] : []));
        const booting = { state: "silent", hasEtcd: false, hasLeader: undefined } as const;
        const now = Object.entries(last).map(([name, each]) => [
          name,
          reset.includes(name) ? { ...each, ...booting } : each,
        ]);
        return Promise.resolve(Object.fromEntries(now) as Machines);
      },
      note: (name) => Promise.resolve(void did.push(`note ${name}`)),
      reset: (name) => Promise.resolve(void did.push(`reset ${name}`)),
      say: () => undefined,
      signal: new AbortController().signal,
      pause: 1,
      ...change,
    });
  };

  beforeEach(() => {
    did = [];
  });

  it("resets what is left without a quorum, and notes it first", async () => {
    await wipe([leftOfThree()]);
    expect(did).to.deep.equal(["note cp02", "reset cp02"]);
  });

  it("goes on with the others after one was reset", async () => {
    const ofFive = { ...leftOfThree({ cp04: plane(), cp05: gone }) };
    await wipe([ofFive], { names: ["cp02", "cp04"], lost: ["cp01", "cp03", "cp05"], begun: ["cp02"] });
    expect(did).to.deep.equal(["reset cp02", "note cp04", "reset cp04"]);
  });

  it("resets nothing while the others make a quorum with it, however late they come back", async () => {
    const led = leftOfThree({ cp02: plane({ hasLeader: true }) });
    expect(await messageOf(wipe([led])))
      .to.contain("etcd on cp02 has a leader")
      .and.to.contain("--restart");
    expect(await messageOf(wipe([leftOfThree(), leftOfThree(), led]))).to.contain("has a leader");
    const back = leftOfThree({ cp03: plane({ hasLeader: undefined, hasEtcd: undefined }) });
    expect(await messageOf(wipe([back]))).to.contain("cp03, which was taken for lost, answers as a member");
    expect(did).to.deep.equal([]);
  });

  it("resets nothing where etcd's state is not known, there or on another one that is kept", async () => {
    for (const unknown of [{ hasLeader: undefined }, { hasEtcd: undefined }, { state: "silent" as const }]) {
      await messageOf(wipe([leftOfThree({ cp02: plane(unknown) })]));
    }
    const other = leftOfThree({ cp03: plane({ hasEtcd: undefined }) });
    expect(await messageOf(wipe([other], { lost: ["cp01"] }))).to.contain("Nobody knows how etcd on cp03 is");
    expect(did).to.deep.equal([]);
  });

  it("resets nothing with data of Ceph, or where that is not known, unless a person said so", async () => {
    for (const keepsCeph of [true, undefined]) {
      expect(await messageOf(wipe([leftOfThree({ cp02: plane({ keepsCeph }) })]))).to.contain("--lost-data cp02");
    }
    expect(did).to.deep.equal([]);
    await wipe([leftOfThree({ cp02: plane({ keepsCeph: true }) })], { lostData: ["cp02"] });
    expect(did).to.deep.equal(["note cp02", "reset cp02"]);
  });

  it("resets no machine again that has no data any more", async () => {
    await wipe([leftOfThree({ cp02: plane({ hasEtcd: undefined, hasLeader: undefined }) })], { begun: ["cp02"] });
    await wipe([leftOfThree({ cp02: gone })], { begun: ["cp02"] });
    expect(did).to.deep.equal([]);
  });
});
