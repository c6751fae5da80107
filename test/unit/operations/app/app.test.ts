import { mkdtemp, readFile, rm } from "node:fs/promises";
import { cpSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { Readable } from "node:stream";
import { join } from "node:path";

import { expect } from "chai";

import { checkCluster, describeFinding } from "../../../../lib/tree/check.ts";
import { app } from "../../../../operations/app/cli.ts";
import { SecretFiles } from "../../../../operations/secret/files.ts";
import { messageOf } from "../../../support/failure.ts";
import { callOf, hearth } from "../../../support/hearth.ts";

const root = join(import.meta.dirname, "../../../..");
const image = `docker.io/you/notes:1.2.3@sha256:${"1".repeat(64)}`;

describe("npx hearth app new", function () {
  // The first time, what checks the tree is built.
  this.timeout(900_000);
  let checkout: string;

  before(async () => {
    checkout = await mkdtemp(join(tmpdir(), "hearth-scratch-"));
    for (const file of ["Pulumi.dev.yaml", "Pulumi.prod.yaml", ".sops.yaml", "gitops"]) {
      cpSync(join(root, file), join(checkout, file), { recursive: true });
    }
  });

  after(() => rm(checkout, { recursive: true, force: true }));

  const read = (path: string): Promise<string> => readFile(join(checkout, path), "utf8");

  it("writes an app that passes every check as it comes, with single sign-on", async () => {
    const args = ["app", "new", "notes", "--image", image, "--port", "3000", "--host", "memo", "--sign-on"];
    const { exitCode, stderr } = await hearth(checkout, args);
    expect(exitCode, stderr).to.equal(0);
    const { findings, cluster } = await checkCluster(checkout, "dev");
    expect(findings.map(describeFinding)).to.deep.equal([]);
    const own = cluster.objects.filter(({ namespace }) => namespace === "notes").map(({ kind }) => kind);
    expect(own).to.have.members(["Deployment", "Service", "HTTPRoute", "CiliumNetworkPolicy"]);
    expect(await read("gitops/infrastructure/security/keycloak/config/realm.yaml")).to.contain(
      "      - https://memo.${apps_domain}/oauth2/callback\n",
    );
    expect(await read("gitops/infrastructure/security/oauth2-proxy/app/grants.yaml")).to.contain("namespace: notes }");
  });

  it("turns it on in the cluster that is named, and lists it in the others", async () => {
    expect((await hearth(checkout, ["app", "new", "chess", "--image", image, "--in", "prod"])).exitCode).to.equal(0);
    expect(await read("gitops/clusters/prod/kustomization.yaml")).to.match(
      /^ {2}- \.\.\/\.\.\/apps\/chess\/flux\.yaml$/m,
    );
    expect(await read("gitops/clusters/dev/kustomization.yaml")).to.match(
      /^ {2}# - \.\.\/\.\.\/apps\/chess\/flux\.yaml$/m,
    );
  });

  it("writes one with a volume, a database and secrets, which passes every check as it comes as well", async () => {
    const args = ["new", "wiki-two", "--image", image, "--volume", "/data", "--size", "2Gi", "--database", "--lab"];
    const secrets = ["--secret", "API_TOKEN", "--secret", "SESSION_KEY"];
    const said: string[] = [];
    const call = await callOf("app", [...args, ...secrets], {
      root: checkout,
      print: (text) => said.push(text),
      complain: (text) => said.push(text),
    });
    expect(await app(call, Readable.from(["let-me-in\nlong-text\n"]))).to.equal(0);
    expect(said.join("\n")).not.to.contain("let-me-in");
    const { findings, cluster } = await checkCluster(checkout, "dev");
    expect(findings.map(describeFinding)).to.deep.equal([]);
    const own = cluster.objects
      .filter(({ namespace }) => namespace === "wiki-two")
      .map(({ kind, name }) => `${kind} ${name}`);
    expect(own).to.include.members([
      "PersistentVolumeClaim wiki-two",
      "ReplicationSource wiki-two",
      "Cluster wiki-two-postgres",
      "Secret wiki-two",
      "Secret wiki-two-volume-backup",
    ]);
    const environment = "gitops/clusters/dev/environment.sops.yaml";
    expect(await read(environment)).to.match(/^ {4}restic_password_wiki_two: ENC\[/m);
    const decrypt = async (file: string): Promise<string> => {
      const files = await SecretFiles.open(checkout, true);
      return files.read(file, []);
    };
    expect(await decrypt(environment)).to.match(/^ {4}restic_password_wiki_two: [0-9a-f]{64}$/m);
    expect(await decrypt("gitops/clusters/dev/secrets/wiki-two/wiki-two.sops.yaml")).to.contain("API_TOKEN: let-me-in");
  });

  it("leaves what the environment has already as it is encrypted", async () => {
    const environment = "gitops/clusters/dev/environment.sops.yaml";
    const before = (await read(environment)).split("\n").filter((line) => line.includes("ENC["));
    const args = ["app", "new", "store", "--image", image, "--volume", "/srv", "--lab"];
    expect((await hearth(checkout, args)).exitCode).to.equal(0);
    const after = await read(environment);
    const kept = before.filter((line) => !/^ +mac:/.test(line));
    expect(kept.filter((line) => !after.includes(line))).to.deep.equal([]);
    expect(after).to.contain("restic_password_store: ENC[");
  });

  it("writes nothing where a secret has no value", async () => {
    const args = ["new", "web", "--image", image, "--secret", "TOKEN", "--lab"];
    const call = await callOf("app", args, { root: checkout });
    expect(await messageOf(app(call, Readable.from([])))).to.contain("There is no value for TOKEN");
    expect(existsSync(join(checkout, "gitops/apps/web"))).to.equal(false);
  });

  const refused: [what: string, args: string[], message: RegExp][] = [
    ["an app that is there", ["new", "linkding", "--image", image], /gitops\/apps\/linkding is there already/],
    ["a name that Kubernetes does not take", ["new", "No", "--image", image], /No is not a name/],
    ["an image without a digest", ["new", "web", "--image", "docker.io/you/web:1"], /--image names registry/],
    [
      "a secret with a name that is none",
      ["new", "web", "--image", image, "--secret", "a-b"],
      /--secret a-b is not the name/,
    ],
    ["a volume in /tmp", ["new", "web", "--image", image, "--volume", "/tmp/x"], /--volume \/tmp\/x is no folder/],
    ["a size without a volume", ["new", "web", "--image", image, "--size", "2Gi"], /--size is of a volume/],
    [
      "a size that is none",
      ["new", "web", "--image", image, "--volume", "/a", "--size", "2"],
      /--size 2 is not a size/,
    ],
    ["the lab's key for a secret of one's own", ["new", "web", "--image", image, "--volume", "/a"], /add --lab/],
    ["a port that is none", ["new", "web", "--image", image, "--port", "x"], /--port x is not a number/],
    [
      "a cluster that is not there",
      ["new", "web", "--image", image, "--in", "stage"],
      /gitops\/clusters\/stage is not there/,
    ],
  ];
  for (const [what, args, message] of refused) {
    it(`refuses ${what}, and writes nothing`, async () => {
      const list = await read("gitops/clusters/dev/kustomization.yaml");
      const { exitCode, stderr } = await hearth(checkout, ["app", ...args]);
      expect(exitCode).to.equal(1);
      expect(stderr).to.match(message);
      expect(await read("gitops/clusters/dev/kustomization.yaml")).to.equal(list);
    });
  }
});
