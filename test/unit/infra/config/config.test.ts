import { expect } from "chai";

import { format, type ConfigurationProblem } from "../../../../infra/config/error.ts";
import { examineConfig, parseConfig, unknownKeys, type Examined } from "../../../../infra/config/index.ts";
import { changed, type Change, type RawConfig } from "../../../support/changes.ts";
import { badConfigurations } from "./bad-configurations.ts";
import { badAnnouncements } from "./announcement-configurations.ts";
import { badEdges } from "./edge-configurations.ts";
import { badHealth } from "./health-configurations.ts";
import { badFirewalls } from "./firewall-configurations.ts";
import { badIpv6 } from "./ipv6-configurations.ts";
import { badNetworks } from "./network-configurations.ts";
import { platforms } from "../../../../infra/platforms/index.ts";
import { badMachines } from "./machine-configurations.ts";
import { badServices } from "./service-configurations.ts";
import { unreal } from "./unreal-configurations.ts";

const messageOf = (raw: RawConfig): string => {
  try {
    parseConfig("dev", raw);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("The configuration was accepted");
};

/** Warnings of a configuration that is accepted, each as `path: problem`. */
const warningsOf = (raw: RawConfig): string[] => {
  const { config, warnings } = examineConfig(raw);
  if (!config) throw new Error("The configuration was refused");
  return warnings.map(({ path, problem }) => `${path.join(".")}: ${problem}`);
};

const told = ({ path, problem, advice }: ConfigurationProblem): string[] => [path.join("."), problem, advice];

describe("the configuration", () => {
  for (const stack of ["dev", "prod"]) {
    it(`of ${stack}, as committed, is accepted without a warning`, () => {
      expect(warningsOf(changed(stack))).to.deep.equal([]);
    });
  }

  it("may lack Cloudflare", () => {
    const { cloudflare } = parseConfig("dev", changed("dev", ["cloudflare", undefined]));
    expect(cloudflare).to.equal(undefined);
  });

  it("reads the last day of an exemption as it is written, and as Pulumi's YAML makes it", () => {
    for (const until of ["2027-06-30", "2027-06-30 00:00:00 +0000 UTC"]) {
      const exemption = { policy: "proxied-records", reason: "It has no other way out", until };
      const { policy } = parseConfig("dev", changed("dev", ["policy", { exemptions: [exemption] }]));
      expect(policy.exemptions[0]?.until).to.equal("2027-06-30");
    }
  });

  it("has hardware addresses in capitals, however they are written", () => {
    const { nodes } = parseConfig("dev", changed("dev", ["nodes/den-dev-cp01/mac", "bc:24:11:20:00:ab"]));
    expect(nodes["den-dev-cp01"]?.mac).to.equal("BC:24:11:20:00:AB");
  });

  for (const { what, stack, changes, secrets, problems, warnings } of [
    ...badConfigurations,
    ...badNetworks,
    ...badAnnouncements,
    ...badHealth,
    ...badIpv6,
    ...badFirewalls,
    ...badServices,
    ...badEdges,
    ...unreal,
    ...badMachines,
  ]) {
    const outcome = warnings?.length === 0 ? "accepted" : "accepted with a warning";
    it(`is ${problems.length > 0 ? "refused" : outcome} for ${what}`, () => {
      const found = examineConfig(changed(stack, ...changes), platforms, secrets);
      expect(found.problems.map(told)).to.deep.equal(problems);
      if (warnings) expect(found.warnings.map(told)).to.deep.equal(warnings);
    });
  }

  it("is refused with all problems at once, a column for where and one for what", () => {
    const raw = changed(
      "dev",
      ["nodes/den-dev-wk02/address", "10.20.0.21"],
      ["cluster/kubernetes", "v1.30.2"],
      ["network/timeServers", "pool.ntp.org"],
    );
    expect(messageOf(raw)).to.equal(
      [
        "Pulumi.dev.yaml has 3 problems:",
        "",
        "  network.timeServers          pool.ntp.org is a text, not a list",
        '                               write a list, such as ["time.cloudflare.com"]',
        "  nodes.den-dev-wk02.address   10.20.0.21 is also the address of den-dev-wk01",
        "                               give one of them another address",
        "  cluster.kubernetes           Talos v1.13.9 does not support Kubernetes v1.30.2",
        "                               use Kubernetes v1.31 to v1.36, or Talos v1.12",
        "",
      ].join("\n"),
    );
  });

  it("is refused for one problem in the singular", () => {
    expect(messageOf(changed("dev", ["cluster/vip", "router"]))).to.match(/^Pulumi\.dev\.yaml has 1 problem:\n/);
  });

  it("is refused where it is nothing at all", () => {
    expect(examineConfig({}).problems.map(({ path }) => path.join("."))).to.include.members(["cluster", "nodes"]);
    expect(examineConfig(null).problems).to.have.lengthOf(1);
  });

  it("never shows a value that may be a secret", () => {
    const secrets = [
      "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ",
      "root@pam!hearth=0b5d7a3e-6c1f-4d2e-9a8b-7c6d5e4f3a2b",
      "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----",
      "v1.0-abcdefghijklmnopqrstuvwxyz0123456789ABCD",
    ];
    for (const secret of secrets) {
      for (const path of [
        "cluster/vip",
        "cluster/talos",
        "proxmox/endpoint",
        "nodes/den-dev-cp01/mac",
        "cloudflare/account",
      ]) {
        expect(messageOf(changed("dev", [path, secret])), path).not.to.contain(secret);
      }
    }
  });

  it("is accepted with a warning for a patch of a document that Hearth writes, and without one for a document of one's own", () => {
    const document = (kind: string, name?: string) => ({ apiVersion: "v1alpha1", kind, ...(name && { name }) });
    const raw = changed("dev", [
      "nodes/den-dev-wk01/patches",
      [
        { ...document("TimeSyncConfig"), ntp: { servers: ["10.20.0.1"] } },
        document("LinkConfig", "net0"),
        document("VolumeConfig", "EPHEMERAL"),
        document("LinkConfig", "net1"),
        document("WatchdogTimerConfig"),
      ],
    ]);
    const written = "is a document that Hearth writes, and Talos would merge both";
    expect(warningsOf(raw)).to.deep.equal([
      `nodes.den-dev-wk01.patches.0: TimeSyncConfig ${written}`,
      `nodes.den-dev-wk01.patches.1: LinkConfig net0 ${written}`,
      `nodes.den-dev-wk01.patches.2: VolumeConfig EPHEMERAL ${written}`,
    ]);
  });

  it("may select disks by comparisons, with sizes as Talos writes them", () => {
    for (const disk of ["disk.size >= 50u * GiB && disk.size <= 1u*TB", "!system_disk && disk.model != 'a = b'"]) {
      const raw = changed("dev", ["nodes/den-dev-wk01/volumes", { data: { disk, minSize: "10GiB" } }]);
      expect(warningsOf(raw)).to.deep.equal([]);
    }
  });

  it("is accepted with a warning for an extension that its Talos has none of yet", () => {
    const raw = changed(
      "dev",
      ["cluster/talos", "v1.12.11"],
      ["cluster/contract", "v1.12"],
      ["cluster/kubernetes", "v1.35.4"],
      ["images/standard/extensions/1", "siderolabs/intel-npu"],
    );
    expect(warningsOf(raw)).to.deep.equal([
      "images.standard.extensions.1: siderolabs/intel-npu is not built for Talos v1.12",
    ]);
  });

  it("is accepted with a warning for an extension that no release has yet", () => {
    const raw = changed("dev", ["images/standard/extensions/1", "siderolabs/cachefilesd"]);
    expect(warningsOf(raw)).to.deep.equal([
      "images.standard.extensions.1: siderolabs/cachefilesd is not among the official extensions",
    ]);
  });

  it("is accepted with a warning for an extension that may be newer than the list", () => {
    const raw = changed("dev", ["images/standard/extensions/1", "siderolabs/flux-capacitor"]);
    expect(warningsOf(raw)).to.deep.equal([
      "images.standard.extensions.1: siderolabs/flux-capacitor is not among the official extensions",
    ]);
  });

  it("is accepted with a warning for an endpoint that hangs on one control plane", () => {
    const raw = changed("prod", ["cluster/vip", undefined], ["cluster/endpoint", "https://10.30.0.11:6443"]);
    expect(warningsOf(raw)).to.deep.equal([
      "cluster.endpoint: 10.30.0.11 is the address of one control plane, and the cluster is lost without it",
    ]);
  });

  it("is accepted with a warning for keys in a TPM that opens them to anything that boots", () => {
    expect(warningsOf(changed("prod", ["cluster/secureBoot", false]))).to.have.lengthOf(1);
  });

  it("is accepted with a warning for disks that only a TPM opens, and without one where no disk is so", () => {
    expect(warningsOf(changed("prod", ["cluster/diskRecoveryKey", false]))).to.deep.equal([
      "cluster.diskRecoveryKey: is false, so what is on the disks is lost with the TPM, the mainboard or the firmware's keys",
    ]);
    expect(warningsOf(changed("dev", ["cluster/diskRecoveryKey", false]))).to.deep.equal([]);
  });

  it("is accepted with a warning for control planes on one host while another has none", () => {
    const third = (serial: number) => ({
      ...(changed("dev").nodes as Record<string, object>)["den-dev-cp01"],
      address: `10.20.0.1${serial}`,
      mac: `BC:24:11:20:00:1${serial}`,
      proxmox: { host: "pve1", vmId: 2010 + serial, cores: 2, memory: 4096, disk: 40 },
    });
    const three: Change[] = [2, 3].map((serial) => [`nodes/den-dev-cp0${serial}`, third(serial)]);
    expect(warningsOf(changed("dev", ...three))).to.deep.equal([]);
    expect(warningsOf(changed("dev", ...three, ["proxmox/hosts", ["pve2"]]))).to.deep.equal([
      "nodes.den-dev-cp02.proxmox.host: pve1 is the host of den-dev-cp01 too, and both are lost with it",
      "nodes.den-dev-cp03.proxmox.host: pve1 is the host of den-dev-cp01 too, and both are lost with it",
    ]);
  });

  it("leaves Proxmox's high availability alone unless it is asked for", () => {
    expect(parseConfig("dev", changed("dev")).proxmox?.antiAffinity).to.equal(false);
  });

  it("is accepted with a warning for an escrow that one person alone can open", () => {
    const raw = changed("prod", ["escrow/recipients/1", undefined], ["escrow/recipients/length", 1]);
    expect(warningsOf(raw).join()).to.match(/^escrow\.recipients: has one recipient only/);
  });

  it("is accepted with a warning for what nothing uses", () => {
    expect(warningsOf(changed("dev", ["images/large", {}]))).to.deep.equal([
      "images.large: is not the image of any node",
    ]);
    const proxmox = changed("dev").proxmox;
    expect(warningsOf(changed("prod", ["proxmox", proxmox]))).to.deep.equal([
      "proxmox: is not used, for no node is a virtual machine",
    ]);
  });

  it("is accepted with a warning for a router of the cluster's own autonomous system", () => {
    expect(warningsOf(changed("prod", ["network/announce/asn", 64512]))).to.deep.equal([
      "network.announce.peers.0.asn: 64512 is the cluster's own number, so that this is internal BGP",
    ]);
  });

  it("is not deployed without the password that routers ask for, and is accepted with a warning for one that none asks for", () => {
    const asking = changed("prod", ["network/announce/authentication", "password"]);
    expect(examineConfig(asking).undeployable.map(told)).to.deep.include([
      "network.announce.authentication",
      "is password, and there is none",
      "set it with: pulumi config set --secret hearth:bgpPassword",
    ]);
    const paths = ({ undeployable, warnings }: Examined) => [...undeployable, ...warnings].map(({ path }) => path[0]);
    expect(paths(examineConfig(asking, undefined, ["bgpPassword"]))).to.deep.equal(["escrow", "escrow"]);
    expect(paths(examineConfig(changed("prod"), undefined, ["bgpPassword"]))).to.include("bgpPassword");
  });

  it("is not deployed without the secrets of the services that extensions bring", () => {
    const image = {
      extensions: ["siderolabs/qemu-guest-agent", "siderolabs/nut-client"],
      services: { "nut-client": { ups: "ups", host: "nas.example.com", user: "monuser" } },
    };
    const gaps = examineConfig(changed("dev", ["images/standard", image])).undeployable.map(told);
    expect(gaps).to.deep.include([
      "images.standard.services.nut-client",
      "needs its secret, and there is none",
      `set it with: pulumi config set --secret hearth:serviceSecrets '{"nut-client": {"password": "…"}}'`,
    ]);
  });

  it("is accepted with a warning for a webhook that Argo CD does not hear", () => {
    const raw = changed("dev", ["gitops/engine", "argocd"], ["cloudflare/webhook", "flux-dev.example.com"]);
    expect(warningsOf(raw)).to.include(
      "cloudflare.webhook: flux-dev.example.com is not heard, for argocd keeps the cluster at its repository",
    );
  });

  it("is accepted with a warning for virtual machines without their agent", () => {
    expect(warningsOf(changed("dev", ["images/standard/extensions", ["siderolabs/iscsi-tools"]]))).to.deep.equal([
      "images.standard.extensions: lacks the guest agent, by which Proxmox shuts machines down",
    ]);
  });

  it("says nothing of an extension's configuration that may be in the secret", () => {
    const raw = changed("dev", ["images/standard/extensions/1", "siderolabs/tailscale"]);
    expect(examineConfig(raw, undefined, ["machinePatches"]).warnings).to.deep.equal([]);
    const document = { apiVersion: "v1alpha1", kind: "ExtensionServiceConfig", name: "tailscale" };
    const patched = changed(
      "dev",
      ["images/standard/extensions/1", "siderolabs/tailscale"],
      ["nodes/den-dev-wk01/patches", [document]],
    );
    expect(warningsOf(patched)).to.deep.equal([]);
  });

  it("is refused for a slip in the name of a whole part", () => {
    const [problem] = unknownKeys(["clutser", "proxmoxToken", "cluster"]);
    expect(problem).to.deep.equal({
      path: ["hearth:clutser"],
      problem: "is not a key that Hearth knows",
      advice: "write cluster",
    });
    expect(format("Pulumi.dev.yaml", unknownKeys(["clutser"]))).to.contain("hearth:clutser   is not");
  });
});
