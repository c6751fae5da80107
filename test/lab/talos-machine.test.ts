import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { accepts, eventually } from "../support/lab-process.ts";
import { type Machine, type TalosLab, talosLab } from "../support/talos.ts";

const vip = "127.93.0.100";
const layer2 = { apiVersion: "v1alpha1", kind: "Layer2VIPConfig", name: vip, link: "eth0" };
const networkPlugin = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "network-plugin", namespace: "kube-system" },
  spec: {
    nodeName: "den-test-cp01",
    hostNetwork: true,
    tolerations: [{ operator: "Exists" }],
    containers: [{ name: "install", image: "example.org/plugin:1" }],
    volumes: [{ name: "cni", hostPath: { path: "/etc/cni/net.d" } }],
  },
};
const running = JSON.stringify({
  status: {
    phase: "Running",
    conditions: [{ type: "Ready", status: "True", lastTransitionTime: "2026-01-01T00:00:00Z" }],
  },
});

type Kubectl = (...args: string[]) => Promise<string>;

describe("the lab's Talos machine", () => {
  let lab: TalosLab;
  let first: Machine;
  let second: Machine;
  let worker: Machine;
  let kubectl: Kubectl;
  let snapshot: string;
  let controlPlane: string;

  /** talosctl through the first control plane. */
  const on = (machine: Machine, ...args: string[]): Promise<string> =>
    lab.talosctl("-e", first.address, "-n", machine.address, ...args);
  const tryOn = (machine: Machine, ...args: string[]) =>
    lab.tryTalosctl("-e", first.address, "-n", machine.address, ...args);
  const insecurely = (machine: Machine, ...args: string[]) =>
    lab.tryTalosctl("-n", machine.address, ...args, "--insecure");
  const nodeIs = (node: string, status: "True" | "False"): Promise<unknown> =>
    eventually(
      `node ${node} has Ready=${status}`,
      async () =>
        (await kubectl("get", "node", node, "-o", 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')) ===
        status,
      90,
    );
  /** A control plane makes it anew when it boots, and no kubelet of this lab ends its pods, for which a drain waits a minute. */
  const withoutCoreDns = async (): Promise<void> => {
    await kubectl("-n", "kube-system", "delete", "deployment", "coredns", "--ignore-not-found");
    await kubectl("-n", "kube-system", "delete", "pods", "-l", "k8s-app=kube-dns", "--force", "--grace-period=0");
  };

  const apiAnswers = (): Promise<unknown> =>
    eventually("the API server answers", async () => (await kubectl("get", "--raw", "/readyz")) === "ok", 90);
  const bootID = (machine: Machine): Promise<string> => on(machine, "read", "/proc/sys/kernel/random/boot_id");

  const nodeOf = (node: string): Promise<string> =>
    kubectl("get", "node", node, "-o", "jsonpath={.status.nodeInfo.osImage}").then(async (image) => {
      const isCordoned = (await kubectl("get", "node", node, "-o", "jsonpath={.spec.unschedulable}")) === "true";
      return `${image} ${isCordoned ? "cordoned" : "uncordoned"}`;
    });

  before(async () => {
    lab = await talosLab(vip);
    first = await lab.machine("cp01", "127.93.0.11", "metal");
    second = await lab.machine("cp02", "127.93.0.12");
    worker = await lab.machine("wk01", "127.93.0.21");
    snapshot = join(lab.folder.dir, "etcd.snapshot");
    controlPlane = await lab.configuration("controlplane", "den-test-cp01", layer2);
    await Promise.all([first.start(), worker.start()]);
  });

  after(() => lab.stop());

  describe("in maintenance mode", () => {
    it("lists its disks to anybody", async () => {
      const { code, text } = await insecurely(first, "get", "disks");
      expect(code).to.equal(0);
      expect(text).to.match(/sda .*QEMU HARDDISK/);
    });

    it("refuses a configuration for a disk that it does not have", async () => {
      const file = await lab.configuration("controlplane", "den-test-cp01", {
        machine: { install: { disk: "/dev/vdz" } },
      });
      const { code, text } = await insecurely(first, "apply-config", "-f", file);
      expect(code).to.equal(1);
      expect(text).to.contain("InvalidArgument").and.contain('specified install disk does not exist: "/dev/vdz"');
    });

    it("refuses a disk selector that matches none of its disks", async () => {
      const selector = { machine: { install: { diskSelector: { size: ">= 1TB" } } } };
      const file = await lab.configuration("controlplane", "den-test-cp01", selector);
      const { code, text } = await insecurely(first, "apply-config", "-f", file);
      expect(code).to.equal(1);
      expect(text).to.contain("no disks matched the expression");
    });

    it("refuses a configuration that Talos finds invalid", async () => {
      const file = await lab.configuration("controlplane", "den-test-cp01", {
        machine: { nodeTaints: { "not a key!": "NoSchedule" } },
      });
      const { code, text } = await insecurely(first, "apply-config", "-f", file);
      expect(code).to.equal(1);
      expect(text).to.contain("invalid machine node taints");
    });

    it("tells in a dry run what it would do, and does nothing", async () => {
      const { code, text } = await insecurely(first, "apply-config", "-f", controlPlane, "--dry-run");
      expect(code).to.equal(0);
      expect(text).to.contain("Dry run summary").and.contain("+    type: controlplane");
      expect((await insecurely(first, "get", "machinestatus", "-o", "jsonpath={.spec.stage}")).text).to.contain(
        "maintenance",
      );
    });

    it("has no cluster to bootstrap", async () => {
      const { code, text } = await lab.tryTalosctl("-e", first.address, "-n", first.address, "bootstrap");
      expect(code).to.equal(1);
      expect(text).to.contain("certificate signed by unknown authority");
    });
  });

  describe("with a configuration", () => {
    before(async () => {
      for (const [machine, file] of [
        [first, controlPlane],
        [
          worker,
          await lab.configuration("worker", "den-test-wk01", { machine: { nodeLabels: { "example.org/zone": "a" } } }),
        ],
      ] as const) {
        const { code, text } = await insecurely(machine, "apply-config", "-f", file);
        expect(code, text).to.equal(0);
      }
      await eventually(
        "the control plane runs",
        async () => (await on(first, "get", "machinestatus", "-o", "jsonpath={.spec.stage}")).trim() === "running",
        30,
      );
    });

    it("was installed with the image that the configuration names, where it was bare metal", async () => {
      expect(await on(first, "get", "systemdisk")).to.contain("sda");
      expect(await on(first, "version")).to.contain("v1.13.9");
    });

    it("answers nobody without a certificate of its cluster", async () => {
      const { code, text } = await insecurely(first, "get", "disks");
      expect(code).to.equal(1);
      // The connection ends in the handshake. Its alert may be lost to the reset that follows it.
      expect(text).to.contain("code = Unavailable");
    });

    it("lets a reader read and nothing more", async () => {
      const reader = join(lab.folder.dir, "reader");
      await on(first, "config", "new", reader, "--roles", "os:reader");
      const asReader = (...args: string[]) =>
        lab.tryTalosctl("--talosconfig", reader, "-e", first.address, "-n", first.address, ...args);
      expect((await asReader("services")).code).to.equal(0);
      for (const forbidden of [
        ["reboot", "--wait=false"],
        ["get", "machineconfig"],
        ["kubeconfig", join(reader, "..", "no")],
      ]) {
        const { code, text } = await asReader(...forbidden);
        expect(code, forbidden.join(" ")).to.equal(1);
        expect(text).to.contain("PermissionDenied").and.contain("not authorized");
      }
    });

    it("is bootstrapped once, and never on a worker", async () => {
      await on(first, "bootstrap");
      const again = await tryOn(first, "bootstrap");
      expect(again.code).to.equal(1);
      expect(again.text).to.contain("AlreadyExists").and.contain("etcd data directory is not empty");
      await eventually("the worker answers through the control plane", () => on(worker, "version"), 60);
      const other = await tryOn(worker, "bootstrap");
      expect(other.code).to.equal(1);
      expect(other.text).to.contain("bootstrap is only available on control plane nodes");
    });

    it("gives a kubeconfig that works at the cluster's endpoint", async () => {
      kubectl = await lab.kubectl(first.address);
      await apiAnswers();
      expect(await kubectl("config", "view", "-o", "jsonpath={.clusters[0].cluster.server}")).to.equal(
        `https://${vip}:6443`,
      );
    });

    it("registers nodes with the names, roles, labels and taints of their configuration", async () => {
      await eventually("both nodes are there", () => kubectl("get", "node", "den-test-cp01", "den-test-wk01"), 90);
      const labelled = (): Promise<string> => kubectl("get", "nodes", "-l", "example.org/zone=a", "-o", "name");
      await eventually("the worker has its label", async () => (await labelled()).trim() === "node/den-test-wk01", 30);
      const plane = JSON.parse(await kubectl("get", "node", "den-test-cp01", "-o", "json")) as {
        metadata: { labels: object; annotations: object };
        spec: { taints: { key: string }[]; podCIDR: string };
        status: { addresses: object[]; nodeInfo: { osImage: string; kubeletVersion: string } };
      };
      expect(plane.metadata.labels).to.have.property("node-role.kubernetes.io/control-plane", "");
      expect(plane.metadata.annotations).to.have.property("kwok.x-k8s.io/node", "fake");
      expect(plane.spec.taints.map(({ key }) => key)).to.include("node-role.kubernetes.io/control-plane");
      expect(plane.spec.podCIDR).to.match(/^10\.244\.\d+\.0\/24$/);
      expect(plane.status.addresses).to.deep.include({ type: "InternalIP", address: first.address });
      expect(plane.status.nodeInfo).to.include({ osImage: "Talos (v1.13.9)", kubeletVersion: "v1.36.4" });
    });

    it("has a node that is not ready before a pod has installed a network plugin on it", async () => {
      await nodeIs("den-test-cp01", "False");
      expect(await kubectl("get", "node", "den-test-cp01", "-o", "json")).to.contain("cni plugin not initialized");
      const file = join(lab.folder.dir, "plugin.json");
      await writeFile(file, JSON.stringify(networkPlugin));
      await eventually("the pod can be created", () => kubectl("apply", "-f", file), 30);
      await nodeIs("den-test-cp01", "False");
      await kubectl("-n", "kube-system", "patch", "pod", "network-plugin", "--subresource=status", "-p", running);
      await nodeIs("den-test-cp01", "True");
      await nodeIs("den-test-wk01", "False");
    });

    it("encrypts Secrets in etcd with the configuration's key", async () => {
      await kubectl("-n", "default", "create", "secret", "generic", "kept", "--from-literal=word=visible-if-plain");
      await on(first, "etcd", "snapshot", snapshot);
      const content = await readFile(snapshot);
      expect(content.includes("k8s:enc:secretbox:v1:key2:")).to.equal(true);
      expect(content.includes("visible-if-plain")).to.equal(false);
    });

    it("shows members, services, logs and memory to talosctl", async () => {
      expect(await on(first, "get", "members"))
        .to.contain("den-test-cp01")
        .and.contain("den-test-wk01");
      expect(await on(first, "etcd", "members")).to.contain("https://127.93.0.11:2380");
      expect(await on(first, "services")).to.match(/etcd +Running +OK/);
      expect(await on(first, "logs", "etcd", "--tail", "5")).to.contain('"level"');
      expect(await lab.talosctl("-e", first.address, "-n", `${first.address},${worker.address}`, "memory")).to.match(
        /127\.93\.0\.11 +4096[\s\S]*127\.93\.0\.21 +4096|127\.93\.0\.21 +4096[\s\S]*127\.93\.0\.11 +4096/,
      );
    });

    it("answers talosctl's commands from one model of the machine", async () => {
      const copied = join(lab.folder.dir, "copied");
      const answers: Record<string, RegExp> = {
        containers: /apid/,
        "containers --kubernetes": /NODE/,
        stats: /etcd/,
        "stats --kubernetes": /NODE/,
        processes: /kubelet/,
        mounts: /\/var/,
        "netstat --listening": /50000/,
        time: /time\.cloudflare\.com/,
        "list /etc": /os-release/,
        "usage /etc": /os-release|\./,
        "read /etc/os-release": /v1\.13\.9/,
        "image list --namespace system": /installer|kubelet/,
        "meta write 10 kept": /^\s*$/,
        "get metakeys": /0x0a.*kept/,
        "meta delete 10": /^\s*$/,
        "get mounts": /EPHEMERAL/,
        "get discoveredvolumes": /EPHEMERAL/,
        "get resolvers": /127\.93\.0\.1/,
        "get timeservers": /cloudflare/,
        "get routes": /eth0/,
        "get affiliates": /den-test-cp01/,
        "get kernelcmdline": /talos\.platform/,
        "get bootedentry": /Talos-v1\.13\.9/,
        "get etcdspec": /den-test-cp01/,
        "get apiserverconfig": /kube-apiserver/,
        "get kubeletspec": /kubelet/,
        "get manifests": /00-kubelet-bootstrapping-token/,
        "get manifeststatus": /ManifestStatus/,
        "get kubernetesaccessconfig": /KubernetesAccessConfig/,
        "get watchdogtimerstatus": /NODE/,
        "etcd alarm disarm": /^\s*$|NODE/,
        [`copy /etc ${copied}`]: /^\s*$/,
      };
      const wrong: string[] = [];
      for (const [command, answer] of Object.entries(answers)) {
        const { code, text } = await tryOn(first, ...command.split(" "));
        if (code !== 0 || !answer.test(text)) wrong.push(`${command}: ${code} ${text}`);
      }
      expect(wrong.join("\n")).to.equal("");
      expect(await readFile(join(copied, "os-release"), "utf8")).to.contain("v1.13.9");
    });

    it("refuses what Talos refuses", async () => {
      const refusals: Record<string, string> = {
        "etcd downgrade validate 3.4": "etcd downgrade is only supported to 3.5 and later versions",
        "read /etc/nothing": "no such file or directory",
        "meta delete 11": "meta key not found",
        rollback: "previous UKI not found",
      };
      for (const [command, refusal] of Object.entries(refusals)) {
        const { code, text } = await tryOn(first, ...command.split(" "));
        expect(code, command).to.equal(1);
        expect(text, command).to.contain(refusal);
      }
    });

    it("answers at the shared address too", async () => {
      expect(await lab.talosctl("-e", vip, "-n", worker.address, "version")).to.contain("v1.13.9");
    });

    it("passes talosctl's health check when every pod is ready", async () => {
      await withoutCoreDns();
      await eventually(
        "every static pod is ready",
        async () => {
          const pods = (
            await kubectl("-n", "kube-system", "get", "pods", "-l", "tier=control-plane", "-o", "name")
          ).split("\n");
          const names = pods.filter((name) => name !== "");
          for (const name of names)
            await kubectl("-n", "kube-system", "patch", name, "--subresource=status", "-p", running);
          return names.length === 3;
        },
        60,
      );
      const plugin = JSON.stringify({
        ...networkPlugin,
        metadata: { name: "network-plugin-wk01", namespace: "kube-system" },
        spec: { ...networkPlugin.spec, nodeName: "den-test-wk01" },
      });
      const file = join(lab.folder.dir, "plugin-worker.json");
      await writeFile(file, plugin);
      await kubectl("apply", "-f", file);
      await kubectl("-n", "kube-system", "patch", "pod", "network-plugin-wk01", "--subresource=status", "-p", running);
      expect(await on(first, "health", "--wait-timeout", "90s")).to.contain(
        "waiting for all k8s nodes to report ready: OK",
      );
    });
  });

  describe("when its configuration changes", () => {
    it("applies a label without a reboot", async () => {
      const boot = await bootID(first);
      const patch = JSON.stringify({ machine: { nodeLabels: { "example.org/rack": "r1" } } });
      expect(await on(first, "patch", "machineconfig", "-p", patch)).to.contain("without a reboot");
      const labelled = (): Promise<string> => kubectl("get", "nodes", "-l", "example.org/rack=r1", "-o", "name");
      await eventually("the node has the label", async () => (await labelled()).trim() === "node/den-test-cp01", 30);
      expect(await bootID(first)).to.equal(boot);
    });

    it("restarts the API server with a changed argument", async () => {
      const patch = JSON.stringify({ cluster: { apiServer: { extraArgs: { "goaway-chance": "0.001" } } } });
      await on(first, "patch", "machineconfig", "-p", patch);
      await eventually(
        "the API server has the argument",
        async () =>
          (await kubectl("-n", "kube-system", "get", "pod", "kube-apiserver-den-test-cp01", "-o", "json")).includes(
            "--goaway-chance=0.001",
          ),
        60,
      );
      await apiAnswers();
    });

    it("reverts a configuration that was only tried", async () => {
      const patch = JSON.stringify({ machine: { nodeLabels: { "example.org/tried": "yes" } } });
      await on(first, "patch", "machineconfig", "--mode", "try", "--timeout", "3s", "-p", patch);
      const labelled = (): Promise<string> => kubectl("get", "nodes", "-l", "example.org/tried=yes", "-o", "name");
      await eventually("the node has the label", async () => (await labelled()).trim() !== "", 20);
      await eventually("the node lost the label", async () => (await labelled()).trim() === "", 20);
    });

    it("reboots for what cannot change while it runs, and refuses it without", async () => {
      const patch = JSON.stringify({ machine: { features: { diskQuotaSupport: false } } });
      const refused = await tryOn(worker, "patch", "machineconfig", "--mode", "no-reboot", "-p", patch);
      expect(refused.code).to.equal(1);
      expect(refused.text).to.contain("can't be applied in immediate mode");
      const boot = await bootID(worker);
      expect(await on(worker, "patch", "machineconfig", "-p", patch)).to.contain("with a reboot");
      await eventually("the worker rebooted", async () => (await bootID(worker)) !== boot, 60);
    });
  });

  describe("over its life", () => {
    it("comes back from a reboot with its cluster", async () => {
      const boot = await bootID(first);
      await on(first, "reboot", "--wait", "--timeout", "120s");
      expect(await bootID(first)).to.not.equal(boot);
      await apiAnswers();
      expect(await kubectl("-n", "default", "get", "secret", "kept", "-o", "jsonpath={.data.word}")).to.not.equal("");
      await nodeIs("den-test-cp01", "True");
    });

    it("leaves no process behind when it is killed, and comes back as it was", async () => {
      const killed = first.process;
      killed?.process.kill("SIGKILL");
      await killed?.ended;
      await eventually("nothing listens for the machine", async () => {
        const ports = await Promise.all(["2379", "6443", "50000"].map((port) => accepts(`${first.address}:${port}`)));
        return !ports.includes(true);
      });
      await first.start();
      await apiAnswers();
      expect(await kubectl("get", "node", "den-test-cp01", "-o", "name")).to.contain("den-test-cp01");
    });

    it("upgrades to another image, and refuses what is none", async () => {
      const refused = await tryOn(
        worker,
        "upgrade",
        "--legacy",
        "--image",
        "docker.io/library/nginx:1.29",
        "--wait=false",
      );
      expect(refused.code).to.equal(1);
      expect(refused.text).to.contain("error validating installer image");
      const unknown = `factory.talos.dev/nocloud-installer/${"ab".repeat(32)}:v1.13.8`;
      const missing = await tryOn(worker, "upgrade", "--image", unknown, "--drain=false");
      expect(missing.text).to.contain(`failed to resolve reference "${unknown}": ${unknown}: not found`);
      const schematic = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba";
      const boot = await bootID(worker);
      await on(
        worker,
        "upgrade",
        "--image",
        `factory.talos.dev/nocloud-installer/${schematic}:v1.13.8`,
        "--drain=false",
        "--timeout",
        "120s",
      );
      expect(await on(worker, "version")).to.contain("v1.13.8");
      expect(await on(worker, "get", "extensions")).to.contain(schematic);
      expect(await bootID(worker)).to.not.equal(boot);
      await eventually(
        "its node has the release and takes pods again",
        async () => (await nodeOf("den-test-wk01")).startsWith("Talos (v1.13.8) uncordoned"),
        60,
      );
    });

    it("rolls back to the image in its other boot slot", async () => {
      const boot = await bootID(worker);
      await on(worker, "rollback");
      await eventually("the worker rebooted", async () => (await bootID(worker)) !== boot, 60);
      expect(await on(worker, "version")).to.contain("v1.13.9");
    });

    it("boots the old image again where the new one does not boot", async () => {
      await writeFile(join(lab.folder.dir, "machines", "wk01", "unbootable"), "v1.13.8\n");
      const boot = await bootID(worker);
      await on(
        worker,
        "upgrade",
        "--image",
        "ghcr.io/siderolabs/installer:v1.13.8",
        "--drain=false",
        "--timeout",
        "120s",
      );
      expect(await bootID(worker)).to.not.equal(boot);
      expect(await on(worker, "version"))
        .to.contain("v1.13.9")
        .and.not.contain("Tag:         v1.13.8");
    });

    it("is not upgraded where its registry does not have the tag", async () => {
      await writeFile(join(lab.folder.dir, "missing-images"), "installer:v1.13.7\n");
      const boot = await bootID(worker);
      const image = "ghcr.io/siderolabs/installer:v1.13.7";
      const refused = await tryOn(worker, "upgrade", "--image", image, "--timeout", "60s");
      expect(refused.code).to.equal(1);
      expect(refused.text).to.contain(`failed to resolve reference "${image}": ${image}: not found`);
      expect(await bootID(worker)).to.equal(boot);
    });

    it("installs a staged image in the boot after the next", async () => {
      const boot = await bootID(worker);
      const image = "ghcr.io/siderolabs/installer:v1.13.6";
      await on(worker, "upgrade", "--legacy", "--stage", "--image", image, "--wait=false");
      await eventually("the worker runs it", async () => (await on(worker, "version")).includes("v1.13.6"), 90);
      expect(await bootID(worker)).to.not.equal(boot);
    });

    it("joins the etcd cluster as a further control plane, and leaves it with a graceful reset", async () => {
      await second.start();
      const file = await lab.configuration("controlplane", "den-test-cp02", layer2);
      expect((await insecurely(second, "apply-config", "-f", file)).code).to.equal(0);
      await eventually(
        "there are two voting members",
        async () => ((await on(first, "etcd", "members")).match(/ false/g) ?? []).length === 2,
        120,
      );
      await eventually("the second API server answers", () => accepts(`${second.address}:6443`), 60);
      await eventually("the second control plane is a node", () => kubectl("get", "node", "den-test-cp02"), 60);
      await withoutCoreDns();
      await lab.talosctl("-e", second.address, "-n", second.address, "reset", "--graceful", "--reboot", "--wait=false");
      await eventually(
        "only one member is left",
        async () => ((await on(first, "etcd", "members")).match(/ false/g) ?? []).length === 1,
        300,
      );
      await eventually(
        "it is in maintenance mode",
        async () => (await insecurely(second, "get", "disks")).code === 0,
        60,
      );
      await second.process?.stop();
    });

    it("refuses to leave the cluster gracefully as its last control plane", async () => {
      await withoutCoreDns();
      const { code, text } = await tryOn(first, "reset", "--graceful", "--reboot", "--timeout", "60s");
      expect(code).to.equal(1);
      expect(text).to.contain("failed to leave cluster");
      await apiAnswers();
    });

    it("is in maintenance mode again after a reset", async () => {
      const wipe = ["--system-labels-to-wipe", "STATE", "--system-labels-to-wipe", "EPHEMERAL"];
      await on(worker, "reset", "--graceful=false", "--reboot", "--wait=false", ...wipe);
      await eventually(
        "the worker is in maintenance mode",
        async () => (await insecurely(worker, "get", "disks")).code === 0,
        60,
      );
    });

    it("powers off when told to", async () => {
      const off = worker.process?.ended;
      const file = await lab.configuration("worker", "den-test-wk01");
      expect((await insecurely(worker, "apply-config", "-f", file)).code).to.equal(0);
      await eventually("the worker answers through the control plane", () => on(worker, "version"), 60);
      await on(worker, "shutdown", "--wait=false");
      expect(await off).to.equal(0);
    });

    it("recovers etcd from a snapshot after everything was wiped", async () => {
      const wipe = ["--system-labels-to-wipe", "STATE", "--system-labels-to-wipe", "EPHEMERAL"];
      await on(first, "reset", "--graceful=false", "--reboot", "--wait=false", ...wipe);
      await eventually(
        "it is in maintenance mode",
        async () => (await insecurely(first, "get", "disks")).code === 0,
        60,
      );
      expect((await insecurely(first, "apply-config", "-f", controlPlane)).code).to.equal(0);
      await eventually(
        "it runs",
        async () => (await on(first, "get", "machinestatus", "-o", "jsonpath={.spec.stage}")).trim() === "running",
        60,
      );
      await on(first, "bootstrap", "--recover-from", snapshot);
      await apiAnswers();
      const word = await kubectl("-n", "default", "get", "secret", "kept", "-o", "jsonpath={.data.word}");
      expect(Buffer.from(word, "base64").toString()).to.equal("visible-if-plain");
    });

    it("logs no secret", async () => {
      const logs = join(lab.folder.dir, "logs");
      const texts = await Promise.all((await readdir(logs)).map((name) => readFile(join(logs, name), "utf8")));
      const all = texts.join("\n") + [first, second, worker].map(({ process }) => process?.output() ?? "").join("\n");
      const secrets = await lab.secrets();
      expect(secrets.length).to.be.greaterThan(5);
      for (const secret of secrets) expect(all.includes(secret), `${secret.slice(0, 4)}… is logged`).to.equal(false);
    });
  });
});
