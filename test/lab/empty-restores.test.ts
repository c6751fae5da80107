import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";

import { expect } from "chai";
import { execa } from "execa";
import { parse, parseAllDocuments } from "yaml";

import { substitute } from "../../components/gitops/substitute.ts";
import { moduleFolder } from "../../toolchain/modules.ts";
import { type ControlPlane, startControlPlane } from "../support/control-plane.ts";
import { labPrograms } from "../support/lab-programs.ts";
import { eventually } from "../support/lab-process.ts";

const root = join(import.meta.dirname, "../..");
const policy = "gitops/infrastructure/backup/volsync/app/empty-restores.yaml";
const component = "gitops/components/volsync/restore.yaml";

interface Manifest {
  metadata: { name: string; annotations?: Record<string, string> };
  spec: unknown;
}

/** What an app's ReplicationDestination is, with the component's defaults unless told otherwise. */
const destination = async (app: string, variables: Record<string, string> = {}): Promise<Manifest> => {
  const text = await readFile(join(root, component), "utf8");
  const environment = { storage_class: "replicated", storage_class_disposable: "disposable", snapshot_class: "ceph" };
  return parse(substitute(text, { app, ...environment, ...variables })) as Manifest;
};

describe("the policy against empty restores", () => {
  let folder: string;
  let volsync: string;
  let restic: string;
  let cluster: ControlPlane;
  const endings: (() => Promise<unknown>)[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "hearth-empty-restores-"));
    endings.push(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
    volsync = await moduleFolder(join(root, "toolchain/charts"), "github.com/backube/volsync");
    ({ restic = "restic" } = await labPrograms("restic"));
    cluster = await startControlPlane(join(folder, "control-plane"), "127.94.0.1");
    endings.push(() => cluster.stop());
    const definitions = join(volsync, "config/crd/bases");
    for (const file of await readdir(definitions)) {
      if (file.endsWith(".yaml")) await cluster.kubectl(["create", "-f", join(definitions, file)]);
    }
    for (const document of parseAllDocuments(await readFile(join(root, policy), "utf8"))) {
      await cluster.apply(document.toJS() as object);
    }
    await eventually("VolSync's objects are served", () => cluster.kubectl(["get", "replicationdestinations"]));
    await eventually("the policy holds", async () => {
      const probe = `probe-${Date.now().toString()}`;
      await cluster.apply(await destination(probe));
      return (await offer(probe, "")).refused !== undefined;
    });
  });

  after(async () => {
    for (const end of endings.toReversed()) await end();
  });

  /** Runs VolSync's own mover, and gives what VolSync's controller would put in the status of its log. */
  const mover = async (operation: "backup" | "restore", repository: string, data: string): Promise<string> => {
    const { all, exitCode } = await execa("bash", [join(volsync, "mover-restic/entry.sh"), operation], {
      all: true,
      reject: false,
      env: {
        PATH: [dirname(restic), process.env.PATH].join(delimiter),
        PRIVILEGED_MOVER: "0",
        RESTIC_CACHE_DIR: join(folder, "cache"),
        RESTIC_PASSWORD: "test",
        RESTIC_REPOSITORY: repository,
        RESTORE_OPTIONS: "--delete",
        DATA_DIR: data,
      },
    });
    expect(exitCode, all).to.equal(0);
    const kept = await logFilter(volsync);
    const filtered = all.split("\n").filter((line) => kept.test(line));
    // Source: backube/volsync, internal/controller/utils/podlogs.go: the last KiB.
    return filtered.join("\n").slice(-1024);
  };

  /** Does to an object's status what VolSync does when its mover has ended, and tells what the API server answers. */
  const offer = async (app: string, logs: string, at = new Date().toISOString()): Promise<{ refused?: string }> => {
    const status = async (change: object): Promise<void> => {
      await cluster.kubectl([
        ...["patch", "replicationdestination", app, "--subresource=status", "--type=merge"],
        ...["-p", JSON.stringify({ status: change })],
      ]);
    };
    // The log is there before the snapshot of the volume is.
    await status({ lastSyncStartTime: at, latestMoverStatus: { result: "Successful", logs } });
    try {
      await status({
        lastSyncTime: at,
        lastSyncDuration: "5s",
        latestImage: { kind: "VolumeSnapshot", name: `${app}-dest`, apiGroup: "snapshot.storage.k8s.io" },
      });
      return {};
    } catch (error) {
      return { refused: String((error as { stderr?: string }).stderr) };
    }
  };

  const folders = async (name: string): Promise<{ repository: string; source: string; data: string }> => {
    // VolSync picks the snapshots whose path has /data in it.
    const paths = { source: join(folder, name, "source/data"), data: join(folder, name, "data") };
    for (const path of Object.values(paths)) await mkdir(path, { recursive: true });
    await chmod(paths.data, 0o755);
    return { ...paths, repository: join(folder, name, "repository") };
  };

  it("refuses a volume from a repository without a snapshot, which VolSync calls a success", async () => {
    const { repository, data } = await folders("empty");
    const log = await mover("restore", repository, data);
    expect(log).to.contain("No data will be restored");
    await cluster.apply(await destination("empty"));
    const { refused } = await offer("empty", log);
    expect(refused)
      .to.contain("the restore of default/empty found no snapshot and is refused")
      .and.contain("No eligible snapshots found");
    const stored = await cluster.get<{ status: { latestImage?: object } }>("replicationdestination", "empty");
    expect(stored?.status).to.not.have.property("latestImage");
  });

  it("lets a volume through whose data was restored", async () => {
    const { repository, source, data } = await folders("full");
    await writeFile(join(source, "books.sqlite"), "a library");
    await mover("backup", repository, source);
    const log = await mover("restore", repository, data);
    expect(await readFile(join(data, "books.sqlite"), "utf8")).to.equal("a library");
    await cluster.apply(await destination("full"));
    expect(await offer("full", log)).to.deep.equal({});
  });

  it("refuses a volume of which VolSync could not read the log", async () => {
    await cluster.apply(await destination("silent"));
    expect((await offer("silent", "")).refused).to.contain("found no snapshot");
  });

  it("lets a volume begin empty until the day that its app names, and not from then on", async () => {
    const { repository, data } = await folders("first");
    const log = await mover("restore", repository, data);
    await cluster.apply(await destination("first", { empty_until: "2027-01-31" }));
    expect(await offer("first", log, "2027-01-30T23:59:59Z")).to.deep.equal({});
    await cluster.apply(await destination("late", { empty_until: "2027-01-31" }));
    expect((await offer("late", log, "2027-01-31T00:00:01Z")).refused).to.contain("found no snapshot");
  });

  it("says what is wrong with a day that is none", async () => {
    await cluster.apply(await destination("typo", { empty_until: "soon" }));
    expect((await offer("typo", "No eligible snapshots found")).refused).to.contain("timestamp");
  });

  it("lets every other change of a status be", async () => {
    await cluster.apply(await destination("busy"));
    await cluster.kubectl([
      ...["patch", "replicationdestination", "busy", "--subresource=status", "--type=merge"],
      ...["-p", JSON.stringify({ status: { latestMoverStatus: { result: "Failed", logs: "Fatal: no network" } } })],
    ]);
  });
});

/** Which lines VolSync keeps of its mover's log, as its source says. */
const logFilter = async (volsync: string): Promise<RegExp> => {
  const source = await readFile(join(volsync, "internal/controller/mover/restic/logfilter.go"), "utf8");
  const parts = [...source.matchAll(/`([^`]+)`/g)].map(([, part = ""]) => part);
  expect(parts).to.not.be.empty;
  return new RegExp(parts.join(""));
};
