import { expect } from "chai";

import { cloudflareFindings } from "../../../../operations/doctor/cloudflare.ts";
import { computerFindings } from "../../../../operations/doctor/computer.ts";
import { escrowFindings } from "../../../../operations/doctor/escrow.ts";
import { factoryFindings } from "../../../../operations/doctor/factory.ts";
import { firewallFindings } from "../../../../operations/doctor/firewall.ts";
import { gitFindings } from "../../../../operations/doctor/git.ts";
import { machinesFindings } from "../../../../operations/doctor/machines.ts";
import { networkFindings } from "../../../../operations/doctor/network.ts";
import { treeFindings, type TreeFacts } from "../../../../operations/doctor/tree.ts";
import {
  cloudflareFacts,
  computerFacts,
  dev,
  escrowFacts,
  factoryFacts,
  gitFacts,
  hardware,
  isHealthy,
  machineFacts,
  networkFacts,
  ok,
  plugin,
  prod,
  ran,
  standard,
  status,
  tell,
} from "../../../support/doctor.ts";

describe("doctor on this computer", () => {
  const of = (more: Parameters<typeof computerFacts>[0]) => () => computerFindings(computerFacts(more));

  it("finds nothing where all is well, before the first deployment as well", () => {
    isHealthy(of({})());
    isHealthy(of({ size: { value: 0 }, state: { value: undefined } })());
    isHealthy(of({ isLab: true, plugins: [plugin("talos", "0.8.0", { installed: [], onPath: ".lab/dev/bin" })] })());
  });

  tell([
    ["an old Node.js", of({ node: { is: "18.20.0", needs: ">=20.19.0" } }), "problem", "computer Node.js", /18\.20\.0/],
    [
      "a placeholder in the stack file",
      of({
        undeployable: [{ path: ["escrow", "recipients", 0], problem: "is a placeholder", advice: "write a recipient" }],
      }),
      ...(["problem", "computer stack file", /^escrow\.recipients\.0 is a placeholder/] as const),
    ],
    [
      "a stack that the backend does not know",
      of({ size: { value: undefined }, state: { value: undefined } }),
      ...(["problem", "computer state", /no stack dev in s3:\/\/states/] as const),
    ],
    [
      "a backend that does not answer",
      of({ size: { why: "no credentials" }, state: { why: "no credentials" } }),
      ...(["problem", "computer state", /does not answer: no credentials/] as const),
    ],
    [
      "a state that cannot be read",
      of({ state: { why: "incorrect passphrase" } }),
      "problem",
      "computer state",
      /passphrase/,
    ],
    [
      "an interrupted update",
      of({
        state: {
          value: {
            version: 3,
            deployment: { pending_operations: [{ type: "creating", resource: { urn: "u", type: "t" } }] },
          },
        },
      }),
      ...(["warning", "computer state", /interrupted/] as const),
    ],
    [
      "a wrong passphrase",
      of({ secrets: { why: "incorrect passphrase" } }),
      ...(["problem", "computer secrets of the stack file", /incorrect passphrase/] as const),
    ],
    ["a program that is missing", of({ missing: { value: ["sops"] } }), "warning", "computer programs", /^sops would/],
    [
      "a plugin of another release",
      of({ plugins: [plugin("talos", "0.8.0", { installed: ["0.7.1"] })] }),
      ...(["warning", "computer plugins", /^talos 0\.8\.0 is not installed, but 0\.7\.1$/] as const),
    ],
    [
      "a plugin that is missing",
      of({ plugins: [plugin("talos", "0.8.0", { installed: [] }), plugin("random", "4.21.2")] }),
      ...(["warning", "computer plugins", /^talos 0\.8\.0 is not installed$/] as const),
    ],
    [
      "a plugin on PATH, which the engine prefers",
      of({ plugins: [plugin("talos", "0.8.0", { onPath: "/usr/local/bin" })] }),
      ...(["warning", "computer plugins", /^talos is on PATH, in \/usr\/local\/bin/] as const),
    ],
    ["a clock that is ahead", of({ ahead: { value: 300 } }), "problem", "computer clock", /300 s ahead of/],
    ["a clock that is behind", of({ ahead: { value: -3700 } }), "problem", "computer clock", /3700 s behind/],
    ["a clock without a server", of({ ahead: { why: "ENOTFOUND" } }), "not asked", "computer clock", /ENOTFOUND/],
  ]);
});

describe("doctor at the factory", () => {
  const of = (more: Parameters<typeof factoryFacts>[0]) => () => factoryFindings(dev, factoryFacts(more));

  it("finds nothing where all is well, and where a profile is registered by the first deployment", () => {
    isHealthy(of({})());
    isHealthy(of({ schematics: { standard: { value: 404 } }, registered: [] })());
  });

  tell([
    [
      "a factory that does not answer",
      of({ schematics: { standard: { why: "ECONNREFUSED" } }, releases: { why: "ECONNREFUSED" } }),
      ...(["problem", "factory", /does not answer: ECONNREFUSED/] as const),
    ],
    [
      "a profile that it has forgotten",
      of({ schematics: { standard: { value: 404 } }, registered: [standard] }),
      ...(["problem", "factory profile standard", /no longer knows/] as const),
    ],
    ["an ill factory", of({ schematics: { standard: { value: 502 } } }), "problem", "factory profile standard", /502/],
    [
      "a release that does not exist",
      of({ releases: { value: ["v1.13.1", "v1.13.2"] } }),
      ...(["problem", `factory release ${dev.cluster.talos}`, /not among/] as const),
    ],
    [
      "releases of a factory that lists none",
      of({ releases: { value: undefined } }),
      ...(["not asked", `factory release ${dev.cluster.talos}`, /does not list/] as const),
    ],
  ]);
});

describe("doctor at the machines", () => {
  const name = "den-prod-cp01";
  const check = `machine ${name} at 10.30.0.11`;
  const of =
    (...args: Parameters<typeof machineFacts>) =>
    () =>
      machinesFindings(prod, machineFacts(...args));
  const withHardware = (more: Parameters<typeof hardware>[0]) => of({ hardware: hardware(more) });

  it("finds nothing in maintenance mode or in the cluster, and does not judge whether there is a TPM for the disk's key", () => {
    isHealthy(of()(), [`machine ${name}'s TPM`]);
    isHealthy(of({ state: "member" }, { configured: [name] })());
    for (const value of [prod.cluster.talos, "v1.13.2"])
      isHealthy(of({ state: "member", release: { value } }, { configured: [name] })());
  });

  it("expects nobody where a virtual machine is to be made", () => {
    const vm = { "den-dev-cp01": { state: "silent", isTaken: false } } as const;
    isHealthy(machinesFindings(dev, { machines: vm, configured: [] }));
  });

  tell([
    ["another cluster's machine", of({ state: "foreign" }), "problem", check, /another cluster/],
    ["a metal machine that is off", of({ state: "silent" }), "warning", check, /nobody answers/],
    ["another device at the address", of({ state: "silent", isTaken: true }), "problem", check, /no Talos machine/],
    [
      "a machine that went away",
      of({ state: "silent" }, { configured: [name] }),
      "problem",
      check,
      /does not answer, and the state/,
    ],
    [
      "a machine that lost its disk",
      of({}, { configured: [name] }),
      "problem",
      check,
      /is in maintenance mode, and the state/,
    ],
    [
      "a mac that no link has",
      withHardware({
        links: { value: [{ name: "eno1", type: "ether", kind: "", hardwareAddr: "00:11:22:33:44:55" }] },
      }),
      ...([
        "problem",
        `machine ${name}'s links`,
        /no link has 7C:83:34:30:00:11; there are 00:11:22:33:44:55/,
      ] as const),
    ],
    [
      "a selector that matches no disk",
      withHardware({ disks: { value: [{ dev_path: "/dev/sda", size: 500e9, transport: "sata" }] } }),
      ...(["problem", `machine ${name}'s install disk`, /matches no disk; there are \/dev\/sda \(500 GB\)/] as const),
    ],
    [
      "a selector that matches several disks",
      withHardware({
        disks: {
          value: ["nvme0n1", "nvme1n1"].map((id) => ({ dev_path: `/dev/${id}`, size: 500e9, transport: "nvme" })),
        },
      }),
      ...(["warning", `machine ${name}'s install disk`, /nvme0n1 .*nvme1n1 .*takes the first/] as const),
    ],
    [
      "SecureBoot that is off",
      withHardware({ secureBoot: { value: false } }),
      ...(["problem", `machine ${name}'s SecureBoot`, /is off/] as const),
    ],
    [
      "an image that is older than the contract",
      withHardware({ release: { value: "v1.12.3" } }),
      ...(["problem", `machine ${name}'s Talos`, /v1\.12\.3, which does not read/] as const),
    ],
    [
      "a member that is older than the contract",
      of({ state: "member", release: { value: "v1.12.3" } }, { configured: [name] }),
      ...(["problem", `machine ${name}'s Talos`, /runs v1\.12\.3, which does not read/] as const),
    ],
    [
      "a member that a deployment would take back",
      of({ state: "member", release: { value: "v1.14.0" } }, { configured: [name] }),
      ...([
        "warning",
        `machine ${name}'s Talos`,
        /runs v1\.14\.0, and cluster\.talos is v1\.13.*keeps what somebody installed/,
      ] as const),
    ],
    [
      "a member that does not tell its release",
      of({ state: "member", release: { why: "talosctl get on 10.30.0.11 failed" } }, { configured: [name] }),
      ...(["not asked", `machine ${name}'s Talos`, /failed/] as const),
    ],
    [
      "whose a machine is, without the state",
      of({ state: "foreign" }, { configured: undefined }),
      "not asked",
      check,
      /only the state says/,
    ],
  ]);
});

describe("doctor at the machines' firewall", () => {
  const letting = (...administrators: string[]) => ({
    ...dev,
    network: { ...dev.network, firewall: { administrators, rules: {} } },
  });
  const check = "firewall of the machines";

  it("finds nothing where there is none, and where it lets this computer in", () => {
    expect(firewallFindings(dev, { value: "192.0.2.7" })).to.deep.equal([]);
    isHealthy(firewallFindings(letting("10.8.0.0/24", "fd00:8::/64"), { value: "10.8.0.7" }));
    isHealthy(firewallFindings(letting("10.8.0.0/24"), { value: "10.20.0.200" }));
    isHealthy(firewallFindings(letting("10.8.0.0/24"), { value: "10.244.3.7" }));
  });

  tell([
    [
      "a firewall that shuts this computer out",
      () => firewallFindings(letting("10.8.0.0/24"), { value: "192.0.2.7" }),
      ...(["problem", check, /does not let in 192\.0\.2\.7, this computer/] as const),
    ],
    [
      "an address that is not known",
      () => firewallFindings(letting("10.8.0.0/24"), { why: "connect ENETUNREACH" }),
      ...(["not asked", check, /ENETUNREACH/] as const),
    ],
  ]);
});

describe("doctor in the network", () => {
  const of = (more: Parameters<typeof networkFacts>[0]) => () => networkFindings(dev, networkFacts(more));

  it("finds nothing before the first deployment, and in a running cluster", () => {
    isHealthy(of({})());
    isHealthy(of({ vip: true, hasCluster: true })());
  });

  tell([
    ["a gateway that is silent", of({ hasGateway: false }), "warning", "network gateway 10.20.0.1", /does not answer/],
    ["a VIP that somebody has", of({ vip: true }), "problem", "network VIP 10.20.0.10", /not made yet/],
    ["a cluster whose API is down", of({ hasCluster: true }), "problem", "network VIP 10.20.0.10", /port 6443/],
    [
      "a name server that does not resolve",
      of({ nameservers: { "10.20.0.1": { why: "queryA ETIMEOUT" } } }),
      ...(["problem", "network name server 10.20.0.1", /ETIMEOUT/] as const),
    ],
    [
      "a time server that is silent",
      of({ timeServers: { "time.cloudflare.com": { why: "no answer in 4 s" } } }),
      ...(["problem", "network time server time.cloudflare.com", /no answer/] as const),
    ],
    [
      "a time server with another time",
      of({ timeServers: { "time.cloudflare.com": { value: -90 } } }),
      ...(["problem", "network time server time.cloudflare.com", /by 90 s/] as const),
    ],
    [
      "a registry that cannot be reached",
      of({ registries: { "quay.io": { why: "ENOTFOUND" } } }),
      ...(["problem", "network registry quay.io", /ENOTFOUND/] as const),
    ],
  ]);
});

describe("doctor at Cloudflare", () => {
  const of =
    (...args: Parameters<typeof cloudflareFacts>) =>
    () =>
      cloudflareFindings(dev, cloudflareFacts(...args));
  const welcome = "welcome-dev.example.com";
  const at = (record: object) => ({ records: { [welcome]: ok([record]), "flux-dev.example.com": ok([]) } });

  it("finds nothing where all is this stack's, and where nothing is there yet", () => {
    isHealthy(of()());
    const empty = {
      tunnels: ok([]),
      tunnelToken: undefined,
      records: { [welcome]: ok([]), "flux-dev.example.com": ok([]) },
    };
    isHealthy(of(empty, { own: { tunnels: [], records: [] } })(), ["Cloudflare right Cloudflare Tunnel: Edit"]);
  });

  it("lets a record be that the stack file takes over", () => {
    const config = structuredClone(dev);
    const [rule] = config.cloudflare?.ingress ?? [];
    if (rule) rule.adopt = "a".repeat(32);
    const facts = cloudflareFacts(at({ id: "a".repeat(32), type: "CNAME", name: welcome, content: "x.example.net" }));
    isHealthy(cloudflareFindings(config, facts));
  });

  tell([
    [
      "a token that is refused",
      of({ token: [status(401), status(401)], zone: status(403), tunnels: status(403), noRecord: status(403) }),
      ...(["problem", "Cloudflare token", /is refused/] as const),
    ],
    [
      "a token that has expired",
      of({ token: [ok({ status: "expired" })] }),
      "problem",
      "Cloudflare token",
      /is expired/,
    ],
    [
      "a token that only reads records",
      of({ noRecord: status(403) }),
      ...(["problem", "Cloudflare right DNS: Edit", /zone example\.com/] as const),
    ],
    [
      "a token that only reads tunnels",
      of({ tunnelToken: status(403) }),
      ...(["problem", "Cloudflare right Cloudflare Tunnel: Edit", /lacks it/] as const),
    ],
    [
      "a wrong account",
      of({ tunnels: status(403), tunnelToken: undefined }),
      ...(["problem", "Cloudflare right Cloudflare Tunnel: Read", /no such account/] as const),
    ],
    [
      "another zone's identifier",
      of({ zone: ok({ name: "other.org", status: "active" }) }),
      ...(["problem", "Cloudflare zone example.com", /is the zone other\.org/] as const),
    ],
    [
      "a zone of another account",
      of({ zone: ok({ name: "example.com", status: "active", account: { id: "f".repeat(32) } }) }),
      ...(["problem", "Cloudflare zone example.com", /in the account ffff/] as const),
    ],
    [
      "a zone that nobody asks Cloudflare for",
      of({ zone: ok({ name: "example.com", status: "pending" }) }),
      ...(["warning", "Cloudflare zone example.com", /pending/] as const),
    ],
    [
      "a tunnel of the same name",
      of({ tunnels: ok([{ id: "t9", name: "den-dev" }]) }),
      ...(["problem", "Cloudflare tunnel den-dev", /t9/] as const),
    ],
    [
      "a record in the way",
      of(at({ id: "r9", type: "A", name: welcome, content: "192.0.2.7" })),
      ...(["problem", `Cloudflare records of ${welcome}`, /^A 192\.0\.2\.7 is there/] as const),
    ],
    [
      "a missing token",
      of({}, { token: { value: false }, answers: undefined }),
      "problem",
      "Cloudflare token",
      /has no/,
    ],
    [
      "a token that cannot be read",
      of({}, { token: { why: "incorrect passphrase" }, answers: undefined }),
      ...(["not asked", "Cloudflare", /incorrect passphrase/] as const),
    ],
  ]);
});

describe("doctor at the Git server", () => {
  const of = (more: Parameters<typeof gitFacts>[0]) => () => gitFindings(dev, gitFacts(more));
  const denied = ran(
    128,
    "",
    "git@github.com: Permission denied (publickey).\nfatal: Could not read from remote repository.",
  );

  it("finds nothing where the cluster's folder can be read", () => {
    isHealthy(of({})());
  });

  it("proves the server before there is a deploy key", () => {
    const unasked = ["Git deploy key", "Git branch main", "Git folder gitops/clusters/dev"];
    isHealthy(of({ branches: denied, withoutKey: "the stack was never deployed", folder: undefined })(), unasked);
  });

  tell([
    [
      "another host key",
      of({ branches: ran(128, "", "Host key verification failed.\nfatal: Could not read from remote repository.") }),
      ...(["problem", "Git server github.com", /another host key/] as const),
    ],
    [
      "a server that does not answer",
      of({ branches: ran(128, "", "ssh: connect to host github.com port 22: Connection timed out\nfatal: x") }),
      ...(["problem", "Git server github.com", /timed out/] as const),
    ],
    ["a key that is not registered", of({ branches: denied }), "problem", "Git deploy key", /Permission denied/],
    [
      "a wrong branch",
      of({ branches: ran(0, "1f2e\trefs/heads/trunk"), folder: undefined }),
      ...(["problem", "Git branch main", /has trunk/] as const),
    ],
    ["a wrong folder", of({ folder: ran(0, "") }), "problem", "Git folder gitops/clusters/dev", /is not on main/],
  ]);
});

describe("doctor in the tree", () => {
  const files = ["a.sops.yaml", "b.sops.yaml"];
  const of = (more: Partial<TreeFacts>) => () =>
    treeFindings({
      stack: "dev",
      encrypted: { value: files },
      key: { value: { recipient: "age1own", closed: [] } },
      ...more,
    });

  it("finds nothing where the stack's key opens everything, or nothing is encrypted", () => {
    isHealthy(of({})());
    isHealthy(of({ encrypted: { value: [] }, key: { why: "there is none yet" } })());
  });

  tell([
    [
      "a file that is encrypted to somebody else",
      of({ key: { value: { recipient: "age1own", closed: ["b.sops.yaml"] } } }),
      ...(["problem", "tree encrypted files", /does not open b\.sops\.yaml$/] as const),
    ],
    ["a tree that cannot be read", of({ encrypted: { why: "x.yaml is missing" } }), "problem", "tree", /x\.yaml/],
    ["a key that is not drawn yet", of({ key: { why: "none yet" } }), "not asked", "tree encrypted files", /none yet/],
  ]);
});

describe("doctor at the escrow", () => {
  const of = (more: Parameters<typeof escrowFacts>[0]) => () => escrowFindings(escrowFacts(more));
  const escrow = (more: object) =>
    of({ escrow: { value: { path: "escrow/dev.sops.yaml", trials: [], problems: [], remarks: [], ...more } } });

  it("finds nothing where all is fresh, and does not write to see whether it can", () => {
    isHealthy(of({})(), ["escrow destinations"]);
  });

  it("has nothing to look at before the first deployment", () => {
    const none = { withoutState: "the stack was never deployed", escrow: undefined, state: undefined, etcd: undefined };
    isHealthy([...of(none)(), ...of({})()], ["escrow", "escrow backups", "escrow destinations", "escrow destinations"]);
  });

  tell([
    ["an old escrow", escrow({ problems: ["escrow/dev.sops.yaml is missing"] }), "problem", "escrow", /is missing/],
    ["an escrow that nobody here opens", escrow({}), "warning", "escrow", /no key at hand/],
    ["an escrow that cannot be read", of({ escrow: { why: "EACCES" } }), "problem", "escrow", /EACCES/],
    ["copies nowhere", of({ destinations: [] }), "warning", "escrow destinations", /there are none/],
    [
      "a state that was never backed up",
      of({ state: { value: { backups: [], problems: [] } } }),
      ...(["warning", "escrow backup of the state", /there is none/] as const),
    ],
    [
      "a backup that is older than the state",
      of({ writtenAt: new Date("2026-11-28T11:30:00Z") }),
      ...(["warning", "escrow backup of the state", /older than the state/] as const),
    ],
    [
      "a backup that somebody else signed",
      of({ state: { value: { backups: [], problems: ["x.json.age is signed by somebody else"] } } }),
      ...(["problem", "escrow backup of the state", /somebody else/] as const),
    ],
    [
      "snapshots that stopped",
      of({ now: new Date("2026-12-01T12:00:00Z") }),
      ...(["warning", "escrow snapshot of etcd", /82 hours/] as const),
    ],
  ]);
});
