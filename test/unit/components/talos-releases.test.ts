import { expect } from "chai";

import { machineDocuments } from "../../../components/talos/machine-config.ts";
import { minorOf, pluginMinor, releaseOf, talosReleases } from "../../../components/talos/releases/index.ts";
import type { TalosRelease } from "../../../components/talos/releases/release.ts";
import { v1_13 } from "../../../components/talos/releases/v1.13.ts";
import type { Draft } from "../../../infra/config/checks/check.ts";
import { platforms } from "../../../infra/platforms/index.ts";
import { extensionCheckOf } from "../../../infra/config/checks/images.ts";
import { versionChecksOf } from "../../../infra/config/checks/versions.ts";
import { parseConfig } from "../../../infra/config/index.ts";
import { machineRestarts } from "../../../operations/preview/reboots.ts";
import { changed } from "../../support/changes.ts";
import { clusterSettings, machineSettings } from "../../support/machines.ts";

/** What a new file would hold: a minor that runs another Kubernetes, installs by a document and changes udev while it runs. */
const v1_99: TalosRelease = {
  minor: "v1.99",
  kubernetes: { first: 90, last: 95 },
  documentKinds: [...v1_13.documentKinds, "InstallConfig"],
  extensions: [...v1_13.extensions, "siderolabs/flux-capacitor"],
  whileRunning: { ...v1_13.whileRunning, machine: [...v1_13.whileRunning.machine, "udev"] },
  documents: ({ installerImage }) => [{ apiVersion: "v1alpha1", kind: "InstallConfig", image: installerImage }],
};
const releases = [...talosReleases, v1_99];

/** The configuration of dev with other releases. */
const draft = (talos: string, kubernetes: string, extensions: string[] = []): Draft => {
  const config = parseConfig("dev", changed("dev"));
  const { standard } = config.images;
  if (!standard) throw new Error("dev has no standard image");
  const cluster = { ...config.cluster, talos, kubernetes, contract: minorOf(talos) };
  return {
    ...config,
    complete: true,
    secrets: [],
    platforms,
    cluster,
    images: { standard: { ...standard, extensions } },
  };
};

const problems = (given: Draft, known = releases): string[] =>
  [...versionChecksOf(known), extensionCheckOf(known)].flatMap((check) => check(given)).map(({ problem }) => problem);

describe("the minors of Talos", () => {
  it("are in order, and each is there once", () => {
    const minors = talosReleases.map(({ minor }) => minor);
    expect(minors).to.deep.equal(
      [...new Set(minors)].sort((a, b) => Number(a.split(".")[1]) - Number(b.split(".")[1])),
    );
  });

  it("each name a kind, an extension and a field once", () => {
    for (const { documentKinds, extensions, whileRunning } of talosReleases) {
      const { configuration, machine, features } = whileRunning;
      for (const names of [documentKinds, extensions, configuration, machine, features]) {
        expect(names).to.have.lengthOf(new Set(names).size);
      }
    }
  });

  it("each know every kind of document that they are given", () => {
    for (const { minor, documentKinds } of talosReleases) {
      const documents = machineDocuments(machineSettings({ encryption: "tpm" }), clusterSettings({ contract: minor }));
      const kinds = documents.flatMap(({ kind }) => (kind === undefined ? [] : [kind]));
      expect(documentKinds).to.include.members(kinds);
      expect(releaseOf(pluginMinor)?.documentKinds).to.include.members(kinds);
    }
  });

  it("are found by a release, with and without its first letter", () => {
    expect(releaseOf("v1.13.9")?.minor).to.equal("v1.13");
    expect(releaseOf("1.12.0")?.minor).to.equal("v1.12");
    expect(releaseOf("v1.1.0")).to.equal(undefined);
  });

  it("refuse to write a configuration for a contract that none of them has", () => {
    expect(() => machineDocuments(machineSettings(), clusterSettings({ contract: "v1.9" }))).to.throw("contract v1.9");
  });
});

describe("a new minor of Talos", () => {
  it("is a release that the configuration may name, with its Kubernetes and its extensions", () => {
    expect(problems(draft("v1.99.1", "v1.95.0", ["siderolabs/flux-capacitor"]))).to.deep.equal([]);
    expect(problems(draft("v1.99.1", "v1.95.0"), [...talosReleases])).to.deep.equal([
      "v1.99.1 is not a release that Hearth writes machine configuration for",
      "v1.99 is newer than the documents that Hearth writes",
    ]);
    expect(problems(draft("v1.99.1", "v1.36.4"))).to.deep.equal(["Talos v1.99.1 does not support Kubernetes v1.36.4"]);
    expect(problems(draft("v1.13.9", "v1.36.4", ["siderolabs/flux-capacitor"]))).to.deep.equal([
      "siderolabs/flux-capacitor is not built for Talos v1.13",
    ]);
  });

  it("writes documents of its own for clusters that begin with it, and those of the others stay", () => {
    const documents = (contract: string) =>
      machineDocuments(machineSettings({ patches: [{ debug: true }] }), clusterSettings({ contract }), releases);
    expect(documents("v1.99")).to.deep.equal([
      { apiVersion: "v1alpha1", kind: "InstallConfig", image: "factory.talos.dev/nocloud-installer/abc:v1.13.9" },
      { debug: true },
    ]);
    expect(documents("v1.13")[0]).to.have.nested.property("machine.install");
  });

  it("says itself what reboots its machines", () => {
    const machine = (version: string, rules: string) =>
      `machine: { install: { image: factory.talos.dev/metal-installer/abc:${version} }, udev: { rules: [${rules}] } }`;
    const restarts = (version: string) =>
      machineRestarts("den-dev-wk01", machine(version, "a"), machine(version, "b"), releases);
    expect(restarts("v1.99.1")).to.deep.equal([]);
    expect(restarts("v1.13.9").map(({ why }) => why)).to.deep.equal(["machine.udev"]);
  });
});
