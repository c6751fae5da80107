import { expect } from "chai";

import { machineDocuments, machinePatches } from "../../../components/talos/machine-config.ts";

const cluster = {
  endpointHost: "10.20.0.10",
  vip: "10.20.0.10",
  podCidr: "10.244.0.0/16",
  serviceCidr: "10.96.0.0/12",
  subnet: "10.20.0.0/24",
  prefixLength: 24,
  gateway: "10.20.0.1",
  nameservers: ["10.20.0.1"],
  timeServers: ["time.cloudflare.com"],
  scheduleOnControlPlanes: false,
};

const machine = {
  hostname: "den-dev-cp01",
  role: "controlplane" as const,
  address: "10.20.0.11",
  mac: "BC:24:11:20:00:11",
  installDisk: "/dev/sda",
  installerImage: "factory.talos.dev/nocloud-installer/abc:v1.13.9",
  labels: {},
};

const kinds = (documents: Record<string, unknown>[]) => documents.map(({ kind }) => kind).filter(Boolean);

describe("a machine's configuration", () => {
  it("gives a control plane the shared address", () => {
    expect(kinds(machineDocuments(machine, cluster))).to.include("Layer2VIPConfig");
  });

  it("gives a worker no shared address and no API server", () => {
    const documents = machineDocuments({ ...machine, role: "worker" }, cluster);
    expect(kinds(documents)).not.to.include("Layer2VIPConfig");
    expect(JSON.stringify(documents)).not.to.contain("apiServer");
  });

  it("turns Talos's own CNI and kube-proxy off on every machine, since Cilium is both", () => {
    for (const role of ["controlplane", "worker"] as const) {
      const [, patch] = machineDocuments({ ...machine, role }, cluster);
      expect(patch).to.have.nested.property("cluster.network.cni.name", "none");
      expect(patch).to.have.nested.property("cluster.proxy.disabled", true);
    }
  });

  it("turns the generated host name off, so that the fixed one holds", () => {
    const [hostname] = machineDocuments(machine, cluster).filter(({ kind }) => kind === "HostnameConfig");
    expect(hostname).to.include({ hostname: "den-dev-cp01", auto: "off" });
  });

  it("finds the link by its hardware address in lower case, as the kernel writes it", () => {
    const [alias] = machineDocuments(machine, cluster).filter(({ kind }) => kind === "LinkAliasConfig");
    expect(alias).to.have.nested.property("selector.match", 'mac(link.permanent_addr) == "bc:24:11:20:00:11"');
  });

  it("names every address that a certificate has to answer for once", () => {
    const [patch] = machineDocuments(machine, cluster);
    expect(patch)
      .to.have.nested.property("machine.certSANs")
      .that.deep.equals(["10.20.0.11", "den-dev-cp01", "10.20.0.10"]);
  });

  it("is a patch a document, each on its own YAML", () => {
    expect(machinePatches(machine, cluster)).to.have.lengthOf(machineDocuments(machine, cluster).length);
    expect(machinePatches(machine, cluster).join("")).not.to.contain("---");
  });
});
