import { createHmac, randomBytes } from "node:crypto";

import { expect } from "chai";
import fc from "fast-check";

import { isAbout, isWhole, knownHostName, knownHostsOf } from "../../../../components/gitops/known-hosts.ts";

const key = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

const about = (hosts: string, name: string): boolean =>
  knownHostsOf(`${hosts} ssh-ed25519 ${key}`).some((line) => isAbout(line, name));

const hashed = (name: string): string => {
  const salt = randomBytes(20);
  return `|1|${salt.toString("base64")}|${createHmac("sha1", salt).update(name).digest("base64")}`;
};

describe("known_hosts", () => {
  it("names a server with its port unless that is 22", () => {
    expect(
      ["ssh://git@GitHub.com/a/b", "ssh://git@github.com:22/a/b", "ssh://git@git.example.com:2222/a"].map(
        knownHostName,
      ),
    ).to.deep.equal(["github.com", "github.com", "[git.example.com]:2222"]);
  });

  it("is about the servers that a line lists, matches, or hashes", () => {
    expect(about("github.com,140.82.121.4", "github.com")).to.equal(true);
    expect(about("*.example.com", "git.example.com")).to.equal(true);
    expect(about("*.example.com,!git.example.com", "git.example.com")).to.equal(false);
    expect(about("[git.example.com]:2222", "git.example.com")).to.equal(false);
    expect(about("[git.example.com]:2222", "[git.example.com]:2222")).to.equal(true);
    expect(about("g?thub.com", "github.com")).to.equal(true);
    expect(about("githubxcom", "github.com")).to.equal(false);
    expect(about(hashed("github.com"), "github.com")).to.equal(true);
    expect(about(hashed("gitlab.com"), "github.com")).to.equal(false);
  });

  it("skips comments and revoked keys, and counts all lines", () => {
    const text = `# github.com:22 SSH-2.0\n\n@revoked github.com ssh-ed25519 ${key}\n@cert-authority *.a ssh-ed25519 ${key}\nb`;
    expect(knownHostsOf(text)).to.deep.equal([
      { line: 4, hosts: "*.a", type: "ssh-ed25519", key },
      { line: 5, hosts: "b", type: "", key: "" },
    ]);
  });

  it("has a whole key, or says so", () => {
    const line = { line: 1, hosts: "a", type: "ssh-ed25519", key };
    expect(isWhole(line)).to.equal(true);
    expect(isWhole({ ...line, type: "ssh-rsa" })).to.equal(false);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: key.length - 1 }), (length) => {
        expect(isWhole({ ...line, key: key.slice(0, length) })).to.equal(false);
      }),
    );
  });
});
