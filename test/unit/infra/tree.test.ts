import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { expect } from "chai";
import { parse } from "yaml";

import { parseConfig } from "../../../infra/config/index.ts";
import { readTree, TreeError } from "../../../infra/tree.ts";
import { encryptedFiles } from "../../../infra/tree-walk.ts";
import { rawConfig } from "../../support/stack.ts";

const dev = () => parseConfig("dev", rawConfig("dev"));
const withArgoCd = (stack: string) => {
  const raw = rawConfig(stack);
  Object.assign(raw.gitops as object, { engine: "argocd" });
  Reflect.deleteProperty(raw.cloudflare as object, "webhook");
  return parseConfig(stack, raw);
};
const repository = join(import.meta.dirname, "..", "..", "..");
const cilium = "gitops/infrastructure/network/cilium/app";

describe("the GitOps tree", () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "hearth-tree-"));
    cpSync(join(repository, "gitops"), join(root, "gitops"), { recursive: true });
  });

  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  };

  const edit = (file: string, from: string, to: string): void => {
    write(file, readFileSync(join(root, file), "utf8").replace(from, to));
  };

  const failure = (): string => {
    try {
      readTree(dev(), root);
    } catch (error) {
      expect(error).to.be.instanceOf(TreeError);
      return (error as Error).message;
    }
    throw new Error("The tree was accepted");
  };

  it("says what to install, and what is encrypted", () => {
    const tree = readTree(dev(), root);
    expect(tree.cilium.chart).to.equal("oci://quay.io/cilium/charts/cilium");
    expect(tree.fluxOperator.version).to.match(/^\d+\.\d+\.\d+$/);
    expect(tree.encryptedFiles.map(({ path }) => path)).to.include(
      "gitops/clusters/dev/secrets/welcome/welcome.sops.yaml",
    );
    expect(tree.encryptedFiles.every(({ dataKeys }) => dataKeys.length > 0)).to.equal(true);
  });

  it("is filled in with the cluster's facts, as Flux does", () => {
    edit(`${cilium}/helmrelease.yaml`, "    operator:", "    cluster:\n      name: ${cluster_name}\n    operator:");
    expect(readTree(dev(), root).cilium.values.cluster).to.deep.equal({ name: "den-dev" });
  });

  it("is refused, with the file, for a variable that nobody knows so early", () => {
    edit(`${cilium}/ocirepository.yaml`, "tag: ", "tag: ${tunnel_id}");
    expect(failure()).to.match(
      /^gitops\/infrastructure\/network\/cilium\/app\/ocirepository\.yaml has no value for \$\{tunnel_id\};/,
    );
  });

  it("is refused, with the file, where what the program installs is missing", () => {
    rmSync(join(root, cilium, "helmrelease.yaml"));
    expect(failure()).to.equal(
      `${cilium}/helmrelease.yaml is missing: the program reads from it what to install before Git can`,
    );
  });

  it("is refused, with both files, where a release asks for another chart than the one beside it", () => {
    edit(`${cilium}/helmrelease.yaml`, "name: cilium }", "name: cilium, namespace: charts }");
    expect(failure()).to.equal(
      `${cilium}/helmrelease.yaml asks for a chart that is not the one of ${cilium}/ocirepository.yaml: name it in chartRef`,
    );
  });

  it("is refused, with the file, where a chart has no version", () => {
    edit(`${cilium}/ocirepository.yaml`, "    tag: ", "    semver: ");
    expect(failure()).to.equal(`${cilium}/ocirepository.yaml says no version: write it under spec.ref.tag`);
  });

  it("is refused, with the file and the value, where Cilium would not work on Talos", () => {
    edit(`${cilium}/helmrelease.yaml`, "autoMount", "automount");
    expect(failure()).to.match(
      /^gitops\/infrastructure\/network\/cilium\/app\/helmrelease\.yaml has 1 problem:\n\n {2}spec\.values\.cgroup\.autoMount\.enabled {3}is missing\n/,
    );
  });

  it("has the same Cilium for Argo CD as for Flux", () => {
    const values = parse(readFileSync(join(root, "gitops/argocd/values.yaml"), "utf8")) as { cilium: unknown };
    expect(values.cilium).to.deep.equal(readTree(dev(), root).cilium);
  });

  it("has files encrypted in it found wherever a Kustomization leads", () => {
    write("gitops/clusters/dev/own.sops.yaml", "sops: {}");
    write(
      "gitops/clusters/dev/more.yaml",
      `${flux("./gitops/${load_balancer_announcement}")}  components: ["../added/\${load_balancer_announcement}"]\n`,
    );
    edit(
      "gitops/clusters/dev/kustomization.yaml",
      "resources:",
      "resources:\n  - more.yaml\n  - https://example.com/x.yaml",
    );
    write("gitops/l2/kustomization.yaml", "resources: [../shared]\ncomponents: [../component]");
    write("gitops/shared/deep/a.sops.yaml", "sops: {}");
    write("gitops/component/kustomization.yaml", "resources: [not-there.yaml]");
    write("gitops/component/b.sops.env", "");
    write("gitops/added/l2/kustomization.yaml", "secretGenerator: [{ name: c, files: [c.sops.json] }]");
    write("gitops/added/l2/c.sops.json", "{}");
    write("gitops/bgp/other.sops.yaml", "sops: {}");
    const facts = { load_balancer_announcement: "l2", cluster_folder: "gitops/clusters/dev" };
    const found = encryptedFiles(root, "gitops/clusters/dev", facts);
    expect(found).to.include.members([
      "gitops/added/l2/c.sops.json",
      "gitops/clusters/dev/own.sops.yaml",
      "gitops/clusters/dev/secrets/welcome/welcome.sops.yaml",
      "gitops/component/b.sops.env",
      "gitops/shared/deep/a.sops.yaml",
    ]);
    expect(found).not.to.include("gitops/bgp/other.sops.yaml");
  });

  it("has no encrypted file that two environments need", () => {
    const of = (stack: string) => readTree(parseConfig(stack, rawConfig(stack)), root).encryptedFiles;
    const [ours, theirs] = [of("dev"), of("prod")];
    expect([ours.length, theirs.length].every((number) => number > 10)).to.equal(true);
    expect(ours.filter(({ path }) => !path.startsWith("gitops/clusters/dev/"))).to.deep.equal([]);
    expect(theirs.filter(({ path }) => !path.startsWith("gitops/clusters/prod/"))).to.deep.equal([]);
    // Nor one data key for two files.
    const keys = [...ours, ...theirs].flatMap(({ dataKeys }) => [...new Set(dataKeys)]);
    expect(new Set(keys).size).to.equal(keys.length);
  });

  for (const stack of ["dev", "prod"]) {
    it(`gives Argo CD the secrets of ${stack} alone, which are Flux's`, () => {
      const found = readTree(withArgoCd(stack), root).encryptedFiles;
      expect(found.map(({ path }) => path)).to.deep.equal([
        `gitops/clusters/${stack}/secrets/welcome/welcome.sops.yaml`,
      ]);
    });
  }

  it("is refused where Argo CD finds nothing of the environment, as in the chart that all share", () => {
    const config = withArgoCd("dev");
    config.gitops.path = "gitops/argocd";
    expect(() => readTree(config, root)).to.throw(
      TreeError,
      "gitops/argocd/argocd/kustomization.yaml is missing: Argo CD applies it",
    );
  });
});

const flux = (path: string): string =>
  `apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: { name: x }\nspec:\n  path: ${path}\n`;
