import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { expect } from "chai";

import { checkCluster, describeFinding } from "../../lib/tree/check.ts";

const root = join(import.meta.dirname, "../..");

const kustomize = (...resources: string[]): string =>
  `apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [${resources.join(", ")}]\n`;

const kustomization = (name: string, spec = ""): string => `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: { name: ${name}, namespace: flux-system }
spec:
  interval: 1h
  prune: true
  wait: true
  path: ./gitops/${name}
  sourceRef: { kind: GitRepository, name: flux-system }
  postBuild: { substituteFrom: [{ kind: ConfigMap, name: cluster-settings }] }
${spec}`;

const namespace =
  "apiVersion: v1\nkind: Namespace\nmetadata: { name: web, labels: { pod-security.kubernetes.io/enforce: privileged } }\n";

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: web
spec:
  replicas: 1
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
        - name: web
          image: docker.io/library/nginx:1.29.0@sha256:${"1".repeat(64)}
`;

const issuer = `apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: { name: own }
spec: { selfSigned: {} }
`;

const certManager = `apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: { name: cert-manager, namespace: web }
spec: { interval: 1h, url: "oci://quay.io/jetstack/charts/cert-manager", ref: { tag: v1.21.2 } }
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: { name: cert-manager, namespace: web }
spec: { interval: 1h, chartRef: { kind: OCIRepository, name: cert-manager } }
`;

/** A tree with nothing wrong in it, by file. */
const sound: Record<string, string> = {
  "gitops/clusters/dev/kustomization.yaml": kustomize("web.yaml"),
  "gitops/clusters/dev/web.yaml": kustomization("web"),
  "gitops/web/kustomization.yaml": kustomize("namespace.yaml", "deployment.yaml"),
  "gitops/web/namespace.yaml": namespace,
  "gitops/web/deployment.yaml": deployment,
};

/** The sound tree with a second Kustomization, `more`, of one file. */
const withMore = (manifests: string, spec = ""): Record<string, string> => ({
  "gitops/clusters/dev/kustomization.yaml": kustomize("web.yaml", "more.yaml"),
  "gitops/clusters/dev/more.yaml": kustomization("more", spec),
  "gitops/more/kustomization.yaml": kustomize("more.yaml"),
  "gitops/more/more.yaml": manifests,
});

const waitsForWeb = "  dependsOn: [{ name: web }]\n";

describe("npx hearth check --tree", function () {
  // The first time, what checks is built.
  this.timeout(900_000);
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "hearth-tree-"));
    // The small trees here have nobody who takes the machines' logs.
    const stack = await readFile(join(root, "Pulumi.dev.yaml"), "utf8");
    await writeFile(join(folder, "Pulumi.dev.yaml"), stack.replaceAll(/^ +(?:kernelL|l)ogDestinations:.*\n/gm, ""));
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** What is found in the sound tree with some files changed, each as its first line: file, line and message. */
  const found = async (changed: Record<string, string> = {}): Promise<string[]> => {
    for (const [file, text] of Object.entries({ ...sound, ...changed })) {
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await writeFile(join(folder, file), text);
    }
    const { findings } = await checkCluster(folder, "dev");
    return findings.map((finding) => describeFinding(finding).split("\n")[0] ?? "");
  };

  it("finds nothing in a sound tree", async () => {
    expect(await found()).to.deep.equal([]);
  });

  it("finds recipients whose identity strangers have, once the stack can be deployed", async () => {
    const lab = "age1kgk8mrt0pt63cnt6qjj2up7wlm5ec5ss2su6jaf96l52xzdt9dqsagwzxe";
    const sample = "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg";
    const recipients = `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: recipients, namespace: web }\ndata: { all: ${sample} }\n`;
    const files = { ".sops.yaml": `creation_rules:\n  - age: ${lab}\n`, ...withMore(recipients, waitsForWeb) };
    expect(await found(files)).to.deep.equal([]);
    const stack = await readFile(join(folder, "Pulumi.dev.yaml"), "utf8");
    await writeFile(
      join(folder, "Pulumi.dev.yaml"),
      stack
        .replace(/<.+>/, "age1v0lncznkg79xx5ejz5nlqknczgnrsfe9wzxclk2z38m9alr0pqdqsxvj7d")
        .replace(/<.+>/, "age1xm6mgvjt7ffl7ayvk0fr89h6k5qgnctyxl3jf7y5pmayt563pafs4cduag"),
    );
    const others = `creation_rules:\n  - { path_regex: gitops/clusters/prod, age: ${lab} }\n`;
    expect(await found({ ...files, ".sops.yaml": others })).to.have.length(1);
    expect(
      await found({ ...files, ".sops.yaml": `${others}  - { path_regex: gitops/clusters/dev, age: ${lab} }\n` }),
    ).to.include(`.sops.yaml:3  ${lab} is the lab's, whose identity everyone can derive`);
    expect(await found(files)).to.deep.equal([
      `.sops.yaml:2  ${lab} is the lab's, whose identity everyone can derive`,
      `gitops/more/more.yaml:4  ${sample} is a sample of age's documentation`,
    ]);
  });

  it("finds pods that the level of their namespace refuses, by the API server's own code", async () => {
    const level = (name: string) => ({
      "gitops/web/namespace.yaml": namespace.replace("enforce: privileged", `enforce: ${name}`),
    });
    expect(await found(level("baseline"))).to.deep.equal([]);
    const problems = [
      'allowPrivilegeEscalation != false (container "web" must set securityContext.allowPrivilegeEscalation=false)',
      'unrestricted capabilities (container "web" must set securityContext.capabilities.drop=["ALL"])',
      'runAsNonRoot != true (pod or container "web" must set securityContext.runAsNonRoot=true)',
      'seccompProfile (pod or container "web" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    ].map(
      (what) =>
        `gitops/web/deployment.yaml:1  Deployment web/web: its pods are refused in web, which enforces restricted: ${what}`,
    );
    expect(await found(level("restricted"))).to.have.members(problems);
    // Without a label it is the cluster's own level.
    const none = { "gitops/web/namespace.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: { name: web }\n" };
    expect(await found(none)).to.have.members(problems);
    const onHost = deployment.replace("      containers:", "      hostNetwork: true\n      containers:");
    expect((await found({ ...level("baseline"), "gitops/web/deployment.yaml": onHost })).join()).to.match(
      /enforces baseline: host namespaces \(hostNetwork=true\)$/,
    );
  });

  it("finds an image whose content can be exchanged, unless the list says why it has no digest", async () => {
    const without = { "gitops/web/deployment.yaml": deployment.replace(/@sha256:1+/, "") };
    const problem =
      "gitops/web/deployment.yaml:14  Deployment web/web: the image docker.io/library/nginx:1.29.0 has no digest";
    expect(await found(without)).to.deep.equal([problem]);
    const list = (reason: string) => ({ "gitops/pending-digests.yaml": `docker.io/library/nginx:1.29.0: ${reason}\n` });
    expect(await found({ ...without, ...list("nobody could find it out") })).to.deep.equal([]);
    expect(await found({ ...without, ...list("later") })).to.deep.equal([problem]);
    expect(
      await found({
        ...without,
        "gitops/pending-digests.yaml": "docker.io/library/nginx:1.28.0: nobody could find it out\n",
      }),
    ).to.deep.equal([problem]);
  });

  describe("of network policies", () => {
    const policy = (egress: string, annotations = "") =>
      withMore(
        `apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata:\n  name: web\n  namespace: web\n${annotations}spec:\n  endpointSelector: {}\n  egress:\n${egress}`,
        waitsForWeb,
      );
    const why = '  annotations: { hearth.dev/open-egress: "It fetches what people name" }\n';
    const ports = '      toPorts: [{ ports: [{ port: "443", protocol: TCP }] }]\n';
    const dns =
      '    - toEntities: [cluster]\n      toPorts: [{ ports: [{ port: "53", protocol: ANY }], rules: { dns: [{ matchPattern: "*" }] } }]\n';
    const open = "CiliumNetworkPolicy web/web lets pods out to the whole Internet";

    /** The findings without their places. */
    const messages = async (files: Record<string, string>): Promise<string[]> =>
      (await found(files)).map((finding) => finding.replace(/^\S+ {2}/, ""));

    for (const way of [
      "toEntities: [world]",
      "toEntities: [all]",
      "toCIDR: [0.0.0.0/1, 128.0.0.0/1]",
      "toCIDR: [0.0.0.0/0]",
      'toCIDRSet: [{ cidr: "::/0", except: ["fc00::/7"] }]',
    ]) {
      it(`finds one that lets out everywhere, by ${way}, and takes a reason`, async () => {
        expect(await messages(policy(`    - ${way}\n${ports}`))).to.deep.equal([open]);
        expect(await messages(policy(`    - ${way}\n${ports}`, why))).to.deep.equal([]);
      });
    }

    it("finds one that names ports alone, which are everybody's", async () => {
      expect(await messages(policy(ports.replace("      ", "    - ")))).to.deep.equal([open]);
      const native = (rule: string) =>
        withMore(
          `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: web, namespace: web }\nspec:\n  podSelector: {}\n  policyTypes: [Egress]\n  egress: [${rule}]\n`,
          waitsForWeb,
        );
      const all = open.replace("Cilium", "");
      expect(await messages(native("{}"))).to.deep.equal([all]);
      expect(await messages(native("{ ports: [{ port: 443 }] }"))).to.deep.equal([all]);
      expect(await messages(native("{ to: [{ podSelector: {} }] }"))).to.deep.equal([]);
      expect(await messages(policy("    - {}\n"))).to.deep.equal([]);
    });

    it("finds a reason for nothing", async () => {
      expect(await messages(policy("    - toEntities: [cluster]\n", why))).to.deep.equal([
        "CiliumNetworkPolicy web/web explains an open egress that it does not have",
      ]);
    });

    it("finds names whose addresses Cilium cannot learn", async () => {
      const names = `    - toFQDNs: [{ matchName: example.com }]\n${ports}`;
      expect(await messages(policy(names))).to.deep.equal([
        "CiliumNetworkPolicy web/web names destinations whose addresses Cilium never learns",
      ]);
      expect(await messages(policy(names + dns))).to.deep.equal([]);
    });
  });

  describe("of what objects name", () => {
    const messages = async (manifests: string, changed: Record<string, string> = {}): Promise<string[]> =>
      (await found({ ...withMore(manifests, waitsForWeb), ...changed })).map((each) => each.replace(/^\S+ {2}/, ""));
    const pod = (spec: string): Record<string, string> => ({
      "gitops/web/deployment.yaml": deployment.replace("      containers:", `${spec}\n      containers:`),
    });
    const config =
      "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: settings, namespace: web }\ndata: { colour: red }\n";

    it("finds an account, a ConfigMap, a Secret or a claim that pods would wait for", async () => {
      expect(await messages(config, pod("      serviceAccountName: web"))).to.deep.equal([
        "Deployment web/web names ServiceAccount web/web, which nothing creates: its pods do not start",
      ]);
      const volume = (source: string) => pod(`      volumes: [{ name: a, ${source} }]`);
      expect(await messages(config, volume("configMap: { name: settings }"))).to.deep.equal([]);
      expect(await messages(config, volume("configMap: { name: setings }"))).to.have.length(1);
      expect(await messages(config, volume("configMap: { name: setings, optional: true }"))).to.deep.equal([]);
      expect(await messages(config, volume("secret: { secretName: key }"))).to.have.length(1);
      expect(await messages(config, volume("persistentVolumeClaim: { claimName: data }"))).to.have.length(1);
    });

    it("takes a Secret that a controller creates for another object", async () => {
      const account =
        'apiVersion: talos.dev/v1alpha1\nkind: ServiceAccount\nmetadata: { name: key, namespace: web }\nspec: { roles: ["os:reader"] }\n';
      const found = await messages(account, pod("      volumes: [{ name: a, secret: { secretName: key } }]"));
      expect(found.join()).not.to.contain("which nothing creates");
    });

    it("finds a class that the cluster does not have, and one whose driver nothing installs", async () => {
      const claim = `apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: { name: data, namespace: web }\nspec: { accessModes: [ReadWriteOnce], storageClassName: fast, resources: { requests: { storage: 1Gi } } }\n`;
      expect(await messages(claim)).to.deep.equal([
        "PersistentVolumeClaim web/data names StorageClass fast, which nothing creates: its claims stay pending",
      ]);
      const storageClass = `apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: { name: fast }\nprovisioner: fast.example.com\n`;
      expect(await messages(`${claim}---\n${storageClass}`)).to.deep.equal([
        "StorageClass fast names CSIDriver fast.example.com, which nothing creates: no volume of the class can be created or mounted",
      ]);
      const driver = `apiVersion: storage.k8s.io/v1\nkind: CSIDriver\nmetadata: { name: fast.example.com }\nspec: {}\n`;
      expect(await messages([claim, storageClass, driver].join("---\n"))).to.deep.equal([]);
    });

    it("finds what a release's pods would wait for, with the chart that is in the repository", async () => {
      const release = `apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: { name: own, namespace: web }\nspec: { interval: 1h, chart: { spec: { chart: ./gitops/chart, sourceRef: { kind: GitRepository, name: flux-system, namespace: flux-system } } } }\n`;
      const chart = {
        "gitops/chart/Chart.yaml": "apiVersion: v2\nname: own\nversion: 1.0.0\n",
        "gitops/chart/templates/pod.yaml": `apiVersion: v1\nkind: Pod\nmetadata: { name: own }\nspec: { serviceAccountName: own, containers: [{ name: a, image: "a:1" }] }\n`,
      };
      expect(await messages(release, chart)).to.deep.equal([
        "Pod web/own of HelmRelease web/own names ServiceAccount web/own, which nothing creates: its pods do not start",
      ]);
      const account = {
        "gitops/chart/templates/account.yaml": "apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: own }\n",
      };
      expect(await messages(release, { ...chart, ...account })).to.deep.equal([]);
    });

    it("finds a driver of Ceph whose accounts nothing creates", async () => {
      const driver =
        "apiVersion: csi.ceph.io/v1\nkind: Driver\nmetadata: { name: rook-ceph.rbd.csi.ceph.com, namespace: web }\nspec: {}\n";
      expect((await messages(driver)).filter((each) => each.includes(" names "))).to.deep.equal([
        "Driver web/rook-ceph.rbd.csi.ceph.com names ServiceAccount web/rbd-ctrlplugin-sa, which nothing creates: its pods do not start, and no volume is created or mounted",
        "Driver web/rook-ceph.rbd.csi.ceph.com names ServiceAccount web/rbd-nodeplugin-sa, which nothing creates: its pods do not start, and no volume is created or mounted",
      ]);
    });
  });

  describe("of secrets", () => {
    const own = "age1v0lncznkg79xx5ejz5nlqknczgnrsfe9wzxclk2z38m9alr0pqdqsxvj7d";
    const theirs = "age1xm6mgvjt7ffl7ayvk0fr89h6k5qgnctyxl3jf7y5pmayt563pafs4cduag";
    const secret = (recipient: string): string =>
      `apiVersion: v1\nkind: Secret\nmetadata: { name: key, namespace: web }\nstringData: { key: "ENC[AES256_GCM,data:a]" }\n` +
      `sops:\n  age:\n    - recipient: ${recipient}\n      enc: x\n  mac: ENC[AES256_GCM,data:b]\n`;
    const rules = (dev: string, prod: string): string =>
      [
        "creation_rules:",
        `  - { path_regex: "gitops/clusters/dev/.*", age: "${dev}" }`,
        `  - { path_regex: "gitops/clusters/prod/.*", age: "${prod}" }\n`,
      ].join("\n");
    /** The component of a secret in a folder, and what web's Kustomization says of it. */
    const at = (folder: string, text: string, sops: string) => ({
      ".sops.yaml": sops,
      [`${folder}/key.sops.yaml`]: text,
      [`${folder}/kustomization.yaml`]:
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [key.sops.yaml]\n",
      "gitops/clusters/dev/web.yaml": kustomization(
        "web",
        `  components: ["../../${folder.replace("gitops/clusters/dev", "${cluster_folder}")}"]\n`,
      ),
    });
    const mine = "gitops/clusters/dev/secrets/web";

    it("finds nothing where each is in its environment's folder, and to its recipients", async () => {
      expect(await found(at(mine, secret(own), rules(own, theirs)))).to.deep.equal([]);
    });

    it("finds the same where Argo CD keeps the cluster, which decrypts what its generators name", async () => {
      const stack = await readFile(join(folder, "Pulumi.dev.yaml"), "utf8");
      await writeFile(
        join(folder, "Pulumi.dev.yaml"),
        stack.replace("  hearth:gitops:\n", "  hearth:gitops:\n    engine: argocd\n").replace(/^ *webhook:.*\n/m, ""),
      );
      const reads = (file: string, text: string, sops = rules(own, theirs)) =>
        found({
          ".sops.yaml": sops,
          [file]: text,
          "gitops/clusters/dev/argocd/kustomization.yaml": `${kustomize("../../../web")}generators: [secrets.yaml]\n`,
          "gitops/clusters/dev/argocd/secrets.yaml": `apiVersion: viaduct.ai/v1\nkind: ksops\nfiles: [../../../../${file}]\n`,
        });
      const [ours, shared] = [`${mine}/key.sops.yaml`, "gitops/web-secrets/key.sops.yaml"];
      expect(await reads(ours, secret(own))).to.deep.equal([]);
      expect(await reads(shared, secret(own))).to.deep.equal([
        `${shared}:1  Secret web/key is encrypted in a file that is not of this environment alone`,
      ]);
      expect(await reads(ours, secret(theirs))).to.deep.equal([
        `${ours}:7  ${theirs} opens it, and .sops.yaml does not name it for this file`,
      ]);
      expect(await reads(ours, secret(own), rules(own, own))).to.deep.equal([
        ".sops.yaml:2  every recipient of gitops/clusters/dev opens another environment's secrets too",
      ]);
      expect(
        await reads(
          ours,
          secret(own)
            .replace("ENC[AES256_GCM,data:a]", "plain")
            .replace(/^sops:[^]*/m, ""),
        ),
      ).to.include(`${ours}:4  Secret web/key has stringData.key in plain text`);
      await rm(join(folder, "gitops/clusters/dev/argocd"), { recursive: true });
      expect(await found()).to.deep.equal([
        "gitops/clusters/dev/argocd/kustomization.yaml  is missing: Argo CD applies it",
      ]);
    });

    it("finds one that two environments' trees can read", async () => {
      expect(await found(at("gitops/web-secrets", secret(own), rules(own, theirs)))).to.deep.equal([
        "gitops/web-secrets/key.sops.yaml:1  Secret web/key is encrypted in a file that is not of this environment alone",
      ]);
      expect(await found(at("gitops/clusters/prod/secrets/web", secret(own), rules(own, theirs)))).to.deep.equal([
        "gitops/clusters/prod/secrets/web/key.sops.yaml:1  Secret web/key is encrypted in a file that is not of this environment alone",
      ]);
    });

    it("finds one that another environment's key opens", async () => {
      const [first] = await found(at(mine, secret(theirs), rules(own, theirs)));
      expect(first).to.equal(
        `${mine}/key.sops.yaml:7  ${theirs} opens it, and .sops.yaml does not name it for this file`,
      );
    });

    it("finds one that its own environment's key does not open", async () => {
      const [first] = await found(at(mine, secret(own), rules(`${own},${theirs}`, "age1x")));
      expect(first).to.equal(
        `${mine}/key.sops.yaml  ${theirs} does not open it, and .sops.yaml names it for this file`,
      );
    });

    it("finds environments that have the same keys, but not a key that a person has for both", async () => {
      expect(await found(at(mine, secret(own), rules(own, own)))).to.deep.equal([
        ".sops.yaml:2  every recipient of gitops/clusters/dev opens another environment's secrets too",
      ]);
      const both = secret(own).replace("  mac:", `    - recipient: ${theirs}\n      enc: x\n  mac:`);
      expect(await found(at(mine, both, rules(`${own},${theirs}`, theirs)))).to.deep.equal([]);
    });

    it("finds one that no rule is for", async () => {
      expect(
        await found(at(mine, secret(own), "creation_rules: [{ path_regex: gitops/clusters/prod }]\n")),
      ).to.deep.equal([`.sops.yaml  no creation rule is for ${mine}/key.sops.yaml`]);
    });
  });

  it("finds a variable that nothing gives a value", async () => {
    const changed = deployment.replace("name: web\n          image", "name: ${colour}\n          image");
    expect(await found({ "gitops/web/deployment.yaml": changed })).to.include(
      "gitops/web/deployment.yaml:13  nothing gives the variable ${colour} a value",
    );
  });

  it("takes a variable that the program creates, one with a default, and one that is not to be substituted", async () => {
    const changed = deployment.replace(
      "  name: web\n  namespace",
      // A function, because a replacement text has a meaning of its own for $$.
      () => "  name: web\n  annotations: { a: '${cluster_name}', b: '${colour:=red}', c: '$${shell}' }\n  namespace",
    );
    expect(await found({ "gitops/web/deployment.yaml": changed })).to.deep.equal([]);
  });

  it("finds variables that are to come from what is not there", async () => {
    const changed = kustomization("web").replace("name: cluster-settings", "name: colours");
    const [first] = await found({ "gitops/clusters/dev/web.yaml": changed });
    expect(first).to.match(/^gitops\/clusters\/dev\/web\.yaml:10 {2}substitute from 'ConfigMap\/colours' error/);
  });

  it("finds a dependency on what the cluster does not have", async () => {
    const changed = kustomization("web", "  dependsOn:\n    - name: database\n");
    expect(await found({ "gitops/clusters/dev/web.yaml": changed })).to.deep.equal([
      "gitops/clusters/dev/web.yaml:12  Kustomization flux-system/web depends on Kustomization flux-system/database, which this cluster does not have",
    ]);
  });

  it("finds Kustomizations that wait for each other", async () => {
    const changed = {
      ...withMore(issuer),
      "gitops/clusters/dev/web.yaml": kustomization("web", "  dependsOn: [{ name: more }]\n"),
    };
    const circles = await found({ ...changed, "gitops/clusters/dev/more.yaml": kustomization("more", waitsForWeb) });
    expect(circles).to.include(
      "gitops/clusters/dev/web.yaml:11  Kustomization flux-system/web waits for flux-system/more, which waits for it",
    );
  });

  it("finds a Secret in plain text, whatever field it uses", async () => {
    const secret = (field: string): string =>
      `apiVersion: v1\nkind: Secret\nmetadata: { name: key, namespace: web }\n${field}:\n  password: aHVudGVyMg==\n`;
    for (const field of ["stringData", "data"]) {
      expect(await found(withMore(secret(field), waitsForWeb))).to.deep.equal([
        `gitops/more/more.yaml:5  Secret web/key has ${field}.password in plain text`,
      ]);
    }
  });

  it("finds an object that two Kustomizations would own", async () => {
    const [first] = await found(withMore(deployment, waitsForWeb));
    expect(first).to.match(/^gitops\/\w+\/\w+\.yaml:1 {2}Deployment web\/web is also at gitops\/\w+\/\w+\.yaml:1: /);
  });

  it("finds an object without a namespace, and one whose namespace nothing makes", async () => {
    expect(await found({ "gitops/web/deployment.yaml": deployment.replace("  namespace: web\n", "") })).to.deep.equal([
      "gitops/web/deployment.yaml:3  Deployment web has no namespace",
    ]);
    expect(await found({ "gitops/web/namespace.yaml": namespace.replace("web", "net") })).to.deep.equal([
      "gitops/web/deployment.yaml:5  Deployment web/web: nothing makes the namespace web",
    ]);
  });

  it("finds a namespace that may come after what is in it", async () => {
    const other = deployment.replace("name: web", "name: other");
    const [first] = await found(withMore(other));
    expect(first).to.contain("the namespace web comes with flux-system/web, which need not be there yet");
    expect(await found(withMore(other, waitsForWeb))).to.deep.equal([]);
  });

  it("finds images without a tag that stays", async () => {
    for (const image of ["docker.io/library/nginx", "localhost:5000/nginx", "nginx:latest"]) {
      const changed = deployment.replace(/docker\.io\S+/, image);
      expect(await found({ "gitops/web/deployment.yaml": changed })).to.deep.equal([
        `gitops/web/deployment.yaml:14  Deployment web/web: the image ${image} of web has no tag that stays`,
      ]);
    }
  });

  it("finds a custom resource that may be there before its definition", async () => {
    const web = { "gitops/web/deployment.yaml": certManager };
    const [first] = await found({ ...web, ...withMore(issuer) });
    expect(first).to.match(
      /^gitops\/more\/more\.yaml:2 {2}ClusterIssuer own needs the definition .* may be applied before/,
    );
    expect(await found({ ...web, ...withMore(issuer, waitsForWeb) })).to.deep.equal([]);
    const [same] = await found({ "gitops/web/deployment.yaml": `${certManager}---\n${issuer}` });
    expect(same).to.match(/^gitops\/web\/deployment\.yaml:\d+ {2}ClusterIssuer own needs the definition/);
  });

  it("finds a custom resource whose definition nothing brings", async () => {
    expect(await found(withMore(issuer))).to.deep.equal([
      "gitops/more/more.yaml:2  ClusterIssuer own: nothing in this cluster brings its definition",
    ]);
  });

  it("finds fields that a kind does not have, and values that they do not take", async () => {
    const misspelt = deployment.replace("replicas: 1", "replica: 1");
    expect(await found({ "gitops/web/deployment.yaml": misspelt })).to.deep.equal([
      "gitops/web/deployment.yaml:7  Deployment web/web: spec.replica is a field that its kind does not have",
    ]);
    const [first] = await found({ "gitops/web/deployment.yaml": deployment.replace("replicas: 1", "replicas: one") });
    expect(first).to.match(/^gitops\/web\/deployment\.yaml:7 {2}Deployment web\/web: spec\.replicas Invalid value/);
  });

  it("finds what breaks a rule of the kind's own", async () => {
    const route = `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: web, namespace: web }
spec:
  rules:
    - backendRefs: [{ name: web }]
`;
    const all = await found(withMore(route, waitsForWeb));
    expect(all.at(-1)).to.match(/^gitops\/more\/more\.yaml:6 .*Must have port for Service reference/);
  });

  it("finds kinds that nobody knows", async () => {
    expect(await found(withMore("apiVersion: v1\nkind: Sercet\nmetadata: { name: key }\n"))).to.deep.equal([
      "gitops/more/more.yaml:1  Sercet key: no schema here has Sercet in v1",
    ]);
  });

  it("finds a release whose chart comes from nowhere", async () => {
    const changed = certManager.split("---\n")[1] ?? "";
    expect((await found({ "gitops/web/deployment.yaml": changed }))[0]).to.equal(
      "gitops/web/deployment.yaml:4  HelmRelease web/cert-manager takes its chart from OCIRepository web/cert-manager, which this cluster does not have",
    );
  });

  it("finds values that a release's chart does not take", async () => {
    const values = "values:\n    replicaCount: many\n";
    const changed = certManager.replace(
      /spec: \{ interval: 1h, chartRef: (.*) \}\n$/,
      `spec:\n  interval: 1h\n  chartRef: $1\n  ${values}`,
    );
    const [first] = await found({ "gitops/web/deployment.yaml": changed });
    expect(first).to.match(
      /^gitops\/web\/deployment\.yaml:13 .*its chart refuses values\.replicaCount: got string, want number/,
    );
  });

  it("says which file is no YAML, or not there", async () => {
    const [first] = await found({ "gitops/web/deployment.yaml": "kind: [Deployment\n" });
    expect(first).to.match(/^gitops\/web\/kustomization\.yaml {2}.*deployment\.yaml/s);
    const [second] = await found({
      "gitops/clusters/dev/web.yaml": kustomization("web").replace("./gitops/web", "./gitops/wbe"),
    });
    expect(second).to.equal("gitops/clusters/dev/web.yaml:8  spec.path ./gitops/wbe is no folder of the repository");
  });
});
