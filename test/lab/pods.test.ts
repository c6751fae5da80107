import { createHash } from "node:crypto";
import { once } from "node:events";
import { access, readFile, readdir, statfs, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { connect } from "node:tls";
import { expect } from "chai";
import { type ControlPlane, addNode, setNodeReady, startControlPlane } from "../support/control-plane.ts";
import { type Report, fakeController, reports } from "../support/fake-controller.ts";
import { labData, labPrograms } from "../support/lab-programs.ts";
import { type LabFolder, type LabProcess, eventually, labFolder, startLab } from "../support/lab-process.ts";

interface ContainerStatus {
  ready: boolean;
  restartCount: number;
  state: { running?: object; waiting?: { reason: string; message?: string }; terminated?: { exitCode: number } };
  lastState?: { terminated?: { exitCode: number; reason: string } };
}

interface Pod {
  metadata: { name: string; uid: string; deletionTimestamp?: string };
  spec: { nodeName?: string };
  status: {
    phase: string;
    podIP?: string;
    hostIP?: string;
    containerStatuses?: ContainerStatus[];
    conditions?: { type: string; status: string }[];
  };
}

const address = "127.92.5.1";
const ready = (pod: Pod): boolean =>
  pod.status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
const gone = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
};

/** Asks a process at a loopback address, through a proxy where one is given. */
const ask = async (url: string, proxy?: string): Promise<{ status: number; body: string }> => {
  const { hostname, port } = new URL(proxy ?? url);
  const path = proxy === undefined ? new URL(url).pathname : url;
  const asked = request({ hostname, port, path, headers: { host: new URL(url).host } });
  asked.end();
  const [response] = (await once(asked, "response")) as [NodeJS.ReadableStream & { statusCode: number }];
  let body = "";
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode, body };
};

describe("the lab's pods", () => {
  let cluster: ControlPlane;
  let folder: LabFolder;
  let lab: LabProcess;
  const undo: (() => Promise<unknown>)[] = [];

  const pod = async (name: string): Promise<Pod> => {
    const found = await cluster.get<Pod>("pod", name);
    if (found === undefined) throw new Error(`there is no pod ${name}`);
    return found;
  };
  const container = async (name: string): Promise<ContainerStatus> => {
    const [status] = (await pod(name)).status.containerStatuses ?? [];
    if (status === undefined) throw new Error(`pod ${name} has no container status yet`);
    return status;
  };
  const podsOf = async (selector: string): Promise<Pod[]> =>
    (JSON.parse(await cluster.kubectl(["get", "pods", "-l", selector, "-o", "json"])) as { items: Pod[] }).items;
  const reportFile = (name: string): string => join(folder.dir, `${name}.report`);
  // Relative to the pod's folder, in which it is started: an absolute path could be below one of its mounts.
  const reportFrom = (name: string): string => join("..", "..", `${name}.report`);
  const started = (name: string, times = 1): Promise<Report> =>
    eventually(`${name} was started ${times} times`, async () => (await reports(reportFile(name)))[times - 1]);
  const health = (report: Report, path: string): Promise<{ status: number; body: string }> =>
    ask(`http://${report.args.find((arg) => arg.startsWith("--health-addr="))?.split("=")[1] ?? ""}${path}`);

  /** A pod with a known image, as Flux's manifests have them. */
  const controllerPod = (name: string, settings: { container?: object; spec?: object } = {}): object => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "default", labels: { app: name } },
    spec: {
      terminationGracePeriodSeconds: 5,
      nodeSelector: { "kubernetes.io/hostname": "cp01" },
      ...settings.spec,
      containers: [
        {
          name: "manager",
          image: "registry.example:5000/mirror/kustomize-controller:v1.9.4",
          args: ["--health-addr=:9440", "--enable-leader-election"],
          env: [{ name: "REPORT", value: reportFrom(name) }],
          ports: [{ name: "healthz", containerPort: 9440 }],
          ...settings.container,
        },
      ],
    },
  });

  before(async () => {
    const programs = await labPrograms("kwok");
    folder = await labFolder({ internet: { proxy: `${address}:8128` } });
    undo.push(folder.remove);
    cluster = await startControlPlane(join(folder.dir, "control-plane"), address);
    undo.push(cluster.stop);
    const config = JSON.parse(await readFile(folder.config, "utf8")) as Record<string, unknown>;
    config.programs = { ...programs, "kustomize-controller": await fakeController(folder.dir, "kustomize-controller") };
    config.data = await labData();
    await writeFile(folder.config, JSON.stringify(config));
    await addNode(cluster, { name: "cp01", address: "127.92.6.1", podCIDR: "10.92.0.0/24", ready: true });
    await addNode(cluster, { name: "wk01", address: "127.92.6.2", podCIDR: "10.92.1.0/24", ready: false });
    lab = await startLab("pods", folder.config, ["--kubeconfig", cluster.kubeconfig]);
    undo.push(() => lab.stop());
  });

  after(async () => {
    for (const each of undo.toReversed()) await each();
  });

  describe("without a known image", () => {
    it("look alive, with an address in their node's range", async () => {
      await cluster.kubectl(["create", "deployment", "web", "--image=nginx", "--port=80"]);
      const [found] = await eventually("the pod is ready", async () => {
        const found = await podsOf("app=web");
        return found.some(ready) && found;
      });
      expect(found?.spec.nodeName).to.equal("cp01");
      expect(found?.status.podIP).to.match(/^10\.92\.0\./);
    });

    it("complete where a Job owns them", async () => {
      await cluster.kubectl(["create", "job", "once", "--image=busybox"]);
      await eventually("the job is complete", async () => {
        const job = await cluster.get<{ status: { succeeded?: number } }>("job", "once");
        return job?.status.succeeded === 1;
      });
    });

    it("run on a node that is not ready when they tolerate it, with the node's address when on its network", async () => {
      await cluster.apply({
        apiVersion: "apps/v1",
        kind: "DaemonSet",
        metadata: { name: "cni", namespace: "default" },
        spec: {
          selector: { matchLabels: { app: "cni" } },
          template: {
            metadata: { labels: { app: "cni" } },
            spec: {
              hostNetwork: true,
              tolerations: [{ operator: "Exists" }],
              initContainers: [{ name: "mount", image: "cni" }],
              containers: [{ name: "agent", image: "cni" }],
            },
          },
        },
      });
      const found = await eventually("both nodes run it", async () => {
        const found = await podsOf("app=cni");
        return found.filter(ready).length === 2 && found;
      });
      expect(found.map(({ spec, status }) => [spec.nodeName, status.podIP])).to.have.deep.members([
        ["cp01", "127.92.6.1"],
        ["wk01", "127.92.6.2"],
      ]);
    });

    it("stay pending until their node is ready when they do not", async () => {
      await cluster.apply({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "patient", namespace: "default" },
        spec: { nodeSelector: { "kubernetes.io/hostname": "wk01" }, containers: [{ name: "a", image: "nginx" }] },
      });
      await eventually("the scheduler refused it", async () =>
        (await pod("patient")).status.conditions?.some(
          ({ type, status }) => type === "PodScheduled" && status === "False",
        ),
      );
      await setNodeReady(cluster, "wk01", "True");
      await eventually("it runs", async () => ready(await pod("patient")));
    });

    it("are left to their nodes: kwok neither renews leases nor touches conditions", async () => {
      const node = await cluster.get<{ status: { conditions: { reason: string }[] } }>("node", "cp01");
      expect(node?.status.conditions.map(({ reason }) => reason)).to.deep.equal(["Test"]);
      expect(await cluster.kubectl(["get", "leases", "-n", "kube-node-lease", "-o", "name"])).to.equal("");
    });
  });

  describe("with a known image", () => {
    it("are a process that listens on the pod's address in 127.0.0.0/8 only", async () => {
      await cluster.apply(controllerPod("plain"));
      const { args } = await started("plain");
      const { podIP = "" } = await eventually("its address shows", async () => {
        const { status } = await pod("plain");
        return status.podIP !== undefined && status;
      });
      const local = podIP.replace(/^10\./, "127.");
      expect(podIP).to.match(/^10\.92\.[01]\./);
      expect(args).to.include.members([`--health-addr=${local}:9440`, `--metrics-addr=${local}:8080`]);
      expect(args).to.include("--enable-leader-election=false").and.not.include("--enable-leader-election");
    });

    it("get the environment that the pod describes", async () => {
      await cluster.apply(
        {
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata: { name: "some", namespace: "default" },
          data: { key: "from-map" },
        },
        {
          apiVersion: "v1",
          kind: "Secret",
          metadata: { name: "some", namespace: "default" },
          stringData: { key: "from-secret" },
        },
        controllerPod("described", {
          container: {
            args: ["--health-addr=:9440", "--adv=$(WHERE).svc", "--kept=$(UNKNOWN)"],
            resources: { limits: { cpu: "1500m", memory: "64Mi" } },
            env: [
              { name: "REPORT", value: reportFrom("described") },
              { name: "WHERE", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } },
              { name: "LABEL", valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
              { name: "ADDRESS", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
              { name: "MAP", valueFrom: { configMapKeyRef: { name: "some", key: "key" } } },
              { name: "SECRET", valueFrom: { secretKeyRef: { name: "some", key: "key" } } },
              { name: "NONE", valueFrom: { secretKeyRef: { name: "none", key: "key", optional: true } } },
              { name: "CPUS", valueFrom: { resourceFieldRef: { resource: "limits.cpu", containerName: "manager" } } },
              { name: "MEMORY", valueFrom: { resourceFieldRef: { resource: "limits.memory" } } },
              { name: "BOTH", value: "$(WHERE)/$(LABEL)" },
            ],
          },
        }),
      );
      const { env, args } = await started("described");
      const { status } = await pod("described");
      expect(env).to.include({
        WHERE: "default",
        LABEL: "described",
        ADDRESS: status.podIP,
        MAP: "from-map",
        SECRET: "from-secret",
        CPUS: "2",
        MEMORY: String(64 << 20),
        BOTH: "default/described",
      });
      expect(env).to.not.have.property("NONE");
      expect(args).to.include.members(["--adv=default.svc", "--kept=$(UNKNOWN)"]);
    });

    it("say what they lack, and start once it is there", async () => {
      await cluster.apply(controllerPod("lacking", { container: { envFrom: [{ configMapRef: { name: "late" } }] } }));
      const waiting = await eventually("it says so", async () => (await container("lacking")).state.waiting);
      expect(waiting).to.deep.equal({ reason: "CreateContainerConfigError", message: 'configmaps "late" not found' });
      await cluster.apply({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "late", namespace: "default" },
        data: { A: "1" },
      });
      expect((await started("lacking")).env).to.include({ A: "1" });
    });

    it("find their volumes where their arguments say", async () => {
      await cluster.apply(
        controllerPod("mounted", {
          container: {
            args: ["--health-addr=:9440", "--storage-path=/data", "--file=/config/deep/file", "--other=/database"],
            volumeMounts: [
              { name: "data", mountPath: "/data" },
              { name: "config", mountPath: "/config" },
              { name: "temp", mountPath: "/tmp" },
            ],
          },
          spec: {
            volumes: [
              { name: "data", emptyDir: {} },
              { name: "temp", emptyDir: {} },
              { name: "config", configMap: { name: "some", items: [{ key: "key", path: "deep/file" }] } },
            ],
          },
        }),
      );
      const { args, env } = await started("mounted");
      const { uid } = (await pod("mounted")).metadata;
      const volumes = join(folder.dir, "pods", uid, "volumes");
      expect(args).to.include.members([
        `--storage-path=${join(volumes, "data")}`,
        `--file=${join(volumes, "config", "deep", "file")}`,
        "--other=/database",
      ]);
      expect(await readFile(join(volumes, "config", "deep", "file"), "utf8")).to.equal("from-map");
      // Temporary files are in memory, where a gigabyte is free.
      const { bavail, bsize } = await statfs("/dev/shm").catch(() => ({ bavail: 0, bsize: 0 }));
      const ofLab = createHash("sha256").update(folder.dir).digest("hex").slice(0, 16);
      const inMemory = join("/dev/shm", `hearth-lab-${ofLab}`, uid);
      expect(env.TMPDIR).to.equal(bavail * bsize < 2 ** 30 ? join(volumes, "temp") : inMemory);
    });

    it("are their service account to the API server", async () => {
      await cluster.kubectl(["create", "serviceaccount", "worker"]);
      await cluster.apply(controllerPod("identified", { spec: { serviceAccountName: "worker" } }));
      const { env } = await started("identified");
      const whoami = JSON.parse(
        await cluster.kubectl(["--kubeconfig", env.KUBECONFIG ?? "", "auth", "whoami", "-o", "json"]),
      ) as { status: { userInfo: { username: string; extra: Record<string, string[]> } } };
      expect(whoami.status.userInfo.username).to.equal("system:serviceaccount:default:worker");
      expect(whoami.status.userInfo.extra["authentication.kubernetes.io/pod-name"]).to.deep.equal(["identified"]);
    });

    it("are ready only while their readiness probe passes", async () => {
      await cluster.apply(
        controllerPod("probed", {
          container: {
            readinessProbe: { httpGet: { path: "/readyz", port: "healthz" }, periodSeconds: 1, failureThreshold: 1 },
          },
        }),
      );
      const report = await started("probed");
      await eventually("it runs", async () => (await container("probed")).state.running !== undefined);
      expect(ready(await pod("probed"))).to.equal(false);
      await eventually("it is told to be ready", async () => (await health(report, "/ready/yes")).status === 200);
      await eventually("it is ready", async () => ready(await pod("probed")));
      await health(report, "/ready/no");
      await eventually("it is no longer ready", async () => !ready(await pod("probed")));
      expect((await container("probed")).restartCount).to.equal(0);
    });

    it("are started again when they end: at once, then after a pause", async () => {
      await cluster.apply(controllerPod("crashing"));
      const first = await started("crashing");
      await eventually("it listens", async () => (await health(first, "/")).status === 200);
      await health(first, "/exit/3").catch(() => undefined);
      const second = await started("crashing", 2);
      const after = await eventually("its restart shows", async () => {
        const status = await container("crashing");
        return status.restartCount === 1 && status.state.running !== undefined && status;
      });
      expect(after.lastState?.terminated).to.include({ exitCode: 3, reason: "Error" });
      process.kill(second.pid, "SIGKILL");
      const waiting = await eventually("it backs off", async () => (await container("crashing")).state.waiting);
      expect(waiting.reason).to.equal("CrashLoopBackOff");
      expect((await container("crashing")).lastState?.terminated?.exitCode).to.equal(137);
      expect(ready(await pod("crashing"))).to.equal(false);
    });

    it("are restarted when their liveness probe fails", async () => {
      await cluster.apply(
        controllerPod("lively", {
          container: {
            livenessProbe: { httpGet: { path: "/healthz", port: 9440 }, periodSeconds: 1, failureThreshold: 2 },
          },
        }),
      );
      const first = await started("lively");
      await eventually("it is told to be ill", async () => (await health(first, "/alive/no")).status === 200);
      await started("lively", 2);
      expect(gone(first.pid)).to.equal(true);
      await eventually("its restart shows", async () => (await container("lively")).restartCount === 1);
    });

    it("end in their own time when they are deleted, and their object and folder with them", async () => {
      await cluster.apply(
        controllerPod("leaving", {
          container: {
            env: [
              { name: "REPORT", value: reportFrom("leaving") },
              { name: "LINGER", value: "1500" },
            ],
          },
        }),
      );
      const { pid } = await started("leaving");
      const { uid } = (await pod("leaving")).metadata;
      await cluster.kubectl(["delete", "pod", "leaving", "--wait=false"]);
      expect((await pod("leaving")).metadata.deletionTimestamp).to.be.a("string");
      expect(gone(pid)).to.equal(false);
      await eventually("its object is gone", async () => (await cluster.get("pod", "leaving")) === undefined);
      expect(gone(pid)).to.equal(true);
      await eventually("its folder is gone", async () => !(await readdir(join(folder.dir, "pods"))).includes(uid));
    });

    it("go down and come back with their node", async () => {
      await cluster.apply(
        controllerPod("housed", {
          spec: { nodeSelector: { "kubernetes.io/hostname": "wk01" }, tolerations: [{ operator: "Exists" }] },
        }),
      );
      const first = await started("housed");
      await eventually("it runs", async () => (await container("housed")).state.running !== undefined);
      await setNodeReady(cluster, "wk01", "Unknown");
      await eventually("its process is gone", () => Promise.resolve(gone(first.pid)));
      expect((await container("housed")).restartCount).to.equal(0);
      await setNodeReady(cluster, "wk01", "True");
      await started("housed", 2);
      const status = await eventually("its restart shows", async () => {
        const status = await container("housed");
        return status.restartCount === 1 && status;
      });
      expect(status.lastState?.terminated).to.include({ exitCode: 255, reason: "Unknown" });
    });

    it("start afresh when their node does", async () => {
      const boot = (bootID: string): Promise<unknown> =>
        cluster.kubectl(
          ["patch", "node", "wk01", "--subresource=status", "--type=merge", "-p"].concat(
            JSON.stringify({ status: { nodeInfo: { bootID } } }),
          ),
        );
      await boot("first");
      await cluster.apply(controllerPod("rebooted", { spec: { nodeSelector: { "kubernetes.io/hostname": "wk01" } } }));
      const { pid } = await started("rebooted");
      await boot("second");
      await started("rebooted", 2);
      expect(gone(pid)).to.equal(true);
      await eventually("its restart shows", async () => (await container("rebooted")).restartCount === 1);
    });

    it("reach each other by Service name, and nothing else inside", async () => {
      await cluster.apply(controllerPod("serving"));
      await cluster.kubectl(["expose", "pod", "serving", "--port=80", "--target-port=9440"]);
      await cluster.kubectl(["expose", "deployment", "web", "--port=80"]);
      const { env } = await started("serving");
      const proxy = env.HTTP_PROXY;
      for (const host of [
        "serving.default.svc",
        "serving.default.svc.cluster.local",
        "serving.default.svc.cluster.local.",
      ]) {
        await eventually(
          `${host} answers`,
          async () => (await ask(`http://${host}/some/path`, proxy)).body === "/some/path",
        );
      }
      const faked = await eventually("the deployment has endpoints", async () => {
        const answer = await ask("http://web.default.svc/", proxy);
        return answer.body.includes("no process") && answer;
      });
      expect(faked.status).to.equal(502);
      expect(await ask("http://none.default.svc/", proxy)).to.deep.include({ status: 502 });
    });

    it("come back after the runner was killed, with the same address, and no process was left meanwhile", async () => {
      const before = await pod("plain");
      const first = await started("plain");
      lab.process.kill("SIGKILL");
      await lab.ended;
      await eventually("its process is gone", () => Promise.resolve(gone(first.pid)), 2);
      lab = await startLab("pods", folder.config, ["--kubeconfig", cluster.kubeconfig]);
      await started("plain", 2);
      const status = await eventually("its restart shows", async () => {
        const { status } = await pod("plain");
        return status.containerStatuses?.[0]?.restartCount === 1 && status;
      });
      expect(status.podIP).to.equal(before.status.podIP);
      expect(status.containerStatuses?.[0]?.lastState?.terminated).to.include({ exitCode: 255, reason: "Unknown" });
    });

    it("show their logs to kubectl: those of the present process, and of the one before", async () => {
      await cluster.apply(controllerPod("telling"));
      const first = await started("telling");
      await eventually("it listens", async () => (await health(first, "/say/one")).status === 200);
      await health(first, "/say/two");
      const logs = (...args: string[]): Promise<string> => cluster.kubectl(["logs", "telling", ...args]);
      expect(await eventually("they are there", async () => (await logs()).includes("two") && logs())).to.equal(
        "one\ntwo\n",
      );
      expect(await logs("--tail=1")).to.equal("two\n");
      await health(first, "/exit/1").catch(() => undefined);
      const second = await started("telling", 2);
      await eventually("it listens again", async () => (await health(second, "/say/three")).status === 200);
      await eventually("the new log is there", async () => (await logs()) === "three\n");
      expect(await logs("--previous")).to.equal("one\ntwo\n");
    });

    it("have no log where they only look alive", async () => {
      const refused = await cluster.kubectl(["logs", "deployment/web"]).catch(String);
      expect(refused).to.include("only looks alive");
    });

    it("show their logs to nobody without the cluster's certificate", async () => {
      const socket = connect({ host: "127.92.6.1", port: 10250, rejectUnauthorized: false });
      socket.write("GET /containerLogs/default/plain/manager HTTP/1.1\r\nHost: x\r\n\r\n");
      const [error] = (await once(socket, "error")) as [Error];
      expect(error.message).to.match(/certificate required/);
    });

    it("log to a file of their own", async () => {
      await access(join(folder.dir, "logs", "pods", "default_plain_manager.log"));
    });
  });
});
