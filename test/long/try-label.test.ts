import { readdir } from "node:fs/promises";

import { expect } from "chai";

import { LabCheckout } from "../support/lab-checkout.ts";
import { tryChange } from "../support/trial.ts";

describe("a trial of a label", () => {
  let checkout: LabCheckout;

  before(async () => {
    checkout = await LabCheckout.createSmall(73);
    await checkout.git("tag", "before");
  });

  after(() => checkout.remove());

  it("holds: nothing goes out of service, and the lab of the trial is gone afterwards", async () => {
    await checkout.edit("Pulumi.dev.yaml", (text) => text.replace("labels: { hearth", "labels: { a: b, hearth"));
    const { exitCode, answer, report, timeline, said } = await tryChange(checkout, "dev", "before");
    expect(exitCode, `${said}\n${report}`).to.equal(0);
    expect(answer?.outcome).to.equal("held");
    expect(answer?.parts.map(({ title, steps, refusal }) => ({ title, steps, refusal }))).to.deep.equal([
      { title: "The change", steps: [], refusal: undefined },
      { title: "Back", steps: [], refusal: undefined },
    ]);
    const [change] = answer?.parts ?? [];
    expect(change?.verdicts.map(({ what, measured }) => [what, measured])).to.deep.include.members([
      ["Machines, 3", "none was out of service"],
      ["The Kubernetes API, at the endpoint", "not gone"],
      ["etcd's quorum", "not gone"],
    ]);
    for (const what of ["Services of", "Tunnels and records", "Flux"])
      expect(change?.verdicts.find((verdict) => verdict.what.startsWith(what))?.isHeld, what).to.equal(true);
    expect(report).to.contain("with changes that are not committed").and.contain("It took no step");
    expect(timeline).to.contain("Kubernetes API").and.contain("etcd's quorum");
    expect(await readdir(checkout.file(".hearth", "try"))).to.deep.equal([]);
  });
});
