import { createHash } from "node:crypto";

import { expect } from "chai";

import { argoCredential, fluxCredential, hosted } from "../../../../components/gitops/repository.ts";
import { receiverPath, receiverType, webhookRule } from "../../../../components/gitops/webhook.ts";

const keys = { deployKey: "PRIVATE", deployKeyPublic: "ssh-ed25519 AAAA" };
const ssh = { ...keys, url: "ssh://git@github.com/you/hearth.git", branch: "main", path: "p", knownHosts: "host key" };
const https = { ...keys, url: "https://github.com/you/hearth.git", branch: "main", path: "p" };

describe("a repository", () => {
  it("has a host, an owner and a name", () => {
    expect(hosted(ssh.url)).to.deep.equal({ host: "github.com", owner: "you", name: "hearth" });
    expect(hosted("https://git.example.com:8443/group/sub/hearth")).to.deep.equal({
      host: "git.example.com",
      owner: "group/sub",
      name: "hearth",
    });
  });

  it("is read over SSH with the deploy key", () => {
    expect(fluxCredential(ssh)).to.deep.equal({
      identity: "PRIVATE",
      "identity.pub": "ssh-ed25519 AAAA",
      known_hosts: "host key",
    });
    expect(argoCredential(ssh)).to.deep.equal({ type: "git", url: ssh.url, sshPrivateKey: "PRIVATE" });
  });

  it("is read over HTTPS with a token", () => {
    expect(fluxCredential({ ...https, token: "t" })).to.deep.equal({ username: "git", password: "t" });
    expect(argoCredential({ ...https, token: "t" })).to.deep.equal({
      type: "git",
      url: https.url,
      username: "git",
      password: "t",
    });
  });

  it("is read over HTTPS with nothing where it is public", () => {
    expect(fluxCredential(https)).to.equal(undefined);
    expect(argoCredential(https)).to.deep.equal({ type: "git", url: https.url });
  });
});

describe("the webhook", () => {
  it("leads to where Flux listens for the Receiver", () => {
    const digest = createHash("sha256").update("tokenpushflux-system").digest("hex");
    expect(receiverPath("token")).to.equal(`/hook/${digest}`);
    expect(receiverPath("token")).to.match(new RegExp(webhookRule("flux.example.com").path));
  });

  it("is checked as its sender signs it", () => {
    expect(receiverType(ssh.url)).to.equal("github");
    expect(receiverType("https://gitlab.com/you/hearth")).to.equal("gitlab");
    expect(receiverType("ssh://git@git.example.com/you/hearth.git")).to.equal("generic-hmac");
  });
});
