import { expect } from "chai";

import { outsideOf } from "../../../../lib/tree/outside.ts";

const existing = ["gitops/apps/web", "gitops/apps/web/web.yaml", "gitops/components/a"];
const outside = (text: string, file = "gitops/apps/web/kustomization.yaml"): string[] =>
  outsideOf(file, text, (path) => existing.includes(path));

describe("what a kustomization takes from outside of the repository", () => {
  const references = [
    "https://example.com/a.yaml",
    "file:///repository?ref=--upload-pack%3Dsh",
    "git::https://example.com/a",
    "git@example.com:a/b",
    "github.com/a/b",
    "example.com/a/b.git",
    "a.git",
    "/etc/passwd",
    "../../../../etc/passwd",
  ];
  const entries: ((reference: string) => string)[] = [
    ...["resources", "Resources", "components", "bases", "crds", "configurations", "transformers"],
    ...["generators", "validators", "patchesStrategicMerge"],
  ]
    .map((list) => (reference: string) => `${list}: ["${reference}"]\n`)
    .concat([
      (reference) => `openapi: { path: "${reference}" }\n`,
      (reference) => `patches: [{ path: "${reference}" }]\n`,
      (reference) => `patchesJson6902: [{ path: "${reference}" }]\n`,
      (reference) => `replacements: [{ path: "${reference}" }]\n`,
      (reference) => `configMapGenerator: [{ files: ["key=${reference}"] }]\n`,
      (reference) => `configMapGenerator: [{ files: ["${reference}"] }]\n`,
      (reference) => `secretGenerator: [{ envs: ["${reference}"] }]\n`,
      (reference) => `secretGenerator: [{ env: "${reference}" }]\n`,
    ]);
  for (const reference of references) {
    it(`is ${reference}, wherever it stands`, () => {
      for (const entry of entries) expect(outside(entry(reference))).to.have.length(1, entry(reference));
    });
  }

  it("is found in the components of Flux, and in kustomize's own kinds under any name", () => {
    const flux = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nspec: { components: [github.com/a/b] }\n";
    expect(outside(flux, "gitops/web.yaml")).to.deep.equal(["github.com/a/b"]);
    const below =
      "apiVersion: kustomize.toolkit.fluxcd.io/v1\nspec: { path: ./a/b, components: [../../c, ../../../d] }\n";
    expect(outside(below, "web.yaml")).to.deep.equal(["../../../d"]);
    const generator = "apiVersion: builtin\nkind: ConfigMapGenerator\nfiles: ['http://a/b']\n";
    expect(outside(generator, "gitops/web.yaml")).to.deep.equal(["http://a/b"]);
  });

  it("is no file or folder of the repository, and nothing that stands in the list itself", () => {
    expect(outside("resources: [web.yaml, ./web.yaml, ../../components/a/, missing.yaml]\n")).to.deep.equal([]);
    expect(outside("transformers: ['apiVersion: builtin']\npatches: [{ patch: 'a: https://a' }]\n")).to.deep.equal([]);
    expect(outside("resources: ['https://a']\n", "gitops/apps/web/values.yaml")).to.deep.equal([]);
  });
});
