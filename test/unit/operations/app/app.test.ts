import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { checkCluster, describeFinding } from "../../../../lib/tree/check.ts";
import { hearth } from "../../../support/hearth.ts";

const root = join(import.meta.dirname, "../../../..");
const image = `docker.io/you/notes:1.2.3@sha256:${"1".repeat(64)}`;

describe("npx hearth app new", function () {
  // The first time, what checks the tree is built.
  this.timeout(900_000);
  let checkout: string;

  before(async () => {
    checkout = await mkdtemp(join(tmpdir(), "hearth-scratch-"));
    for (const file of ["Pulumi.dev.yaml", "Pulumi.prod.yaml", ".sops.yaml", "gitops"]) {
      await cp(join(root, file), join(checkout, file), { recursive: true });
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

  const refused: [what: string, args: string[], message: RegExp][] = [
    ["an app that is there", ["new", "linkding", "--image", image], /gitops\/apps\/linkding is there already/],
    ["a name that Kubernetes does not take", ["new", "No", "--image", image], /No is not a name/],
    ["an image without a digest", ["new", "web", "--image", "docker.io/you/web:1"], /--image names registry/],
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
