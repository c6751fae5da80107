import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { resourceTypes } from "../../../../components/resource-types.ts";
import type { HearthConfig } from "../../../../infra/config/index.ts";
import type { Creation } from "../../../../lib/recovery/adoption/adopter.ts";
import { talosAdopters, type RecoveryNote, type TalosRecovery } from "../../../../lib/recovery/adoption/talos.ts";
import { Journal, type Entry } from "../../../../lib/recovery/journal.ts";
import { recoveryNote } from "../../../../lib/recovery/phases.ts";
import type { Plan } from "../../../../lib/recovery/plan.ts";
import { messageOf } from "../../../support/failure.ts";

const address = "127.43.0.11";

describe("what is remembered of etcd's beginning with a snapshot", () => {
  let folder: string;
  let noted: string[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "hearth-recovery-"));
    noted = [];
  });

  afterEach(() => rm(folder, { recursive: true }));

  /** Takes the bootstrap over, where talosctl is a script. */
  const bootstrap = async (script: string, hasBegun = false, change: Partial<TalosRecovery> = {}): Promise<unknown> => {
    const talosctl = join(folder, "talosctl");
    await writeFile(talosctl, `#!/bin/sh\n${script}\n`);
    await chmod(talosctl, 0o700);
    const recovery: RecoveryNote = { hasBegun, note: (how) => Promise.resolve(void noted.push(how)) };
    const asked = { roots: undefined, talosctl, snapshot: "etcd.db", recovery, isRunning: false, ...change };
    const adopters = talosAdopters(asked);
    const inputs = { node: address, clientConfiguration: {} };
    const creation = { name: "bootstrap", inputs, plan: () => Promise.resolve(inputs) } as unknown as Creation;
    return adopters[resourceTypes.bootstrap]?.(creation);
  };

  /** Does work while etcd listens. */
  const withEtcd = async <T>(work: () => Promise<T>, at = address): Promise<T> => {
    const server = createServer((socket) => socket.end());
    await new Promise<void>((resolve) => server.listen(2379, at, resolve));
    try {
      return await work();
    } finally {
      server.close();
    }
  };

  it("is that it began, and then that it did", async () => {
    await bootstrap("exit 0");
    expect(noted).to.deep.equal(["begun", "recovered"]);
  });

  it("is no recovery where the machine refuses", async () => {
    const refusal = "error: AlreadyExists: etcd data directory is not empty";
    expect(await messageOf(bootstrap(`echo '${refusal}' >&2; exit 1`))).to.contain("not empty");
    expect(noted).to.deep.equal(["begun"]);
  });

  it("is a recovery where etcd is there after a run that was killed meanwhile, and none where none had begun", async () => {
    await withEtcd(() => bootstrap("exit 1", true));
    expect(noted).to.deep.equal(["recovered"]);
    noted = [];
    await withEtcd(() => bootstrap("exit 1"));
    expect(noted).to.deep.equal([]);
  });

  it("is no recovery where another control plane has an etcd: no second one is begun, with a snapshot or without", async () => {
    const other = "127.43.0.12";
    const controlPlanes = [address, other];
    for (const snapshot of ["etcd.db", undefined]) {
      expect(await withEtcd(() => bootstrap("exit 1", true, { controlPlanes, snapshot }), other)).to.include({
        id: "machine_bootstrap",
      });
    }
    expect(noted).to.deep.equal([]);
    expect(await bootstrap("exit 1", false, { controlPlanes, snapshot: undefined })).to.equal(undefined);
  });

  it("counts before it is done only on a machine that is proven to be empty", async () => {
    const plan = (machines: string[]): Plan => ({
      case: "machines",
      loss: { machines, isClusterLost: true },
      ...{ wipes: [], recovers: true, losesVolumes: true },
    });
    const config = { nodes: { cp01: { role: "controlplane" } } } as unknown as HearthConfig;
    const begun = async (machines: string[], change: Partial<Entry>): Promise<Entry["recovery"]> => {
      const journal = await Journal.open(join(folder, "journal.json"));
      await journal.begin({ version: 1, stack: "dev", begun: "", plan: plan(machines), done: {}, ...change });
      await recoveryNote({ journal, config, plan: plan(machines) }).note("begun");
      return journal.current?.recovery;
    };
    expect(await begun(["cp01"], {})).to.equal("begun");
    expect(await begun([], { wiped: ["cp01"] })).to.equal("begun");
    expect(await begun(["cp01"], { declared: ["cp01"] })).to.equal(undefined);
    expect(await begun([], {})).to.equal(undefined);
  });
});
