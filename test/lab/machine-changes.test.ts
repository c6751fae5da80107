import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { eventually } from "../support/lab-process.ts";
import { type Machine, type TalosLab, talosLab } from "../support/talos.ts";

const endpoint = "127.95.0.100";
const names = { cp01: "den-test-cp01", wk01: "den-test-wk01", wk02: "den-test-wk02" } as const;
const installer = (version: string): string => `ghcr.io/siderolabs/installer:${version}`;

interface Pod {
  metadata: { name: string };
  spec: { nodeName?: string };
}

/** A DaemonSet that installs a network plugin, without which no node is ready. */
const networkPlugin = {
  apiVersion: "apps/v1",
  kind: "DaemonSet",
  metadata: { name: "network-plugin", namespace: "kube-system" },
  spec: {
    selector: { matchLabels: { app: "network-plugin" } },
    template: {
      metadata: { labels: { app: "network-plugin" } },
      spec: {
        hostNetwork: true,
        tolerations: [{ operator: "Exists" }],
        containers: [{ name: "install", image: "example.org/plugin:1" }],
        volumes: [{ name: "cni", hostPath: { path: "/etc/cni/net.d" } }],
      },
    },
  },
};

const metadata = (name: string) => ({ name, namespace: "default" });
const podsOf = (app: string, spec: object = {}) => ({
  selector: { matchLabels: { app } },
  template: {
    metadata: { labels: { app } },
    spec: { terminationGracePeriodSeconds: 1, containers: [{ name: app, image: "example.org/app:1" }], ...spec },
  },
});
const budget = (minAvailable: number) => ({
  apiVersion: "policy/v1",
  kind: "PodDisruptionBudget",
  metadata: metadata("web"),
  spec: { minAvailable, selector: { matchLabels: { app: "web" } } },
});
const workloads = [
  { apiVersion: "apps/v1", kind: "Deployment", metadata: metadata("web"), spec: { replicas: 2, ...podsOf("web") } },
  budget(2),
  {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: metadata("data"),
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
  },
  {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: metadata("db"),
    spec: {
      serviceName: "db",
      replicas: 1,
      ...podsOf("db", { volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }] }),
    },
  },
];

describe("the lab's machines when a running cluster changes", () => {
  let lab: TalosLab;
  let cp01: Machine;
  let wk01: Machine;
  let wk02: Machine;
  let kubectl: (...args: string[]) => Promise<string>;

  const on = (machine: Machine, ...args: string[]): Promise<string> =>
    lab.talosctl("-e", cp01.address, "-n", machine.address, ...args);
  const apply = async (...objects: object[]): Promise<void> => {
    const file = join(lab.folder.dir, "objects.json");
    await writeFile(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
    await kubectl("apply", "-f", file);
  };
  const pods = async (app: string): Promise<Pod[]> =>
    (JSON.parse(await kubectl("get", "pods", "-l", `app=${app}`, "-o", "json")) as { items: Pod[] }).items;
  const attachedTo = (): Promise<string> =>
    kubectl("get", "volumeattachments", "-o", "jsonpath={.items[?(@.status.attached==true)].spec.nodeName}");
  const rolledOut = async (what: string): Promise<void> => {
    await kubectl("rollout", "status", what, "--timeout=60s");
  };

  before(async () => {
    lab = await talosLab(endpoint, { hasPods: true });
    cp01 = await lab.machine("cp01", "127.95.0.11");
    wk01 = await lab.machine("wk01", "127.95.0.21");
    wk02 = await lab.machine("wk02", "127.95.0.22");
    for (const [machine, type] of [
      [cp01, "controlplane"],
      [wk01, "worker"],
      [wk02, "worker"],
    ] as const) {
      await machine.start();
      const file = await lab.configuration(type, names[machine.name as keyof typeof names]);
      await lab.talosctl("-n", machine.address, "apply-config", "-f", file, "--insecure");
    }
    await eventually("the control plane can be bootstrapped", () => on(cp01, "bootstrap"), 60);
    kubectl = await lab.kubectl(cp01.address);
    await eventually("the API server answers", async () => (await kubectl("get", "--raw", "/readyz")) === "ok", 60);
    await apply(networkPlugin);
    await eventually("every node is there", () => kubectl("get", "node", ...Object.values(names)), 60);
    await kubectl("wait", "--for=condition=Ready", "node", "--all", "--timeout=60s");
  });

  after(() => lab.stop());

  describe("drains", () => {
    before(async () => {
      // All pods begin on the first worker.
      await kubectl("cordon", names.wk02);
      await apply(...workloads);
      await rolledOut("deployment/web");
      await rolledOut("statefulset/db");
      await kubectl("uncordon", names.wk02);
    });

    it("attach the volume of a pod to its node", async () => {
      await eventually("the volume is attached", async () => (await attachedTo()) === names.wk01, 30);
    });

    it("do not evict what a budget keeps", async () => {
      const drained = kubectl("drain", names.wk01, "--ignore-daemonsets", "--timeout=4s", "--pod-selector=app=web");
      const failure = await drained.then(
        () => "it was drained",
        (error: unknown) => String(error),
      );
      expect(failure).to.contain("Cannot evict pod as it would violate the pod's disruption budget");
      await kubectl("uncordon", names.wk01);
      expect((await pods("web")).map(({ spec }) => spec.nodeName)).to.deep.equal([names.wk01, names.wk01]);
    });

    it("move pods and volumes to another node before the machine reboots", async () => {
      await apply(budget(1));
      await on(wk01, "upgrade", "--image", installer("v1.13.8"), "--timeout", "180s");
      await rolledOut("deployment/web");
      await rolledOut("statefulset/db");
      expect((await pods("web")).map(({ spec }) => spec.nodeName)).to.deep.equal([names.wk02, names.wk02]);
      await eventually("the volume is attached there", async () => (await attachedTo()) === names.wk02, 30);
    });

    it("end with a node of the new release that takes pods again", async () => {
      await eventually(
        "the node has the release",
        async () =>
          (await kubectl("get", "node", names.wk01, "-o", "jsonpath={.status.nodeInfo.osImage}")) === "Talos (v1.13.8)",
        60,
      );
      await eventually(
        "the node is uncordoned",
        async () => (await kubectl("get", "node", names.wk01, "-o", "jsonpath={.spec.unschedulable}")) === "",
        30,
      );
    });
  });

  describe("talosctl upgrade-k8s", () => {
    const upgrade = (...args: string[]): Promise<string> => on(cp01, "upgrade-k8s", ...args, "--with-docs=false");

    it("says what it would do", async () => {
      const said = await upgrade("--to", "1.36.5", "--dry-run");
      expect(said)
        .to.contain("automatically detected the lowest Kubernetes version 1.36.4")
        .and.contain("update kube-apiserver: v1.36.4 -> 1.36.5")
        .and.contain("update kubelet: 1.36.4 -> 1.36.5");
      expect(await kubectl("get", "node", names.cp01, "-o", "jsonpath={.status.nodeInfo.kubeletVersion}")).to.equal(
        "v1.36.4",
      );
    });

    it("runs to its end, and everything reports the release", async () => {
      await upgrade("--to", "1.36.5");
      const { gitVersion } = JSON.parse(await kubectl("get", "--raw", "/version")) as { gitVersion: string };
      expect(gitVersion).to.equal("v1.36.5");
      const kubelets = await kubectl("get", "nodes", "-o", "jsonpath={.items[*].status.nodeInfo.kubeletVersion}");
      expect(kubelets).to.equal("v1.36.5 v1.36.5 v1.36.5");
      const images = await kubectl(
        ...["get", "pods", "-n", "kube-system", "-l", "tier=control-plane"],
        ...["-o", "jsonpath={.items[*].spec.containers[*].image}"],
      );
      expect(images.split(" ")).to.have.lengthOf(3);
      for (const image of images.split(" ")) expect(image).to.match(/:v1\.36\.5$/);
      expect(await on(cp01, "get", "staticpods", "-o", "yaml")).to.contain("kube-scheduler:v1.36.5");
    });

    it("stops before it changes anything where an image does not exist", async () => {
      await writeFile(join(lab.folder.dir, "missing-images"), "kubelet:v1.36.6\n");
      const { code, text } = await lab.tryTalosctl(
        "-e",
        cp01.address,
        "-n",
        cp01.address,
        "upgrade-k8s",
        "--to",
        "1.36.6",
      );
      expect(code).to.equal(1);
      expect(text).to.contain("failed pre-pulling images").and.contain("ghcr.io/siderolabs/kubelet:v1.36.6: not found");
      expect(await on(cp01, "get", "apiserverconfig", "-o", "yaml")).to.contain("kube-apiserver:v1.36.5");
    });
  });
});
