import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect } from "chai";
import { execa } from "execa";
import { parse, stringify } from "yaml";

import type { LabConfig } from "../../lab/lab-config.ts";
import { deriveSeed } from "../../components/secrets/derive.ts";
import { sshKeyPair } from "../../components/secrets/ssh.ts";
import { schematicId } from "../../components/talos/schematic.ts";
import { table } from "../../lib/terminal/display.ts";
import { labFolder } from "../../lib/engine/lab-folder.ts";
import { cloudflare } from "../../operations/doctor/cloudflare.ts";
import type { Subject } from "../../operations/doctor/doctor.ts";
import type { Finding } from "../../operations/doctor/finding.ts";
import { git as gitSubject } from "../../operations/doctor/git.ts";
import { Internet } from "../../operations/doctor/internet.ts";
import { machines } from "../../operations/doctor/machines.ts";
import { proxmox } from "../../operations/doctor/proxmox.ts";
import type { Surroundings } from "../../operations/doctor/surroundings.ts";
import { cloudflareAccount, startCloudflare } from "../support/cloudflare.ts";
import { configOf } from "../support/doctor.ts";
import { rounds, type Broken } from "../support/broken-situations.ts";
import { LabCheckout } from "../support/lab-checkout.ts";
import { accepts, eventually, labFolder as labFolderOf, startLab } from "../support/lab-process.ts";
import { proxmoxToken, startProxmox } from "../support/proxmox.ts";
import { talosLab } from "../support/talos.ts";

const root = new URL("../../", import.meta.url).pathname;

const subnet = 75;

interface Examined {
  exitCode: number;
  findings: Finding[];
  seconds: number;
  text: string;
}

interface StackFile {
  config: Record<string, Record<string, unknown>>;
}

describe("what the doctor reads", () => {
  const undo: (() => unknown)[] = [];

  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step();
  });

  const problemsIn = (findings: Finding[]): string[] =>
    findings.filter(({ is }) => is === "problem").map(({ check, found }) => `${check}: ${found}`);

  /** Runs a subject with only what it needs. */
  const examine = (subject: Subject, surroundings: object): Promise<Finding[]> =>
    subject.examine({ state: { value: undefined }, secrets: { value: {} }, ...surroundings } as Surroundings);

  describe("of Proxmox", () => {
    const address = `127.${String(subnet)}.9.1:8006`;

    const look = async (settings: object, token = proxmoxToken, isTrusted = true): Promise<Finding[]> => {
      const running = await startProxmox(address, { nodes: ["pve1"], memoryMiB: 65_536, ...settings });
      undo.push(running.stop);
      const config = configOf("dev");
      if (config.proxmox) config.proxmox.endpoint = `https://${address}`;
      const environment = isTrusted ? { SSL_CERT_FILE: join(running.dir, "ca", "ca.crt") } : {};
      return examine(proxmox, { config, target: { environment }, secrets: { value: { proxmoxToken: token } } });
    };

    it("has no problem where all is ready", async () => {
      const findings = await look({});
      expect(findings.filter(({ is }) => is !== "fine")).to.deep.equal([]);
    });

    it("is each missing privilege with its path", async () => {
      const findings = await look({
        privileges: ["Sys.Audit", "Sys.Modify", "VM.Audit", "Datastore.Audit", "SDN.Use"],
      });
      expect(problemsIn(findings).map((each) => each.split("lacks ")[1])).to.deep.equal([
        "Datastore.AllocateTemplate, Datastore.Allocate on /storage/local",
        "Datastore.AllocateSpace on /storage/local-lvm",
        "VM.Allocate, VM.Config.CDROM, VM.Config.CPU, VM.Config.Cloudinit, VM.Config.Disk, VM.Config.HWType, " +
          "VM.Config.Memory, VM.Config.Network, VM.Config.Options, VM.PowerMgmt on /vms/2011, /vms/2021, /vms/2022",
      ]);
    });

    it("is a token that is refused", async () => {
      expect(problemsIn(await look({}, `${proxmoxToken}x`))).to.deep.equal([
        "Proxmox token: hearth@pve!test is refused: 401 invalid token value!",
      ]);
    });

    it("is a certificate that is not trusted, to which no token goes", async () => {
      const findings = await look({}, proxmoxToken, false);
      expect(problemsIn(findings)).to.have.length(1);
      expect(problemsIn(findings)[0]).to.match(/SHA-256 ([0-9A-F]{2}:){31}.*not trusted/);
    });
  });

  describe("of a machine in maintenance mode", () => {
    it("is its links, disks, SecureBoot and release, by the real talosctl", async () => {
      const address = `127.${String(subnet)}.9.2`;
      const lab = await talosLab(address);
      undo.push(lab.stop);
      await (await lab.machine("wk", address)).start();
      const config = configOf("prod");
      const [[name, node] = []] = Object.entries(config.nodes);
      if (name === undefined || node === undefined) throw new Error("prod has no machine");
      config.nodes = { [name]: { ...node, address: address as typeof node.address } };
      const findings = await examine(machines, { config, target: { root, environment: {} } });
      expect(findings.map(({ check, is }) => [is, check])).to.deep.equal([
        ["fine", `machine ${name} at ${address}`],
        ["problem", `machine ${name}'s links`],
        ["problem", `machine ${name}'s install disk`],
        ["problem", `machine ${name}'s SecureBoot`],
        ["not asked", `machine ${name}'s TPM`],
        ["fine", `machine ${name}'s Talos`],
      ]);
      expect(findings[2]?.found).to.contain("there are /dev/sda (");
    });
  });

  describe("of Git", () => {
    it("is the host key, the deploy key, the branch and the folder", async () => {
      const address = `127.${String(subnet)}.9.3:2222`;
      const folder = await labFolderOf({});
      undo.push(folder.remove);
      const repository = join(folder.dir, "checkout");
      await mkdir(join(repository, "gitops/clusters/dev"), { recursive: true });
      await mkdir(join(folder.dir, "git"), { recursive: true });
      await writeFile(join(repository, "gitops/clusters/dev/kustomization.yaml"), "resources: []\n");
      const git = ["-C", repository, "-c", "user.name=Test", "-c", "user.email=test@example.com"];
      await execa("git", [...git, "init", "--quiet", "--initial-branch", "main"]);
      await execa("git", [...git, "add", "--all"]);
      await execa("git", [...git, "commit", "--quiet", "--message", "One"]);
      await writeFile(folder.config, JSON.stringify({ stack: "test", dir: folder.dir, repository, git: { address } }));
      undo.push((await startLab("git", folder.config)).stop);
      await eventually("the Git server listens", () => accepts(address));
      const config = configOf("dev");
      config.gitops.repository = `ssh://git@${address}/hearth.git`;
      config.gitops.knownHosts = await readFile(join(folder.dir, "git", "known_hosts"), "utf8");
      const type = "random:index/randomPassword:RandomPassword";
      const drawn = "p4ssword".repeat(8);
      const seed = { urn: `urn:pulumi:dev::hearth::${type}::deploy-key-seed`, type, outputs: { result: drawn } };
      const state = { value: { version: 3, deployment: { resources: [seed] } } };
      const look = async () => problemsIn(await examine(gitSubject, { config, state }));

      expect(await look()).to.have.length(1);
      expect((await look())[0]).to.match(/^Git deploy key: is refused: .*Permission denied/);
      const { publicKey } = sshKeyPair(Buffer.from(deriveSeed(drawn, "deploy-key-seed"), "base64"), "hearth");
      await writeFile(join(folder.dir, "git", "authorized_keys"), `${publicKey}\n`);
      expect(await look()).to.deep.equal([]);
      config.gitops.path = "gitops/clusters/nowhere";
      expect(await look()).to.deep.equal(["Git folder gitops/clusters/nowhere: is not on main"]);
      config.gitops.branch = "mian";
      expect(await look()).to.deep.equal(["Git branch mian: is not in the repository, which has main"]);
    });
  });

  describe("of Cloudflare", () => {
    it("is the token's rights, and what is in the way", async () => {
      const [at, proxy] = [`127.${String(subnet)}.9.4:8443`, `127.${String(subnet)}.9.5:3128`];
      const { account, zone, token } = cloudflareAccount;
      const running = await startCloudflare(at, {
        permissions: ["Account.Cloudflare Tunnel:Edit", "Zone.DNS:Edit", "Zone.Zone:Read"],
      });
      undo.push(running.stop);
      const folder = await labFolderOf({ internet: { proxy }, cloudflare: { address: at } });
      undo.push(folder.remove);
      undo.push((await startLab("internet", folder.config)).stop);
      await eventually("the proxy listens", () => accepts(proxy));
      const url = `http://${proxy}`;
      const internet = await Internet.of({ HTTPS_PROXY: url, https_proxy: url, SSL_CERT_FILE: running.authority });
      undo.push(() => internet.close());
      const config = configOf("dev");
      if (config.cloudflare)
        Object.assign(config.cloudflare, { account, zone: { ...config.cloudflare.zone, id: zone } });
      const look = async (given = token) =>
        problemsIn(await examine(cloudflare, { config, internet, secrets: { value: { cloudflareToken: given } } }));

      expect(await look()).to.deep.equal([]);
      expect(await look("x".repeat(40))).to.deep.equal([
        "Cloudflare token: is refused: it is not whole, expired or revoked",
      ]);
      const record = { type: "A", name: "welcome-dev.example.com", content: "192.0.2.7", ttl: 1 };
      await running.call("POST", `/zones/${zone}/dns_records`, record);
      await running.call("POST", `/accounts/${account}/cfd_tunnel`, { name: "den-dev", config_src: "cloudflare" });
      expect((await look()).map((each) => each.split(":")[0])).to.deep.equal([
        "Cloudflare tunnel den-dev",
        "Cloudflare records of welcome-dev.example.com",
      ]);
    });
  });
});

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

  /** Checks that warn where all is well. */
  let healthy: string[] = [];

  /** What was broken, the check that told of it, and how long the examination took, in seconds. */
  const named: [situation: string, check: string, seconds: number][] = [];

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
    const escrow = await checkout.shell("npx hearth escrow dev --lab");
    expect(escrow.exitCode, String(escrow.all)).to.equal(0);
  });

  after(async () => {
    const rows = named.map(([situation, check, seconds]) => [situation, check, `${seconds.toFixed(1)} s`]);
    console.log(table(["broken", "told by", "took"], rows));
    await checkout.remove();
  });

  it("finds no problem where all is well, asks nearly everything, and shows no secret", async () => {
    const well = await examined();
    expect(problems(well)).to.deep.equal([]);
    healthy = bad(well).map(({ check }) => check);
    named.push(["nothing", "-", well.seconds]);
    expect(well.exitCode).to.equal(0);
    expect(well.seconds).to.be.below(60);
    const unasked = well.findings.filter(({ is }) => is === "not asked").map(({ check }) => check);
    expect(
      unasked.every((check) => /time server|name server|factory release|escrow destinations/.test(check)),
      unasked.join(", "),
    ).to.equal(true);
    const { proxmox: api, cloudflare: account } = await config();
    for (const secret of [api.token.split("=")[1] ?? "", account.token]) expect(well.text).not.to.contain(secret);
  });

  it("knows which release members run, and names a hardware address that another machine has", async () => {
    const { proxmox: api } = await config();
    const proxmoxCall = (method: string, path: string, ...data: string[]) =>
      checkout.shell(
        `curl --silent --show-error --fail --cacert .lab/dev/ca/ca.crt --header 'Authorization: PVEAPIToken=${api.token}' ` +
          `--request ${method} https://${api.address}/api2/json/nodes/pve1/qemu${path} ${data.map((each) => `--data-urlencode '${each}'`).join(" ")}`,
      );
    const made = await proxmoxCall("POST", "", "vmid=100", "name=win", "net0=virtio=BC:24:11:20:00:21,bridge=vmbr0");
    expect(made.exitCode, String(made.all)).to.equal(0);
    const found = await eventually(
      "the other machine is there",
      async () => {
        const { findings } = await examined();
        return findings.some(({ check }) => check.startsWith("Proxmox hardware address ")) ? findings : undefined;
      },
      60,
    );
    expect(found.filter(({ is }) => is === "problem")).to.deep.equal([]);
    expect(found.filter(({ is }) => is === "warning").map(({ check, found: said }) => `${check} ${said}`)).to.include(
      "Proxmox hardware address BC:24:11:20:00:21 (den-dev-wk01) belongs to win (100) as well, which is off",
    );
    expect(
      found.filter(({ check }) => check.endsWith("'s Talos")).map(({ is, found: said }) => [is, said]),
    ).to.deep.equal(Array.from({ length: 3 }, () => ["fine", "runs v1.13.9"]));
    const gone = await proxmoxCall("DELETE", "/100");
    expect(gone.exitCode, String(gone.all)).to.equal(0);
  });

  const bad = ({ findings }: Examined): Finding[] => findings.filter(({ is }) => is === "problem" || is === "warning");

  for (const { broken, change, begin } of rounds) {
    it(`names ${broken.map(([situation]) => situation).join(", ")}`, async () => {
      const mend = await begin?.(checkout);
      const now = await examined(
        change &&
          ((settings) => {
            change(settings, subnet);
          }),
      ).finally(() => mend?.());
      const told = bad(now).filter((each) => !healthy.includes(each.check));
      const says =
        ([, check, found]: Broken) =>
        (each: Finding) =>
          check.test(each.check) && found.test(each.found);
      for (const each of broken) named.push([each[0], told.find(says(each))?.check ?? "-", now.seconds]);
      const shown = told.map(({ is, check, found }) => `${is} ${check}: ${found}`).join("\n");
      expect(
        broken.filter((each) => !told.some(says(each))).map(([situation]) => situation),
        shown,
      ).to.deep.equal([]);
      const falsely = told.filter((each) => !broken.some((one) => says(one)(each)));
      expect(falsely.map(({ check, found }) => `${check}: ${found}`)).to.deep.equal([]);
    });
  }

  it("names a server of Git that is not the known one", async () => {
    const broken = await examined((stack) => {
      const gitops = stack["hearth:gitops"] ?? {};
      const other = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
      gitops.knownHosts = String(gitops.knownHosts).replace(/AAAA\S+/, other);
    });
    expect(problems(broken).map(({ check, found }) => `${check} ${found}`)).to.have.length(1);
    named.push(["a Git server with another host key", problems(broken)[0]?.check ?? "-", broken.seconds]);
    expect(foundOf(broken, `Git server ${new URL(`ssh://${(await config()).git.address}`).host}`)).to.contain(
      "has another host key",
    );
  });

  it("names a profile that the factory has forgotten, with which nothing is deployed, and a record that is somebody else's", async () => {
    const { cloudflare: account } = await config();
    const stack = parse(await readFile(labFolder(checkout.path, "dev").derived, "utf8")) as StackFile;
    const { standard } = stack.config["hearth:images"] as { standard: { extensions: string[] } };
    const id = schematicId({ kernelArguments: [], ...standard });
    const file = checkout.file(".lab/dev/factory", `${id}.yaml`);
    const document = await readFile(file, "utf8");
    await rm(file);
    const zone = (stack.config["hearth:cloudflare"]?.zone as { id: string }).id;
    const made = await checkout.shell(
      `curl --silent --show-error --fail --cacert .lab/dev/ca/ca.crt --connect-to api.cloudflare.com:443:${account.address} ` +
        `--header 'Authorization: Bearer ${account.token}' --json '{"type":"A","name":"taken.example.com","content":"192.0.2.7","ttl":1}' ` +
        `https://api.cloudflare.com/client/v4/zones/${zone}/dns_records`,
    );
    expect(made.exitCode, String(made.all)).to.equal(0);
    const broken = await examined(({ "hearth:cloudflare": edge }) => {
      (edge?.ingress as object[]).push({ hostname: "taken.example.com", service: "http_status:404" });
    });
    const deployed = await checkout.shell("npx hearth deploy dev --lab");
    await writeFile(file, document);
    expect(deployed.exitCode).to.equal(1);
    expect(String(deployed.all))
      .to.contain("Nothing was changed, for an update would end half-way:")
      .and.contain("problem: factory profile standard: the factory no longer knows")
      .and.not.contain("Preview of dev");
    expect(foundOf(broken, "factory profile standard")).to.contain("no longer knows");
    expect(foundOf(broken, "Cloudflare records of taken.example.com")).to.equal(
      "A 192.0.2.7 is there and not this stack's",
    );
    expect(problems(broken)).to.have.length(2);
    named.push(["a profile that the factory has forgotten", "factory profile standard", broken.seconds]);
    named.push(["a record that is somebody else's", "Cloudflare records of taken.example.com", broken.seconds]);
  });

  it("tells what does not answer, and does not call it lost", async () => {
    const { proxmox: api } = await config();
    const stop = await checkout.shell(
      `curl --silent --show-error --fail --cacert .lab/dev/ca/ca.crt --header 'Authorization: PVEAPIToken=${api.token}' ` +
        `--request POST https://${api.address}/api2/json/nodes/pve1/qemu/2022/status/stop`,
    );
    expect(stop.exitCode, String(stop.all)).to.equal(0);
    await eventually("the machine is off", async () => !(await accepts(`127.${String(subnet)}.0.22:50000`)), 60);
    const broken = await examined();
    expect(problems(broken).map(({ check }) => check)).to.deep.equal([
      `machine den-dev-wk02 at 127.${String(subnet)}.0.22`,
    ]);
    expect(problems(broken)[0]?.advice).to.contain("what does not answer is not lost");
    named.push(["a machine that is off", problems(broken)[0]?.check ?? "-", broken.seconds]);
  });

  // Last, because Proxmox and its machines start again.
  it("names each privilege that the token lacks, with its path", async () => {
    const { config: file, path } = labFolder(checkout.path, "dev");
    const lab = await config();
    const all = [
      ...["Datastore.Allocate", "Datastore.AllocateSpace", "Datastore.AllocateTemplate", "Datastore.Audit"],
      ...["Sys.Audit", "Sys.Modify", "VM.Allocate", "VM.Audit", "VM.Config.CDROM", "VM.Config.CPU"],
      ...["VM.Config.Cloudinit", "VM.Config.HWType", "VM.Config.Memory", "VM.Config.Network", "VM.Config.Options"],
      "VM.PowerMgmt",
    ];
    await writeFile(file, JSON.stringify({ ...lab, proxmox: { ...lab.proxmox, privileges: all } }));
    const token = await readFile(join(path, "supervisor.token"), "utf8");
    const restarted = await checkout.shell(
      `curl --silent --show-error --fail --header 'Authorization: Bearer ${token.trim()}' --request POST ` +
        `http://${lab.supervisor.address}/restart/proxmox`,
    );
    expect(restarted.exitCode, String(restarted.all)).to.equal(0);
    const privileges = async (): Promise<string> => {
      const said = await checkout.shell(
        `curl --silent --cacert .lab/dev/ca/ca.crt --header 'Authorization: PVEAPIToken=${lab.proxmox.token}' ` +
          `https://${lab.proxmox.address}/api2/json/access/permissions || true`,
      );
      return String(said.stdout);
    };
    await eventually(
      "Proxmox is there with fewer privileges",
      async () => /"VM.Audit"/.test(await privileges()) && !/"SDN.Use"/.test(await privileges()),
      60,
    );
    const said = foundOf(await examined(), "Proxmox token's privileges");
    expect(said).to.contain("lacks SDN.Use on /sdn/zones/localnetwork/vmbr0");
    named.push(["a token without privileges on two paths", "Proxmox token's privileges", 0]);
    expect(said).to.contain("lacks VM.Config.Disk on /vms/2011, /vms/2021, /vms/2022");
  });
});
