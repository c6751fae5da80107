import { type ChildProcess, execFile, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { execa } from "execa";
import { labPrograms } from "./lab-programs.ts";
import { eventually } from "./lab-process.ts";

/** A real control plane without machines. */
export interface ControlPlane {
  /** Path of the administrator's kubeconfig. */
  kubeconfig: string;
  /** Runs kubectl, with input on stdin, and returns its output. */
  kubectl: (args: readonly string[], input?: string) => Promise<string>;
  /** Creates objects. Throws the API server's error. */
  apply: (...objects: object[]) => Promise<void>;
  /** Reads an object. Undefined if it does not exist. */
  get: <T>(kind: string, name: string, namespace?: string) => Promise<T | undefined>;
  stop: () => Promise<void>;
}

const token = "control-plane-test";

/** Starts etcd, kube-apiserver, kube-controller-manager and kube-scheduler on a loopback address, in a folder. */
export const startControlPlane = async (dir: string, address: string): Promise<ControlPlane> => {
  const programs = await labPrograms("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler");
  const { kubectl: kubectlPath = "kubectl" } = await labPrograms("kubectl").catch((): Record<string, string> => ({}));
  await mkdir(dir, { recursive: true });
  const kubeconfig = join(dir, "kubeconfig");
  const ca = join(dir, "ca.crt");
  await certificates(dir, address);
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = join(dir, "service-account.key");
  await writeFile(key, privateKey.export({ type: "sec1", format: "pem" }));
  await writeFile(join(dir, "tokens.csv"), `${token},admin,1,system:masters\n`);
  await writeFile(kubeconfig, kubeconfigFor(`https://${address}:6443`, ca));

  const children: ChildProcess[] = [];
  const start = (name: string, args: string[]): void => {
    const child = spawn(programs[name] ?? name, args, { stdio: ["ignore", "pipe", "pipe"] });
    const log = createWriteStream(join(dir, `${name}.log`));
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    children.push(child);
  };
  start("etcd", [
    `--data-dir=${join(dir, "etcd")}`,
    `--listen-client-urls=http://${address}:2379`,
    `--advertise-client-urls=http://${address}:2379`,
    `--listen-peer-urls=http://${address}:2380`,
    `--initial-advertise-peer-urls=http://${address}:2380`,
    `--initial-cluster=default=http://${address}:2380`,
    "--unsafe-no-fsync",
  ]);
  start("kube-apiserver", [
    `--etcd-servers=http://${address}:2379`,
    `--bind-address=${address}`,
    "--secure-port=6443",
    `--tls-cert-file=${join(dir, "apiserver.crt")}`,
    `--tls-private-key-file=${join(dir, "apiserver.key")}`,
    `--kubelet-client-certificate=${join(dir, "kubelet-client.crt")}`,
    `--kubelet-client-key=${join(dir, "kubelet-client.key")}`,
    `--token-auth-file=${join(dir, "tokens.csv")}`,
    "--authorization-mode=RBAC",
    "--allow-privileged=true",
    "--endpoint-reconciler-type=none",
    "--service-cluster-ip-range=10.96.0.0/16",
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
  ]);

  const kubectl = async (args: readonly string[], input?: string): Promise<string> => {
    const { stdout } = await execa(kubectlPath, ["--kubeconfig", kubeconfig, ...args], {
      input: input ?? "",
      stripFinalNewline: false,
    });
    return stdout;
  };
  const stop = async (): Promise<void> => {
    for (const child of children.toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    }
  };
  const isReady = eventually(
    "the API server answers",
    async () => (await kubectl(["get", "--raw", "/readyz"])) === "ok",
    120,
  );
  await orStopped(isReady, stop);
  start("kube-controller-manager", [
    `--kubeconfig=${kubeconfig}`,
    `--bind-address=${address}`,
    `--root-ca-file=${ca}`,
    `--service-account-private-key-file=${key}`,
    "--use-service-account-credentials",
    ...["--kube-api-qps=500", "--kube-api-burst=1000"],
    "--leader-elect=false",
    // A test itself decides whether a node is alive.
    "--controllers=*,-node-lifecycle-controller",
  ]);
  start("kube-scheduler", [`--kubeconfig=${kubeconfig}`, `--bind-address=${address}`, "--leader-elect=false"]);
  const hasAccount = eventually(
    "the default service account exists",
    async () => (await kubectl(["get", "serviceaccount", "default", "-o", "name"])) !== "",
    120,
  );
  await orStopped(hasAccount, stop);

  return {
    kubeconfig,
    kubectl,
    apply: async (...objects) => {
      await kubectl(
        ["apply", "--server-side", "--force-conflicts", "-f", "-"],
        JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }),
      );
    },
    get: async <T>(kind: string, name: string, namespace = "default") => {
      const text = await kubectl(["get", kind, name, "-n", namespace, "--ignore-not-found", "-o", "json"]);
      return text === "" ? undefined : (JSON.parse(text) as T);
    },
    stop,
  };
};

/** Waits for a condition. What was started is stopped where it never holds, since then nobody else can stop it. */
const orStopped = async (condition: Promise<unknown>, stop: () => Promise<void>): Promise<void> => {
  try {
    await condition;
  } catch (error) {
    await stop();
    throw error;
  }
};

/** Creates a certificate authority, and the API server's certificates. */
const certificates = async (dir: string, address: string): Promise<void> => {
  const openssl = (...args: string[]): Promise<unknown> => promisify(execFile)("openssl", args, { cwd: dir });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  await openssl("req", "-x509", ...newKey, "-subj", "/CN=cluster", "-keyout", "ca.key", "-out", "ca.crt");
  for (const [name, subject, extension] of [
    ["apiserver", "/CN=kube-apiserver", `subjectAltName=IP:${address}`],
    ["kubelet-client", "/O=system:masters/CN=apiserver-kubelet-client", "extendedKeyUsage=clientAuth"],
  ] as const) {
    const signed = ["-CA", "ca.crt", "-CAkey", "ca.key", "-subj", subject, "-addext", extension];
    await openssl("req", "-x509", ...newKey, ...signed, "-keyout", `${name}.key`, "-out", `${name}.crt`);
  }
};

const kubeconfigFor = (server: string, authority: string): string =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: "test",
        cluster: { server, "certificate-authority": authority },
      },
    ],
    users: [{ name: "admin", user: { token } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "admin" } }],
    "current-context": "test",
  });

/** Registers a node as a machine does: with a range of pod addresses, Ready or not. */
export const addNode = async (
  cluster: ControlPlane,
  { name, address, podCIDR, ready }: { name: string; address: string; podCIDR: string; ready: boolean },
): Promise<void> => {
  await cluster.apply({
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux" },
      // A kubelet sets it, and the controller attaches volumes to such nodes only.
      annotations: { "volumes.kubernetes.io/controller-managed-attach-detach": "true" },
    },
    spec: { podCIDR, podCIDRs: [podCIDR] },
  });
  await cluster.kubectl(
    ["patch", "node", name, "--subresource=status", "--type=merge", "-p"].concat(
      JSON.stringify({
        status: {
          addresses: [{ type: "InternalIP", address }],
          capacity: { cpu: "4", memory: "8Gi", pods: "110" },
          allocatable: { cpu: "4", memory: "8Gi", pods: "110" },
        },
      }),
    ),
  );
  await setNodeReady(cluster, name, ready ? "True" : "False");
};

/** Sets a node's Ready condition, as its machine does, or as the control plane does when it loses contact with it. */
export const setNodeReady = async (
  cluster: ControlPlane,
  name: string,
  status: "True" | "False" | "Unknown",
): Promise<void> => {
  await cluster.kubectl(
    ["patch", "node", name, "--subresource=status", "--type=strategic", "-p"].concat(
      JSON.stringify({
        status: { conditions: [{ type: "Ready", status, reason: "Test", message: "said by a test" }] },
      }),
    ),
  );
  const taints = status === "True" ? [] : [{ key: "node.kubernetes.io/not-ready", effect: "NoSchedule" }];
  await cluster.kubectl(["patch", "node", name, "--type=merge", "-p", JSON.stringify({ spec: { taints } })]);
};
