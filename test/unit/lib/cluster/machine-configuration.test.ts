import { expect } from "chai";

import {
  differences,
  documentsOf,
  printedDocuments,
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
