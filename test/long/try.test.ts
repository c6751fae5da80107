import { expect } from "chai";

import { LabCheckout, type Stack } from "../support/lab-checkout.ts";
import { tryChange, type Tried } from "../support/trial.ts";

/** The first one is that of the trial in test/lab, which does not run at the same time. */
const octets = { prod: 73, dev: 74 };

/** What did not hold, with the report where something did not. */
const expectHeld = ({ exitCode, answer, report, said }: Tried): void => {
  expect(exitCode, `${said}\n${report}`).to.equal(0);
  expect(answer?.outcome).to.equal("held");
};

/** What was measured of something in the change. */
const measured = ({ answer }: Tried, what: string): string | undefined =>
  answer?.parts[0]?.verdicts.find((verdict) => verdict.what.startsWith(what))?.measured;

const stepsOf = ({ answer }: Tried, part: number): string[] =>
  answer?.parts[part]?.steps.flatMap(({ name, isDone }) => (isDone ? [name] : [])) ?? [];

describe("a trial", () => {
  let checkout: LabCheckout;

  /** Tries one change of the stack file. */
  const tried = async (stack: Stack, message: string, change: (text: string) => string, ...flags: string[]) => {
    await checkout.git("checkout", "--quiet", "-B", "change", "before");
    await checkout.edit(`Pulumi.${stack}.yaml`, change);
    await checkout.commit(message);
    return tryChange(checkout, stack, "before", ...flags);
  };

  afterEach(() => checkout.remove());

  describe("with one control plane", () => {
    beforeEach(async () => {
      checkout = await LabCheckout.createSmall(octets.dev);
      await checkout.git("tag", "before");
    });

    it("of a patch release of Talos holds, machine by machine, there and back", async () => {
      const release = await tried("dev", "Upgrade Talos", (text) => text.replace("talos: v1.13.9", "talos: v1.13.10"));
      expectHeld(release);
      const machines = ["talos/den-dev-cp01", "talos/den-dev-wk01", "talos/den-dev-wk02"];
      expect(stepsOf(release, 0)).to.deep.equal(machines);
      expect(stepsOf(release, 1)).to.deep.equal(machines);
      expect(measured(release, "Machines")).to.match(/^1 at once at most; .*den-dev-cp01 for/);
      expect(measured(release, "The Kubernetes API")).to.match(/^gone for/);
    });

    it("of a change that must not be merged says why in the command's words", async () => {
      const refused = await tried("dev", "Move the endpoint", (text) =>
        text.replaceAll(`10.${octets.dev}.0.10`, `10.${octets.dev}.0.9`),
      );
      expect(refused.exitCode, refused.report).to.equal(1);
      expect(refused.answer?.outcome).to.equal("refused");
      expect(refused.answer?.parts).to.have.length(1);
      expect(refused.answer?.parts[0]?.refusal).to.contain("is in no certificate yet");
      expect(measured(refused, "Machines")).to.equal("none was out of service");
      expect(measured(refused, "The Kubernetes API")).to.equal("not gone");
    });
  });

  describe("with three control planes", () => {
    it("of a patch release of Talos keeps the API behind the VIP and the quorum", async () => {
      checkout = await LabCheckout.createSmallProd(octets.prod);
      await checkout.git("tag", "before");
      const release = await tried(
        "prod",
        "Upgrade Talos",
        (text) => text.replace("talos: v1.13.9", "talos: v1.13.10"),
        "--no-back",
      );
      expectHeld(release);
      expect(stepsOf(release, 0)).to.have.length(3);
      expect(measured(release, "Machines")).to.match(/^1 at once at most; /);
    });
  });
});
