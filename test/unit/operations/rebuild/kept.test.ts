import { join } from "node:path";

import { expect } from "chai";

import { resourceTypes } from "../../../../components/resource-types.ts";
import type { EngineEvent, StepMetadata } from "../../../../lib/engine/events.ts";
import type { PulumiStack } from "../../../../lib/engine/pulumi-stack.ts";
import type { Target } from "../../../../lib/engine/target.ts";
import { judgeBy, noLoss, requireKept } from "../../../../operations/rebuild/kept.ts";
import { messageOf } from "../../../support/failure.ts";

const root = join(import.meta.dirname, "../../../..");
const { signal } = new AbortController();

const step = (op: string, type: string, name: string, change: Partial<StepMetadata> = {}): EngineEvent => ({
  resourcePreEvent: { metadata: { op, type, urn: `urn:pulumi:dev::hearth::${type}::${name}`, ...change } },
});

const disk = (name: string) => ({ interface: name, size: 100 });
/** A stack file that lacks the extra disk of a worker. */
const withoutDisk = (name: string): EngineEvent =>
  step("update", resourceTypes.virtualMachine, name, {
    old: { inputs: { disks: [disk("scsi0"), disk("scsi1")] } },
    new: { inputs: { disks: [disk("scsi0")] } },
  });

/** A stack whose preview says what is given, and maybe fails. */
const target = (events: EngineEvent[] = [], errors: string[] = []): Target => {
  const engine: Partial<PulumiStack> = {
    sealedState: () => Promise.resolve(JSON.stringify({ version: 3, deployment: { resources: [] } })),
    try: (_, { onEvent } = {}) => {
      for (const event of events) onEvent?.(event);
      const report = { errors };
      return Promise.resolve({ exitCode: errors.length, report, stderr: "" } as unknown as ReturnType<
        PulumiStack["try"]
      >);
    },
  };
  return { root, stack: "dev", engine } as unknown as Target;
};

const lost = (...machines: string[]) => ({ machines, isClusterLost: false });

describe("what a rebuild would lose beyond what is lost", () => {
  const judged = (events: EngineEvent[], loss = noLoss): Promise<string> => messageOf(judgeBy(target(), loss)(events));

  it("is a living worker's disk that the checkout lacks", async () => {
    expect(await judged([withoutDisk("wk01")], lost("wk03")))
      .to.contain("the volume of wk01 would be deleted")
      .and.to.contain("Take the checkout that was deployed last");
  });

  it("is a living machine that the checkout replaces or has no more, and a tunnel", async () => {
    for (const op of ["replace", "delete"]) {
      expect(await judged([step(op, resourceTypes.virtualMachine, "wk01")], lost("wk03"))).to.contain(
        "the machine wk01",
      );
    }
    expect(await judged([step("delete", resourceTypes.tunnel, "den-dev")])).to.contain("the tunnel den-dev");
  });

  it("is nothing of a machine that is lost, and nothing of a cluster that is", async () => {
    const plan = lost("wk03");
    await judgeBy(target(), plan)([withoutDisk("wk03"), step("replace", resourceTypes.virtualMachine, "wk03")]);
    const namespace = [step("delete", resourceTypes.namespace, "apps")];
    await judgeBy(target(), { machines: [], isClusterLost: true })(namespace);
    expect(await judged(namespace)).to.contain("the volume of apps");
  });

  it("is nothing where nothing that lives is replaced", async () => {
    await judgeBy(target(), noLoss)([step("create", resourceTypes.virtualMachine, "wk03")]);
  });
});

describe("a preview before anything is forgotten", () => {
  it("refuses losses, whether or not it comes to its end", async () => {
    for (const errors of [[], ["wk03: unable to replace resource: protected"]]) {
      expect(await messageOf(requireKept(target([withoutDisk("wk01")], errors), lost("wk03"), signal))).to.contain(
        "the volume of wk01",
      );
    }
  });

  it("lets a rebuild go on where it fails because of what is lost", async () => {
    await requireKept(target([], ["wk03: unable to replace resource: protected"]), lost("wk03"), signal);
  });
});
