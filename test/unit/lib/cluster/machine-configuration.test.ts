import { expect } from "chai";

import {
  differences,
  documentsOf,
  printedDocuments,
  untried,
  withoutVips,
} from "../../../../lib/cluster/machine-configuration.ts";

const configuration = `version: v1alpha1
machine: { type: worker, token: secret-a, sysctls: { a: "1" } }
---
kind: HostnameConfig
hostname: wk01
`;

const printed = `node: 10.20.0.21
metadata: { id: v1alpha1 }
spec: |
${configuration.replaceAll(/^/gm, "  ")}`;

describe("differences of machine configurations", () => {
  it("are none where a machine runs what is rendered, in whatever order of keys", () => {
    const rendered = documentsOf(
      configuration.replace("type: worker, token: secret-a", "token: secret-a, type: worker"),
    );
    expect(differences(printedDocuments(printed), rendered)).to.deep.equal([]);
  });

  it("are named by their path, without what stands there", () => {
    const rendered = documentsOf(
      configuration.replace("secret-a", "secret-b").replace("hostname: wk01", "hostname: wk02"),
    );
    expect(differences(printedDocuments(printed), rendered)).to.deep.equal([
      "machine.token",
      "HostnameConfig.hostname",
    ]);
  });

  it("show a document that only one of them has", () => {
    expect(differences(printedDocuments(printed), documentsOf(configuration.split("---")[0] ?? ""))).to.deep.equal([
      "HostnameConfig",
    ]);
  });

  it("are found where talosctl prints an object", () => {
    expect(
      differences(printedDocuments("spec: { machine: { type: worker } }"), [{ machine: { type: "worker" } }]),
    ).to.deep.equal([]);
  });
});

describe("a machine's configuration without VIPs", () => {
  const vip = (name: string) => ({ apiVersion: "v1alpha1", kind: "Layer2VIPConfig", name, link: "net0" });

  it("is a patch that deletes the document of each", () => {
    const documents = [{ version: "v1alpha1", machine: { type: "controlplane" } }, vip("10.20.0.10"), vip("fd20::10")];
    expect(documentsOf(withoutVips(documents) ?? "")).to.deep.equal([
      { apiVersion: "v1alpha1", kind: "Layer2VIPConfig", name: "10.20.0.10", $patch: "delete" },
      { apiVersion: "v1alpha1", kind: "Layer2VIPConfig", name: "fd20::10", $patch: "delete" },
    ]);
  });

  it("needs no patch where there are none", () => {
    expect(withoutVips(documentsOf(configuration))).to.equal(undefined);
  });
});

describe("a machine's configuration that is read to be written back", () => {
  const vip = "version: v1alpha1\n---\napiVersion: v1alpha1\nkind: Layer2VIPConfig\nname: 10.0.0.10\n";
  const trial = "version: v1alpha1\n";
  const reading = (...texts: string[]) => {
    let last = trial;
    return () => Promise.resolve((last = texts.shift() ?? last));
  };

  it("is that with its VIPs, for which it waits while the machine tries one without", async () => {
    const options = { machine: "cp01", hasVip: true, pause: 0 };
    expect(await untried(reading(trial, trial, vip), options)).to.equal(vip);
    expect(await untried(reading(trial), { ...options, hasVip: false })).to.equal(trial);
  });

  it("is not had where the VIPs do not come back, and nothing is written", async () => {
    const said = await untried(reading(trial), { machine: "cp01", hasVip: true, timeout: 10, pause: 1 }).catch(
      (error: unknown) => (error as Error).message,
    );
    expect(said).to.contain("cp01 runs without the VIP that it was given, so nothing is written to it");
  });
});
