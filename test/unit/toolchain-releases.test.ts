import { expect } from "chai";
import { tools } from "../../toolchain/tools.ts";
import pinned from "../../toolchain/vendors/digests.json" with { type: "json" };
import { releases } from "../../toolchain/vendors/releases.ts";
import { downloadKey, located, releaseName, wantedOf, type Digests } from "../../toolchain/vendors/wanted.ts";

const digests: Record<string, Digests> = pinned;
const wanted = (name: string, platform = "linux/amd64", version = digests[name]?.version ?? "") =>
  wantedOf(name, version, platform, releases, digests);

describe("the table of releases", () => {
  it("has a tool once, and only tools that there are", () => {
    const names = releases.flatMap(({ holds }) => Object.keys(holds));
    expect(names).to.deep.equal([...new Set(names)]);
    expect(tools.map(({ name }) => name)).to.include.members(names);
  });

  it("has digests of its own releases only", () => {
    expect(releases.map(releaseName)).to.include.members(Object.keys(digests));
  });

  it("has SHA-256 digests, for a version each, by platform or of an image", () => {
    for (const [name, { version, ...of }] of Object.entries(digests)) {
      const release = releases.find((each) => releaseName(each) === name);
      expect(version, name).to.match(/^\d+\.\d+\.\d+$/);
      const platforms = release !== undefined && "image" in release.from ? ["image"] : ["linux/amd64", "linux/arm64"];
      expect(Object.keys(of), name).not.to.have.lengthOf(0);
      expect(platforms, name).to.include.members(Object.keys(of));
      for (const digest of Object.values(of)) expect(digest, name).to.match(/^[0-9a-f]{64}$/);
    }
  });

  it("asks over HTTPS only", () => {
    for (const release of releases) {
      const { from, kind } = located(release, "1.2.3", "linux/amd64");
      expect(from).to.match(kind === "file" ? /^https:\/\// : /^[a-z.]+\/[a-z/-]+:v?1\.2\.3$/);
    }
  });

  it("has no digest twice", () => {
    const all = Object.values(digests).flatMap((of) => Object.values(of).slice(1));
    expect(all).to.deep.equal([...new Set(all)]);
  });
});

describe("wantedOf", () => {
  it("says where a tool of that version is for that platform", () => {
    expect(wanted("etcd", "linux/arm64", "3.6.6")).to.deep.include({
      from: "https://github.com/etcd-io/etcd/releases/download/v3.6.6/etcd-v3.6.6-linux-arm64.tar.gz",
      holds: { etcd: "etcd-v3.6.6-linux-arm64/etcd", etcdutl: "etcd-v3.6.6-linux-arm64/etcdutl" },
    });
  });

  it("knows no digest for another version, nor for another platform", () => {
    const reason = { reason: "digest unknown" };
    expect(wanted("etcd", "linux/amd64", "3.6.7")).to.deep.equal(reason);
    expect(wanted("etcd", "darwin/arm64")).to.deep.equal(reason);
  });

  it("says of a tool without a release that it has none", () => {
    expect(wanted("hearth-lab")).to.deep.equal({ reason: "no release file" });
  });
});

describe("downloadKey", () => {
  const etcd = wanted("etcd");
  if ("reason" in etcd) throw new Error(etcd.reason);

  it("differs with the digest, and with the tool taken", () => {
    const keys = [
      downloadKey(etcd, "etcd"),
      downloadKey(etcd, "etcdutl"),
      downloadKey({ ...etcd, digest: "0".repeat(64) }, "etcd"),
    ];
    expect(new Set(keys).size).to.equal(3);
  });
});
