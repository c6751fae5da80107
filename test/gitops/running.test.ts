import { expect } from "chai";

import type { HearthConfig } from "../../infra/config/index.ts";
import { budgets } from "../../lib/tree/rules/budgets.ts";
import { claims } from "../../lib/tree/rules/claims.ts";
import { etcdMetrics } from "../../lib/tree/rules/etcd-metrics.ts";
import { extensions } from "../../lib/tree/rules/extensions.ts";
import { machineLogs } from "../../lib/tree/rules/machine-logs.ts";
import { memoryVolumes } from "../../lib/tree/rules/memory-volumes.ts";
import { pastSignOn } from "../../lib/tree/rules/past-sign-on.ts";
import { peerCache } from "../../lib/tree/rules/peer-cache.ts";
import { publicNames } from "../../lib/tree/rules/public-names.ts";
import { references } from "../../lib/tree/rules/references.ts";
import { trust } from "../../lib/tree/rules/trust.ts";
import { working } from "../../lib/tree/rules/working.ts";
import { foundOf } from "../support/tree.ts";

describe("volumes in memory", () => {
  const job = (size: string, limit: string, mount = "") => `
apiVersion: batch/v1
kind: Job
metadata: { name: copy, namespace: apps }
spec:
  template:
    spec:
      containers:
        - name: copy
          resources: { limits: { ${limit} } }
          volumeMounts: [{ name: work, mountPath: /work${mount} }]
      volumes: [{ name: work, emptyDir: { medium: Memory${size} } }]
`;
  const found = (...parts: [string, string, string?]) => foundOf(memoryVolumes, job(...parts));

  it("fit what their container may have", () => {
    expect(found(", sizeLimit: 2Gi", "memory: 2560Mi")).to.deep.equal([]);
    expect(found(", sizeLimit: 2Gi", "memory: 512Mi")).to.deep.equal([
      "Job apps/copy: copy may write 2048 MiB to memory (work), and is killed at 512 MiB",
    ]);
  });

  it("may be larger where the container only reads them, or has no limit", () => {
    expect(found(", sizeLimit: 2Gi", "memory: 512Mi", ", readOnly: true")).to.deep.equal([]);
    expect(found(", sizeLimit: 2Gi", "cpu: 1")).to.deep.equal([]);
  });

  it("have a limit", () => {
    expect(found("", "memory: 512Mi")).to.deep.equal(["Job apps/copy: the volume work is in memory, and has no limit"]);
  });
});

describe("claims without a class", () => {
  const claim = `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: notes, namespace: apps }
spec: {}
`;
  const ofSet = `---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: notes, namespace: apps }
spec: { volumeClaimTemplates: [{ spec: {} }] }
`;
  const storage = (isDefault: boolean) => `---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: fast, annotations: { storageclass.kubernetes.io/is-default-class: "${String(isDefault)}" } }
`;

  it("need a default class", () => {
    expect(foundOf(claims, claim + ofSet + storage(true))).to.deep.equal([]);
    expect(foundOf(claims, claim + ofSet + storage(false))).to.deep.equal(
      ["PersistentVolumeClaim", "StatefulSet"].map(
        (kind) => `${kind} apps/notes: a claim names no class, and the cluster has no default: it stays pending`,
      ),
    );
  });

  it("are another rule's where they name one, or ask for none", () => {
    expect(foundOf(claims, claim.replace("{}", "{ storageClassName: fast }"))).to.deep.equal([]);
    expect(foundOf(claims, claim.replace("{}", '{ storageClassName: "" }'))).to.deep.equal([]);
  });
});

describe("drivers that need an extension of Talos", () => {
  const iscsi = `
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: { name: nas, namespace: truenas }
spec: { values: { driver: { config: { driver: freenas-api-iscsi } } } }
`;
  const linstor = `
apiVersion: piraeus.io/v1
kind: LinstorCluster
metadata: { name: linstor }
`;

  it("are found where the image of a machine that runs pods lacks it", () => {
    expect(foundOf(extensions, iscsi, undefined, "prod")).to.deep.equal([
      "HelmRelease truenas/nas needs siderolabs/iscsi-tools, which machines with the image intel lack: its volumes cannot be mounted there",
    ]);
    expect(foundOf(extensions, iscsi.replace("iscsi", "nfs"), undefined, "prod")).to.deep.equal([]);
    const add = ({ images }: { images: Record<string, { extensions: string[] }> }) =>
      void images.intel?.extensions.push("siderolabs/iscsi-tools");
    expect(foundOf(extensions, iscsi, add, "prod")).to.deep.equal([]);
  });

  it("are asked of no machine but those that keep LINSTOR's copies", () => {
    expect(foundOf(extensions, linstor, undefined, "prod")).to.deep.equal([]);
    const label = ({ nodes }: { nodes: Record<string, { labels: Record<string, string> }> }) =>
      void Object.assign(nodes["den-prod-cp01"]?.labels ?? {}, { "hearth.dev/storage": "true" });
    expect(foundOf(extensions, linstor, label, "prod")).to.have.length(1);
  });

  it("are asked of machines with the label of graphics", () => {
    const plugin = (label: string) => `
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: plugin, namespace: gpu }
spec: { template: { spec: { nodeSelector: { ${label}: "true" } } } }
`;
    for (const [label, driver] of [
      ["intel.feature.node.kubernetes.io/gpu", "siderolabs/i915"],
      ["amd.com/gpu.present", "siderolabs/amdgpu"],
    ] as const) {
      const given = (driven: boolean) => (config: HearthConfig) => {
        Object.assign(config.nodes["den-prod-cp01"]?.labels ?? {}, { [label]: "true" });
        for (const image of Object.values(config.images))
          image.extensions = driven
            ? [...image.extensions, driver]
            : image.extensions.filter((each) => each !== driver);
      };
      expect(foundOf(extensions, plugin(label), undefined, "prod")).to.deep.equal([]);
      expect(foundOf(extensions, plugin(label), given(true), "prod")).to.deep.equal([]);
      expect(foundOf(extensions, plugin(label), given(false), "prod")).to.deep.equal([
        `DaemonSet gpu/plugin needs ${driver}, which machines with the image intel lack: it finds no graphics there`,
      ]);
    }
  });
});

describe("the runtime of NVIDIA's cards", () => {
  const runtime = `
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: { name: nvidia }
handler: nvidia
`;
  const present = ({ nodes }: { nodes: Record<string, { labels: Record<string, string> }> }) =>
    void Object.assign(nodes["den-prod-cp01"]?.labels ?? {}, { "nvidia.com/gpu.present": "true" });

  it("needs the container toolkit in the image of machines with a card", () => {
    expect(foundOf(extensions, runtime, undefined, "prod")).to.deep.equal([]);
    expect(foundOf(extensions, runtime.replace("handler: nvidia", "handler: kata"), present, "prod")).to.deep.equal([]);
    expect(foundOf(extensions, runtime, present, "prod")).to.deep.equal([
      "RuntimeClass nvidia needs siderolabs/nvidia-container-toolkit-production or siderolabs/nvidia-container-toolkit-lts, which machines with the image intel lack: its pods do not start there",
    ]);
  });

  it("is content with either of its branches", () => {
    for (const branch of ["production", "lts"]) {
      const add = (config: Parameters<typeof present>[0] & { images: Record<string, { extensions: string[] }> }) => {
        present(config);
        config.images.intel?.extensions.push(`siderolabs/nvidia-container-toolkit-${branch}`);
      };
      expect(foundOf(extensions, runtime, add, "prod")).to.deep.equal([]);
    }
  });
});

describe("etcd's metrics", () => {
  const scrape = `
apiVersion: monitoring.coreos.com/v1alpha1
kind: ScrapeConfig
metadata: { name: etcd, namespace: monitoring }
spec: { relabelings: [{ targetLabel: __address__, replacement: "$1:2381" }] }
`;

  it("are scraped only where machines expose them", () => {
    expect(foundOf(etcdMetrics, scrape)).to.deep.equal([
      "ScrapeConfig monitoring/etcd scrapes etcd, and no machine exposes its metrics: alerts call each member down",
    ]);
    const expose = ({ cluster }: { cluster: { patches: { controlPlanes: object[] } } }) =>
      void cluster.patches.controlPlanes.push({
        cluster: { etcd: { extraArgs: { "listen-metrics-urls": "http://0.0.0.0:2381" } } },
      });
    expect(foundOf(etcdMetrics, scrape, expose)).to.deep.equal([]);
  });
});

describe("a cache of images among machines", () => {
  const spegel = `
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: { name: images, namespace: spegel }
spec: { chart: { spec: { chart: spegel, version: 0.7.4, sourceRef: { kind: HelmRepository, name: spegel } } } }
`;

  it("is found where containerd keeps no layers to give away", () => {
    expect(foundOf(peerCache, spegel)).to.deep.equal([
      "HelmRelease spegel/images has images to give only where containerd keeps their layers, and no machine does",
    ]);
    const keep = ({ cluster }: { cluster: { patches: { all: object[] } } }) =>
      void cluster.patches.all.push({ machine: { files: [{ content: "discard_unpacked_layers = false\n" }] } });
    expect(foundOf(peerCache, spegel, keep)).to.deep.equal([]);
    expect(foundOf(peerCache, spegel.replaceAll("spegel", "other"))).to.deep.equal([]);
  });
});

describe("logs of machines", () => {
  const collector = (port: string) => `
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: collector, namespace: logs }
spec: { template: { spec: { containers: [{ ports: [{ ${port} }] }] } } }
`;
  const send = (talos: string) => (config: { cluster: { logDestinations: object[]; kernelLogDestinations: object } }) =>
    Object.assign(config.cluster, { logDestinations: [{ url: talos, tags: {} }], kernelLogDestinations: {} });

  it("have a pod of each machine that takes them, where they are sent to the machine itself", () => {
    const listening = "containerPort: 51, hostPort: 6051, hostIP: 127.0.0.1";
    expect(foundOf(machineLogs, collector(listening), send("tcp://127.0.0.1:6051"))).to.deep.equal([]);
    for (const other of ["containerPort: 6051", "containerPort: 51, hostPort: 6052", `${listening}, protocol: UDP`]) {
      expect(foundOf(machineLogs, collector(other), send("tcp://127.0.0.1:6051")), other).to.deep.equal([
        "hearth:cluster.logDestinations.0 sends logs to tcp://127.0.0.1:6051, and no pod of each machine listens there",
      ]);
    }
  });

  it("may go to another host, which the tree knows nothing of", () => {
    expect(foundOf(machineLogs, collector("containerPort: 51"), send("udp://10.20.0.8:6051"))).to.deep.equal([]);
  });
});

describe("certificates that nobody trusts", () => {
  const tree = (server: string, host: string) => `
apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: { name: acme }
spec: { acme: { server: "https://${server}.api.letsencrypt.org/directory" } }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: internal, annotations: { cert-manager.io/cluster-issuer: acme } }
spec: { listeners: [{ hostname: "*.home.example.com" }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: proxy, namespace: proxy }
spec: { template: { spec: { containers: [{ args: ["--oidc-issuer-url=https://${host}/realms/home"] }] } } }
`;

  it("are found where people sign in by them", () => {
    expect(foundOf(trust, tree("acme-staging-v02", "id.home.example.com"))).to.deep.equal([
      "Deployment proxy/proxy signs people in at id.home.example.com, whose certificate is of a staging issuer, which it does not trust",
    ]);
    expect(foundOf(trust, tree("acme-v02", "id.home.example.com"))).to.deep.equal([]);
    expect(foundOf(trust, tree("acme-staging-v02", "id.elsewhere.example.com"))).to.deep.equal([]);
  });

  const own = tree("", "id.home.example.com").replace(/spec: \{ acme.*/, "spec: { ca: { secretName: own } }");
  const given = (more: string): string => own.replace("containers: [{", `containers: [{ ${more},`);
  const problem =
    "Deployment proxy/proxy signs people in at id.home.example.com, whose certificate is of the issuer acme, an authority of the cluster's own, which it does not trust";

  it("are found where they are of an authority of the cluster's own", () => {
    expect(foundOf(trust, own)).to.deep.equal([problem]);
    expect(foundOf(trust, own.replace("ca: { secretName: own }", "selfSigned: {}"))).to.deep.equal([problem]);
  });

  it("are trusted by whoever is given the authority in a file", () => {
    const mount = "volumeMounts: [{ name: own, mountPath: /own }]";
    expect(foundOf(trust, given(`env: [{ name: SSL_CERT_DIR, value: /own }], ${mount}`))).to.deep.equal([]);
    expect(foundOf(trust, given(`env: [{ name: SSL_CERT_FILE, value: /own/ca.crt }], ${mount}`))).to.deep.equal([]);
    // Nothing is there.
    expect(foundOf(trust, given("env: [{ name: SSL_CERT_DIR, value: /own }]"))).to.deep.equal([problem]);
    expect(foundOf(trust, given(`env: [{ name: SSL_CERT_DIR, value: /owner }], ${mount}`))).to.deep.equal([problem]);
  });

  it("are found where routes are probed", () => {
    const probing = own.replace(/args: .*\] \}\] \} \} \}/, 'args: ["--auto-httproute"] }] } } }');
    expect(foundOf(trust, probing)).to.deep.equal([
      "Deployment proxy/proxy probes *.home.example.com, whose certificate is of the issuer acme, an authority of the cluster's own, which it does not trust",
    ]);
  });
});

describe("what Flux takes for ready", () => {
  const applied = (object: string, spec: string) => `
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: { name: all, namespace: flux-system }
spec: { ${spec} }
---
${object}
`;
  const database = "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: { name: notes, namespace: notes }";
  const expression = (version: string, kind: string) =>
    `healthCheckExprs: [{ apiVersion: ${version}, kind: ${kind}, current: has(status.phase) }]`;

  it("works, where an operator makes it: by an expression for its kind", () => {
    expect(foundOf(working, applied(database, expression("postgresql.cnpg.io/v1", "Cluster")))).to.deep.equal([]);
    for (const others of [
      "wait: true",
      expression("example.com/v1", "Cluster"),
      expression("postgresql.cnpg.io/v1", "Pooler"),
    ])
      expect(foundOf(working, applied(database, others)), others).to.deep.equal([
        "Cluster notes/notes: Flux takes it for ready as soon as it is applied, whether it works or not",
      ]);
  });

  it("says so of itself otherwise", () => {
    expect(
      foundOf(working, applied("apiVersion: v1\nkind: Service\nmetadata: { name: notes }", "wait: true")),
    ).to.deep.equal([]);
  });

  it("has the pods of a driver of Ceph", () => {
    const driver = "apiVersion: csi.ceph.io/v1\nkind: Driver\nmetadata: { name: rbd, namespace: ceph }";
    const pods = ["{ kind: Deployment, name: rbd-ctrlplugin }", "{ kind: DaemonSet, name: rbd-nodeplugin }"];
    expect(foundOf(working, applied(driver, `healthChecks: [${pods.join(", ")}]`))).to.deep.equal([]);
    expect(foundOf(working, applied(driver, `healthChecks: [${pods[0] ?? ""}]`))).to.deep.equal([
      "Driver ceph/rbd: nothing waits for its DaemonSet rbd-nodeplugin, without which no volume is mounted",
    ]);
    expect(foundOf(working, applied(driver, "wait: true"))).to.have.length(2);
  });
});

describe("what runs more than once", () => {
  const served = (replicas: number, budget = ""): string => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: notes, namespace: notes }
spec: { replicas: ${replicas.toString()}, template: { metadata: { labels: { app: notes } } } }
${
  budget === ""
    ? ""
    : `---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: notes, namespace: notes }
spec: { ${budget}, selector: { matchLabels: { app: notes } } }
`
}`;

  it("has a budget, so that a drain leaves some of it", () => {
    expect(foundOf(budgets, served(1))).to.deep.equal([]);
    expect(foundOf(budgets, served(2, "maxUnavailable: 1"))).to.deep.equal([]);
    const problem =
      "Deployment notes/notes has 2 pods, and no PodDisruptionBudget: a drain may take all of them at once";
    expect(foundOf(budgets, served(2))).to.deep.equal([problem]);
    const others = served(2, "maxUnavailable: 1").replace("matchLabels: { app: notes }", "matchLabels: { app: other }");
    expect(foundOf(budgets, others)).to.deep.equal([problem]);
  });

  it("has one that lets a pod go", () => {
    const problem =
      "PodDisruptionBudget notes/notes lets no pod of Deployment notes/notes go: a drain of its machine never ends";
    for (const budget of ["maxUnavailable: 0", "minAvailable: 2", 'minAvailable: "100%"', 'maxUnavailable: "0%"'])
      expect(foundOf(budgets, served(2, budget)), budget).to.deep.equal([problem]);
    expect(foundOf(budgets, served(1, "minAvailable: 1"))).to.deep.equal([problem]);
    expect(foundOf(budgets, served(3, "minAvailable: 2"))).to.deep.equal([]);
  });
});

describe("single sign-on at the gateways", () => {
  const guarded = (annotation = "") => `
apiVersion: v1
kind: Service
metadata: { name: notes, namespace: apps, annotations: { ${annotation} } }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: notes, namespace: apps }
spec: { rules: [{ filters: [{ type: ExternalAuth }], backendRefs: [{ name: notes, port: 80 }] }] }
`;
  const leadTo =
    (service: string) =>
    ({ cloudflare }: HearthConfig): void =>
      void cloudflare?.ingress.splice(0, 9, {
        ...cloudflare.ingress[0],
        hostname: "notes.example.com",
        service,
      } as never);
  const past = "http://notes.apps.svc.cluster.local:80";

  it("is not gone past by a tunnel that leads to the Service", () => {
    const message =
      "Service apps/notes has single sign-on at the gateways, and the tunnel leads notes.example.com past them";
    expect(foundOf(pastSignOn, guarded(), leadTo(past))).to.deep.equal([message]);
    expect(foundOf(pastSignOn, guarded(), leadTo("http://notes.apps:80"))).to.deep.equal([message]);
    expect(foundOf(pastSignOn, guarded(), leadTo("https://gateway.gateways.svc:443"))).to.deep.equal([]);
    expect(foundOf(pastSignOn, guarded().replace("ExternalAuth", "URLRewrite"), leadTo(past))).to.deep.equal([]);
  });

  it("may be gone past for a reason that somebody wrote down", () => {
    const because = (reason: string) =>
      foundOf(pastSignOn, guarded(`hearth.dev/past-sign-on: "${reason}"`), leadTo(past));
    expect(because("It shows nothing that is secret")).to.deep.equal([]);
    expect(because("ok")).to.have.length(1);
  });
});

describe("names that external-dns publishes", () => {
  const published = (host: string, gateway = "external", flag = "--cloudflare-proxied") => `
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: { name: external-dns, namespace: external-dns }
spec: { values: { extraArgs: [--gateway-name=external, ${flag}] } }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: notes, namespace: apps }
spec: { parentRefs: [{ name: ${gateway} }], hostnames: [${host}] }
`;

  it("are of the level that Cloudflare's certificate covers, or have one", () => {
    expect(foundOf(publicNames, published("notes.dev.example.com"))).to.deep.equal([
      "HTTPRoute apps/notes: notes.dev.example.com is published, and no certificate of Cloudflare covers it, so browsers refuse it",
    ]);
    expect(foundOf(publicNames, published("notes.example.com"))).to.deep.equal([]);
    const certificate = ({ cloudflare }: HearthConfig): void =>
      void cloudflare?.zone.certificates.push("*.dev.example.com");
    expect(foundOf(publicNames, published("notes.dev.example.com"), certificate)).to.deep.equal([]);
  });

  it("are those of one gateway, and of proxied records", () => {
    expect(foundOf(publicNames, published("notes.dev.example.com", "internal"))).to.deep.equal([]);
    expect(foundOf(publicNames, published("notes.dev.example.com", "external", "--log-level=info"))).to.deep.equal([]);
  });
});

describe("classes in the values of a release", () => {
  const release = (name: string) => `
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: { name: metrics, namespace: monitoring }
spec: { values: { storage: { volumeClaimTemplate: { spec: { storageClassName: ${name} } } } } }
`;

  it("are there", () => {
    expect(foundOf(references, release("fast")).join()).to.contain("names StorageClass fast, which nothing creates");
    expect(foundOf(references, release('""'))).to.deep.equal([]);
  });
});
