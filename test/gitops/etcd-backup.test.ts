import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import { execa } from "execa";
import { parse } from "yaml";

import { labAgeIdentity } from "../../lib/secrets/lab-identity.ts";
import { ageRecipient } from "../../components/secrets/age.ts";
import { strangersIn } from "../../components/secrets/known-recipients.ts";

const manifest = join(import.meta.dirname, "../../gitops/infrastructure/backup/etcd/app/cronjob.yaml");

interface CronJob {
  spec: { jobTemplate: { spec: { template: { spec: { containers: { name: string; args: string[] }[] } } } } };
}

const own = "age1v0lncznkg79xx5ejz5nlqknczgnrsfe9wzxclk2z38m9alr0pqdqsxvj7d";

describe("the cluster's own snapshots of etcd", () => {
  let folder: string;
  let script: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "hearth-etcd-backup-"));
    const { spec } = parse(await readFile(manifest, "utf8")) as CronJob;
    const [upload] = spec.jobTemplate.spec.template.spec.containers;
    script = (upload?.args[0] ?? "").replace(/\/(recipients|sealed)\//g, `${folder}/`);
    await writeFile(join(folder, "etcd.db.age"), "age-encryption.org/v1\n");
    // Stands for a bucket that keeps whatever it is given.
    await writeFile(
      join(folder, "rclone"),
      `#!/bin/sh\necho "$@" >> ${folder}/asked\n[ "$1" != cat ] || cat ${folder}/etcd.db.age\n`,
    );
    await chmod(join(folder, "rclone"), 0o700);
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** Runs the upload for some recipients, on a machine at an address. */
  const upload = async (recipients: string[], address: string) => {
    await writeFile(join(folder, "recipients.txt"), recipients.map((each) => `${each}\n`).join(""));
    const { exitCode, stderr } = await execa("/bin/sh", ["-euc", script], {
      env: { PATH: `${folder}:/usr/bin:/bin`, PLACE: "bucket:x", KEEP: "30d", NODE_ADDRESS: address },
      extendEnv: false,
      reject: false,
    });
    const asked = await readFile(join(folder, "asked"), "utf8").catch(() => "");
    return { exitCode, stderr, asked };
  };

  it("leave the machine where one's own recipients open them", async () => {
    const { exitCode, stderr, asked } = await upload([own], "10.20.0.11");
    expect(exitCode, stderr).to.equal(0);
    expect(asked).to.contain("copyto");
  });

  it("stay where strangers could open them", async () => {
    const known = await readFile(join(import.meta.dirname, "../../components/secrets/known-recipients.ts"), "utf8");
    const strangers = strangersIn(known).map(({ recipient }) => recipient);
    expect(strangers.length).to.be.greaterThan(4);
    for (const stranger of strangers) {
      const { exitCode, stderr, asked } = await upload([own, stranger], "10.20.0.11");
      expect(exitCode, stranger).to.equal(1);
      expect(stderr).to.contain("name your own in hearth:escrow.recipients");
      expect(asked).to.equal("");
    }
  });

  it("leave the lab's machines for the lab's key", async () => {
    const { exitCode, stderr } = await upload([await ageRecipient(labAgeIdentity)], "127.20.0.11");
    expect(exitCode, stderr).to.equal(0);
  });
});
