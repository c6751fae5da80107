import { join } from "node:path";

import { expect } from "chai";

import { renderCluster, type RenderedObject } from "../../lib/tree/render.ts";
import { readFileSync } from "node:fs";

const root = join(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(root, "gitops", path), "utf8");

describe("backups of the tree", function () {
  // The first time, the program that renders is built.
  this.timeout(900_000);
  let objects: RenderedObject[];

  before(async () => {
    objects = await renderCluster(root, "dev");
  });

  it("have a credential for each purpose", () => {
    const keysIn = (path: string): (string | undefined)[] =>
      [...read(path).matchAll(/\$\{(\w+_(?:access|secret)_key)\}/g)].map(([, name]) => name);
    const of = (purpose: string): string[] => [`backup_${purpose}_access_key`, `backup_${purpose}_secret_key`];
    expect(keysIn("infrastructure/backup/etcd/app/bucket.yaml")).to.deep.equal(of("etcd"));
    expect(keysIn("components/volsync/repository.yaml")).to.deep.equal(of("volumes"));
    expect(keysIn("components/postgres/bucket.yaml")).to.deep.equal(of("databases"));
  });

  it("have a password for each app's volume", () => {
    const repositories = objects.filter(({ kind, name }) => kind === "Secret" && name.endsWith("-volume-backup"));
    expect(repositories.map(({ namespace }) => namespace)).to.have.members(["audiobookshelf", "linkding"]);
    for (const app of ["audiobookshelf", "linkding"]) {
      expect(read(`apps/${app}/app/kustomization.yaml`)).to.contain(`value: "\${restic_password_${app}}"`);
    }
    for (const { object } of repositories) {
      expect(object).to.have.nested.property("stringData.RESTIC_PASSWORD", "placeholder");
    }
  });

  it("of etcd leave the cluster to the bucket's host alone, and resolve no other name", () => {
    const policy = objects.find(({ kind, name }) => kind === "CiliumNetworkPolicy" && name === "etcd-backup");
    const { egress } = (policy?.object as { spec: { egress: Record<string, unknown>[] } }).spec;
    const named = [{ matchName: "s3.example.com" }];
    expect(egress.map((rule) => Object.keys(rule).find((key) => key !== "toPorts"))).to.deep.equal([
      "toEntities",
      "toEndpoints",
      "toFQDNs",
    ]);
    expect(egress[0]?.toEntities).to.deep.equal(["kube-apiserver", "host", "remote-node"]);
    expect(egress[1]?.toPorts).to.deep.equal([{ ports: [{ port: "53", protocol: "ANY" }], rules: { dns: named } }]);
    expect(egress[2]).to.deep.equal({ toFQDNs: named, toPorts: [{ ports: [{ port: "443", protocol: "TCP" }] }] });
  });

  it("of etcd run images of their own projects", () => {
    const images = [...read("infrastructure/backup/etcd/app/cronjob.yaml").matchAll(/image: ([^:\s]+)/g)];
    expect(images.map(([, image]) => image)).to.deep.equal([
      "ghcr.io/siderolabs/talosctl",
      "docker.io/library/node",
      "docker.io/rclone/rclone",
    ]);
  });
});
