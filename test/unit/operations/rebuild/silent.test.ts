import { expect } from "chai";

import type { FoundMachine } from "../../../../lib/recovery/plan.ts";
import { lookUntilKnown, withDeclaredLost, type Machines } from "../../../../operations/rebuild/silent.ts";

const plane = (state: FoundMachine["state"], hasEtcd = false): FoundMachine => ({
  role: "controlplane",
  state,
  hasEtcd,
});

/** Looks that find one thing after the other. */
const looks = (...found: FoundMachine[]) => {
  const left = [...found];
  let last: FoundMachine | undefined;
  return (): Promise<Machines> => {
    last = left.shift() ?? last;
    return Promise.resolve(Object.fromEntries(last ? [["cp01", last]] : []));
  };
};

const signal = new AbortController().signal;

describe("lookUntilKnown", () => {
  it("asks again while a machine does not answer or its etcd is starting, and says for how long", async () => {
    const said: string[] = [];
    const look = looks(plane("silent"), plane("member"), plane("member", true));
    const say = (names: string[], elapsed: number) => said.push(`${names.join(",")} ${String(elapsed >= 0)}`);
    const found = await lookUntilKnown({ look, timeout: 60_000, say, signal, pause: 1 });
    expect(found.cp01).to.deep.equal(plane("member", true));
    expect(said).to.deep.equal(["cp01 true", "cp01 true"]);
  });

  it("gives what it knows when the time is over", async () => {
    const look = looks(plane("silent"));
    const found = await lookUntilKnown({ look, timeout: 20, say: () => undefined, signal, pause: 5 });
    expect(found.cp01?.state).to.equal("silent");
  });
});

describe("withDeclaredLost", () => {
  it("takes a silent machine for lost where a person says so", () => {
    expect(withDeclaredLost({ cp01: plane("silent") }, ["cp01"]).cp01?.state).to.equal("absent");
  });

  it("refuses a machine that answers, and a name that is none", () => {
    expect(() => withDeclaredLost({ cp01: plane("member", true) }, ["cp01"])).to.throw("cp01 is not lost: it answers");
    expect(() => withDeclaredLost({ cp01: plane("foreign") }, ["cp01"])).to.throw("answers with a certificate");
    expect(() => withDeclaredLost({ cp01: plane("silent") }, ["cp1"])).to.throw("no node cp1");
  });
});
