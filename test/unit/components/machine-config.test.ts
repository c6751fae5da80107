import { expect } from "chai";
import fc from "fast-check";
import { parse, parseAllDocuments } from "yaml";

import { topLink, type TalosDocument } from "../../../components/talos/documents/index.ts";
import { machineDocuments, machinePatches } from "../../../components/talos/machine-config.ts";
import { machineOptions } from "../../support/machine-options.ts";
import { clusterSettings, machineSettings } from "../../support/machines.ts";
import { expectSnapshot } from "../../support/snapshot.ts";

const roles = ["controlplane", "worker"] as const;

const ofKind = (documents: TalosDocument[], kind: string): TalosDocument[] =>
  documents.filter((document) => document.kind === kind);

const mac = fc
  .tuple(...Array.from({ length: 6 }, () => fc.integer({ min: 0, max: 255 })))
  .map((bytes) => bytes.map((byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join(":"));

const link = fc.record({
  mac,
  dhcp: fc.boolean(),
  vlan: fc.option(fc.integer({ min: 1, max: 4094 }), { nil: undefined }),
  mtu: fc.option(fc.integer({ min: 1280, max: 9216 }), { nil: undefined }),
  bond: fc.option(
    fc.record({
      mode: fc.constantFrom("802.3ad", "active-backup"),
      macs: fc.array(mac, { minLength: 1, maxLength: 3 }),
    }),
    { nil: undefined },
  ),
});

const settings = fc.record({
  machine: fc.record({
    role: fc.constantFrom(...roles),
    link,
    encryption: fc.constantFrom("none", "nodeID", "tpm"),
    secureBoot: fc.boolean(),
    sysctls: fc.dictionary(fc.constantFrom("vm.a", "vm.b"), fc.string()),
  }),
  cluster: fc.record({
    vip: fc.option(fc.constant("10.20.0.10"), { nil: undefined }),
    scheduleOnControlPlanes: fc.boolean(),
    sysctls: fc.dictionary(fc.constantFrom("vm.b", "vm.c"), fc.string()),
  }),
});

/** Runs a check on the documents of machines of all sorts. */
const always = (
  check: (documents: TalosDocument[], given: ReturnType<typeof machineSettings>, vip: string | undefined) => void,
): void => {
  fc.assert(
    fc.property(settings, ({ machine, cluster }) => {
      const given = machineSettings(machine);
      check(machineDocuments(given, clusterSettings(cluster)), given, cluster.vip);
    }),
  );
};

describe("a machine's configuration", () => {
  for (const { what, machine, cluster } of machineOptions) {
    it(`with ${what} is what was looked at last`, () => {
      const texts = roles.map((role) =>
        machinePatches(machineSettings({ ...machine, role }), clusterSettings(cluster)).join("---\n"),
      );
      expectSnapshot(`machine-config/${what.replaceAll(/\W+/g, "-")}.yaml`, texts.join("# worker\n---\n"));
    });
  }

  it("gives control planes alone the shared address, on the link that has their own", () => {
    always((documents, { role, link: wiring }, vip) => {
      const expected = role === "controlplane" && vip ? [{ name: vip, link: topLink(wiring) }] : [];
      expect(ofKind(documents, "Layer2VIPConfig").map(({ name, link: on }) => ({ name, link: on }))).to.deep.equal(
        expected,
      );
    });
  });

  it("gives the address to exactly one link, and by one way", () => {
    always((documents, { link: wiring }) => {
      const fixed = documents.filter((document) => document.addresses !== undefined);
      const asked = ofKind(documents, "DHCPv4Config");
      expect([...fixed, ...asked].map(({ name }) => name)).to.deep.equal([topLink(wiring)]);
    });
  });

  it("uses no link that it does not name", () => {
    always((documents) => {
      const named = [
        ...ofKind(documents, "LinkAliasConfig"),
        ...ofKind(documents, "BondConfig"),
        ...ofKind(documents, "VLANConfig"),
      ];
      const used = documents.flatMap(({ kind, name, parent, links = [], link: on }) => [
        ...(kind === "LinkConfig" || kind === "DHCPv4Config" ? [name] : []),
        ...[parent, on].filter(Boolean),
        ...(links as string[]),
      ]);
      expect(named.map(({ name }) => name)).to.include.members(used);
    });
  });

  it("finds links by their hardware address in lower case, as the kernel writes it", () => {
    always((documents, { link: { mac: own, bond } }) => {
      expect(ofKind(documents, "LinkAliasConfig").map(({ selector }) => selector)).to.deep.equal(
        [own, ...(bond?.macs ?? [])].map((address) => ({
          match: `mac(link.permanent_addr) == "${address.toLowerCase()}"`,
        })),
      );
    });
  });

  it("gives no worker what is of the API server or etcd", () => {
    always(([, patch], { role }) => {
      const sections = Object.keys((patch as { cluster: object }).cluster);
      expect(sections.includes("apiServer")).to.equal(role === "controlplane");
      expect(sections.includes("etcd")).to.equal(role === "controlplane");
    });
  });

  it("turns Talos's own CNI and kube-proxy off on every machine, since Cilium is both", () => {
    always(([, patch]) => {
      expect(patch).to.have.nested.property("cluster.network.cni.name", "none");
      expect(patch).to.have.nested.property("cluster.proxy.disabled", true);
    });
  });

  it("turns the generated host name off, so that the fixed one holds", () => {
    always((documents) => {
      expect(ofKind(documents, "HostnameConfig")).to.deep.equal([
        { apiVersion: "v1alpha1", kind: "HostnameConfig", hostname: "den-dev-cp01", auto: "off" },
      ]);
    });
  });

  it("names every address that a certificate has to answer for once", () => {
    always(([patch]) => {
      const { certSANs } = (patch as { machine: { certSANs: string[] } }).machine;
      expect(certSANs).to.include.members(["10.20.0.11", "den-dev-cp01", "10.20.0.10"]);
      expect(new Set(certSANs)).to.have.lengthOf(certSANs.length);
    });
  });

  it("lets a machine's kernel parameters override the cluster's", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (own, common) => {
        const [patch] = machineDocuments(
          machineSettings({ sysctls: { "vm.a": own } }),
          clusterSettings({ sysctls: { "vm.a": common, "vm.b": common } }),
        );
        expect(patch).to.have.deep.nested.property("machine.sysctls", { "vm.a": own, "vm.b": common });
      }),
    );
  });

  it("encrypts STATE and EPHEMERAL or neither, and locks the latter's key to STATE alone", () => {
    always((documents, { encryption }) => {
      const volumes = ofKind(documents, "VolumeConfig");
      expect(volumes.map(({ name }) => name)).to.deep.equal(encryption === "none" ? [] : ["STATE", "EPHEMERAL"]);
      const locks = volumes.map((volume) => (volume.encryption as { keys: object[] }).keys[0]);
      expect(locks.map((key) => key && "lockToState" in key)).to.deep.equal(encryption === "none" ? [] : [false, true]);
    });
  });

  it("opens the Talos API to pods on control planes only, for Talos refuses it elsewhere", () => {
    const cluster = clusterSettings({ talosApiAccess: { namespaces: ["backup"], roles: ["os:etcd:backup"] } });
    const path = "machine.features.kubernetesTalosAPIAccess";
    expect(machineDocuments(machineSettings(), cluster)[0]).to.have.nested.property(`${path}.enabled`, true);
    expect(machineDocuments(machineSettings({ role: "worker" }), cluster)[0]).not.to.have.nested.property(path);
  });

  it("applies patches of one's own last: the cluster's, the role's, the machine's", () => {
    const own = (name: string) => ({ machine: { env: { name } } });
    const cluster = clusterSettings({
      patches: { all: [own("all")], controlPlanes: [own("cp")], workers: [own("wk")] },
    });
    const last = (role: (typeof roles)[number]) =>
      machineDocuments(machineSettings({ role, patches: [own("node")] }), cluster).slice(-3);
    expect(last("controlplane")).to.deep.equal(["all", "cp", "node"].map(own));
    expect(last("worker")).to.deep.equal(["all", "wk", "node"].map(own));
  });

  it("is a patch a document, which reads back as it was", () => {
    always((documents, given, vip) => {
      const patches = machinePatches(given, clusterSettings({ vip }));
      expect(patches.every((patch) => parseAllDocuments(patch).length === 1)).to.equal(true);
      expect(patches.map((patch) => parse(patch) as TalosDocument)).to.deep.equal(
        machineDocuments(given, clusterSettings({ vip })),
      );
      expect(documents).to.have.lengthOf(patches.length);
    });
  });
});
