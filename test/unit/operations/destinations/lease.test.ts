import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import { execa } from "execa";

import type { Lease, LeaseStore } from "../../../../lib/engine/lease.ts";
import { folderDestination } from "../../../../operations/destinations/folder.ts";
import { gitDestination } from "../../../../operations/destinations/git.ts";
import { s3Destination } from "../../../../operations/destinations/s3.ts";
import { messageOf } from "../../../support/failure.ts";
import { startS3Objects, type Conditions } from "../../../support/s3-objects.ts";

const lease = (holder: string): Lease => ({
  holder,
  acquired: "2027-01-01T10:20:30.000Z",
  renewed: "2027-01-01T10:21:30.000Z",
  duration: 300,
});

const path = "dev/rebuild-lease";

describe("the lease in a destination", function () {
  this.timeout(60_000);
  let folder: string;
  const stops: (() => void)[] = [];

  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), "hearth-lease-test-"))));

  afterEach(async () => {
    for (const stop of stops.splice(0)) stop();
    await rm(folder, { recursive: true });
  });

  const repository = async (): Promise<string> => {
    const bare = join(folder, "escrow.git");
    await execa("git", ["init", "--quiet", "--bare", "--initial-branch", "main", bare]);
    return bare;
  };

  const inBucket = async (conditions?: Conditions): Promise<LeaseStore> => {
    const { endpoint, stop } = await startS3Objects(conditions);
    stops.push(stop);
    const env = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret" };
    return s3Destination({ bucket: "den", prefix: "hearth", region: "us-east-1", endpoint }, env).lease(path);
  };

  const stores: Record<string, () => Promise<LeaseStore>> = {
    "a folder": () => Promise.resolve(folderDestination(folder).lease(path)),
    "a Git repository": async () => gitDestination({ repository: await repository(), branch: "main" }).lease(path),
    "a bucket": () => inBucket(),
  };

  for (const [what, open] of Object.entries(stores)) {
    it(`of ${what} is as it was written, from creation to its end`, async () => {
      const store = await open();
      expect(await store.get()).to.equal(undefined);
      await store.create(lease("a"));
      const first = await store.get();
      expect(first).to.deep.include(lease("a"));
      await store.replace(lease(""), first?.version ?? "");
      const last = await store.get();
      expect(last).to.deep.include(lease(""));
      expect(last?.version).not.to.equal(first?.version);
      await store.replace(lease("b"), last?.version ?? "");
      expect((await store.get())?.holder).to.equal("b");
    });

    it(`of ${what} is created by one of several at once, and replaced by one`, async () => {
      const store = await open();
      const winners = async (work: (holder: string) => Promise<void>): Promise<string[]> => {
        const holders = ["a", "b", "c", "d"];
        const ended = await Promise.allSettled(holders.map(work));
        return holders.filter((_, index) => ended[index]?.status === "fulfilled");
      };
      const created = await winners((holder) => store.create(lease(holder)));
      const held = await store.get();
      expect(created).to.deep.equal([held?.holder]);
      const replaced = await winners((holder) => store.replace(lease(`next ${holder}`), held?.version ?? ""));
      expect(replaced.map((holder) => `next ${holder}`)).to.deep.equal([(await store.get())?.holder]);
    });

    it(`of ${what} is replaced by nobody who saw an older one, however late`, async () => {
      const store = await open();
      await store.create(lease("a"));
      const seen = await store.get();
      for (const holder of ["b", "c", "d"]) await store.replace(lease(holder), (await store.get())?.version ?? "");
      await messageOf(store.replace(lease("late"), seen?.version ?? ""));
      await messageOf(store.create(lease("late")));
      expect((await store.get())?.holder).to.equal("d");
    });
  }

  it("of a share that is not mounted is refused, and not written to this computer's disk", async () => {
    const store = folderDestination(join(folder, "nas")).lease(path);
    expect(await messageOf(store.get())).to.contain(`${join(folder, "nas")} is not there: mount it`);
    expect(await readdir(folder)).to.deep.equal([]);
  });

  it("that is only half written is somebody's", async () => {
    await mkdir(join(folder, path), { recursive: true });
    await writeFile(join(folder, path, "3.json"), '{ "hol');
    expect(await folderDestination(folder).lease(path).get()).to.deep.equal({
      ...{ holder: "unknown", acquired: "", renewed: "", duration: 300, version: "3" },
    });
  });

  it("leaves one file in a folder, and no commit on the branch of a repository", async () => {
    const inFolder = folderDestination(folder).lease(path);
    const bare = await repository();
    const inGit = gitDestination({ repository: bare, branch: "main" }).lease(path);
    for (const store of [inFolder, inGit]) {
      await store.create(lease("a"));
      await store.replace(lease("b"), (await store.get())?.version ?? "");
    }
    expect(await readdir(join(folder, path))).to.deep.equal(["2.json"]);
    const { stdout } = await execa("git", ["for-each-ref", "--format=%(refname)"], { cwd: bare });
    expect(stdout).to.equal(`refs/hearth/${path}`);
  });

  it("of a service without conditional writes is written all the same", async () => {
    for (const conditions of ["refused", "ignored"] as const) {
      const store = await inBucket(conditions);
      await store.create(lease("a"));
      await store.create(lease("b"));
      expect((await store.get())?.holder, conditions).to.equal("b");
    }
  });

  it("of what does not answer names it, and what to look at", async () => {
    const nowhere = gitDestination({ repository: join(folder, "nowhere.git"), branch: "main" }).lease(path);
    expect(await messageOf(nowhere.get())).to.contain("nowhere.git");
    const env = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret" };
    const args = { bucket: "den", prefix: "", region: "us-east-1", endpoint: "http://127.0.0.1:1" };
    expect(await messageOf(s3Destination(args, env).lease(path).get())).to.contain("s3://den does not answer");
  });
});
