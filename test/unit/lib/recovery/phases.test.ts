import { expect } from "chai";

import type { EngineEvent } from "../../../../lib/engine/events.ts";
import type { Operation, PulumiStack, RunOptions } from "../../../../lib/engine/pulumi-stack.ts";
import { build, settle, verify, type Phase, type Recovery } from "../../../../lib/recovery/phases.ts";
import { messageOf } from "../../../support/failure.ts";

const event: EngineEvent = { timestamp: 1 };

describe("an update of a recovery", () => {
  let ran: string[];
  let judged: (readonly EngineEvent[])[];
  let packs: (readonly string[] | undefined)[];

  /** Carries out a phase, where the engine only says what it was asked; the preview says one thing, and may fail. */
  const carryOut = (phase: Phase, { refusal, failure }: { refusal?: string; failure?: string } = {}): Promise<void> => {
    const run = ([command]: Operation, { onEvent, policyPacks }: RunOptions = {}) => {
      ran.push(command);
      packs.push(policyPacks);
      onEvent?.(event);
      if (failure !== undefined) return Promise.reject(new Error(failure));
      return Promise.resolve({ isUnchanged: phase === verify, changes: [], phases: new Map() });
    };
    const stack = { run, pulumi: { program: "pulumi", whole: () => ({}) } } as unknown as PulumiStack;
    const recovery = {
      stack,
      config: { cluster: { name: "den-dev" }, nodes: {} },
      plan: { recovers: false, loss: { machines: [], isClusterLost: false } },
      journal: { note: () => Promise.resolve(), update: () => Promise.resolve(), current: undefined },
      signal: new AbortController().signal,
      engine: { policyPacks: ["policy/pack"] },
      judge: (events: readonly EngineEvent[]) => {
        judged.push([...events]);
        return refusal === undefined ? Promise.resolve() : Promise.reject(new Error(refusal));
      },
    } as unknown as Recovery;
    return phase.run(recovery, () => undefined);
  };

  beforeEach(() => {
    ran = [];
    judged = [];
    packs = [];
  });

  for (const phase of [build, settle]) {
    it(`is previewed and judged first, and runs with the policies (${phase.name})`, async () => {
      await carryOut(phase);
      expect(ran).to.deep.equal(["preview", "up"]);
      expect(judged).to.deep.equal([[event]]);
      expect(packs).to.deep.equal([["policy/pack"], ["policy/pack"]]);
    });

    it(`does not happen where the judge refuses, or where the preview fails (${phase.name})`, async () => {
      expect(await messageOf(carryOut(phase, { refusal: "wk01 would lose a disk" }))).to.contain("wk01");
      expect(await messageOf(carryOut(phase, { refusal: "wk01 would lose a disk", failure: "protected" }))).to.contain(
        "wk01",
      );
      expect(await messageOf(carryOut(phase, { failure: "protected" }))).to.contain("protected");
      expect(ran).to.deep.equal(["preview", "preview", "preview"]);
    });
  }

  it("is verified without the policies, because the escrow may just have changed", async () => {
    await carryOut(verify);
    expect(packs).to.deep.equal([[]]);
  });
});
