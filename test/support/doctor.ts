import { expect } from "chai";

import { parseConfig, type HearthConfig } from "../../infra/config/index.ts";
import { rawOf, readStackFile } from "../../infra/config/stack-file.ts";
import { schematicId } from "../../components/talos/schematic.ts";
import type { CloudflareFacts } from "../../operations/doctor/cloudflare.ts";
import type { ComputerFacts } from "../../operations/doctor/computer.ts";
import type { EscrowFacts } from "../../operations/doctor/escrow.ts";
import type { FactoryFacts } from "../../operations/doctor/factory.ts";
import type { Finding } from "../../operations/doctor/finding.ts";
import type { GitFacts } from "../../operations/doctor/git.ts";
import type { Hardware, MachinesFacts } from "../../operations/doctor/machines.ts";
import type { Plugin } from "../../operations/doctor/plugins.ts";
import type { NetworkFacts } from "../../operations/doctor/network.ts";
import type { ProxmoxAnswers, ProxmoxFacts } from "../../operations/doctor/proxmox.ts";
import { needsOf, pathsOf } from "../../operations/doctor/proxmox-privileges.ts";

const root = new URL("../../", import.meta.url).pathname;

/** The configuration of a committed stack. Each call returns another copy, which a test may change. */
export const configOf = (stack: "dev" | "prod"): HearthConfig => parseConfig(stack, rawOf(readStackFile(root, stack)));

export const dev = configOf("dev");
export const prod = configOf("prod");

const gibibyte = 1024 ** 3;

/** A broken situation, and what has to be found of it. */
export type Situation = [name: string, findings: () => Finding[], is: Finding["is"], check: string, found: RegExp];

/** Checks that each situation is told by exactly one finding that is not fine, with advice. */
export const tell = (situations: readonly Situation[]): void => {
  for (const [name, findings, is, check, found] of situations) {
    it(`${is === "not asked" ? "does not judge" : "names"} ${name}`, () => {
      const told = findings().filter((each) => each.is === is);
      expect(told.map((each) => each.check)).to.deep.equal([check]);
      expect(told[0]?.found).to.match(found);
      if (is !== "not asked") {
        expect(told[0]?.advice).to.match(/\w{3}/);
        const worse = findings().filter((each) => ["problem", "warning"].includes(each.is));
        expect(worse).to.have.length(1);
      }
    });
  }
};

/** Checks that nothing is wrong, and that all but the named checks were asked. */
export const isHealthy = (findings: Finding[], unasked: readonly string[] = []): void => {
  expect(findings.filter(({ is }) => is === "problem" || is === "warning")).to.deep.equal([]);
  expect(findings.filter(({ is }) => is === "not asked").map(({ check }) => check)).to.deep.equal(unasked);
  expect(findings).not.to.deep.equal([]);
};

/** A plugin that `pulumi install` brought. */
export const plugin = (name: string, version: string, more: Partial<Plugin> = {}): Plugin => ({
  ...{ name, version, installed: [version], onPath: undefined },
  ...more,
});

export const computerFacts = (more: Partial<ComputerFacts> = {}): ComputerFacts => ({
  stack: "dev",
  node: { is: "24.1.0", needs: ">=20.19.0" },
  undeployable: [],
  backend: { value: "s3://states" },
  size: { value: 80 },
  state: { value: { version: 3, deployment: { resources: [] } } },
  secrets: { value: ["cloudflareToken", "proxmoxToken"] },
  missing: { value: [] },
  plugins: [plugin("proxmoxve", "8.6.0"), plugin("talos", "0.8.0")],
  isLab: false,
  ahead: { value: 0.4 },
  ...more,
});

/** Every privilege that the stack needs, on each path. */
export const allPrivileges = (config = dev): Record<string, string[]> => {
  const needs = needsOf(config);
  return Object.fromEntries(
    pathsOf(needs).map((path) => [
      path,
      needs.flatMap(({ anyOf }) => anyOf.filter((each) => each.path === path).map(({ privilege }) => privilege)),
    ]),
  );
};

/** A Proxmox cluster on which nothing of the stack is yet. */
export const proxmoxAnswers = (more: Partial<ProxmoxAnswers> = {}): ProxmoxAnswers => ({
  version: { value: "9.2.11" },
  hosts: { value: [{ node: "pve1", status: "online", maxcpu: 16, maxmem: 64 * gibibyte }] },
  privileges: { value: allPrivileges() },
  datastores: {
    pve1: {
      value: [
        { storage: "local", type: "dir", content: "iso,vztmpl,import", active: 1, enabled: 1, avail: 90 * gibibyte },
        {
          storage: "local-lvm",
          type: "lvmthin",
          content: "rootdir,images",
          active: 1,
          enabled: 1,
          avail: 900 * gibibyte,
        },
      ],
    },
  },
  bridges: { pve1: { value: [{ iface: "vmbr0", type: "bridge", active: 1 }] } },
  guests: { value: [] },
  others: { 2011: { is: "absent" }, 2021: { is: "absent" }, 2022: { is: "absent" } },
  neighbours: { value: [] },
  mappings: {},
  ...more,
});

export const proxmoxFacts = (
  answers: Partial<ProxmoxAnswers> = {},
  more: Partial<ProxmoxFacts> = {},
): ProxmoxFacts => ({
  trust: { is: "trusted", until: "Jan  1 00:00:00 2030 GMT" },
  token: { value: "hearth@pve!deploy" },
  answers: proxmoxAnswers(answers),
  own: [],
  isStateKnown: true,
  ...more,
});

export const standard = schematicId(dev.images.standard ?? { extensions: [], kernelArguments: [] });

export const factoryFacts = (more: Partial<FactoryFacts> = {}): FactoryFacts => ({
  schematics: { standard: { value: 200 } },
  releases: { value: ["v1.12.11", dev.cluster.talos, "v1.14.0-beta.1"] },
  registered: [standard],
  ...more,
});

/** A machine of metal that waits for its configuration. */
export const hardware = (more: Partial<Hardware> = {}): Hardware => ({
  disks: {
    value: [
      { dev_path: "/dev/nvme0n1", size: 500e9, transport: "nvme", model: "Fast", serial: "N1" },
      { dev_path: "/dev/sda", size: 16e9, transport: "usb", model: "Stick" },
    ],
  },
  links: {
    value: [
      { name: "eno1", type: "ether", kind: "", hardwareAddr: "7c:83:34:30:00:11", permanentAddr: "7c:83:34:30:00:11" },
      { name: "lo", type: "loopback", kind: "", hardwareAddr: "00:00:00:00:00:00" },
    ],
  },
  secureBoot: { value: true },
  release: { value: "v1.13.9" },
  ...more,
});

/** One machine of prod, den-prod-cp01. */
export const machineFacts = (
  machine: Partial<MachinesFacts["machines"][string]> = {},
  { configured }: Pick<MachinesFacts, "configured"> = { configured: [] },
): MachinesFacts => ({
  machines: { "den-prod-cp01": { state: "blank", isTaken: false, hardware: hardware(), ...machine } },
  configured,
});

export const networkFacts = (more: Partial<NetworkFacts> = {}): NetworkFacts => ({
  hasGateway: true,
  vip: false,
  hasCluster: false,
  nameservers: { "10.20.0.1": { value: true } },
  timeServers: { "time.cloudflare.com": { value: 0.1 } },
  registries: { "ghcr.io": { value: 401 }, "quay.io": { value: 401 } },
  ...more,
});

type CloudflareAnswers = NonNullable<CloudflareFacts["answers"]>;

export const ok = (result?: unknown) => ({ value: { status: 200, result } });
export const status = (code: number) => ({ value: { status: code } });

const names = ["welcome-dev.example.com", "flux-dev.example.com"];

/** An account that has the stack's tunnel and its records. */
export const cloudflareFacts = (
  answers: Partial<CloudflareAnswers> = {},
  more: Partial<CloudflareFacts> = {},
): CloudflareFacts => ({
  token: { value: true },
  answers: {
    token: [ok({ status: "active" }), status(403)],
    zone: ok({ name: "example.com", status: "active", account: { id: dev.cloudflare?.account } }),
    tunnels: ok([{ id: "t1", name: "den-dev" }]),
    tunnelToken: ok(),
    noRecord: status(404),
    records: Object.fromEntries(
      names.map((name, index) => [
        name,
        ok([{ id: `r${index.toString()}`, type: "CNAME", name, content: "t1.cfargotunnel.com" }]),
      ]),
    ),
    ...answers,
  },
  own: { tunnels: ["t1"], records: ["r0", "r1"] },
  ...more,
});

export const ran = (exitCode: number, stdout = "", stderr = "") => ({ exitCode, stdout, stderr });

export const gitFacts = (more: Partial<GitFacts> = {}): GitFacts => ({
  branches: ran(0, "1f2e\trefs/heads/main\n3c4d\trefs/heads/next"),
  by: "deploy key",
  folder: ran(0, "gitops/clusters/dev/kustomization.yaml"),
  ...more,
});

const now = new Date("2026-11-28T12:00:00Z");

export const escrowFacts = (more: Partial<EscrowFacts> = {}): EscrowFacts => ({
  stack: "dev",
  withoutState: undefined,
  escrow: {
    value: { path: "escrow/dev.sops.yaml", trials: [{ key: "age1x", outcome: "opened" }], problems: [], remarks: [] },
  },
  state: {
    value: { backups: [{ name: "2026-11-28T11-00-00Z.json.age", at: new Date("2026-11-28T11:00:00Z") }], problems: [] },
  },
  etcd: {
    value: { backups: [{ name: "2026-11-28T02-00-00Z.db.age", at: new Date("2026-11-28T02:00:00Z") }], problems: [] },
  },
  writtenAt: new Date("2026-11-28T11:00:30Z"),
  destinations: ["/mnt/nas"],
  now,
  ...more,
});
