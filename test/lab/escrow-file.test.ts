import { once } from "node:events";
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { generateIdentity, identityToRecipient } from "age-encryption";
import { expect } from "chai";
import { execa } from "execa";

import { fingerprint, readEscrow, requireStack, sealEscrow } from "../../lib/secrets/escrow.ts";
import { Sops } from "../../lib/secrets/sops.ts";
import { openWithEach } from "../../operations/escrow/verify.ts";
import { copyTo, folderDestination } from "../../operations/destinations/index.ts";
import { gitDestination } from "../../operations/destinations/git.ts";
import { s3Destination } from "../../operations/destinations/s3.ts";
import { awsCredentials } from "../support/aws.ts";
import { anEscrow } from "../support/escrow.ts";
import { messageOf } from "../support/failure.ts";
import { startKms, type Kms } from "../support/kms.ts";
import { failureOf } from "../support/failure.ts";
import { startS3, type S3 } from "../support/s3.ts";
import { tool } from "../support/tools.ts";

describe("an escrow's file", () => {
  const escrow = anEscrow();
  const arn = "arn:aws:kms:eu-central-1:123456789012:key/0b5d7a3e-6c1f-4d2e-9a8b-7c6d5e4f3a2b";
  let sops: Sops;
  let kms: Kms;
  let identities: string[] = [];
  let recipients: string[] = [];
  let sealed = "";

  const opened = (file: string, ...with_: string[]) =>
    readEscrow(file, { identities: with_, kms: false }, sops, "the file");

  before(async () => {
    kms = await startKms(arn);
    sops = new Sops(await tool("sops"), kms.env);
    identities = await Promise.all([generateIdentity(), generateIdentity()]);
    recipients = await Promise.all(identities.map(identityToRecipient));
    sealed = await sealEscrow(escrow, { age: recipients, kms: [arn] }, sops);
  });

  after(() => {
    kms.stop();
  });

  it("opens with each age recipient alone and with the KMS key alone, and holds what was sealed", async () => {
    for (const identity of identities) expect(await opened(sealed, identity)).to.deep.equal(escrow);
    const before = kms.calls.filter((call) => call === "Decrypt").length;
    expect(await readEscrow(sealed, { identities: [], kms: true }, sops)).to.deep.equal(escrow);
    expect(kms.calls.filter((call) => call === "Decrypt").length).to.equal(before + 1);
  });

  it("shows no secret and no part of one", () => {
    const values = [escrow.ageSeed, escrow.ageIdentity, escrow.webhookToken, escrow.stackFile, "cluster-secret"];
    for (const value of [...values, ...Object.values(escrow.passwords)]) expect(sealed).not.to.contain(value);
    expect(sealed).to.contain(fingerprint(escrow));
  });

  it("opens by hand with sops alone, and gives talosctl its secrets", async () => {
    const folder = await mkdtemp(join(tmpdir(), "hearth-escrow-"));
    await writeFile(join(folder, "escrow.sops.yaml"), sealed);
    const { stdout } = await execa(
      await tool("sops"),
      ["decrypt", "--extract", '["secrets"]["talosSecrets"]', "escrow.sops.yaml"],
      { cwd: folder, env: { SOPS_AGE_KEY: identities[0] } },
    );
    await rm(folder, { recursive: true });
    expect(stdout).to.contain("bootstraptoken: bootstrap-token");
  });

  it("says how each key did", async () => {
    const [identity = ""] = identities;
    const { trials } = await openWithEach(sealed, { identities: [identity], kms: true }, sops, "the file");
    expect(trials.map(({ outcome }) => outcome)).to.deep.equal(["opened", "not at hand", "opened"]);
    const closed = new Sops(await tool("sops"), { ...kms.env, AWS_SECRET_ACCESS_KEY: "wrong" });
    const refused = await openWithEach(sealed, { identities: [], kms: true }, closed, "the file");
    expect(refused.trials.map(({ outcome }) => outcome)).to.deep.equal(["not at hand", "not at hand", "refused"]);
  });

  it("names who could open it to whoever cannot", async () => {
    const stranger = await generateIdentity();
    const message = await messageOf(opened(sealed, stranger));
    expect(message).to.contain("No key at hand opens the file").and.to.contain(recipients[1]).and.to.contain(arn);
    expect(message).not.to.contain("AGE-SECRET-KEY");
  });

  it("is refused wherever it is cut off", async () => {
    const [identity = ""] = identities;
    for (const part of [0, 0.2, 0.5, 0.8, 0.99]) {
      const cut = sealed.slice(0, Math.floor(sealed.length * part));
      expect(await messageOf(opened(cut, identity)), `${part}`).to.match(/^the file is damaged: .*Git's history/);
    }
  });

  it("is refused where anything in it was changed, its head too", async () => {
    const [identity = ""] = identities;
    const another = sealed.replace(/data:(\w)(\w)/, (_, a: string, b: string) => `data:${b}${a === b ? "0" : a}`);
    for (const changed of [
      another,
      sealed.replace("stack: dev", "stack: prod"),
      sealed.replace(/(sha256:)\w/, "$1_"),
    ]) {
      expect(changed).not.to.equal(sealed);
      expect(await messageOf(opened(changed, identity))).to.match(/^the file is damaged/);
    }
  });

  it("is refused where it is another stack's", async () => {
    const prod = await sealEscrow(anEscrow({ stack: "prod" }), { age: recipients, kms: [] }, sops);
    const held = await opened(prod, ...identities);
    expect(() => {
      requireStack(held, "dev", "escrow/dev.sops.yaml");
    }).to.throw("escrow/dev.sops.yaml is the escrow of stack prod, not of dev");
  });

  describe("in several destinations", () => {
    let folder = "";
    let service: S3;
    const endpoint = "http://127.126.77.9:7070";
    const s3 = { bucket: "backups", prefix: "den/hearth", region: "us-east-1", endpoint };
    const git = async (...args: string[]) => (await execa("git", args, { cwd: folder })).stdout;

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "hearth-destinations-"));
      await mkdir(join(folder, "nas"));
      const identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"];
      await git("init", "--quiet", "--initial-branch", "main", "seed");
      await git("-C", "seed", ...identity, "commit", "--quiet", "--allow-empty", "--message", "Begin");
      await git("clone", "--quiet", "--bare", "seed", "escrow.git");
      service = await startS3("127.126.77.9:7070", "backups");
    });

    after(async () => {
      await service.stop();
      await rm(folder, { recursive: true, force: true });
    });

    const destinations = (nas = join(folder, "nas")) => [
      folderDestination(nas),
      gitDestination({ repository: join(folder, "escrow.git"), branch: "main" }),
      s3Destination(s3, awsCredentials),
    ];

    it("is written to a folder, a Git repository and S3, and each gives it back", async () => {
      const content = Buffer.from(sealed);
      const copies = await copyTo(destinations(), "dev.sops.yaml", content);
      expect(copies.map(({ problem }) => problem)).to.deep.equal([undefined, undefined, undefined]);
      for (const destination of destinations()) {
        expect(Buffer.from((await destination.read("dev.sops.yaml")) ?? []).equals(content), destination.name).to.equal(
          true,
        );
      }
      expect(await git("-C", "escrow.git", "log", "--format=%s", "main")).to.equal("Write dev.sops.yaml anew\nBegin");
      expect(await s3Destination(s3, awsCredentials).list("")).to.deep.equal(["dev.sops.yaml"]);
    });

    it("makes no new commit where nothing has changed", async () => {
      await copyTo(destinations(), "dev.sops.yaml", Buffer.from(sealed));
      expect((await git("-C", "escrow.git", "log", "--format=%h", "main")).split("\n")).to.have.lengthOf(2);
    });

    it("reaches every other destination where one cannot be written, and says which and why", async () => {
      await writeFile(join(folder, "file"), "");
      const [nas, repository, bucket] = await copyTo(
        destinations(join(folder, "file")),
        "other.sops.yaml",
        Buffer.from("x"),
      );
      expect(nas?.problem).to.match(/ENOTDIR/);
      expect([repository?.problem, bucket?.problem]).to.deep.equal([undefined, undefined]);
      const closed = s3Destination(s3, { ...awsCredentials, AWS_SECRET_ACCESS_KEY: "wrong" });
      const absent = gitDestination({ repository: join(folder, "nowhere.git"), branch: "main" });
      const [refused, gone] = await copyTo([closed, absent], "x", Buffer.from("x"));
      expect(refused?.problem).to.match(
        /s3:\/\/backups\/den\/hearth answers 403 SignatureDoesNotMatch: look at the credentials/,
      );
      expect(gone?.problem).to.match(/^Cloning .*nowhere\.git failed/);
      expect(JSON.stringify([refused, gone])).not.to.contain("wrong");
    });

    it("has a lease beside it, which each destination gives to one of several at once", async () => {
      const lease = (holder: string) => ({ holder, acquired: "", renewed: new Date().toISOString(), duration: 300 });
      for (const store of destinations().map((each) => each.lease("dev/rebuild-lease"))) {
        await store.create(lease("a"));
        const version = (await store.get())?.version ?? "";
        const ended = await Promise.allSettled(["b", "c"].map((holder) => store.replace(lease(holder), version)));
        const statuses = ended.map(({ status }) => status);
        const held = await store.get();
        expect(statuses, store.name).to.include("fulfilled");
        if (held?.holder === "b") expect(statuses[0]).to.equal("fulfilled");
        expect(await failureOf(store.create(lease("late"))), store.name).to.be.instanceOf(Error);
        expect(await failureOf(store.replace(lease("late"), version)), store.name).to.be.instanceOf(Error);
        expect((await store.get())?.holder).to.equal(held?.holder);
      }
    });

    it("stays whole where the disk is full", async function () {
      const nas = join(folder, "nas");
      const script = join(folder, "write.mts");
      const module = join(import.meta.dirname, "../../lib/terminal/whole-file.ts");
      await writeFile(
        script,
        `import { writeWhole } from ${JSON.stringify(module)};
         process.on("SIGXFSZ", () => {});
         writeWhole(${JSON.stringify(join(nas, "dev.sops.yaml"))}, "x".repeat(100_000)).catch((e) => console.log(e.message));`,
      );
      // A limit on the size of files is what a full disk is to a process, and needs no privileges.
      const limited = ["-c", 'ulimit -f 8; exec "$@"', "bash"];
      const writer = [process.execPath, "--import", import.meta.resolve("tsx"), script];
      // What Node.js compiled would be a larger file too, which it would write before.
      const { stdout } = await execa("bash", [...limited, ...writer], { env: { NODE_DISABLE_COMPILE_CACHE: "1" } });
      expect(stdout).to.match(/^No space is left for .*dev\.sops\.yaml: what stood there is as it was/);
      expect(await readFile(join(nas, "dev.sops.yaml"), "utf8")).to.equal(sealed);
      // The stack's folder beside it has the lease.
      expect((await readdir(nas)).filter((name) => name !== "dev")).to.deep.equal(["dev.sops.yaml"]);
    });

    it("is the old one or the new one wherever its writer is killed", async () => {
      const nas = join(folder, "nas");
      const [old, next] = ["a", "b"].map((letter) => letter.repeat(4_000_000));
      const script = join(folder, "kill.mts");
      const module = join(import.meta.dirname, "../../lib/terminal/whole-file.ts");
      await writeFile(
        script,
        `import { writeWhole } from ${JSON.stringify(module)};
         console.log("ready");
         for (;;) for (const c of ["b", "a"]) await writeWhole(${JSON.stringify(join(nas, "kept"))}, c.repeat(4_000_000));`,
      );
      await writeFile(join(nas, "kept"), old ?? "");
      for (const delay of [0, 3, 11, 29, 61, 113]) {
        const writer = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), script], {
          stdio: ["ignore", "pipe", "ignore"],
        });
        await once(writer.stdout, "data");
        await sleep(delay);
        writer.kill("SIGKILL");
        await once(writer, "exit");
        const text = await readFile(join(nas, "kept"), "utf8");
        expect(text === old || text === next, `after ${delay} ms`).to.equal(true);
      }
      const destination = folderDestination(nas);
      await destination.write("kept", Buffer.from("whole"));
      expect((await readdir(nas)).filter((name) => name.includes("kept"))).to.deep.equal(["kept"]);
    });
  });
});
