import { expect } from "chai";

import { listed, quorumBy } from "../../../../operations/try/asks.ts";
import type { Reading } from "../../../../operations/try/prober.ts";

describe("what is asked of a lab", () => {
  it("takes etcd's answer through any API server, and knows nothing where none answers", () => {
    expect(quorumBy([undefined, 500, 200])).to.equal("up");
    expect(quorumBy([undefined, 500])).to.equal("down");
    expect(quorumBy([undefined, undefined])).to.equal("unknown");
    expect(quorumBy([])).to.equal("unknown");
  });

  it("knows nothing of what a list had where the list cannot be had, and takes nothing for gone by that", async () => {
    const node = (name: string): Reading => ({ kind: "node", name, is: "up" });
    const answers: (Reading[] | Error)[] = [[node("a"), node("b")], new Error("timeout"), [node("b")]];
    const ask = listed(() => {
      const [next = []] = answers.splice(0, 1);
      return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
    }, "down");
    const states = async () => (await ask()).map(({ name, is }) => `${name} ${is}`).sort();
    expect(await states()).to.deep.equal(["a up", "b up"]);
    expect(await states()).to.deep.equal(["a unknown", "b unknown"]);
    expect(await states()).to.deep.equal(["a down", "b up"]);
  });
});
