import { randomBytes } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Decrypter, generateIdentity, identityToRecipient } from "age-encryption";
import { expect } from "chai";
import { execa } from "execa";
import { parse } from "yaml";

import { ageRecipient } from "../../components/secrets/age.ts";
import { strangersIn } from "../../components/secrets/known-recipients.ts";
import { signedAs, signersOf, signingKeys } from "../../components/secrets/signing.ts";
import { digestOf, readSignature } from "../../components/secrets/sshsig.ts";
import { inOneLine } from "../../infra/facts.ts";
import { labAgeIdentity } from "../../lib/secrets/lab-identity.ts";

const app = join(import.meta.dirname, "../../gitops/infrastructure/backup/etcd/app");

interface CronJob {
  spec: { jobTemplate: { spec: { template: { spec: { containers: { name: string; args: string[] }[] } } } } };
}

const keys = signingKeys(Buffer.alloc(32, 1).toString("base64"));
const chunk = 64 * 1024;

describe("the cluster's own snapshots of etcd", () => {
  let folder: string;
  let identities: string[];
  let recipients: string[];

  const at = (...names: string[]): string => join(folder, ...names);

  before(async () => {
    identities = await Promise.all([generateIdentity(), generateIdentity()]);
    recipients = await Promise.all(identities.map(identityToRecipient));
  });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "hearth-etcd-backup-"));
    await mkdir(at("sealed"));
    await writeFile(at("etcd.db"), "a snapshot");
    await writeFile(at("key"), inOneLine(keys.cluster.privateKey));
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** Seals the snapshot for some recipients, on a machine at an address. */
  const seal = async (to: string[], address = "10.20.0.11") => {
    await writeFile(at("recipients.txt"), to.map((each) => `${each}\n`).join(""));
    const { exitCode, stderr } = await execa(
      process.execPath,
      [join(app, "seal.mjs"), at("etcd.db"), at("recipients.txt"), at("key"), at("sealed")],
      { env: { ENVIRONMENT: "dev", NODE_ADDRESS: address }, extendEnv: false, reject: false },
    );
    const [name = "", ...rest] = (await readdir(at("sealed"))).sort();
    return { exitCode, stderr, name, rest };
  };

  const opened = async (name: string, identity: string): Promise<Uint8Array> => {
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    return decrypter.decrypt(await readFile(at("sealed", name)));
  };

  for (const length of [1, chunk - 1, chunk, chunk + 1, 2 * chunk, 5 * chunk + 7]) {
    it(`are age files that each recipient opens, of ${length} bytes`, async () => {
      const content = randomBytes(length);
      await writeFile(at("etcd.db"), content);
      const { exitCode, stderr, name } = await seal(recipients);
      expect(exitCode, stderr).to.equal(0);
      expect(name).to.match(/^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.scheduled\.db\.age$/);
      for (const identity of identities) expect(Buffer.compare(await opened(name, identity), content)).to.equal(0);
    });
  }

  it("are signed by the cluster, as this snapshot of this stack", async () => {
    const { name, rest } = await seal(recipients);
    expect(rest).to.deep.equal([`${name}.sig`]);
    expect(readSignature(await readFile(at("sealed", `${name}.sig`), "utf8"))).to.deep.equal({
      signer: signersOf(keys).cluster,
      namespace: signedAs("dev", "etcd", name),
      digest: digestOf(await readFile(at("sealed", name))),
    });
  });

  it("are signed as ssh-keygen verifies it", async function () {
    const { name } = await seal(recipients);
    await writeFile(at("signers"), `hearth ${signersOf(keys).cluster}\n`);
    const args = ["-f", "signers", "-I", "hearth", "-n", signedAs("dev", "etcd", name), "-s", `sealed/${name}.sig`];
    const { exitCode, stderr, code } = await execa("ssh-keygen", ["-Y", "verify", ...args], {
      ...{ cwd: folder, inputFile: at("sealed", name), reject: false },
    });
    if (code === "ENOENT") this.skip();
    expect(exitCode, stderr).to.equal(0);
  });

  it("are alone after a second try", async () => {
    await writeFile(at("sealed", "2026-01-01T00-00-00Z.scheduled.db.age"), "half of one");
    const { name, rest } = await seal(recipients);
    expect(rest).to.deep.equal([`${name}.sig`]);
    expect(name).not.to.contain("2026-01-01");
  });

  it("are not made for a recipient that the cluster cannot encrypt to, or for nobody", async function () {
    // It starts Node.js for each.
    this.timeout(60_000);
    const [good = ""] = recipients;
    const mistyped = good.replace(/.$/, (last) => (last === "q" ? "p" : "q"));
    const ssh = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHumyTUPJ6SLgzf0RRbiH372t7iwfOyCha1niFd0IZDz";
    const yubikey = "age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t";
    for (const other of [mistyped, ssh, yubikey, "age1"]) {
      const { exitCode, stderr, name } = await seal([good, other]);
      expect([exitCode, name], other).to.deep.equal([1, ""]);
      expect(stderr).to.equal(`${other} is no X25519 recipient of age, and the cluster can encrypt to no other`);
    }
    expect((await seal([])).stderr).to.contain("name recipients in hearth:escrow.recipients");
  });

  it("are not made of nothing", async () => {
    await writeFile(at("etcd.db"), "");
    expect(await seal(recipients)).to.include({ exitCode: 1, stderr: `${at("etcd.db")} is empty` });
  });

  it("stay where strangers could open them", async () => {
    const known = await readFile(join(import.meta.dirname, "../../components/secrets/known-recipients.ts"), "utf8");
    const strangers = strangersIn(known).map(({ recipient }) => recipient);
    expect(strangers.length).to.be.greaterThan(4);
    for (const stranger of strangers) {
      const { exitCode, stderr, name } = await seal([...recipients, stranger]);
      expect([exitCode, name], stranger).to.deep.equal([1, ""]);
      expect(stderr).to.contain("name your own in hearth:escrow.recipients");
    }
  });

  it("leave the lab's machines for the lab's key", async () => {
    const { exitCode, stderr } = await seal([await ageRecipient(labAgeIdentity)], "127.20.0.11");
    expect(exitCode, stderr).to.equal(0);
  });

  describe("are uploaded", () => {
    const name = "2026-11-28T12-00-00Z.scheduled.db.age";

    beforeEach(async () => {
      await writeFile(at("sealed", name), "age-encryption.org/v1\nwhat follows");
      await writeFile(at("sealed", `${name}.sig`), "signature");
      // Stands for a bucket, a folder here.
      await mkdir(at("bucket"));
      await writeFile(
        at("rclone"),
        [
          "#!/bin/sh -eu",
          `echo "$@" >> ${at("asked")}`,
          'case "$1" in',
          `  copyto) [ ! -e ${at("refuses")} ] || case "$4" in *.sig) exit 1 ;; esac; cp "$4" "$5" ;;`,
          '  cat) cat "$2" ;;',
          "esac",
          "",
        ].join("\n"),
      );
      await chmod(at("rclone"), 0o700);
    });

    const upload = async () => {
      const { spec } = parse(await readFile(join(app, "cronjob.yaml"), "utf8")) as CronJob;
      const [container] = spec.jobTemplate.spec.template.spec.containers;
      const script = (container?.args[0] ?? "").replaceAll("/sealed/", `${folder}/sealed/`);
      const { exitCode, stderr } = await execa("/bin/sh", ["-euc", script], {
        env: { PATH: `${folder}:/usr/bin:/bin`, PLACE: at("bucket"), KEEP: "30d" },
        extendEnv: false,
        reject: false,
      });
      const asked = (await readFile(at("asked"), "utf8").catch(() => "")).split("\n").map((line) => line.split(" ")[0]);
      return { exitCode, stderr, asked, kept: (await readdir(at("bucket"))).sort() };
    };

    it("with their signature, and read back", async () => {
      const { exitCode, stderr, asked, kept } = await upload();
      expect(exitCode, stderr).to.equal(0);
      expect(asked).to.deep.equal(["copyto", "cat", "copyto", "cat", "delete", ""]);
      expect(kept).to.deep.equal([name, `${name}.sig`]);
    });

    it("never without it", async () => {
      await writeFile(at("refuses"), "");
      expect(await upload()).to.deep.include({ exitCode: 1, kept: [] });
      await rm(at("refuses"));
      await rm(at("sealed", `${name}.sig`));
      const { exitCode, kept } = await upload();
      expect(exitCode).not.to.equal(0);
      expect(kept).to.deep.equal([]);
    });

    it("never where they are not encrypted, or where there is none", async () => {
      await writeFile(at("sealed", name), "a database");
      expect(await upload()).to.deep.include({ exitCode: 1, kept: [] });
      await rm(at("sealed", name));
      expect((await upload()).exitCode).not.to.equal(0);
    });
  });
});
