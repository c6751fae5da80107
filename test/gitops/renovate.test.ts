import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "chai";

import { imageDigests } from "../../lib/tree/digest-list.ts";

const root = join(import.meta.dirname, "../..");

interface Renovate {
  customManagers: {
    managerFilePatterns: string[];
    matchStrings: string[];
    matchStringsStrategy?: "recursive";
    depTypeTemplate?: string;
    autoReplaceStringTemplate?: string;
  }[];
  packageRules: {
    groupName?: string;
    matchPackageNames?: string[];
    matchDepTypes?: string[];
    matchFileNames?: string[];
    matchUpdateTypes?: string[];
    matchManagers?: string[];
    pinDigests?: boolean;
    automerge?: boolean;
    enabled?: boolean;
  }[];
}

const renovate = JSON.parse(readFileSync(join(root, "renovate.json"), "utf8")) as Renovate;

const files = [
  ...globSync("Pulumi.*.yaml", { cwd: root, exclude: ["Pulumi.*.lab.yaml"] }),
  ...globSync("examples/*/Pulumi.*.yaml", { cwd: root }),
  ...globSync("gitops/**/*.yaml", {
    cwd: root,
    exclude: ["**/*.sops.yaml", "gitops/apps/*/chart/**", "**/Chart.yaml"],
  }),
];

type Manager = Renovate["customManagers"][number];

interface Found {
  of: string;
  version: string;
  digest: string | undefined;
  type: string | undefined;
  /** The text that an update replaces. */
  replaced: string;
}

/** What a manager's expressions find, as Renovate applies them: each in the whole file, or each in what the one before found. */
const matchesOf = (
  { matchStrings, matchStringsStrategy }: Manager,
  text: string,
): { groups: Partial<Record<string, string>>; whole: string }[] => {
  const all = (pattern: string, inside: string) =>
    [...inside.matchAll(new RegExp(pattern, "g"))].map(({ 0: whole, groups = {} }) => ({ groups, whole }));
  if (matchStringsStrategy !== "recursive") return matchStrings.flatMap((pattern) => all(pattern, text));
  return matchStrings.reduce<{ groups: Partial<Record<string, string>>; whole: string }[]>(
    (outer, pattern) =>
      outer.flatMap(({ groups, whole }) =>
        all(pattern, whole).map((inner) => ({ groups: { ...groups, ...inner.groups }, whole: inner.whole })),
      ),
    [{ groups: {}, whole: text }],
  );
};

/** What Renovate finds in a file, as its pins' versions by what they are of. */
const found = (file: string): Found[] =>
  renovate.customManagers
    .filter(({ managerFilePatterns }) =>
      managerFilePatterns.some((pattern) => new RegExp(pattern.slice(1, -1)).test(file)),
    )
    .flatMap((manager) =>
      matchesOf(manager, readFileSync(join(root, file), "utf8")).map(({ groups, whole }) => ({
        of: groups.depName ?? "",
        version: groups.currentValue ?? "",
        digest: groups.currentDigest,
        type: manager.depTypeTemplate,
        replaced: whole,
      })),
    );

/** The lines of a file that pin something: an image, a chart, a release. */
const pins = (file: string): { line: number; version: string }[] =>
  readFileSync(join(root, file), "utf8")
    .split("\n")
    .flatMap((text, index) => {
      const image = /^\s*-?\s*image(?:Name)?: [^\s@]+:([^\s@]+)(?:@\S+)?$/.exec(text)?.[1];
      const other = /^\s*(?:tag|version|talos|kubernetes|gatewayApi|flux): ["']?(v?\d+\.\d[^"'\s@]*)/.exec(text)?.[1];
      const ofChart = file === imageDigests.file ? /^[^\s:]+:(\S+): sha256:/.exec(text)?.[1] : undefined;
      const version = image ?? other ?? ofChart;
      return version === undefined ? [] : [{ line: index + 1, version }];
    });

/** Images whose tag alone is in the tree: their charts say where they are. */
const ofCharts = ["ghcr.io/k8s-gateway/k8s_gateway"];

describe("Renovate", () => {
  it("finds every pin of the tree and of the stack files, and no other", () => {
    const pinned = files.flatMap((file) => pins(file).map(({ version }) => `${file} ${version}`));
    const managed = files.flatMap((file) => found(file).map(({ version }) => `${file} ${version}`));
    expect(pinned).to.have.length.greaterThan(20);
    expect(managed).to.have.members(pinned);
  });

  it("looks for each image and chart where the tree takes it from", () => {
    for (const file of files) {
      const text = readFileSync(join(root, file), "utf8");
      for (const { of, version } of found(file)) {
        const places = [
          `${of}:${version}`,
          `oci://${of}\n`,
          `chart: ${of}\n`,
          `registry: ${of}\n`,
          `repository: ${of}\n`,
        ];
        const isRelease = /^[\w-]+\/[\w-]+$/.test(of);
        const isNamed = isRelease || ofCharts.includes(of) || places.some((place) => text.includes(place));
        expect(isNamed, `${file}: ${of}`).to.equal(true);
      }
    }
  });

  it("adds a digest to every image that has none, and keeps those that there are", () => {
    const images = files.flatMap(found).filter(({ type }) => type === "image");
    expect(images.length).to.be.greaterThan(10);
    for (const { version, digest, replaced } of images) {
      expect(replaced).to.equal(`:${version}${digest === undefined ? "" : `@${digest}`}`);
    }
    const [template] = renovate.customManagers.flatMap(
      ({ autoReplaceStringTemplate }) => autoReplaceStringTemplate ?? [],
    );
    expect(template).to.equal(":{{{newValue}}}{{#if newDigest}}@{{{newDigest}}}{{/if}}");
    const pinned = renovate.packageRules.filter(({ pinDigests }) => pinDigests === true);
    // Charts are of the same registries, and their tag has no place for a digest.
    expect(pinned.map(({ matchDepTypes }) => matchDepTypes)).to.deep.equal([["image"]]);
  });

  it("moves no tag of an image of a chart, and merges no tag that was pushed again by itself", () => {
    const images = found(imageDigests.file);
    expect(images.map(({ type }) => type)).to.deep.equal(images.map(() => "image of a chart"));
    for (const { of, version, digest, replaced } of images)
      expect(replaced).to.equal(`${of}:${version}: ${digest ?? ""}`);
    // The last rule that says something holds.
    const last = (update: string, key: "automerge" | "enabled"): boolean | undefined =>
      renovate.packageRules.findLast(
        (rule) =>
          rule[key] !== undefined &&
          (rule.matchDepTypes ?? ["image of a chart"]).includes("image of a chart") &&
          (rule.matchFileNames ?? ["gitops/**"]).includes("gitops/**") &&
          (rule.matchUpdateTypes ?? [update]).includes(update) &&
          rule.matchPackageNames === undefined &&
          rule.matchManagers === undefined,
      )?.[key];
    for (const update of ["major", "minor", "patch"]) expect(last(update, "enabled"), update).to.equal(false);
    expect(last("digest", "automerge")).to.equal(false);
  });

  for (const [group, members] of [
    ["Talos", ["siderolabs/talos", "github.com/siderolabs/talos"]],
    ["Flux", ["fluxcd/flux2", "ghcr.io/controlplaneio-fluxcd/charts/flux-operator"]],
  ] as const) {
    it(`moves what belongs to ${group} together`, () => {
      const rule = renovate.packageRules.find(({ groupName }) => groupName === group);
      expect(rule?.matchPackageNames).to.include.members([...members]);
    });
  }
});
