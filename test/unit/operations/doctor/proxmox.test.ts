import { expect } from "chai";

import { proxmoxFindings } from "../../../../operations/doctor/proxmox.ts";
import { macsIn } from "../../../../operations/doctor/proxmox-macs.ts";
import type { Mapping } from "../../../../operations/doctor/proxmox-mappings.ts";
import type { Known } from "../../../../operations/doctor/finding.ts";
import { missingOf, needsOf } from "../../../../operations/doctor/proxmox-privileges.ts";
import {
  allPrivileges,
  configOf,
  dev,
  isHealthy,
  proxmoxAnswers,
  proxmoxFacts,
  tell,
} from "../../../support/doctor.ts";

const gibibyte = 1024 ** 3;

const of =
  (...args: Parameters<typeof proxmoxFacts>) =>
  () =>
    proxmoxFindings(dev, proxmoxFacts(...args));

const host = (more: object) => ({
  hosts: { value: [{ node: "pve1", status: "online", maxcpu: 16, maxmem: 64 * gibibyte, ...more }] },
});

/** The healthy datastores, one of them changed. */
const datastore = (name: string, more: object) => {
  const { pve1 } = proxmoxAnswers().datastores;
  const all = pve1 && "value" in pve1 ? pve1.value : [];
  return { datastores: { pve1: { value: all.map((each) => (each.storage === name ? { ...each, ...more } : each)) } } };
};

/** All privileges, but one on the paths that match. */
const without = (privilege: string, path: RegExp) => ({
  privileges: {
    value: Object.fromEntries(
      Object.entries(allPrivileges()).map(([at, has]) => [
        at,
        path.test(at) ? has.filter((each) => each !== privilege) : has,
      ]),
    ),
  },
});

const untrusted = (code: string, settings: { insecure?: boolean; ca?: string; fingerprint?: string } = {}) => {
  const { insecure = false } = settings;
  const config = configOf("dev");
  Object.assign(config.proxmox ?? {}, settings);
  const trust = {
    is: "untrusted",
    code,
    fingerprint: "AB:CD",
    issuer: "PVE Cluster Manager CA",
    until: "2025",
  } as const;
  return () => proxmoxFindings(config, proxmoxFacts({}, { trust, ...(!insecure && { answers: undefined }) }));
};

const antiAffine = (version: string) => () => {
  const config = configOf("dev");
  if (config.proxmox) config.proxmox.antiAffinity = true;
  const facts = proxmoxFacts({ version: { value: version }, privileges: { value: allPrivileges(config) } });
  return proxmoxFindings(config, facts);
};

const neighbour = (more: object) => ({
  neighbours: { value: [{ vmid: 100, name: "win", isRunning: true, macs: { value: [] }, ...more }] },
});

/** One machine gets the mapping `gpu`. */
const mapped = (pve1: Known<Mapping[]>) => () => {
  const config = configOf("dev");
  const node = config.nodes["den-dev-wk01"];
  if (node?.platform === "proxmox") node.proxmox.pciMappings = ["gpu"];
  return proxmoxFindings(config, proxmoxFacts({ mappings: { pve1 }, privileges: { value: allPrivileges(config) } }));
};

const guest = (vmid: number, name: string) => ({
  guests: { value: [{ vmid, name, node: "pve1", maxmem: 4 * gibibyte }] },
});

describe("doctor at Proxmox", () => {
  it("finds nothing before the first deployment", () => {
    isHealthy(of()());
  });

  it("finds nothing where the stack's machines run", () => {
    const guests = [2011, 2021, 2022].map((vmid) => ({ vmid, name: "den", node: "pve1", maxmem: 8 * gibibyte }));
    isHealthy(of({ guests: { value: guests } }, { own: [2011, 2021, 2022] })());
  });

  it("finds nothing where others have other hardware addresses, and a mapping is there", () => {
    isHealthy(of(neighbour({ macs: { value: ["BC:24:11:20:00:12"] } }))());
    isHealthy(mapped({ value: [{ id: "gpu", checks: [] }] })());
  });

  it("finds nothing where a machine is made anew with another number, and keeps its hardware address", () => {
    const macs = { value: ["BC:24:11:20:00:11"] };
    isHealthy(of(neighbour({ vmid: 2019, name: "den-dev-cp01", macs }), { own: [2019] })());
    const findings = of(neighbour({ vmid: 2019, name: "den-dev-cp09", macs }), { own: [2019] })();
    expect(findings.find(({ check }) => check.startsWith("Proxmox hardware address "))?.is).to.equal("problem");
  });

  it("reads hardware addresses of machines and containers", () => {
    expect(
      macsIn({
        net0: "virtio=BC:24:11:20:00:11,bridge=vmbr0,firewall=1",
        net1: "model=e1000,macaddr=bc:24:11:20:00:12,bridge=vmbr1",
        net2: "name=eth0,bridge=vmbr0,hwaddr=BC:24:11:20:00:13,ip=dhcp,type=veth",
        description: "net0=BC:24:11:20:00:14",
      }),
    ).to.deep.equal(["BC:24:11:20:00:11", "BC:24:11:20:00:12", "BC:24:11:20:00:13"]);
  });

  it("is not looked at without a machine there", () => {
    expect(proxmoxFindings(configOf("prod"), proxmoxFacts())).to.deep.equal([]);
  });

  tell([
    [
      "an API that does not answer",
      of({}, { trust: { is: "silent", why: "ECONNREFUSED" }, answers: undefined }),
      ...(["problem", "Proxmox at 10.20.0.5:8006", /ECONNREFUSED/] as const),
    ],
    [
      "a self-signed certificate",
      untrusted("UNABLE_TO_VERIFY_LEAF_SIGNATURE"),
      "problem",
      "Proxmox at 10.20.0.5:8006",
      /AB:CD/,
    ],
    [
      "an expired certificate",
      untrusted("CERT_HAS_EXPIRED"),
      "problem",
      "Proxmox at 10.20.0.5:8006",
      /expired on 2025/,
    ],
    [
      "a certificate for other names",
      untrusted("ERR_TLS_CERT_ALTNAME_INVALID"),
      "problem",
      "Proxmox at 10.20.0.5:8006",
      /other names/,
    ],
    [
      "a certificate with another fingerprint than the stack file's",
      untrusted("UNABLE_TO_VERIFY_LEAF_SIGNATURE", { fingerprint: "12:34" }),
      "problem",
      "Proxmox at 10.20.0.5:8006",
      /SHA-256 AB:CD, and hearth:proxmox.fingerprint is 12:34/,
    ],
    [
      "a certificate that the stack file's authority did not sign",
      untrusted("UNABLE_TO_VERIFY_LEAF_SIGNATURE", { ca: "-----BEGIN" }),
      "problem",
      "Proxmox at 10.20.0.5:8006",
      /AB:CD, which is not trusted/,
    ],
    [
      "proxmox.insecure",
      untrusted("SELF_SIGNED_CERT_IN_CHAIN", { insecure: true }),
      "warning",
      "Proxmox at 10.20.0.5:8006",
      /and any other/,
    ],
    [
      "a missing token",
      of({}, { token: { value: undefined }, answers: undefined }),
      "problem",
      "Proxmox token",
      /has no/,
    ],
    [
      "a token that is refused",
      of({ version: { why: "Proxmox answers 401 invalid token value!" } }),
      ...(["problem", "Proxmox token", /hearth@pve!deploy is refused: 401/] as const),
    ],
    [
      "a version that imports nothing",
      of({ version: { value: "8.3.5" } }),
      "problem",
      "Proxmox version",
      /8\.3\.5 imports no/,
    ],
    ["a version without affinity rules", antiAffine("8.4.1"), "problem", "Proxmox version", /no affinity rules/],
    [
      "a host that is not there",
      of({ hosts: { value: [{ node: "other", status: "online" }] } }),
      ...(["problem", "Proxmox host pve1", /not in the cluster, which has other/] as const),
    ],
    ["a host that is offline", of(host({ status: "offline" })), "problem", "Proxmox host pve1", /offline/],
    [
      "too little memory",
      of(host({ maxmem: 16 * gibibyte })),
      "problem",
      "Proxmox host pve1",
      /16 GiB .*ask for 20 GiB/,
    ],
    [
      "memory that others have",
      of({
        ...host({ maxmem: 32 * gibibyte }),
        guests: { value: [{ vmid: 100, node: "pve1", maxmem: 16 * gibibyte }] },
      }),
      ...(["warning", "Proxmox host pve1", /others have 16 GiB/] as const),
    ],
    [
      "a missing privilege on machines",
      of(without("VM.Config.Disk", /^\/vms/)),
      ...([
        "problem",
        "Proxmox token's privileges",
        /lacks VM\.Config\.Disk on \/vms\/2011, \/vms\/2021, \/vms\/2022$/,
      ] as const),
    ],
    [
      "a missing privilege on a datastore",
      of(without("Datastore.AllocateSpace", /local-lvm$/)),
      ...([
        "problem",
        "Proxmox token's privileges",
        /lacks Datastore\.AllocateSpace on \/storage\/local-lvm$/,
      ] as const),
    ],
    [
      "a missing privilege on a bridge",
      of(without("SDN.Use", /sdn/)),
      ...(["problem", "Proxmox token's privileges", /lacks SDN\.Use on \/sdn\/zones\/localnetwork\/vmbr0$/] as const),
    ],
    [
      "a datastore without import",
      of(datastore("local", { content: "iso,vztmpl,backup" })),
      ...(["problem", "Proxmox datastore local on pve1", /no content type import, but iso,vztmpl,backup/] as const),
    ],
    [
      "a datastore that cannot have import",
      of(datastore("local", { type: "lvmthin", content: "images" })),
      ...(["problem", "Proxmox datastore local on pve1", /lvmthin cannot hold files/] as const),
    ],
    [
      "a disabled datastore",
      of(datastore("local", { enabled: 0 })),
      "problem",
      "Proxmox datastore local on pve1",
      /disabled/,
    ],
    [
      "an unreachable datastore",
      of(datastore("local-lvm", { active: 0 })),
      "problem",
      "Proxmox datastore local-lvm on pve1",
      /not active/,
    ],
    [
      "a datastore of another name",
      of(datastore("local", { storage: "nas" })),
      "problem",
      "Proxmox datastore local on pve1",
      /there are nas/,
    ],
    [
      "a full datastore",
      of(datastore("local-lvm", { type: "lvm", avail: 100 * gibibyte })),
      ...([
        "problem",
        "Proxmox datastore local-lvm on pve1",
        /100 GiB free, and the stack's new disks are 400 GiB/,
      ] as const),
    ],
    [
      "a thin datastore that is promised twice",
      of(datastore("local-lvm", { avail: 100 * gibibyte })),
      ...(["warning", "Proxmox datastore local-lvm on pve1", /until they fill up/] as const),
    ],
    [
      "no room for an image",
      of(datastore("local", { avail: gibibyte })),
      "problem",
      "Proxmox datastore local on pve1",
      /a boot image takes/,
    ],
    [
      "a bridge that is not there",
      of({ bridges: { pve1: { value: [{ iface: "vmbr1", type: "bridge", active: 1 }] } } }),
      ...(["problem", "Proxmox bridge vmbr0 on pve1", /there are vmbr1/] as const),
    ],
    [
      "a bridge that is down",
      of({ bridges: { pve1: { value: [{ iface: "vmbr0", type: "bridge", active: 0 }] } } }),
      ...(["problem", "Proxmox bridge vmbr0 on pve1", /not active/] as const),
    ],
    [
      "a number that another machine has",
      of(guest(2021, "windows")),
      "problem",
      "Proxmox VM 2021 (den-dev-wk01)",
      /belongs to windows on pve1/,
    ],
    [
      "a machine that is left over",
      of(guest(2021, "den-dev-wk01")),
      "problem",
      "Proxmox VM 2021 (den-dev-wk01)",
      /state does not have it/,
    ],
    [
      "a machine that is gone",
      of({}, { own: [2011] }),
      ...(["problem", "Proxmox VM 2011 (den-dev-cp01)", /Proxmox has no such machine/] as const),
    ],
    [
      "a hardware address that another machine has",
      of(neighbour({ macs: { value: ["BC:24:11:20:00:11"] } })),
      ...([
        "problem",
        "Proxmox hardware address BC:24:11:20:00:11 (den-dev-cp01)",
        /^belongs to win \(100\) as well$/,
      ] as const),
    ],
    [
      "a hardware address of a machine that is off",
      of(neighbour({ isRunning: false, macs: { value: ["BC:24:11:20:00:11"] } })),
      ...(["warning", "Proxmox hardware address BC:24:11:20:00:11 (den-dev-cp01)", /which is off/] as const),
    ],
    [
      "hardware addresses that the token may not see",
      of(neighbour({ macs: { why: "Proxmox answers 403 Permission check failed" } })),
      ...(["not asked", "Proxmox hardware addresses", /^those of 100 cannot be read: .*403/] as const),
    ],
    [
      "a PCI mapping that is not there",
      mapped({ value: [{ id: "coral" }] }),
      ...(["problem", "Proxmox PCI mapping gpu on pve1", /there are coral$/] as const),
    ],
    [
      "a PCI mapping without a device on the host",
      mapped({ value: [{ id: "gpu", checks: [{ severity: "warning", message: "No mapping for node pve1." }] }] }),
      ...(["problem", "Proxmox PCI mapping gpu on pve1", /No mapping for node pve1/] as const),
    ],
    [
      "PCI mappings that cannot be read",
      mapped({ why: "Proxmox answers 501" }),
      ...(["not asked", "Proxmox PCI mapping gpu on pve1", /501/] as const),
    ],
    [
      "a number that the token may not see",
      of({ others: { 2011: { is: "unknown", why: "answers 403 Permission check failed" } } }),
      ...(["not asked", "Proxmox VM 2011 (den-dev-cp01)", /403/] as const),
    ],
  ]);

  it("counts the cores that a machine asks for", () => {
    const found = of(host({ maxcpu: 2 }))().filter(({ is }) => is === "problem");
    expect(found.map((each) => each.found)).to.deep.equal([
      "has 2 cores, and den-dev-wk01 asks for 4",
      "has 2 cores, and den-dev-wk02 asks for 4",
    ]);
  });

  it("gives the exact command for a content type", () => {
    const [found] = of(datastore("local", { content: "iso,backup" }))().filter(({ is }) => is === "problem");
    expect(found?.advice).to.contain("pvesm set local --content iso,backup,import");
  });

  it("takes privileges on a machine's pool for those on the machine", () => {
    const config = configOf("dev");
    for (const node of Object.values(config.nodes)) if (node.platform === "proxmox") node.proxmox.pool = "hearth";
    const has = allPrivileges();
    const pooled = {
      ...has,
      "/pool/hearth": has["/vms/2011"] ?? [],
      "/vms/2011": [],
      "/vms/2021": [],
      "/vms/2022": [],
    };
    expect(missingOf(needsOf(config), pooled)).to.deep.equal({});
  });

  it("takes Sys.AccessNetwork on a host for Sys.Audit on all, which downloads need either of", () => {
    const has = allPrivileges();
    expect(missingOf(needsOf(dev), { ...has, "/": ["Sys.Modify"] })).to.deep.equal({});
    expect(missingOf(needsOf(dev), { ...has, "/nodes/pve1": ["Sys.Audit"] })).to.deep.equal({});
    expect(missingOf(needsOf(dev), { ...has, "/": ["Sys.Modify"], "/nodes/pve1": ["Sys.Audit"] })).to.deep.equal({
      "/nodes/pve1": ["Sys.AccessNetwork"],
    });
  });
});
