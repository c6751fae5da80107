import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { labFolder, type LabFolder } from "../../../lib/engine/lab-folder.ts";
import { bucketFrom, keepsVolumes, keepVolumes } from "../../../lab/volumes.ts";
import { Problem } from "../../../toolchain/problem.ts";

const variables = {
  backup_s3_endpoint: "https://s3.example.com",
  backup_s3_region: "us-east-1",
  backup_s3_bucket: "backups",
  backup_volumes_access_key: "key",
  backup_volumes_secret_key: "secret",
};

describe("bucketFrom", () => {
  const of = (change: Record<string, string>) => () =>
    bucketFrom({ ...variables, ...change }, "environment.sops.yaml", "127.20.255.7:9443");

  it("is the tree's, at an address of the lab", () => {
    expect(of({})()).to.deep.equal({
      address: "127.20.255.7:9443",
      host: "s3.example.com",
      name: "backups",
      accessKey: "key",
      secretKey: "secret",
      region: "us-east-1",
    });
  });

  it("takes the endpoint with a slash at its end", () => {
    expect(of({ backup_s3_endpoint: "https://s3.example.com/" })().host).to.equal("s3.example.com");
  });

  for (const endpoint of [
    "http://nas.example.com:9000",
    "https://nas.example.com:9000",
    "nas",
    "https://a.example/b",
  ]) {
    it(`refuses ${endpoint}, which it cannot stand for`, () => {
      expect(of({ backup_s3_endpoint: endpoint })).to.throw(Problem, endpoint);
    });
  }

  it("says which variable is missing, and where", () => {
    expect(of({ backup_s3_bucket: "" })).to.throw(Problem, "environment.sops.yaml lacks backup_s3_bucket");
  });
});

describe("keepVolumes", () => {
  let root: string;
  let folder: LabFolder;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "hearth-volumes-"));
    folder = labFolder(root, "dev");
    await mkdir(folder.path, { recursive: true });
  });

  afterEach(() => rm(root, { recursive: true, force: true }));

  it("holds until the lab is reset", async () => {
    expect(await keepsVolumes(folder)).to.equal(false);
    await keepVolumes(folder);
    await writeFile(folder.kubeconfig, "");
    await keepVolumes(folder);
    expect(await keepsVolumes(folder)).to.equal(true);
  });

  it("refuses where a cluster is there, whose volumes hold nothing", async () => {
    await writeFile(folder.kubeconfig, "");
    const error = await keepVolumes(folder).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(Problem).with.property("message").that.contains("npm run lab -- reset dev");
  });
});
