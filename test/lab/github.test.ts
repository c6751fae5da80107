import { join } from "node:path";

import { expect } from "chai";

import { adopting } from "../../lib/recovery/adoption/index.ts";
import { gitHubAccount, startGitHub, type GitHub } from "../support/github-repository.ts";
import { project, startProxy, type Project, type Proxy } from "../support/plugins.ts";

const component = join(import.meta.dirname, "../../components/gitops/github.ts");
const { owner, repository, token } = gitHubAccount;

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
const secret = "webhook-secret-of-the-cluster";
const url = "https://flux-dev.example.com/hook/0123";

/** A program that registers a cluster with GitHub, by the component as it is. */
const program = (changes: { key?: string; url?: string; token?: string; webhook?: boolean } = {}): string => `
  import * as pulumi from "@pulumi/pulumi";
  import { GitHubRegistration } from ${JSON.stringify(component)};
  new GitHubRegistration("github", {
    repository: { host: "github.com", owner: "${owner}", name: "${repository}" },
    token: pulumi.secret(${JSON.stringify(changes.token ?? token)}),
    title: "hearth den-dev",
    deployKey: ${JSON.stringify(changes.key ?? `${key} den-dev`)},
    webhook: ${
      changes.webhook === false
        ? "undefined"
        : `{ url: pulumi.secret(${JSON.stringify(changes.url ?? url)}), secret: pulumi.secret(${JSON.stringify(secret)}) }`
    },
  });
`;

describe("a cluster's registration with GitHub", function () {
  this.timeout(180_000);
  let github: GitHub;
  let proxy: Proxy;
  let stack: Project;
  let printed = "";

  const pulumi = async (...args: string[]): Promise<{ code: number; output: string }> => {
    const run = await stack.pulumi(...args);
    printed += run.output;
    return run;
  };

  const succeed = async (...args: string[]): Promise<string> => {
    const { code, output } = await pulumi(...args);
    expect(code, output).to.equal(0);
    return output;
  };

  const up = (): Promise<string> => succeed("up", "--yes", "--skip-preview");

  const fail = async (changed: string): Promise<string> => {
    await stack.write(changed);
    const { code, output } = await pulumi("up", "--yes", "--skip-preview");
    expect(code, output).not.to.equal(0);
    return output;
  };

  before(async () => {
    github = await startGitHub("127.84.1.1");
    proxy = await startProxy("127.84.1.2", github.address);
    stack = await project({ HTTPS_PROXY: proxy.url, SSL_CERT_FILE: github.authority });
  });

  after(async () => {
    await stack.remove();
    await proxy.stop();
    await github.stop();
  });

  it("asks GitHub nothing in a preview", async () => {
    await stack.write(program());
    await succeed("preview");
    expect(github.seen).to.deep.equal([]);
  });

  it("makes a deploy key that may only read, and a webhook for pushes, at GitHub's own address", async () => {
    await up();
    expect(github.keys.size).to.equal(1);
    const [made] = github.keys.values();
    expect(made).to.deep.include({ key, title: "hearth den-dev", read_only: true });
    const [hook] = github.hooks.values();
    expect(hook).to.deep.include({ name: "web", active: true, events: ["push"] });
    expect(hook?.config).to.deep.equal({ url, content_type: "json", secret, insecure_ssl: "0" });
    expect(new Set(proxy.asked)).to.deep.equal(new Set(["api.github.com:443"]));
  });

  it("finds nothing to change afterwards, nor after a refresh, though GitHub keeps no comment and tells no secret", async () => {
    await succeed("preview", "--expect-no-changes");
    await succeed("refresh", "--yes", "--skip-preview");
    await succeed("preview", "--expect-no-changes");
  });

  it("changes where a push is told to in place, and replaces a key", async () => {
    const [before] = github.hooks.keys();
    const other = `ssh-ed25519 ${Buffer.concat([
      Buffer.from(key.split(" ")[1] ?? "", "base64").subarray(0, 19),
      Buffer.alloc(32, 9),
    ]).toString("base64")}`;
    await stack.write(program({ url: `${url}4`, key: other }));
    await up();
    expect([...github.hooks.entries()].map(([id, { config }]) => [id, config.url])).to.deep.equal([
      [before, `${url}4`],
    ]);
    expect([...github.keys.values()].map((each) => each.key)).to.deep.equal([other]);
    await stack.write(program());
    await up();
  });

  it("makes again what somebody has removed", async () => {
    github.hooks.clear();
    await succeed("refresh", "--yes", "--skip-preview");
    await up();
    expect(github.hooks.size).to.equal(1);
  });

  it("tries again when GitHub is out of order", async () => {
    github.hooks.clear();
    await succeed("refresh", "--yes", "--skip-preview");
    github.outages = 2;
    await up();
    expect(github.hooks.size).to.equal(1);
  });

  it("says what to do when the token may not, is wrong, or a key is no key", async () => {
    github.permissions.delete("webhooks");
    expect(await fail(program({ url: `${url}5` }))).to.match(/403: Resource not accessible.*permissions.*Webhooks/);
    github.permissions.add("webhooks");
    expect(await fail(program({ token: "github_pat_wrong", url: `${url}5` }))).to.match(
      /401: Bad credentials.*github:token/,
    );
    expect(await fail(program({ key: "ssh-ed25519 AAAA" }))).to.match(/422: Validation Failed: key is invalid/);
    await stack.write(program());
    await up();
  });

  it("is taken over whole where the state is lost", async () => {
    const [keys, hooks] = [[...github.keys.keys()], [...github.hooks.keys()]];
    await succeed("stack", "rm", "--yes", "--force", "--preserve-config");
    await succeed("stack", "init", "test");
    const found: string[] = [];
    const adoption = {
      ...{ roots: undefined, talosctl: "talosctl", snapshot: undefined, isRunning: true, pulumi: stack.program },
      onAdopted: (_: string, name: string) => void found.push(name),
    };
    const { code, output } = await adopting(adoption, (environment) =>
      stack.pulumiWith(environment, "up", "--yes", "--skip-preview"),
    );
    expect(code, output).to.equal(0);
    expect(found).to.have.members(["deploy-key", "push"]);
    expect([[...github.keys.keys()], [...github.hooks.keys()]]).to.deep.equal([keys, hooks]);
    await succeed("preview", "--expect-no-changes");
  });

  it("shows neither the token nor the webhook's secret nor where it is", async () => {
    const { output } = await stack.pulumi("stack", "export");
    for (const hidden of [token, secret, url]) {
      expect(printed).not.to.contain(hidden);
      expect(output).not.to.contain(hidden);
    }
  });

  it("registers no webhook where none is heard, and takes everything back in the end", async () => {
    await stack.write(program({ webhook: false }));
    await up();
    expect(github.hooks.size).to.equal(0);
    await succeed("destroy", "--yes", "--skip-preview");
    expect(github.keys.size).to.equal(0);
  });
});
