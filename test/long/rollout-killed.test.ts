import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { expect } from "chai";

import { Display } from "../../lib/terminal/display.ts";
import { Clone } from "../../operations/try/clone.ts";
import { removeLab } from "../../operations/try/leftover.ts";
import { Trial } from "../../operations/try/trial.ts";
import { LabCheckout } from "../support/lab-checkout.ts";

describe("a rollout on three control planes that is killed at each boundary", () => {
  let checkout: LabCheckout;
  let folder: string;

  before(async () => {
    checkout = await LabCheckout.createSmallProd(79);
    folder = checkout.file(".hearth", "try", "prod");
  });

  after(async () => {
    await removeLab(checkout.path, folder, "prod");
    await checkout.remove();
  });

  it("is gone on with from a fresh clone, and never takes two machines out", async () => {
    await mkdir(join(folder, ".."), { recursive: true });
    const clone = await Clone.create(checkout.path, folder, "prod");
    const base = await checkout.git("rev-parse", "HEAD");
    const change = await clone.edited(base, "Upgrade Talos", (text) =>
      text.replace("talos: v1.13.9", "talos: v1.13.10"),
    );
    const log = checkout.file(".hearth", "killed.log");
    const { signal } = new AbortController();
    const trial = new Trial({ stack: "prod", clone, display: new Display(), signal, log });
    try {
      await trial.bringUp(base);
      const kills = [0, 1, 2, 3].map((done) => ({ done, after: 0 }));
      const { part } = await trial.deploy("The change", change, kills);
      expect(part.refusal).to.equal(undefined);
      expect(part.title).to.equal("The change, killed 4 times");
      expect(part.steps.filter(({ isDone }) => isDone)).to.have.length(3);
      const [machines, ...others] = part.verdicts.slice(0, 3);
      expect(machines).to.deep.include({ isHeld: true, what: "Machines, 3" });
      expect(machines?.measured).to.match(/^1 at once at most; /);
      for (const { what, isHeld, why } of others) expect(isHeld, `${what}: ${why.join()}`).to.equal(true);
    } finally {
      trial.end();
    }
  });
});
