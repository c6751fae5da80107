import { readFile, rm, writeFile } from "node:fs/promises";

import { expect } from "chai";
import { parse, stringify } from "yaml";

import type { LabConfig } from "../../lab/lab-config.ts";
import { schematicId } from "../../components/talos/schematic.ts";
import { labFolder } from "../../lib/engine/lab-folder.ts";
import type { Finding } from "../../operations/doctor/finding.ts";
import { LabCheckout } from "../support/lab-checkout.ts";
import { accepts, eventually } from "../support/lab-process.ts";

const subnet = 67;

interface Examined {
  exitCode: number;
  findings: Finding[];
  seconds: number;
  text: string;
}

interface StackFile {
  config: Record<string, Record<string, unknown>>;
}

describe("npx hearth doctor in the lab", () => {
  let checkout: LabCheckout;

  /** Runs it, with a change of the stack file that the lab runs with. */
  const examined = async (change?: (config: StackFile["config"]) => void): Promise<Examined> => {
    const { derived } = labFolder(checkout.path, "dev");
    const before = await readFile(derived, "utf8");
    if (change) {
      const file = parse(before) as StackFile;
      change(file.config);
      await writeFile(derived, stringify(file));
    }
    try {
      const started = Date.now();
      const { exitCode, stdout, all } = await checkout.shell("npx hearth doctor dev --lab --json");
      const seconds = (Date.now() - started) / 1000;
      const answer = String(stdout);
      expect(answer, String(all)).to.match(/^\{/);
      const { findings } = JSON.parse(answer) as { findings: Finding[] };
      return { exitCode: exitCode ?? 1, findings, seconds, text: String(all) };
    } finally {
      await writeFile(derived, before);
    }
  };

  const config = async (): Promise<LabConfig> =>
    JSON.parse(await readFile(labFolder(checkout.path, "dev").config, "utf8")) as LabConfig;

  const problems = ({ findings }: Examined): Finding[] => findings.filter(({ is }) => is === "problem");

  const foundOf = (examinedNow: Examined, check: string): string =>
    problems(examinedNow)
      .filter((finding) => finding.check === check)
      .map(({ found }) => found)
      .join("\n");

  before(async () => {
    checkout = await LabCheckout.createSmall(subnet);
    const up = await checkout.lab("up", "dev");
    expect(up.exitCode, up.all).to.equal(0);
  });

  after(() => checkout.remove());

  it("finds no problem where all is well, asks nearly everything, and shows no secret", async () => {
    const healthy = await examined();
    expect(problems(healthy)).to.deep.equal([]);
    expect(healthy.exitCode).to.equal(0);
    expect(healthy.seconds).to.be.below(60);
    const unasked = healthy.findings.filter(({ is }) => is === "not asked").map(({ check }) => check);
    expect(
      unasked.every((check) => /time server|name server|factory release|escrow destinations/.test(check)),
      unasked.join(", "),
    ).to.equal(true);
    const { proxmox, cloudflare } = await config();
    for (const secret of [proxmox.token.split("=")[1] ?? "", cloudflare.token])
      expect(healthy.text).not.to.contain(secret);
  });

  it("names what the stack file says of Proxmox, the edge and Git that is not so", async () => {
    const broken = await examined((stack) => {
      const nodes = stack["hearth:nodes"] as Record<string, { proxmox: Record<string, unknown> }>;
      Object.assign(nodes["den-dev-wk01"]?.proxmox ?? {}, { bridge: "vmbr9", cores: 64 });
      Object.assign(nodes["den-dev-wk02"]?.proxmox ?? {}, { host: "pve9", diskDatastore: "nowhere" });
      Object.assign(stack["hearth:proxmox"] ?? {}, { imageDatastore: "local-lvm" });
      Object.assign(stack["hearth:gitops"] ?? {}, { branch: "mian" });
      Object.assign(stack["hearth:cloudflare"] ?? {}, { account: "0".repeat(32) });
    });
    expect(broken.exitCode).to.equal(1);
    expect(foundOf(broken, "Proxmox host pve1")).to.contain("has 32 cores, and den-dev-wk01 asks for 64");
    expect(foundOf(broken, "Proxmox host pve9")).to.contain("is not in the cluster, which has pve1");
    expect(foundOf(broken, "Proxmox bridge vmbr9 on pve1")).to.contain("there are vmbr0");
    expect(foundOf(broken, "Proxmox datastore local-lvm on pve1")).to.contain("has no content type import");
    expect(foundOf(broken, "Git branch mian")).to.equal("is not in the repository, which has main");
    expect(foundOf(broken, "Cloudflare right Cloudflare Tunnel: Read")).to.contain("account 00000000");
  });

  it("names a server of Git that is not the known one", async () => {
    const broken = await examined((stack) => {
      const gitops = stack["hearth:gitops"] ?? {};
      const other = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
      gitops.knownHosts = String(gitops.knownHosts).replace(/AAAA\S+/, other);
    });
    expect(problems(broken).map(({ check, found }) => `${check} ${found}`)).to.have.length(1);
    expect(foundOf(broken, `Git server ${new URL(`ssh://${(await config()).git.address}`).host}`)).to.contain(
      "has another host key",
    );
  });

  it("names a profile that the factory has forgotten, and a record that is somebody else's", async () => {
    const { cloudflare } = await config();
    const stack = parse(await readFile(labFolder(checkout.path, "dev").derived, "utf8")) as StackFile;
    const { standard } = stack.config["hearth:images"] as { standard: { extensions: string[] } };
    const id = schematicId({ kernelArguments: [], ...standard });
    const file = checkout.file(".lab/dev/factory", `${id}.yaml`);
    const document = await readFile(file, "utf8");
    await rm(file);
    const zone = (stack.config["hearth:cloudflare"]?.zone as { id: string }).id;
    const made = await checkout.shell(
      `curl --silent --show-error --fail --cacert .lab/dev/ca/ca.crt --connect-to api.cloudflare.com:443:${cloudflare.address} ` +
        `--header 'Authorization: Bearer ${cloudflare.token}' --json '{"type":"A","name":"taken.example.com","content":"192.0.2.7","ttl":1}' ` +
        `https://api.cloudflare.com/client/v4/zones/${zone}/dns_records`,
    );
    expect(made.exitCode, String(made.all)).to.equal(0);
    const broken = await examined(({ "hearth:cloudflare": edge }) => {
      (edge?.ingress as object[]).push({ hostname: "taken.example.com", service: "http_status:404" });
    });
    await writeFile(file, document);
    expect(foundOf(broken, "factory profile standard")).to.contain("no longer knows");
    expect(foundOf(broken, "Cloudflare records of taken.example.com")).to.equal(
      "A 192.0.2.7 is there and not this stack's",
    );
    expect(problems(broken)).to.have.length(2);
  });

  it("names each privilege that the token lacks, with its path", async () => {
    const file = labFolder(checkout.path, "dev").config;
    const text = await readFile(file, "utf8");
    const lab = JSON.parse(text) as LabConfig & { proxmox: { privileges?: string[] } };
    const all = [
      ...["Datastore.Allocate", "Datastore.AllocateSpace", "Datastore.AllocateTemplate", "Datastore.Audit"],
      ...[
        "Sys.Audit",
        "Sys.Modify",
        "VM.Allocate",
        "VM.Audit",
        "VM.Config.CDROM",
        "VM.Config.CPU",
        "VM.Config.Cloudinit",
      ],
      ...[
        "VM.Config.Disk",
        "VM.Config.HWType",
        "VM.Config.Memory",
        "VM.Config.Network",
        "VM.Config.Options",
        "VM.PowerMgmt",
      ],
    ];
    const restart = async (privileges: string[] | undefined): Promise<void> => {
      await writeFile(file, JSON.stringify({ ...lab, proxmox: { ...lab.proxmox, privileges } }));
      const said = await checkout.shell(
        `curl --silent --fail --request POST http://${lab.supervisor.address}/restart/proxmox`,
      );
      expect(said.exitCode, String(said.all)).to.equal(0);
      await eventually("Proxmox is gone or back", () => accepts(lab.proxmox.address));
    };
    await restart(all.filter((privilege) => privilege !== "VM.Config.Disk"));
    const limited = await examined();
    await writeFile(file, text);
    await restart(undefined);
    const said = foundOf(limited, "Proxmox token's privileges");
    expect(said).to.contain("lacks SDN.Use on /sdn/zones/localnetwork/vmbr0");
    expect(said).to.contain("lacks VM.Config.Disk on /vms/2011, /vms/2021, /vms/2022");
    expect(problems(limited)).to.have.length(2);
  });

  it("tells what does not answer, and does not call it lost", async () => {
    const { proxmox } = await config();
    const stop = await checkout.shell(
      `curl --silent --show-error --fail --cacert .lab/dev/ca/ca.crt --header 'Authorization: PVEAPIToken=${proxmox.token}' ` +
        `--request POST https://${proxmox.address}/api2/json/nodes/pve1/qemu/2022/status/stop`,
    );
    expect(stop.exitCode, String(stop.all)).to.equal(0);
    await eventually("the machine is off", async () => !(await accepts(`127.${String(subnet)}.0.22:50000`)), 60);
    const broken = await examined();
    expect(problems(broken).map(({ check }) => check)).to.deep.equal([
      `machine den-dev-wk02 at 127.${String(subnet)}.0.22`,
    ]);
    expect(problems(broken)[0]?.advice).to.contain("what does not answer is not lost");
  });
});
