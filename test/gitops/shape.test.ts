import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import { expect } from "chai";
import { parseAllDocuments } from "yaml";

import { listAt, textAt } from "../../infra/tree-objects.ts";
import { renderTree } from "../../lib/tree/render.ts";

const root = join(import.meta.dirname, "../..");
const systems = globSync("gitops/{infrastructure/*,apps}/*/flux.yaml", { cwd: root }).sort();

interface Kustomization {
  metadata: { name: string };
  spec: { path: string };
}

interface Release {
  spec: { interval?: string; install?: { crds?: string }; upgrade?: { crds?: string } };
}

/** Whether a secret is of an app, which the guide about the platform's secrets does not list. */
const isOfApp = (file: string): boolean => /\/secrets\/(linkding|secret-ways|welcome)\//.test(file);

const read = (file: string): string => readFileSync(join(root, file), "utf8");

const kustomizationsOf = (file: string): Kustomization[] =>
  parseAllDocuments(read(file)).map((document) => document.toJS() as Kustomization);

describe("the shape of the tree", function () {
  this.timeout(120_000);

  it("has Kustomizations that lead to their own system's folder", () => {
    expect(systems.length).to.be.greaterThan(20);
    for (const file of systems) {
      for (const { spec } of kustomizationsOf(file)) {
        const path = spec.path.replace(/^\.\//, "");
        expect(path, file).to.match(new RegExp(`^${dirname(file)}/`));
        expect(path.includes("$") || existsSync(join(root, path, "kustomization.yaml")), `${file}: ${path}`).to.equal(
          true,
        );
      }
    }
  });

  it("has every system in the table of docs/systems.md", () => {
    const table = read("docs/systems.md")
      .split("\n")
      .filter((line) => line.startsWith("| "))
      .join("\n");
    const named = systems.filter((file) => new RegExp(`\\b${basename(dirname(file))}\\b`).test(table));
    expect(systems.filter((file) => !named.includes(file))).to.deep.equal([]);
  });

  it("has a name of its own for every Kustomization", () => {
    const names = systems.flatMap((file) => kustomizationsOf(file).map(({ metadata }) => metadata.name));
    expect(new Set(names).size).to.equal(names.length);
  });

  for (const cluster of ["dev", "prod"]) {
    it(`says of every system whether ${cluster} has it`, () => {
      const list = read(`gitops/clusters/${cluster}/kustomization.yaml`);
      const lines = [...list.matchAll(/^ {2}(?:# )?- \.\.\/\.\.\/(\S+)$/gm)].map(([, file]) => `gitops/${file ?? ""}`);
      expect(lines.sort()).to.deep.equal(systems);
    });

    it(`gives every Kustomization and release of ${cluster} what all have in common`, async () => {
      const { kustomizations, objects } = await renderTree(root, cluster);
      const own = kustomizations.filter(({ file }) => file !== "");
      expect(own.length).to.be.greaterThan(10);
      for (const { name, object } of own) {
        // Flux waits for all that a Kustomization has, or for what it names and nothing else.
        const isNamed = object.metadata.labels?.["hearth.dev/health"] === "named";
        const named = listAt(object, "spec", "healthChecks").map(
          (each) => `${textAt(each, "kind") ?? ""} ${textAt(each, "name") ?? ""}`,
        );
        const released = objects.filter(({ kustomization, kind }) => kustomization === name && kind === "HelmRelease");
        expect(named.length > 0, name).to.equal(isNamed);
        if (isNamed) expect(named, name).to.include.members(released.map((each) => `HelmRelease ${each.name}`));
        expect(object.spec, name).to.deep.include({
          prune: true,
          wait: !isNamed,
          deletionPolicy: "WaitForTermination",
          decryption: { provider: "sops", secretRef: { name: "sops-age" } },
          sourceRef: { kind: "GitRepository", name: "flux-system" },
        });
        expect(object.spec, name).to.have.nested.property("postBuild.substituteFrom").with.lengthOf(4);
      }
      const releases = objects.filter(({ kind }) => kind === "HelmRelease");
      expect(releases.length).to.be.greaterThan(5);
      for (const { name, object } of releases) {
        const { spec } = object as unknown as Release;
        expect(spec.interval, name).to.equal("1h");
        expect([spec.install?.crds, spec.upgrade?.crds], name).to.deep.equal(["CreateReplace", "CreateReplace"]);
      }
    });
  }

  it("has every encrypted file in the folder of one environment", () => {
    const files = globSync("gitops/**/*.sops.*", { cwd: root });
    expect(files.length).to.be.greaterThan(20);
    expect(files.filter((file) => !/^gitops\/clusters\/(dev|prod)\//.test(file))).to.deep.equal([]);
  });

  it("has a guide that says of every secret of the platform what is in it", () => {
    const guide = read("docs/guides/secrets.md");
    const secrets = globSync("gitops/clusters/**/*.sops.yaml", { cwd: root }).filter((file) => !isOfApp(file));
    const known = secrets.map((file) => file.replace(/^gitops\//, "").replace(/^clusters\/\w+\//, "clusters/*/"));
    expect(known.length).to.be.greaterThan(2);
    for (const file of new Set(known)) expect(guide, file).to.contain(`\`${file}\``);
  });
});
