import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readFile, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";

import { generateIdentity, identityToRecipient } from "age-encryption";
import { expect } from "chai";
import { execa } from "execa";
import { parse } from "yaml";

import { substitute } from "../../components/gitops/substitute.ts";
import { inOneLine, plainFacts } from "../../infra/facts.ts";
import { parseConfig } from "../../infra/config/index.ts";
import { signersOf, signingKeys, type Signers } from "../../components/secrets/signing.ts";
import { Backups } from "../../operations/backup/backups.ts";
import { unseal } from "../../operations/backup/sealed.ts";
import { hasItsDigest } from "../../operations/etcd/snapshot.ts";
import { s3Destination } from "../../operations/destinations/s3.ts";
import { accepts, eventually } from "../support/lab-process.ts";
import { messageOf } from "../support/failure.ts";
import { labPrograms } from "../support/lab-programs.ts";
import { rawConfig } from "../support/stack.ts";
import { type Machine, type TalosLab, talosLab } from "../support/talos.ts";

const app = join(import.meta.dirname, "../../gitops/infrastructure/backup/etcd/app");
const address = "127.95.0.11";
const keys = signingKeys(Buffer.alloc(32, 1).toString("base64"));
const bucket = { address: "127.95.0.31:9000", name: "backups", id: "backups-key", secret: "backups-secret" };

interface Container {
  name: string;
  command?: string[];
  args?: string[];
  env?: { name: string; value?: string }[];
  volumeMounts: { name: string; mountPath: string }[];
}

interface CronJob {
  spec: {
    jobTemplate: { spec: { template: { spec: { initContainers: Container[]; containers: Container[] } } } };
  };
}

describe("the backup of etcd", () => {
  let lab: TalosLab;
  let machine: Machine;
  let folder: string;
  let programs: Record<string, string>;
  let identity: string;
  let variables: Record<string, string>;
  let endpoint: string;
  const endings: (() => Promise<unknown>)[] = [];

  const read = async <T>(file: string): Promise<T> =>
    parse(substitute(await readFile(join(app, file), "utf8"), variables)) as T;
  const containers = async (): Promise<Container[]> => {
    const { initContainers, containers } = (await read<CronJob>("cronjob.yaml")).spec.jobTemplate.spec.template.spec;
    return [...initContainers, ...containers];
  };
  /** The encrypted snapshot, between its container and the one that uploads it. */
  const sealedFile = async (): Promise<string> => {
    const names = await readdir(volume("sealed"));
    return join(volume("sealed"), names.find((name) => name.endsWith(".age")) ?? "");
  };
  const volume = (name: string): string => join(folder, name);

  /** Runs one container of the manifest as the kubelet would, with folders in destination of its volumes. */
  const run = async (name: string, env: Record<string, string> = {}) => {
    const container = (await containers()).find((each) => each.name === name);
    if (!container) throw new Error(`no container ${name}`);
    const own = Object.fromEntries((container.env ?? []).map(({ name: key, value = address }) => [key, value]));
    const { stringData } = await read<{ stringData: Record<string, string> }>("bucket.yaml");
    const mounts = new Map(container.volumeMounts.map(({ name: of, mountPath }) => [mountPath, volume(of)]));
    const mounted = new RegExp(`(?<![\\w./-])(${[...mounts.keys()].join("|")})(?=/|$)`, "g");
    const placed = (text: string): string =>
      text.replace(mounted, (path) => mounts.get(path) ?? path).replaceAll("$(NODE_ADDRESS)", address);
    const [program = programs.talosctl ?? "", ...args] = [...(container.command ?? []), ...(container.args ?? [])].map(
      placed,
    );
    const named = program.startsWith("--") ? [programs.talosctl ?? "", program, ...args] : [program, ...args];
    const [file = "", ...rest] = named;
    return execa(file === "node" ? process.execPath : file, rest, {
      reject: false,
      all: true,
      extendEnv: false,
      env: {
        PATH: [dirname(programs.rclone ?? ""), "/usr/bin", "/bin"].join(delimiter),
        ...stringData,
        ...own,
        ...env,
      },
    });
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "hearth-etcd-backup-"));
    endings.push(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
    programs = await labPrograms("talosctl", "age", "rclone");
    identity = await generateIdentity();
    const { identity: another } = { identity: await generateIdentity() };
    const raw = rawConfig("dev") as { escrow: { recipients: string[] } };
    raw.escrow.recipients = [await identityToRecipient(another), await identityToRecipient(identity)];
    endpoint = `http://${bucket.address}`;
    variables = {
      ...plainFacts(parseConfig("dev", raw)),
      environment: "dev",
      backup_s3_endpoint: endpoint,
      backup_s3_region: "us-east-1",
      backup_s3_bucket: bucket.name,
      backup_etcd_access_key: bucket.id,
      backup_etcd_secret_key: bucket.secret,
      snapshot_signing_key: inOneLine(keys.cluster.privateKey),
    };
    await mkdir(volume("scripts"), { recursive: true });
    await cp(join(app, "seal.mjs"), join(volume("scripts"), "seal.mjs"));
    for (const each of ["snapshot", "sealed", "tmp", "talosconfig", "recipients", "signing", join("s3", bucket.name)]) {
      await mkdir(volume(each), { recursive: true });
    }
    const { data } = await read<{ data: Record<string, string> }>("recipients.yaml");
    for (const [name, text] of Object.entries(data)) await writeFile(join(volume("recipients"), name), text);

    const { stringData } = await read<{ stringData: Record<string, string> }>("signing.yaml");
    for (const [name, text] of Object.entries(stringData)) await writeFile(join(volume("signing"), name), text);

    const server = spawn(
      programs.rclone ?? "",
      ["serve", "s3", volume("s3"), "--addr", bucket.address, "--auth-key", `${bucket.id},${bucket.secret}`],
      { stdio: "ignore", env: { ...process.env, RCLONE_CONFIG: join(folder, "none") } },
    );
    endings.push(() => end(server));
    await eventually("the bucket answers", () => accepts(bucket.address), 30);

    lab = await talosLab(address);
    endings.push(() => lab.stop());
    machine = await lab.machine("cp01", address, "metal");
    await machine.start();
    const file = await lab.configuration("controlplane", "den-test-cp01");
    await lab.talosctl("-n", address, "apply-config", "--insecure", "-f", file);
    const on = (...args: string[]): Promise<string> => lab.talosctl("-e", address, "-n", address, ...args);
    await eventually(
      "the control plane runs",
      async () => (await on("get", "machinestatus", "-o", "jsonpath={.spec.stage}")).trim() === "running",
      60,
    );
    await on("bootstrap");
    await eventually("etcd has a member", () => on("etcd", "members"), 120);
    // What Talos gives to a ServiceAccount of its API: a talosconfig with its roles and no other.
    const { spec } = await read<{ spec: { roles: string[] } }>("serviceaccount.yaml");
    const config = join(volume("talosconfig"), "config");
    await on("config", "new", config, "--roles", spec.roles.join(","));
    await execa(programs.talosctl ?? "", ["--talosconfig", config, "config", "endpoint", address]);
  });

  after(async () => {
    for (const each of endings.toReversed()) await each();
  });

  it("takes a snapshot with rights for nothing else", async () => {
    const taken = await run("snapshot");
    expect(taken.exitCode, taken.all).to.equal(0);
    expect(hasItsDigest(await readFile(join(volume("snapshot"), "etcd.db")))).to.equal(true);
    const refused = await execa(
      programs.talosctl ?? "",
      ["--talosconfig", join(volume("talosconfig"), "config"), "-n", address, "services"],
      { reject: false },
    );
    expect(refused.exitCode).to.not.equal(0);
    expect(refused.stderr).to.contain("PermissionDenied");
  });

  it("encrypts it to every recipient of the escrow, for age to open", async () => {
    const done = await run("seal");
    expect(done.exitCode, done.all).to.equal(0);
    const file = await sealedFile();
    const sealed = await readFile(file);
    const plain = await readFile(join(volume("snapshot"), "etcd.db"));
    expect(sealed.includes(plain.subarray(0, 64))).to.equal(false);
    expect(Buffer.from(await unseal(sealed, [identity], "it")).equals(plain)).to.equal(true);
    await writeFile(join(folder, "identity.txt"), identity);
    const decrypt = ["--decrypt", "--identity", join(folder, "identity.txt"), file];
    const { stdout } = await execa(programs.age ?? "", decrypt, { encoding: "buffer" });
    expect(Buffer.compare(stdout, plain)).to.equal(0);
  });

  it("puts it where `npx hearth snapshot` finds it, under a name and with a signature that it takes", async () => {
    const uploaded = await run("upload");
    expect(uploaded.exitCode, uploaded.all).to.equal(0);
    const destination = s3Destination(
      { bucket: bucket.name, prefix: "hearth", region: "us-east-1", endpoint },
      { AWS_ACCESS_KEY_ID: bucket.id, AWS_SECRET_ACCESS_KEY: bucket.secret },
    );
    const [name = "", signature] = await destination.list("dev/etcd");
    expect(name).to.match(/^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.scheduled\.db\.age$/);
    expect(signature).to.equal(`${name}.sig`);
    const kept = (signers: Signers) =>
      new Backups({ kind: "etcd", stack: "dev", destinations: [destination], recipients: [], signers });
    const chosen = await kept(signersOf(keys)).choose();
    expect([chosen.name, chosen.skipped]).to.deep.equal([name, []]);
    expect(hasItsDigest(await unseal(chosen.sealed, [identity], name))).to.equal(true);
    const strangers = signersOf(signingKeys(Buffer.alloc(32, 2).toString("base64")));
    expect(await messageOf(kept(strangers).choose())).to.contain("not by hearth:escrow.signers.cluster");
  });

  it("shows neither key nor content in its log", async () => {
    const { exitCode, all } = await run("upload");
    expect(exitCode, all).to.equal(0);
    expect(all).to.not.contain(bucket.secret).and.not.contain(bucket.id);
  });

  it("fails, and uploads nothing, where the file is not encrypted", async () => {
    const destination = await mkdtemp(join(folder, "destination-"));
    const sealed = await sealedFile();
    const good = await readFile(sealed);
    try {
      await writeFile(sealed, await readFile(join(volume("snapshot"), "etcd.db")));
      expect((await run("upload", { PLACE: destination })).exitCode).to.not.equal(0);
      expect(await readdir(destination)).to.deep.equal([]);
    } finally {
      await writeFile(sealed, good);
    }
  });

  it("fails where the bucket refuses it", async () => {
    const refused = await run("upload", { RCLONE_CONFIG_BUCKET_SECRET_ACCESS_KEY: "wrong", RCLONE_RETRIES: "1" });
    expect(refused.exitCode).to.not.equal(0);
    expect(refused.all).to.contain("StatusCode: 403");
  });

  it("deletes what is older than it keeps, in a share as in a bucket, and never one that a person took", async () => {
    const destination = await mkdtemp(join(folder, "destination-"));
    const days = (count: number): Date => new Date(Date.now() - count * 86_400_000);
    for (const [name, age] of [
      ["2026-01-01T00-00-00Z.scheduled.db.age", 31],
      ["2026-01-03T00-00-00Z.scheduled.db.age", 29],
      ["2026-01-01T00-00-00Z.scheduled.db.age.sig", 31],
      ["2026-01-03T00-00-00Z.scheduled.db.age.sig", 29],
      ["2026-01-01T00-00-00Z.db.age", 31],
      ["2026-01-01T00-00-00Z.db.age.sig", 31],
      ["notes.txt", 400],
    ] as const) {
      await writeFile(join(destination, name), name);
      await utimes(join(destination, name), days(age), days(age));
    }
    const uploaded = await run("upload", { PLACE: destination });
    expect(uploaded.exitCode, uploaded.all).to.equal(0);
    const kept = await readdir(destination);
    expect(kept)
      .to.have.lengthOf(7)
      .and.to.include.members([
        ...["2026-01-03T00-00-00Z.scheduled.db.age", "2026-01-03T00-00-00Z.scheduled.db.age.sig"],
        ...["2026-01-01T00-00-00Z.db.age", "2026-01-01T00-00-00Z.db.age.sig", "notes.txt"],
      ]);
  });
});

const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
};
