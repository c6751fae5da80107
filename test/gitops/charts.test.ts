import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { expect } from "chai";

import { cacheRoot } from "../../toolchain/cache.ts";
import { chartDigests, imageDigests } from "../../lib/tree/digest-list.ts";
import { pendingFile } from "../../lib/tree/rules/digests.ts";
import { hearth, type Outcome } from "../support/hearth.ts";
import { sha256, tarGz, VendorServer } from "../support/vendors.ts";

const root = join(import.meta.dirname, "../..");

/** A chart of one Deployment with an image, whose account the chart does not create, and of further manifests. */
const chartWith = (image: string, account = "default", more = ""): Buffer =>
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
      containers: [{ name: web, image: "${image}" }]
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
      "gitops/image-digests.yaml": `${image()}: ${vendor.serveTag("org/web:1.29.0", "an index")}\n`,
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

  const image = (): string => `${vendor.host}/org/web:1.29.0`;
  const chart = (account?: string, more?: string): Buffer => chartWith(image(), account, more);
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

  describe("of images", () => {
    const lists = async (): Promise<string[]> =>
      Promise.all([imageDigests.file, pendingFile].map((file) => readFile(join(folder, file), "utf8")));
    const write = (file: string, text: string): Promise<void> => writeFile(join(folder, file), text);
    const digest = `sha256:${sha256("an index")}`;

    it("finds one that no list has, with its release and the command, which records it", async () => {
      const checkAll = (...flags: string[]) => hearth(folder, ["check", "--charts", ...flags]);
      serve(chart());
      await write(imageDigests.file, "{}\n");
      await write(pendingFile, "# Waiting.\nghcr.io/org/gone:1: for a chart that is gone\n");
      const found = await checkAll();
      expect(found.exitCode).to.equal(1);
      expect(found.stderr).to.equal(
        `gitops/web/web.yaml:10  HelmRelease web/web: the image ${image()} of its chart has no digest\n` +
          `    record what its registry says by npx hearth check --charts --update, or add it to ${pendingFile} with a reason`,
      );
      expect(found.stdout).to.contain("named by nothing any more, which --update removes: ghcr.io/org/gone:1");
      await write(
        pendingFile,
        `${await readFile(join(folder, pendingFile), "utf8")}${image()}: nobody could be asked\n`,
      );
      expect(await checkAll()).to.include({ exitCode: 0 });
      expect(await checkAll("--update")).to.include({ exitCode: 0, stderr: "" });
      const [recorded, pending] = await lists();
      expect(recorded).to.contain(`${image()}: ${digest}\n`);
      expect(pending).to.equal("# Waiting.\n");
    });

    it("ends with 1 once one was pushed again, and does not record that", async () => {
      serve(chart());
      const again = vendor.serveTag("org/web:1.29.0", "another index");
      const [before] = await Promise.all([readFile(join(folder, imageDigests.file), "utf8"), write(pendingFile, "")]);
      const moved = await check("--update");
      expect(moved.exitCode).to.equal(1);
      expect(moved.stderr).to.contain(
        `${image()} was pushed again: its registry has ${again}, and ${digest} is recorded`,
      );
      expect((await lists())[0]).to.contain(before);
    });

    it("finds one that does not exist, and names a registry that does not answer", async () => {
      serve(chart());
      vendor.serveTag("org/web:1.29.0", "an index", { statuses: [404] });
      expect((await check()).stderr).to.contain(`HelmRelease web/web: the image ${image()} does not exist (HTTP 404)`);
      vendor.serveTag("org/web:1.29.0", "an index", { dropped: true });
      expect(await check()).to.include({
        exitCode: 0,
        stderr: `1 image could not be asked for: ${vendor.host} (UND_ERR_SOCKET)`,
      });
    });
  });

  describe("of what is off", () => {
    const options = `resources:
  - web.yaml
  # - ../more/flux.yaml
  # - ../remote/flux.yaml
`;
    const flux = (name: string): string =>
      tree("")["gitops/clusters/dev/web.yaml"]?.replace("name: web", `name: ${name}`).replace("/web", `/${name}/app`) ??
      "";
    const write = async (files: Record<string, string>): Promise<void> => {
      for (const [file, text] of Object.entries(files)) {
        await mkdir(dirname(join(folder, file)), { recursive: true });
        await writeFile(join(folder, file), text);
      }
    };

    it("finds what is wrong with it before somebody turns it on, by its chart too", async () => {
      serve(chart());
      const release = (tree(`oci://${vendor.host}/charts/web`)["gitops/web/web.yaml"] ?? "").replaceAll(
        "web }",
        "more }",
      );
      await write({
        "gitops/clusters/dev/kustomization.yaml": options,
        "gitops/clusters/more/flux.yaml": flux("more"),
        "gitops/more/app/kustomization.yaml": "resources: [more.yaml]\n",
        "gitops/more/app/more.yaml": release
          .replace("name: web,", "name: more,")
          .replaceAll("namespace: web", "namespace: more")
          .replaceAll("name: web", "name: more"),
        "gitops/clusters/remote/flux.yaml": flux("remote"),
        "gitops/remote/app/kustomization.yaml": "resources: [https://example.com/manifests.yaml]\n",
      });
      const sound = await check();
      expect(sound).to.include({ exitCode: 0, stderr: "" });
      expect(sound.stdout)
        .to.match(/^dev with more: 3 Kustomizations, /m)
        .and.to.match(/outside of the repository: remote$/m);
      serve(chart("nobody"));
      const { exitCode, stderr } = await check();
      expect(exitCode).to.equal(1);
      for (const name of ["web", "more"])
        expect(stderr.split(`of HelmRelease ${name}/${name} names ServiceAccount ${name}/nobody`)).to.have.length(2);
    });
  });

  it("refuses --update by itself", async () => {
    expect((await hearth(folder, ["check", "--update"])).stderr).to.equal(
      "--update records the digests of charts: give --charts with it",
    );
  });
});
