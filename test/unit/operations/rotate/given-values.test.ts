import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import { execa } from "execa";

import { resourceTypes } from "../../../../components/resource-types.ts";
import type { State } from "../../../../lib/engine/state.ts";
import { readValues } from "../../../../lib/engine/value.ts";
import { gitToken, requireReading } from "../../../../operations/rotate/git-token.ts";
import { githubToken, requireAdministration, type AskGitHub } from "../../../../operations/rotate/github-token.ts";
import { bgpPassword } from "../../../../operations/rotate/bgp-password.ts";
import { otherwiseChanged } from "../../../../operations/rotate/nothing-else.ts";
import { requireSignedIn } from "../../../../operations/rotate/proxmox-password.ts";
import { challengeIn, tryRegistry, type AskRegistry } from "../../../../operations/rotate/registry-access.ts";
import { credentialsIn, normalized, withoutCredentials } from "../../../../operations/rotate/registry-credentials.ts";
import type { Surroundings } from "../../../../operations/rotate/rotation.ts";
import { messageOf } from "../../../support/failure.ts";
import { gitHubAccount, startGitHub, type GitHub } from "../../../support/github-repository.ts";
import { secretInState as sealed } from "../../../support/wire.ts";

describe("a new password of root@pam", () => {
  const ticket = { ticket: "PVE:root@pam:6A0B::c2ln", username: "root@pam", CSRFPreventionToken: "6A0B:c2ln" };
  const answered = (data: object, status = 200, reason = "OK"): void => {
    requireSignedIn({ status, reason, data });
  };

  it("is taken where Proxmox gives root a ticket", () => {
    answered(ticket);
  });

  it("is refused where Proxmox refuses it, asks for more, or is not Proxmox", () => {
    expect(() => {
      answered({}, 401, "authentication failure");
    }).to.throw("change it at the host first");
    expect(() => {
      answered({ ...ticket, NeedTFA: 1 });
    }).to.throw("second factor");
    expect(() => {
      answered({}, 595, "No route to host");
    }).to.throw("answers 595 No route to host");
    expect(() => {
      answered({});
    }).to.throw("no ticket");
    expect(() => {
      answered({ ...ticket, username: "you@pve" });
    }).to.throw("no ticket");
  });
});

describe("a new Git token", () => {
  const token = `glpat-${randomBytes(9).toString("hex")}`;
  let folder = "";
  let server: Server;
  let url = "";
  let isPublic = false;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "hearth-git-"));
    await execa("git", ["init", "--quiet", "--bare", join(folder, "hearth.git")]);
    server = createServer((asked, answer) => {
      const wanted = `Basic ${Buffer.from(`git:${token}`).toString("base64")}`;
      if (!isPublic && asked.headers.authorization !== wanted) {
        answer.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end();
        return;
      }
      const { pathname, searchParams } = new URL(asked.url ?? "", "http://git");
      const backend = execFile(
        "git",
        ["http-backend"],
        {
          encoding: "buffer",
          env: {
            ...process.env,
            ...{ GIT_PROJECT_ROOT: folder, GIT_HTTP_EXPORT_ALL: "1", REQUEST_METHOD: asked.method },
            ...{
              PATH_INFO: pathname,
              QUERY_STRING: searchParams.toString(),
              CONTENT_TYPE: asked.headers["content-type"],
            },
            GIT_PROTOCOL: String(asked.headers["git-protocol"] ?? ""),
          },
        },
        (_error, stdout) => {
          const end = stdout.indexOf("\r\n\r\n");
          for (const line of stdout.subarray(0, end).toString().split("\r\n")) {
            const [name = "", value = ""] = line.split(": ");
            answer.setHeader(name, value);
          }
          answer.end(stdout.subarray(end + 4));
        },
      );
      if (backend.stdin) asked.pipe(backend.stdin);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port.toString()}/hearth.git`;
  });

  after(async () => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });

  it("is taken if a Git server lets it read, and nobody without it", async () => {
    isPublic = false;
    expect(await requireReading(url, token)).to.deep.equal([]);
  });

  it("is refused if the server refuses it, and not shown", async () => {
    isPublic = false;
    const message = await messageOf(requireReading(url, `${token}-other`));
    expect(message).to.contain("127.0.0.1 does not take the new Git token").and.not.to.contain(token);
  });

  it("is proven where only this computer's own password opens the repository without it", async () => {
    isPublic = false;
    const before = process.env.GIT_ASKPASS;
    process.env.GIT_ASKPASS = join(folder, "askpass");
    const script = `#!/bin/sh\ncase "$1" in User*) echo git;; *) echo ${token};; esac\n`;
    await writeFile(process.env.GIT_ASKPASS, script, { mode: 0o700 });
    try {
      expect(await requireReading(url, token)).to.deep.equal([]);
    } finally {
      if (before === undefined) delete process.env.GIT_ASKPASS;
      else process.env.GIT_ASKPASS = before;
    }
  });

  it("is not proven by a repository that everybody may read, which is said", async () => {
    isPublic = true;
    const [said] = await requireReading(url, token);
    expect(said).to.contain("not proven").and.not.to.contain(token);
  });
});

describe("a new GitHub token", () => {
  let github: GitHub;

  beforeEach(async () => {
    github = await startGitHub("127.0.0.1");
  });

  afterEach(() => github.stop());

  const repository = `${gitHubAccount.owner}/${gitHubAccount.repository}`;

  const asking = async (token: string): Promise<AskGitHub> => {
    const ca = await readFile(github.authority);
    const [host = "", port] = github.address.split(":");
    return (method, path, body) =>
      new Promise((resolve, reject) => {
        const headers = { host: "api.github.com", "user-agent": "hearth", authorization: `Bearer ${token}` };
        const sent = request({ ca, host, port, method, path, headers, servername: "api.github.com" }, (answer) => {
          answer.resume().on("end", () => {
            resolve(answer.statusCode ?? 0);
          });
        });
        sent.on("error", reject);
        sent.end(body === undefined ? undefined : JSON.stringify(body));
      });
  };

  it("is taken if it may write deploy keys and webhooks, and nothing is created by trying it", async () => {
    await requireAdministration(await asking(gitHubAccount.token), { repository, hasWebhook: true });
    expect([github.keys.size, github.hooks.size]).to.deep.equal([0, 0]);
  });

  it("need not write webhooks where the stack has none", async () => {
    github.permissions.delete("webhooks");
    const ask = await asking(gitHubAccount.token);
    await requireAdministration(ask, { repository, hasWebhook: false });
    expect(await messageOf(requireAdministration(ask, { repository, hasWebhook: true }))).to.contain(
      "lacks Webhooks: Read and Webhooks: Write of you/hearth",
    );
  });

  it("is refused if it may not administer the repository, or GitHub refuses it", async () => {
    const wrong = await messageOf(requireAdministration(await asking("ghp_other"), { repository, hasWebhook: true }));
    expect(wrong).to.contain("GitHub refuses the new token").and.not.to.contain("ghp_other");
    github.permissions.delete("administration");
    expect(
      await messageOf(requireAdministration(await asking(gitHubAccount.token), { repository, hasWebhook: true })),
    ).to.contain("lacks Administration: Read and Administration: Write");
  });

  it("is refused if it may only read", async () => {
    const reading: AskGitHub = (method) => Promise.resolve(method === "GET" ? 200 : 403);
    expect(await messageOf(requireAdministration(reading, { repository, hasWebhook: true }))).to.contain(
      "lacks Administration: Write and Webhooks: Write",
    );
  });

  it("is not judged while GitHub is not well", async () => {
    github.outages = 1;
    expect(
      await messageOf(requireAdministration(await asking(gitHubAccount.token), { repository, hasWebhook: true })),
    ).to.contain("answers 502");
    const silent: AskGitHub = () => Promise.reject(new Error("connect ECONNREFUSED"));
    expect(await messageOf(requireAdministration(silent, { repository, hasWebhook: true }))).to.contain(
      "does not answer",
    );
  });
});

describe("new credentials for a registry", () => {
  const realm = "https://auth.example.com/token";
  const seen: string[] = [];

  /** A registry that issues tokens for a user or a refresh token, as the distribution specification says. */
  const registry: AskRegistry = (url, { method = "GET", headers = {}, body = "" } = {}) => {
    seen.push(`${method} ${url}`);
    const answer = (status: number, text = "", challenge?: string) =>
      Promise.resolve({ status, text, date: undefined, challenge });
    if (url.startsWith(realm)) {
      const isUser = headers.authorization === `Basic ${Buffer.from("me:right").toString("base64")}`;
      const isHolder = method === "POST" && new URLSearchParams(body).get("refresh_token") === "right";
      return isUser || isHolder ? answer(200, JSON.stringify({ token: "pull" })) : answer(401);
    }
    if (headers.authorization === "Bearer pull") return answer(200);
    return answer(401, "", `Bearer realm="${realm}",service="registry.example.com"`);
  };

  beforeEach(() => seen.splice(0));

  it("are proven up to the token that a pull would use, and no further", async () => {
    for (const given of [{ username: "me", password: "right" }, { identityToken: "right" }]) {
      expect(await tryRegistry(registry, "registry.example.com", given)).to.deep.equal([
        "That registry.example.com takes the credentials is proven; which images they open is not",
      ]);
    }
    expect(seen[1]).to.equal(`GET ${realm}?service=registry.example.com`);
  });

  it("are refused if the registry refuses them, and not shown", async () => {
    for (const given of [{ username: "me", password: "wr0ng" }, { identityToken: "wr0ng" }]) {
      const message = await messageOf(tryRegistry(registry, "registry.example.com", given));
      expect(message).to.contain("registry.example.com refuses the new credentials").and.not.to.contain("wr0ng");
    }
  });

  it("are sent as they are to a registry that asks for a password", async () => {
    const wanted = `Basic ${Buffer.from("me:right").toString("base64")}`;
    const basic: AskRegistry = (_url, { headers = {} } = {}) =>
      Promise.resolve({
        ...{ text: "", date: undefined, challenge: 'Basic realm="Registry"' },
        status: headers.authorization === wanted ? 200 : 401,
      });
    expect(await tryRegistry(basic, "nas:5000", { username: "me", password: "right" })).to.have.lengthOf(1);
    expect(await messageOf(tryRegistry(basic, "nas:5000", { username: "me", password: "no" }))).to.contain("refuses");
    expect(await messageOf(tryRegistry(basic, "nas:5000", { identityToken: "no" }))).to.contain("no identityToken");
  });

  it("are not called proven by a registry that asks nobody, or that does not answer from here", async () => {
    const given = { username: "me", password: "right" };
    const open: AskRegistry = () => Promise.resolve({ status: 200, text: "{}", date: undefined });
    const silent: AskRegistry = () => Promise.reject(new Error("connect ECONNREFUSED"));
    expect(await tryRegistry(open, "open.example.com", given)).to.match(/not proven: it answers without any/);
    expect(await tryRegistry(silent, "nas", given)).to.match(/not proven: it does not answer from here/);
    expect(await tryRegistry(silent, "*", given)).to.match(/not proven/);
  });

  it("are not judged while the registry is not well, and go to no server without encryption", async () => {
    const given = { username: "me", password: "right" };
    const sick: AskRegistry = () => Promise.resolve({ status: 503, text: "", date: undefined });
    expect(await messageOf(tryRegistry(sick, "ghcr.io", given))).to.contain("answers 503");
    const plainly: AskRegistry = () =>
      Promise.resolve({ status: 401, text: "", date: undefined, challenge: 'Bearer realm="http://auth/token"' });
    expect(await messageOf(tryRegistry(plainly, "ghcr.io", given))).to.contain("over no HTTPS");
  });

  it("are asked of Docker Hub where its images are", async () => {
    await tryRegistry(registry, "docker.io", { username: "me", password: "right" });
    expect(seen[0]).to.equal("GET https://registry-1.docker.io/v2/");
  });

  it("are asked for in either scheme", () => {
    expect(challengeIn('Bearer service="b",realm="https://a/t",scope="x"')).to.deep.equal({
      ...{ scheme: "bearer", realm: "https://a/t", service: "b" },
    });
    expect(challengeIn('Basic realm="x"')?.scheme).to.equal("basic");
    expect(challengeIn("Negotiate")).to.equal(undefined);
  });
});

describe("the registry credentials of a machine", () => {
  const urn = `urn:pulumi:dev::hearth::${resourceTypes.machineConfiguration}::cp01`;
  const auth = (name: string, password: string) =>
    `apiVersion: v1alpha1\nkind: RegistryAuthConfig\nname: ${name}\nusername: me\npassword: ${password}\n`;
  const inputsOf = (...documents: string[]) => ({
    node: "10.20.0.11",
    configPatches: ["machine: {}"],
    machineConfigurationInput: sealed(["machine:\n  token: t\n", ...documents].join("---\n")),
  });
  const stateOf = (...documents: string[]): State => ({
    version: 3,
    deployment: { resources: [{ urn, type: resourceTypes.machineConfiguration, inputs: inputsOf(...documents) }] },
  });
  const own = JSON.stringify({ "ghcr.io": { username: "me", password: "one" } });
  const form = normalized(own, "dev");

  it("are those of its documents, in whatever order they stand", () => {
    const two = JSON.stringify({
      "quay.io": { identityToken: "t" },
      "ghcr.io": { password: "one", username: "me" },
    });
    const state = stateOf(auth("ghcr.io", "one"), "kind: RegistryAuthConfig\nname: quay.io\nidentityToken: t\n");
    expect(credentialsIn(state, { registryCredentials: two }, "dev")).to.deep.equal([
      { urn, value: normalized(two, "dev") },
    ]);
  });

  it("are none of hearth:machinePatches, which count before them", () => {
    const patch = (name: string) => ({ apiVersion: "v1alpha1", kind: "RegistryAuthConfig", name, username: "x" });
    const state = stateOf(auth("ghcr.io", "one"), auth("quay.io", "patched"));
    const machinePatches = JSON.stringify({ nodes: { cp01: [patch("quay.io")] } });
    const [carrier] = credentialsIn(state, { registryCredentials: own, machinePatches }, "dev");
    expect(carrier?.value).to.equal(form);
    const shadowed = JSON.stringify({ all: [patch("ghcr.io")] });
    const [same] = credentialsIn(
      stateOf(auth("ghcr.io", "patched")),
      { registryCredentials: own, machinePatches: shadowed },
      "dev",
    );
    expect(same?.value).to.equal(form);
  });

  it("are refused by their form, and not shown", () => {
    for (const text of ["hunter2hunter2", '{"ghcr.io": "hunter2hunter2"}', '{"ghcr.io": {"username": "hunter2"}}']) {
      expect(() => normalized(text, "dev"))
        .to.throw()
        .with.property("message")
        .that.does.not.contain("hunter2");
    }
  });

  it("may change, and nothing else of the machine with them", () => {
    const state = stateOf(auth("ghcr.io", "one"));
    const changed = (inputs: object) =>
      otherwiseChanged(state, new Map([[urn, { inputs: readValues(inputs), outputs: {} }]]), {
        ...{ urns: [urn], without: withoutCredentials },
      });
    expect(changed(inputsOf(auth("ghcr.io", "two")))).to.deep.equal([]);
    expect(changed({ ...inputsOf(auth("ghcr.io", "two")), __defaults: ["applyMode"], timeouts: null })).to.deep.equal(
      [],
    );
    expect(changed(inputsOf(auth("ghcr.io", "two"), auth("quay.io", "three")))).to.deep.equal([]);
    expect(changed(inputsOf(auth("ghcr.io", "two"), "kind: WatchdogTimerConfig\n"))).to.deep.equal(["cp01"]);
    expect(changed({ ...inputsOf(auth("ghcr.io", "one")), configPatches: ["machine: { sysctls: {} }"] })).to.deep.equal(
      ["cp01"],
    );
    expect(otherwiseChanged(state, new Map(), { urns: [urn], without: withoutCredentials })).to.deep.equal(["cp01"]);
  });
});

describe("a rotation of a secret that the stack does not use", () => {
  const rotated = (rotation: { rotate: (within: Surroundings) => Promise<unknown> }, config: object) =>
    messageOf(
      rotation.rotate({
        target: { stack: "dev", isLab: false, environment: {}, config: () => Promise.resolve(config) },
      } as unknown as Surroundings),
    );

  it("says so, and what there is", async () => {
    const repository = (url: string) => ({ gitops: { repository: url } });
    expect(await rotated(gitToken, repository("ssh://git@github.com/you/hearth.git"))).to.contain(
      "npx hearth rotate dev deploy-key",
    );
    expect(await rotated(githubToken, repository("https://git.example.com/you/hearth.git"))).to.contain(
      "at git.example.com, not at github.com",
    );
    const announced = { network: { announce: { mode: "bgp", authentication: "none" } } };
    expect(await rotated(bgpPassword, announced)).to.contain("ask dev for no password");
  });
});
