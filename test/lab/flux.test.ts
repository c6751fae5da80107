import { join } from "node:path";
import { expect } from "chai";
import { type ControlPlane, addNode, startControlPlane } from "../support/control-plane.ts";
import { labData, labPrograms } from "../support/lab-programs.ts";
import { accepts, eventually, labFolder, startLab } from "../support/lab-process.ts";

interface Conditioned {
  spec: { chart?: object };
  status?: { conditions?: { type: string; status: string; message: string }[] };
}

const address = "127.94.5.1";
const controllers = ["source-controller", "kustomize-controller", "helm-controller", "notification-controller"];

describe("Flux on the lab's pods", () => {
  let cluster: ControlPlane;
  const undo: (() => Promise<unknown>)[] = [];

  const isReady = async (kind: string, name: string): Promise<boolean> => {
    const found = await cluster.get<Conditioned>(kind, name, "flux-system");
    const condition = found?.status?.conditions?.find(({ type }) => type === "Ready");
    if (condition?.status !== "True") throw new Error(condition?.message ?? "no condition yet");
    return true;
  };

  before(async () => {
    const data = await labData();
    const folder = await labFolder({
      programs: await labPrograms("kwok", "flux-operator", ...controllers),
      data,
      internet: { proxy: `${address}:8128`, registry: `${address}:8443`, registries: ["quay.io", "ghcr.io"] },
    });
    undo.push(folder.remove);
    cluster = await startControlPlane(join(folder.dir, "control-plane"), address);
    undo.push(cluster.stop);
    await addNode(cluster, { name: "cp01", address: "127.94.6.1", podCIDR: "10.94.0.0/24", ready: true });
    for (const [part, args] of Object.entries({
      registry: [],
      internet: [],
      pods: ["--kubeconfig", cluster.kubeconfig],
    })) {
      const lab = await startLab(part, folder.config, args);
      undo.push(lab.stop);
    }
    await eventually("registry and internet listen", async () =>
      (await Promise.all([8128, 8443].map((port) => accepts(`${address}:${port}`)))).every(Boolean),
    );
    await cluster.kubectl(["apply", "--server-side", "-k", join(data["flux-operator"] ?? "", "config", "default")]);
    await cluster.apply({
      apiVersion: "fluxcd.controlplane.io/v1",
      kind: "FluxInstance",
      metadata: { name: "flux", namespace: "flux-system" },
      spec: {
        distribution: { version: "2.9.x", registry: "ghcr.io/fluxcd" },
        components: controllers,
        cluster: { networkPolicy: false },
      },
    });
  });

  after(async () => {
    for (const each of undo.toReversed()) await each();
  });

  it("is installed by the real flux-operator, and its controllers are really ready", async () => {
    await eventually("the FluxInstance is ready", () => isReady("fluxinstance", "flux"), 90);
    const { items } = JSON.parse(await cluster.kubectl(["get", "pods", "-n", "flux-system", "-o", "json"])) as {
      items: { status: { containerStatuses: { ready: boolean; imageID: string }[] } }[];
    };
    const statuses = items.flatMap(({ status }) => status.containerStatuses);
    expect(statuses.every(({ ready }) => ready)).to.equal(true);
    expect(statuses.map(({ imageID }) => imageID.replace(/@.*/, ""))).to.have.members([
      "flux-operator",
      ...controllers,
    ]);
  });

  it("installs Cilium from quay.io, by way of the cluster's network and the simulated internet", async () => {
    await cluster.apply(
      {
        apiVersion: "source.toolkit.fluxcd.io/v1",
        kind: "OCIRepository",
        metadata: { name: "cilium", namespace: "flux-system" },
        spec: {
          interval: "10m",
          url: "oci://quay.io/cilium/charts/cilium",
          ref: { tag: "1.20.2" },
          layerSelector: { mediaType: "application/vnd.cncf.helm.chart.content.v1.tar+gzip", operation: "copy" },
        },
      },
      {
        apiVersion: "helm.toolkit.fluxcd.io/v2",
        kind: "HelmRelease",
        metadata: { name: "cilium", namespace: "flux-system" },
        spec: {
          interval: "10m",
          releaseName: "cilium",
          targetNamespace: "kube-system",
          chartRef: { kind: "OCIRepository", name: "cilium" },
          values: { ipam: { mode: "kubernetes" }, kubeProxyReplacement: true, operator: { replicas: 1 } },
        },
      },
    );
    await eventually("the release is ready", () => isReady("helmrelease", "cilium"), 60);
    const agents = await cluster.kubectl(["get", "pods", "-n", "kube-system", "-l", "k8s-app=cilium", "-o", "wide"]);
    expect(agents).to.match(/1\/1 +Running .* 127\.94\.6\.1 +cp01/);
  });

  it("renders the lab's flux-operator chart with the values of the public one", async () => {
    await cluster.apply(
      {
        apiVersion: "source.toolkit.fluxcd.io/v1",
        kind: "HelmRepository",
        metadata: { name: "charts", namespace: "flux-system" },
        spec: { type: "oci", interval: "10m", url: "oci://ghcr.io/controlplaneio-fluxcd/charts" },
      },
      {
        apiVersion: "helm.toolkit.fluxcd.io/v2",
        kind: "HelmRelease",
        metadata: { name: "other", namespace: "flux-system" },
        spec: {
          interval: "10m",
          releaseName: "other",
          targetNamespace: "default",
          chart: {
            spec: { chart: "flux-operator", version: "0.58.x", sourceRef: { kind: "HelmRepository", name: "charts" } },
          },
          // It is not to run: there may be one of them.
          install: { disableWait: true },
          values: {
            installCRDs: false,
            nodeSelector: { nowhere: "true" },
            web: { enabled: false },
            rbac: { createAggregation: false },
            resources: { limits: { memory: "123Mi" } },
            extraArgs: ["--concurrent=3"],
          },
        },
      },
    );
    await eventually("the release is ready", () => isReady("helmrelease", "other"), 60);
    const deployment = await cluster.get<{
      spec: { template: { spec: { containers: { args: string[]; image: string; resources: object }[] } } };
    }>("deployment", "other-flux-operator");
    const [container] = deployment?.spec.template.spec.containers ?? [];
    expect(container?.image).to.equal("ghcr.io/controlplaneio-fluxcd/flux-operator:v0.58.1");
    expect(container?.args).to.include.members(["--web-server-port=0", "--concurrent=3"]);
    expect(container?.resources).to.deep.include({ limits: { cpu: "2", memory: "123Mi" } });
  });

  it("is told why by the simulated internet when a host is not of the lab", async () => {
    await cluster.apply({
      apiVersion: "source.toolkit.fluxcd.io/v1",
      kind: "OCIRepository",
      metadata: { name: "elsewhere", namespace: "flux-system" },
      spec: { interval: "10m", url: "oci://registry.example/some/chart" },
    });
    const message = await eventually("the source says so", async () => {
      const found = await cluster.get<Conditioned>("ocirepository", "elsewhere", "flux-system");
      const condition = found?.status?.conditions?.find(({ type }) => type === "Ready");
      return condition?.status === "False" && condition.message;
    });
    expect(message).to.include("the lab does not simulate registry.example");
  });
});
