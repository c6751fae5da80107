import { generateIdentity, identityToRecipient } from "age-encryption";
import { expect } from "chai";

import { signedAs, signersOf, signingKeys } from "../../../components/secrets/signing.ts";
import { signatureOf } from "../../../components/secrets/sshsig.ts";
import { Backups, type BackupsArgs } from "../../../operations/backup/backups.ts";
import { choose } from "../../../operations/backup/list.ts";
import { unseal } from "../../../operations/backup/sealed.ts";
import type { Destination } from "../../../operations/destinations/index.ts";
import { messageOf } from "../../support/failure.ts";

const keys = signingKeys(Buffer.alloc(32, 1).toString("base64"));
const others = signingKeys(Buffer.alloc(32, 2).toString("base64"));
const now = new Date("2026-11-28T12:00:00Z");

/** A bucket that anybody may write to. */
class Bucket {
  readonly files = new Map<string, Uint8Array>();
  readonly read: string[] = [];

  constructor(readonly name = "bucket") {}

  /** Puts a file at a path, and what somebody signed beside it. */
  put(path: string, content: string, signed?: { key: string; as: string }): this {
    this.files.set(path, Buffer.from(content));
    if (signed) this.files.set(`${path}.sig`, Buffer.from(signatureOf(Buffer.from(content), signed.key, signed.as)));
    return this;
  }

  /** Puts a snapshot of dev that the stack took, or somebody else. */
  snapshot(name: string, { key = keys.stack.privateKey, as = signedAs("dev", "etcd", name) } = {}): this {
    return this.put(`dev/etcd/${name}`, `content of ${name}`, { key, as });
  }

  get destination(): Destination {
    return {
      name: this.name,
      takesBackups: true,
      write: (path, content) => Promise.resolve(void this.files.set(path, content)),
      read: (path) => {
        this.read.push(path);
        return Promise.resolve(this.files.get(path));
      },
      list: (folder) => {
        const names = [...this.files.keys()].filter((path) => path.startsWith(`${folder}/`));
        return Promise.resolve(names.map((path) => path.slice(folder.length + 1)).sort());
      },
      lease: () => {
        throw new Error("Backups take no lease");
      },
    };
  }
}

const backups = (bucket: Bucket | Bucket[], changes: Partial<BackupsArgs> = {}): Backups =>
  new Backups({
    kind: "etcd",
    stack: "dev",
    destinations: [bucket].flat().map(({ destination }) => destination),
    recipients: [],
    signers: signersOf(keys),
    ...changes,
  });

const older = "2026-11-01T00-00-00Z.db.age";
const good = "2026-11-02T00-00-00Z.db.age";
const newer = "2026-11-03T00-00-00Z.db.age";
const scheduled = "2026-11-03T00-00-00Z.scheduled.db.age";

/** What is planted beside two good snapshots, newer than both, and why it is refused. */
const planted: Record<string, { plant: (bucket: Bucket) => void; name: string; reason: string; isUnsigned?: true }> = {
  "an unsigned one": {
    plant: (bucket) => bucket.put(`dev/etcd/${newer}`, "planted"),
    name: newer,
    reason: "is unsigned: it is older than signatures, or somebody else wrote it",
    isUnsigned: true,
  },
  "one that somebody else signed": {
    plant: (bucket) => bucket.snapshot(newer, { key: others.stack.privateKey }),
    name: newer,
    reason: `is signed by ${others.stack.publicKey}, not by hearth:escrow.signers.stack, ${keys.stack.publicKey}`,
  },
  "an older one under a newer name": {
    plant: (bucket) => {
      for (const end of ["", ".sig"]) {
        bucket.files.set(`dev/etcd/${newer}${end}`, bucket.files.get(`dev/etcd/${older}${end}`) ?? Buffer.from(""));
      }
    },
    name: newer,
    reason: `is signed as hearth:dev/etcd/${older}, not as hearth:dev/etcd/${newer}`,
  },
  "one of another stack": {
    plant: (bucket) => bucket.snapshot(newer, { as: signedAs("prod", "etcd", newer) }),
    name: newer,
    reason: `is signed as hearth:prod/etcd/${newer}`,
  },
  "one of another kind": {
    plant: (bucket) => bucket.snapshot(newer, { as: signedAs("dev", "state", newer) }),
    name: newer,
    reason: `is signed as hearth:dev/state/${newer}`,
  },
  "one that is dated in the future": {
    plant: (bucket) => bucket.snapshot("9999-01-01T00-00-00Z.db.age"),
    name: "9999-01-01T00-00-00Z.db.age",
    reason: "is dated in the future, and is no backup that Hearth takes: remove it",
  },
  "one whose signature is damaged": {
    plant: (bucket) => {
      bucket.snapshot(newer).files.set(`dev/etcd/${newer}.sig`, Buffer.from("-----BEGIN SSH SIGNATURE-----\n"));
    },
    name: newer,
    reason: "has a damaged signature",
  },
  "one that the cluster signed as a person's": {
    plant: (bucket) => bucket.snapshot(newer, { key: keys.cluster.privateKey }),
    name: newer,
    reason: `is signed by ${keys.cluster.publicKey}, not by hearth:escrow.signers.stack`,
  },
  "one that the stack signed as the cluster's": {
    plant: (bucket) => bucket.snapshot(scheduled),
    name: scheduled,
    reason: `is signed by ${keys.stack.publicKey}, not by hearth:escrow.signers.cluster`,
  },
};

describe("backups of before there were signatures", () => {
  it("are named, and are no problem, as long as they are older than all signed ones", async () => {
    const bucket = new Bucket().snapshot(good).put(`dev/etcd/${older}`, "of an older release");
    const { problems, unsigned } = await backups(bucket).list(now);
    expect([problems, unsigned.length]).to.deep.equal([[], 1]);
    expect(unsigned[0]).to.contain(`${older} in bucket is unsigned`);
  });
});

describe("files whose names no clock gives", () => {
  it("are no backups, and do not make an older one the newest", async () => {
    const bucket = new Bucket().snapshot(older).snapshot(good).snapshot(newer);
    for (const name of ["2026-11-01T99-00-00Z.db.age", "2026-02-31T00-00-00Z.db.age"])
      bucket.put(`dev/etcd/${name}`, "x");
    expect((await backups(bucket).choose(undefined, { now })).name).to.equal(newer);
    expect((await backups(bucket).list(now)).problems).to.deep.equal([]);
  });
});

describe("backups that anybody may have written", () => {
  for (const [what, { plant, name, reason, isUnsigned }] of Object.entries(planted)) {
    describe(`of which the newest is ${what}`, () => {
      let bucket: Bucket;
      beforeEach(() => {
        bucket = new Bucket().snapshot(older).snapshot(good);
        plant(bucket);
      });

      it("are listed without it, which is named with the reason", async () => {
        const { backups: found, problems } = await backups(bucket).list(now);
        expect(found.map((each) => each.name)).to.deep.equal([good, older]);
        expect(problems).to.have.lengthOf(1);
        expect(problems[0]).to.contain(`${name} in bucket ${reason}`);
      });

      it("give the newest that proves itself, and name it as skipped", async () => {
        const chosen = await backups(bucket).choose(undefined, { now });
        expect([chosen.name, Buffer.from(chosen.sealed).toString()]).to.deep.equal([good, `content of ${good}`]);
        expect(chosen.skipped).to.have.lengthOf(1);
        expect(chosen.skipped[0]).to.contain(reason);
      });

      it("do not give it by its name either", async () => {
        const message = await messageOf(backups(bucket).choose(name, { now }));
        expect(message).to.contain(`No etcd backup ${name} of dev proves who wrote it:`).and.to.contain(reason);
        expect(message.includes("--unsigned NAME")).to.equal(isUnsigned === true);
      });

      it(`give it ${isUnsigned ? "only to somebody who names it as unsigned" : "to nobody, whatever is said"}`, async () => {
        const work = backups(bucket).choose(name, { unsigned: name, now });
        if (isUnsigned) expect((await work).name).to.equal(name);
        else expect(await messageOf(work)).to.contain(reason);
        expect((await backups(bucket).choose(undefined, { unsigned: older, now })).name).to.equal(good);
      });
    });
  }

  it("are skipped where the content is another than what was signed, and where a destination has it whole it is taken there", async () => {
    const bucket = new Bucket().snapshot(older).snapshot(good).snapshot(newer);
    bucket.files.set(`dev/etcd/${newer}`, Buffer.from("changed"));
    const chosen = await backups(bucket).choose(undefined, { now });
    expect([chosen.name, ...chosen.skipped]).to.deep.equal([
      good,
      `${newer} in bucket is not what was signed: it was changed, or is not whole`,
    ]);
    const share = new Bucket("share").snapshot(newer);
    const whole = await backups([bucket, share]).choose(undefined, { now });
    expect([whole.name, Buffer.from(whole.sealed).toString()]).to.deep.equal([newer, `content of ${newer}`]);
  });

  it("are those of the cluster's schedule too, where the cluster signed them", async () => {
    const bucket = new Bucket().snapshot(good).snapshot(scheduled, { key: keys.cluster.privateKey });
    expect((await backups(bucket).choose(undefined, { now })).name).to.equal(scheduled);
  });

  it("are listed without reading more than their signatures", async () => {
    const bucket = new Bucket().snapshot(good);
    await backups(bucket).list(now);
    expect(bucket.read).to.deep.equal([`dev/etcd/${good}.sig`]);
  });

  it("prove nothing as long as the stack file names no signers, and one is taken by its name alone", async () => {
    const bucket = new Bucket().snapshot(good);
    const nobody = backups(bucket, { signers: undefined });
    expect(await messageOf(nobody.choose(undefined, { now }))).to.contain(
      `${good} in bucket cannot be verified: hearth:escrow.signers is missing, and npx hearth escrow dev writes it`,
    );
    expect((await nobody.choose(good, { unsigned: good, now })).name).to.equal(good);
  });

  it("are told where there is none, or a destination does not answer", async () => {
    expect(await messageOf(backups(new Bucket()).choose())).to.equal("There is no etcd backup of dev: there is none");
    const bucket = new Bucket().snapshot(good);
    expect(await messageOf(backups(bucket).choose(older))).to.equal(
      `There is no etcd backup ${older} of dev: the newest is ${good}`,
    );
    const silent = { ...new Bucket().destination, list: () => Promise.reject(new Error("nas does not answer")) };
    const chosen = await backups(bucket, { destinations: [silent, bucket.destination] }).choose();
    expect(chosen.skipped).to.deep.equal(["nas does not answer"]);
  });

  it("are signed when they are taken, and open with the recipient's identity", async () => {
    const identity = await generateIdentity();
    const bucket = new Bucket();
    const own = [await identityToRecipient(identity)];
    const { name, copies } = await backups(bucket).add(Buffer.from("etcd"), { own, key: keys.stack.privateKey, now });
    expect(copies).to.deep.equal([{ destination: "bucket" }]);
    const chosen = await backups(bucket).choose(undefined, { now });
    expect(chosen.name).to.equal(name);
    expect(Buffer.from(await unseal(chosen.sealed, [identity], name)).toString()).to.equal("etcd");
  });

  it("are never stored without their signature", async () => {
    const bucket = new Bucket();
    const refusing: Destination = {
      ...bucket.destination,
      write: (path, content) =>
        path.endsWith(".sig") ? Promise.reject(new Error("refused")) : bucket.destination.write(path, content),
    };
    const { copies } = await backups(bucket, { destinations: [refusing] }).add(Buffer.from("etcd"), {
      ...{ own: [await identityToRecipient(await generateIdentity())], key: keys.stack.privateKey, now },
    });
    expect(copies).to.deep.equal([{ destination: "bucket", problem: "refused" }]);
    expect([...bucket.files.keys()]).to.deep.equal([]);
  });
});

describe("choosing a backup for a command", () => {
  it("names what was skipped, and refuses two names", async () => {
    const said: string[] = [];
    const call = { complain: (text: string) => void said.push(text) };
    const bucket = new Bucket().snapshot(good).put(`dev/etcd/${newer}`, "planted");
    expect((await choose(backups(bucket), undefined, undefined, call)).name).to.equal(good);
    expect(said).to.deep.equal([
      `Skipped: ${newer} in bucket is unsigned: it is older than signatures, or somebody else wrote it`,
    ]);
    expect((await choose(backups(bucket), undefined, newer, call)).name).to.equal(newer);
    expect(await messageOf(choose(backups(bucket), good, newer, call))).to.equal(
      `--unsigned ${newer} is another backup than ${good}: name one`,
    );
  });
});
