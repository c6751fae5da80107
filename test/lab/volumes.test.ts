import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect } from "chai";

import { moduleFolder } from "../../toolchain/modules.ts";
import { type ControlPlane, addNode, startControlPlane } from "../support/control-plane.ts";
import { labData, labPrograms } from "../support/lab-programs.ts";
import { type LabFolder, type LabProcess, accepts, eventually, labFolder, startLab } from "../support/lab-process.ts";

const root = join(import.meta.dirname, "../..");
const address = "127.92.9.1";
const image = "quay.io/backube/volsync:0.16.0";
const bucket = {
  address: `${address}:9443`,
  host: "s3.example.com",
  name: "backups",
  accessKey: "volumes-test",
  secretKey: "volumes-test-secret",
  region: "us-east-1",
};

interface Claim {
  spec: { volumeName?: string };
  status: { phase: string };
}

interface Volume {
  metadata: { annotations: Record<string, string> };
  spec: { csi: object; persistentVolumeReclaimPolicy: string };
}

const metadata = (name: string): { name: string; namespace: string } => ({ name, namespace: "default" });

/** A claim of the class that the lab's storage serves, which begins as a copy where a source is given. */
const claim = (name: string, dataSourceRef?: object): object => ({
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: metadata(name),
  spec: {
    storageClassName: "replicated",
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage: "1Gi" } },
    ...(dataSourceRef !== undefined && { dataSourceRef }),
  },
});

const snapshot = (name: string, persistentVolumeClaimName: string): object => ({
  apiVersion: "snapshot.storage.k8s.io/v1",
  kind: "VolumeSnapshot",
  metadata: metadata(name),
  spec: { volumeSnapshotClassName: "ceph", source: { persistentVolumeClaimName } },
});

/** A pod that runs a line of bash where a claim is mounted at /data. */
const shell = (name: string, claimName: string, line: string): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: metadata(name),
  spec: {
    restartPolicy: "Never",
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name: "bash",
        image,
        command: ["/bin/bash"],
        args: ["-c", line],
        volumeMounts: [
          { name: "volume", mountPath: "/data" },
          { name: "temporary", mountPath: "/tmp" },
        ],
      },
    ],
    volumes: [
      { name: "volume", persistentVolumeClaim: { claimName } },
      { name: "temporary", emptyDir: {} },
    ],
  },
});

describe("the lab's volumes that hold data", () => {
  let cluster: ControlPlane;
  let folder: LabFolder;
  let lab: LabProcess;
  const undo: (() => Promise<unknown>)[] = [];

  before(async () => {
    const programs = await labPrograms("kwok", "volsync", "restic", "versitygw");
    const volsync = await moduleFolder(join(root, "toolchain/charts"), "github.com/backube/volsync");
    folder = await labFolder({ internet: { proxy: `${address}:8128` }, bucket });
    undo.push(folder.remove);
    cluster = await startControlPlane(join(folder.dir, "control-plane"), address);
    undo.push(cluster.stop);
    await define(cluster, join(volsync, "config/crd/bases"));
    const snapshotter = "github.com/kubernetes-csi/external-snapshotter/client/v8";
    await define(cluster, join(await moduleFolder(join(root, "toolchain/charts"), snapshotter), "config/crd"));
    await cluster.apply(...classes);
    const config = JSON.parse(await readFile(folder.config, "utf8")) as Record<string, unknown>;
    config.programs = programs;
    config.data = { ...(await labData()), volsync };
    await writeFile(folder.config, JSON.stringify(config));
    // A machine that Talos is installed on, as far as the storage looks at it.
    await mkdir(join(folder.dir, "machines/cp01/var"), { recursive: true });
    await addNode(cluster, { name: "cp01", address: "127.92.10.1", podCIDR: "10.98.0.0/24", ready: true });
    for (const part of ["internet", "bucket"]) {
      const { stop } = await startLab(part, folder.config);
      undo.push(stop);
    }
    await eventually("the bucket listens", () => accepts(bucket.address));
    lab = await startLab("pods", folder.config, ["--kubeconfig", cluster.kubeconfig]);
    undo.push(() => lab.stop());
  });

  after(async () => {
    for (const each of undo.toReversed()) await each();
  });

  const volumeOf = async (name: string): Promise<string> =>
    eventually(
      `the claim ${name} is bound`,
      async () => {
        const found = await cluster.get<Claim>("persistentvolumeclaim", name);
        return found?.status.phase === "Bound" && found.spec.volumeName;
      },
      180,
    );
  const fileIn = async (name: string, file: string): Promise<string> =>
    readFile(join(folder.dir, "storage/volumes", await volumeOf(name), "data", file), "utf8");
  /** Runs a line of bash in a pod, and gives what it printed. */
  const run = async (name: string, claimName: string, line: string): Promise<string> => {
    await cluster.apply(shell(name, claimName, line));
    await eventually(`the pod ${name} has succeeded`, async () => {
      const pod = await cluster.get<{ status: { phase: string } }>("pod", name);
      return pod?.status.phase === "Succeeded";
    });
    return cluster.kubectl(["logs", name]);
  };

  it("are folders into which pods write", async () => {
    await cluster.apply(claim("books"));
    const said = await run(
      "writer",
      "books",
      `echo a library >/data/list && cp "/data/list" '/tmp/copy' && cat /tmp/copy`,
    );
    expect(said).to.equal("a library\n");
    expect(await fileIn("books", "list")).to.equal("a library\n");
  });

  it("show of a pod what it said itself, whatever one of its name said without ending the line", async () => {
    expect(await run("sayer", "books", "printf one")).to.equal("one");
    await cluster.kubectl(["delete", "pod/sayer", "--wait=true"]);
    expect(await run("sayer", "books", "true")).to.equal("");
  });

  it("look like those of the class's CSI driver", async () => {
    const name = await volumeOf("books");
    const { metadata, spec } = (await cluster.get<Volume>("persistentvolume", name)) ?? {};
    expect(metadata?.annotations).to.include({ "pv.kubernetes.io/provisioned-by": "rook-ceph.rbd.csi.ceph.com" });
    expect(spec?.csi).to.deep.include({ driver: "rook-ceph.rbd.csi.ceph.com", volumeHandle: name });
    expect(spec?.persistentVolumeReclaimPolicy).to.equal("Delete");
  });

  it("are copied by snapshots, and come back from them", async () => {
    await cluster.apply(snapshot("shelf", "books"));
    await eventually("the snapshot is ready", async () => {
      const found = await cluster.get<{ status?: { readyToUse?: boolean } }>("volumesnapshot", "shelf");
      return found?.status?.readyToUse;
    });
    await run("eraser", "books", "rm /data/list");
    await cluster.apply(claim("again", { apiGroup: "snapshot.storage.k8s.io", kind: "VolumeSnapshot", name: "shelf" }));
    expect(await fileIn("again", "list")).to.equal("a library\n");
  });

  it("go with their claims, and snapshots with theirs", async () => {
    const name = await volumeOf("again");
    await cluster.kubectl(["delete", "volumesnapshot/shelf", "pvc/again"]);
    await eventually("their folders are gone", async () => {
      const snapshots = await readdir(join(folder.dir, "storage/snapshots"));
      const volumes = await readdir(join(folder.dir, "storage/volumes"));
      return snapshots.length === 0 && !volumes.includes(name);
    });
    expect(await cluster.kubectl(["get", "volumesnapshotcontents", "-o", "name"])).to.equal("");
  });

  it("are backed up to the bucket by VolSync, and restored from it into a claim that is made anew", async () => {
    await run("author", "books", "echo a novel > /data/novel");
    await cluster.apply(...manager, repository, backup);
    await eventually(
      "the backup has ended",
      async () => {
        const found = await cluster.get<{ status?: { lastManualSync?: string } }>("replicationsource", "books");
        return found?.status?.lastManualSync === "once";
      },
      180,
    );
    await cluster.apply(
      restore,
      claim("restored", { apiGroup: "volsync.backube", kind: "ReplicationDestination", name: "books" }),
    );
    expect(await fileIn("restored", "novel")).to.equal("a novel\n");
    const restored = await cluster.get<{ status: { latestMoverStatus: { logs: string } } }>(
      "replicationdestination",
      "books",
    );
    expect(restored?.status.latestMoverStatus.logs).to.match(/^restoring snapshot [0-9a-f]+ /m);
  });

  it("are refused to pods once every machine's disk is lost", async () => {
    const name = await volumeOf("books");
    await rm(join(folder.dir, "machines/cp01"), { recursive: true });
    await eventually("the pool is lost", () => Promise.resolve(lab.output().includes("is lost")));
    await cluster.apply(shell("reader", "books", "cat /data/list"));
    await eventually("the pod says so", async () => {
      const events = await cluster.kubectl(["get", "events", "-o", "json"]);
      const { items } = JSON.parse(events) as {
        items: { reason: string; message: string; involvedObject: { name: string } }[];
      };
      return items.some(
        ({ reason, message, involvedObject }) =>
          involvedObject.name === "reader" &&
          reason === "FailedMount" &&
          message === `MountVolume.MountDevice failed for volume "${name}": rbd: image not found`,
      );
    });
    const pod = await cluster.get<{ status: { phase: string } }>("pod", "reader");
    expect(pod?.status.phase).to.equal("Pending");
  });
});

/** Creates the definitions that a folder has. */
const define = async (cluster: ControlPlane, folder: string): Promise<void> => {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".yaml") && file !== "kustomization.yaml");
  for (const file of files) await cluster.kubectl(["create", "-f", join(folder, file)]);
  for (const file of files) {
    await cluster.kubectl(["wait", "--for=condition=Established", "--timeout=60s", "-f", join(folder, file)]);
  }
};

const classes = [
  {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name: "replicated" },
    provisioner: "rook-ceph.rbd.csi.ceph.com",
    reclaimPolicy: "Delete",
  },
  {
    apiVersion: "snapshot.storage.k8s.io/v1",
    kind: "VolumeSnapshotClass",
    metadata: { name: "ceph" },
    driver: "rook-ceph.rbd.csi.ceph.com",
    deletionPolicy: "Delete",
  },
];

/** VolSync's controller, as its chart has it. */
const manager = [
  { apiVersion: "v1", kind: "ServiceAccount", metadata: metadata("volsync") },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: "volsync" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
    subjects: [{ kind: "ServiceAccount", ...metadata("volsync") }],
  },
  {
    apiVersion: "v1",
    kind: "Pod",
    metadata: metadata("volsync"),
    spec: {
      serviceAccountName: "volsync",
      terminationGracePeriodSeconds: 5,
      containers: [
        {
          name: "manager",
          image,
          command: ["/manager"],
          args: [
            "--health-probe-bind-address=:8081",
            "--metrics-bind-address=:8443",
            "--leader-elect",
            `--restic-container-image=${image}`,
            "--metrics-require-rbac=false",
          ],
          env: [{ name: "VOLSYNC_NAMESPACE", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } }],
        },
      ],
    },
  },
];

const repository = {
  apiVersion: "v1",
  kind: "Secret",
  metadata: metadata("repository"),
  stringData: {
    RESTIC_REPOSITORY: `s3:https://${bucket.host}/${bucket.name}/books`,
    RESTIC_PASSWORD: "volumes-test",
    AWS_ACCESS_KEY_ID: bucket.accessKey,
    AWS_SECRET_ACCESS_KEY: bucket.secretKey,
    AWS_DEFAULT_REGION: bucket.region,
  },
};

const restic = {
  repository: "repository",
  copyMethod: "Snapshot",
  volumeSnapshotClassName: "ceph",
  storageClassName: "replicated",
  accessModes: ["ReadWriteOnce"],
  cacheCapacity: "1Gi",
};

const backup = {
  apiVersion: "volsync.backube/v1alpha1",
  kind: "ReplicationSource",
  metadata: metadata("books"),
  spec: { sourcePVC: "books", trigger: { manual: "once" }, restic: { ...restic, pruneIntervalDays: 7 } },
};

const restore = {
  apiVersion: "volsync.backube/v1alpha1",
  kind: "ReplicationDestination",
  metadata: metadata("books"),
  spec: {
    trigger: { manual: "once" },
    restic: { ...restic, capacity: "1Gi", cleanupCachePVC: true, cleanupTempPVC: true },
  },
};
