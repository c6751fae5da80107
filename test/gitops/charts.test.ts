import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { expect } from "chai";

import { cacheRoot } from "../../toolchain/cache.ts";
import { chartDigests } from "../../lib/tree/digest-list.ts";
import { hearth, type Outcome } from "../support/hearth.ts";
import { sha256, tarGz, VendorServer } from "../support/vendors.ts";

const root = join(import.meta.dirname, "../..");

/** A chart of one Deployment, whose account the chart does not create, and of further manifests. */
const chart = (account = "default", more = ""): Buffer =>
  tarGz([
    { path: "web/templates/more.yaml", content: more },
    { path: "web/Chart.yaml", content: "apiVersion: v2\nname: web\nversion: 1.2.0\n" },
    { path: "web/values.yaml", content: `account: ${account}\n` },
    {
      path: "web/templates/deployment.yaml",
      content: `apiVersion: apps/v1
kind: Deployment
metadata: { name: {{ .Release.Name }} }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      serviceAccountName: {{ .Values.account }}
      containers: [{ name: web, image: "docker.io/library/nginx:1.29.0" }]
`,
    },
  ]);

const tree = (url: string): Record<string, string> => ({
  "gitops/clusters/dev/kustomization.yaml": "resources: [web.yaml]\n",
  "gitops/clusters/dev/web.yaml": `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: { name: web, namespace: flux-system }
spec:
  interval: 1h
  prune: true
  wait: true
  path: ./gitops/web
  sourceRef: { kind: GitRepository, name: flux-system }
`,
  "gitops/web/kustomization.yaml": "resources: [web.yaml]\n",
  "gitops/web/web.yaml": `apiVersion: v1
kind: Namespace
metadata: { name: web, labels: { pod-security.kubernetes.io/enforce: privileged } }
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: { name: web, namespace: web }
spec: { interval: 1h, url: "${url}", insecure: true, ref: { tag: 1.2.0 } }
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: { name: web, namespace: web }
spec: { interval: 1h, chartRef: { kind: OCIRepository, name: web } }
`,
});

describe("npx hearth check --charts", function () {
  // The first time, what checks is built.
  this.timeout(900_000);
  let vendor: VendorServer;
  let folder: string;
  const served = new Set<string>();

  beforeEach(async () => {
    vendor = await VendorServer.start();
    folder = await mkdtemp(join(tmpdir(), "hearth-tree-"));
    const stack = await readFile(join(root, "Pulumi.dev.yaml"), "utf8");
    const written: Record<string, string> = {
      "Pulumi.dev.yaml": stack
        .replaceAll(/^ +(?:kernelL|l)ogDestinations:.*\n/gm, "")
        .replace(/<.+>/, "age1v0lncznkg79xx5ejz5nlqknczgnrsfe9wzxclk2z38m9alr0pqdqsxvj7d")
        .replace(/<.+>/, "age1xm6mgvjt7ffl7ayvk0fr89h6k5qgnctyxl3jf7y5pmayt563pafs4cduag"),
      ...tree(`oci://${vendor.host}/charts/web`),
    };
    for (const [file, text] of Object.entries(written)) {
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await writeFile(join(folder, file), text);
    }
  });

  afterEach(async () => {
    for (const archive of served) await rm(archive, { force: true });
    await vendor[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const check = (...flags: string[]): Promise<Outcome> => hearth(folder, ["check", "dev", "--charts", ...flags]);
  const cached = (archive: Buffer): string => join(cacheRoot(), "charts", `${sha256(archive)}.tgz`);
  const serve = (archive: Buffer): void => {
    vendor.serveChart("charts/web", "1.2.0", archive);
    served.add(cached(archive));
  };

  it("holds what a published chart creates to the rules of the tree", async () => {
    serve(chart());
    expect(await check()).to.include({ exitCode: 0, stderr: "" });
    serve(chart("nobody"));
    const { exitCode, stderr } = await check();
    expect(exitCode).to.equal(1);
    expect(stderr).to.contain(
      "Deployment web/web of HelmRelease web/web names ServiceAccount web/nobody, which nothing creates",
    );
    // Without the chart nobody would know.
    expect(await hearth(folder, ["check", "dev", "--tree"])).to.include({ exitCode: 0, stderr: "" });
  });

  it("holds it to the API server's own schemas, and gives charts the kinds that it has", async () => {
    const findings = async (more: string): Promise<string> => {
      serve(chart("default", more));
      return (await check()).stderr;
    };
    const object = (version: string, name: string, rest: string): string =>
      `apiVersion: ${version}\nkind: ${name}\nmetadata: { name: more }\n${rest}\n`;
    const budget = "spec: { maxUnavailable: 1, selector: { matchLabels: { app: web } } }";
    expect(await findings(object("policy/v1beta1", "PodDisruptionBudget", budget))).to.contain(
      "PodDisruptionBudget web/more of HelmRelease web/web: no schema here has PodDisruptionBudget in policy/v1beta1",
    );
    const version =
      '{{ if .Capabilities.APIVersions.Has "policy/v1/PodDisruptionBudget" }}policy/v1{{ else }}policy/v1beta1{{ end }}';
    expect(await findings(object(version, "PodDisruptionBudget", budget))).to.equal("");
    expect(await findings(object("v1", "Service", "spec: { port: 80 }"))).to.contain(
      "Service web/more of HelmRelease web/web: spec.port is a field that its kind does not have",
    );
    expect(
      await findings(object("v1", "ConfigMap", "data: {}").replace("name: more", "name: more, namespace: none")),
    ).to.contain("ConfigMap none/more of HelmRelease web/web: nothing makes the namespace none");
    // Its definition may be the chart's own.
    expect(await findings(object("example.org/v1", "Thing", ""))).to.equal("");
    expect(await findings(object("monitoring.coreos.com/v1", "PodMonitor", "spec: { selector: {} }"))).to.contain(
      "PodMonitor web/more of HelmRelease web/web: nothing in this cluster brings its definition",
    );
  });

  it("knows the pods that the operator of Prometheus makes", async () => {
    const prometheus = `apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: { name: watch }
spec: {}
---
apiVersion: v1
kind: Service
metadata: { name: watch }
spec:
  selector: { operator.prometheus.io/name: watch }
  ports: [{ port: 80, targetPort: http-web }]
`;
    serve(chart("default", prometheus));
    expect((await check()).stderr).to.contain(
      "Service web/watch of HelmRelease web/web names the port http-web, which no container of Prometheus web/watch of HelmRelease web/web has",
    );
  });

  it("ends with 2 where a chart cannot be had, and names it with the reason", async () => {
    expect(await check()).to.deep.include({
      exitCode: 2,
      stderr: `oci://${vendor.host}/charts/web:1.2.0 cannot be had: HTTP 404`,
    });
  });

  it("records digests on request, and ends with 1 once a chart was pushed again", async () => {
    serve(chart());
    expect((await check()).stdout).to.contain(`without a digest in ${chartDigests.file}, which --update records`);
    expect(await check("--update")).to.include({ exitCode: 0 });
    const recorded = await readFile(join(folder, chartDigests.file), "utf8");
    expect(recorded).to.contain(`oci://${vendor.host}/charts/web:1.2.0: sha256:${sha256(chart())}`);
    expect((await check()).stdout).not.to.contain("without a digest");

    const again = chart("nobody");
    serve(again);
    await rm(cached(chart()));
    const moved = await check("--update");
    expect(moved.exitCode).to.equal(1);
    expect(moved.stderr).to.contain(sha256(again)).and.not.to.contain("nobody");
    expect(await readFile(join(folder, chartDigests.file), "utf8")).to.equal(recorded);
  });

  it("refuses --update by itself", async () => {
    expect((await hearth(folder, ["check", "--update"])).stderr).to.equal(
      "--update records the digests of charts: give --charts with it",
    );
  });
});
