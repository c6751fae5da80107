import { expect } from "chai";

import { Problem } from "../../../../toolchain/problem.ts";
import { requireRecoverable, type Openings } from "../../../../operations/rehearse/proof.ts";
import { anEscrow } from "../../../support/escrow.ts";
import { messageOf } from "../../../support/failure.ts";

const needed = { escrow: anEscrow(), snapshot: "new.db.age" };

describe("requireRecoverable", () => {
  let given: (readonly string[])[];

  const openings = (change: Partial<Openings> = {}): Openings => ({
    escrow: () => Promise.resolve(anEscrow()),
    snapshot: (more) => {
      given.push(more);
      return Promise.resolve("new.db.age");
    },
    ...change,
  });

  beforeEach(() => {
    given = [];
  });

  it("opens the snapshot with the keys that a rebuild will have after that loss", async () => {
    for (const loss of ["machines", "all", "state"] as const) await requireRecoverable(loss, openings(), needed);
    expect(given).to.deep.equal([[], [anEscrow().ageIdentity]]);
  });

  it("fails where the escrow does not open, or holds something else than the state", async () => {
    const closed = openings({ escrow: () => Promise.reject(new Problem("No key at hand opens it")) });
    expect(await messageOf(requireRecoverable("all", closed, needed))).to.contain("No key at hand");
    const other = openings({ escrow: () => Promise.resolve(anEscrow({ webhookToken: "another" })) });
    for (const loss of ["machines", "all", "state"] as const) {
      expect(await messageOf(requireRecoverable(loss, other, needed))).to.contain("Nothing was destroyed: the escrow");
    }
  });

  it("fails where the snapshot does not open, or is an older one", async () => {
    const closed = openings({ snapshot: () => Promise.reject(new Problem("No identity at hand opens it")) });
    expect(await messageOf(requireRecoverable("machines", closed, needed))).to.contain("No identity at hand");
    const older = openings({ snapshot: () => Promise.resolve("old.db.age") });
    expect(await messageOf(requireRecoverable("all", older, needed))).to.contain("the newest snapshot is old.db.age");
  });
});
