import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import type { Target } from "../../../../lib/engine/target.ts";
import type { Entry } from "../../../../lib/recovery/journal.ts";
import { rebuild, type RebuildOptions } from "../../../../operations/rebuild/command.ts";
import { exclusively } from "../../../../operations/rebuild/exclusive.ts";
import { messageOf } from "../../../support/failure.ts";

const pending: Entry = {
  version: 1,
  stack: "dev",
  begun: new Date(Date.now() - 3_600_000).toISOString(),
  plan: {
    case: "machines",
    loss: { machines: ["cp01", "cp03"], isClusterLost: true },
    wipes: ["cp02"],
    recovers: true,
    losesVolumes: false,
  },
  done: { leave: 1 },
  processes: [process.pid],
};

describe("rebuild", () => {
  let root: string;
  let journal: string;
  let asked: string[];

  /** Runs the command where touching anything but the journal fails. */
  const run = (change: Partial<RebuildOptions>, isAgreed = false, there: object = {}) =>
    rebuild(
      {
        root,
        stack: "dev",
        engine: undefined,
        config: () => Promise.resolve({}),
        ...there,
      } as unknown as Target,
      {
        ...{ escrow: undefined, identities: [], snapshot: undefined, desiredCase: undefined, lost: [], timeout: 0 },
        ...{ isPlanOnly: false, isRestart: false, signal: new AbortController().signal },
        confirm: (question) => {
          asked.push(question);
          return Promise.resolve(isAgreed);
        },
        confirmLoss: (what) => {
          asked.push(`loss: ${what}`);
          return Promise.resolve(isAgreed);
        },
        ...change,
      },
    );

  const begin = (entry: Entry): Promise<void> => writeFile(journal, JSON.stringify(entry));

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "hearth-rebuild-"));
    journal = join(root, ".hearth", "rebuild-dev.json");
    await mkdir(join(root, ".hearth"));
    asked = [];
  });

  afterEach(() => rm(root, { recursive: true }));

  it("changes nothing with --plan, and carries out nothing that an older journal has pending", async () => {
    await begin(pending);
    expect(await run({ isPlanOnly: true }, true)).to.deep.equal({});
    expect(asked).to.deep.equal([]);
    expect(JSON.parse(await readFile(journal, "utf8"))).to.deep.equal(pending);
  });

  it("wants the stack's name again before it goes on with wiping", async () => {
    await begin(pending);
    expect(await run({})).to.deep.equal({});
    expect(asked).to.have.length(1);
    expect(asked[0]).to.match(/^loss: This wipes what is left of etcd on cp02/);
    expect(JSON.parse(await readFile(journal, "utf8"))).to.deep.equal(pending);
  });

  it("asks before it goes on with what destroys nothing any more", async () => {
    await begin({ ...pending, done: { leave: 1, wipe: 9 } });
    expect(await run({})).to.deep.equal({});
    expect(asked).to.deep.equal(["Go on with it?"]);
  });

  it("keeps the journal of a takeover until another plan takes its place, because only that tells that the state is not whole", async () => {
    for (const which of ["state", "all", "machines"] as const) {
      await begin({ ...pending, plan: { ...pending.plan, case: which }, processes: [] });
      // It ends where it looks for its tools, which are not here.
      expect(await messageOf(run({ isRestart: true }, true))).to.contain("go.mod");
      expect(existsSync(journal), which).to.equal(which !== "machines");
    }
  });

  it("goes on with no plan of another checkout, and forgets it with none", async () => {
    const machines = [{ name: "cp02", address: "10.20.0.12", role: "controlplane" as const }];
    const config = () => Promise.resolve({ nodes: { cp01: { role: "controlplane", address: "10.20.0.11" } } });
    for (const change of [{}, { isRestart: true }, { isPlanOnly: true }]) {
      await begin({ ...pending, machines });
      expect(await messageOf(run(change, true, { config }))).to.contain("cp02: was deployed as a control plane");
      expect(JSON.parse(await readFile(journal, "utf8"))).to.deep.equal({ ...pending, machines });
    }
  });

  it("takes no case beside a plan that is pending", async () => {
    await begin(pending);
    expect(await messageOf(run({ desiredCase: "all" }, true))).to.contain("give --restart with it");
    expect(JSON.parse(await readFile(journal, "utf8"))).to.deep.equal(pending);
  });

  it("does nothing while another rebuild of the stack runs, and ends nothing of it", async () => {
    await begin(pending);
    const message = await exclusively(
      {
        ...{ lock: `${journal}.lock`, stack: "dev", signal: new AbortController().signal, print: () => undefined },
        leases: () => Promise.resolve([]),
      },
      () => messageOf(run({}, true)),
    );
    expect(message).to.contain(`A rebuild of dev is under way, process ${process.pid.toString()}`);
    expect(JSON.parse(await readFile(journal, "utf8"))).to.deep.equal(pending);
    expect(existsSync(`${journal}.lock`)).to.equal(false);
  });

  it("takes no lock over of which it cannot see whether its owner is gone", async () => {
    await begin(pending);
    await writeFile(`${journal}.lock`, "4711 1 another-computer boot namespace token");
    expect(await messageOf(run({}, true))).to.contain("process 4711");
    expect(existsSync(`${journal}.lock`)).to.equal(true);
  });
});
