import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect } from "chai";
import { execa } from "execa";

import { sshKeyPair } from "../../components/secrets/ssh.ts";
import { signIn, askProxmox } from "../../lib/cluster/proxmox.ts";
import { requireSignedIn } from "../../operations/rotate/proxmox-password.ts";
import { tryRepository } from "../../operations/rotate/repository-access.ts";
import { requireRights, type AskCloudflare } from "../../operations/rotate/cloudflare-token.ts";
import { cloudflareAccount, object, startCloudflare, type Cloudflare } from "../support/cloudflare.ts";
import { messageOf } from "../support/failure.ts";
import { proxmoxToken, startProxmox, type Proxmox } from "../support/proxmox.ts";
import { accepts, eventually, labFolder, startLab, type LabFolder, type LabProcess } from "../support/lab-process.ts";

const { account, zone } = cloudflareAccount;

describe("a new Cloudflare token at the lab's Cloudflare", () => {
  let cloudflare: Cloudflare;

  afterEach(() => cloudflare.stop());

  /** What the account says of a token with such permissions, after one that may do all has made a tunnel. */
  const withPermissions = async (address: string, permissions: string[]) => {
    cloudflare = await startCloudflare(address, { permissions });
    const made = await cloudflare.call("POST", `/accounts/${account}/cfd_tunnel`, {
      name: "den-dev",
      config_src: "cloudflare",
    });
    const tunnel = made.status === 200 ? String(object(made).id) : "00000000-0000-0000-0000-000000000000";
    const ask: AskCloudflare = async (method, path) => {
      const { status, result } = await cloudflare.call(method, path, method === "PATCH" ? {} : undefined);
      return { status, body: { result } };
    };
    return { ask, at: { account, zone, tunnel } };
  };

  it("is taken if it may edit tunnels and records, and nothing is changed by trying it", async () => {
    const { ask, at } = await withPermissions("127.130.1.1:8443", cloudflareAccount.permissions);
    const records = async () => (await cloudflare.call("GET", `/zones/${zone}/dns_records`)).result;
    const before = await records();
    await requireRights(ask, at);
    expect(await records()).to.deep.equal(before);
  });

  it("is refused if it may only read records", async () => {
    const { ask, at } = await withPermissions("127.130.1.2:8443", [
      "Account.Cloudflare Tunnel:Edit",
      "Zone.DNS:Read",
      "Zone.Zone:Read",
    ]);
    expect(await messageOf(requireRights(ask, at))).to.contain("lacks DNS: Edit");
  });

  it("is refused if it may only read tunnels", async () => {
    const { ask, at } = await withPermissions("127.130.1.3:8443", [
      "Account.Cloudflare Tunnel:Read",
      "Zone.DNS:Edit",
      "Zone.Zone:Read",
    ]);
    expect(await messageOf(requireRights(ask, at))).to.contain("lacks Cloudflare Tunnel: Edit");
  });
});

describe("a new deploy key at the lab's Git server", () => {
  const address = "127.130.1.4:2222";
  const seed = randomBytes(32);
  let folder: LabFolder;
  let server: LabProcess;

  before(async () => {
    folder = await labFolder({});
    const repository = join(folder.dir, "checkout");
    await mkdir(repository);
    await mkdir(join(folder.dir, "git"), { recursive: true });
    const git = ["-C", repository, "-c", "user.name=Test", "-c", "user.email=test@example.com"];
    await execa("git", [...git, "init", "--quiet", "--initial-branch", "main"]);
    await execa("git", [...git, "commit", "--quiet", "--allow-empty", "--message", "One"]);
    await writeFile(folder.config, JSON.stringify({ stack: "test", dir: folder.dir, repository, git: { address } }));
    server = await startLab("git", folder.config);
    await eventually("the Git server listens", () => accepts(address));
  });

  after(async () => {
    await server.stop();
    await folder.remove();
  });

  /** Tries the key as the rotation does. */
  const tried = async (knownHosts?: string) => {
    const own = await readFile(join(folder.dir, "git", "known_hosts"), "utf8");
    const url = `ssh://git@${address}/hearth.git`;
    return tryRepository({ url, knownHosts: knownHosts ?? own, seed, comment: "hearth-den-dev" });
  };

  it("is refused until it is registered, and accepted from then on", async () => {
    expect((await tried()).is).to.equal("refused");
    const { publicKey } = sshKeyPair(seed, "hearth-den-dev");
    await writeFile(join(folder.dir, "git", "authorized_keys"), `${publicKey}\n`);
    expect(await tried()).to.deep.equal({ is: "accepted" });
  });

  it("is shown to no server but the known one", async () => {
    const other = `[127.130.1.4]:2222 ${sshKeyPair(randomBytes(32), "").publicKey}`;
    expect(await tried(other))
      .to.have.property("why")
      .that.matches(/host/i);
  });
});

describe("a new password of root@pam at the lab's Proxmox", () => {
  const password = `${randomBytes(9).toString("base64url")}&%=+ ä`;
  const address = "127.130.1.5:8006";
  let proxmox: Proxmox;

  before(async () => {
    proxmox = await startProxmox(address, { password });
  });

  after(() => proxmox.stop());

  const server = async () => ({
    endpoint: `https://${address}`,
    insecure: false,
    authorities: [await readFile(join(proxmox.dir, "ca", "ca.crt"), "utf8")],
  });

  it("is taken if Proxmox signs root in by it, whatever characters it has", async () => {
    requireSignedIn(await signIn(await server(), "root@pam", password));
  });

  it("is refused if it is another, and for everybody but root", async () => {
    expect((await signIn(await server(), "root@pam", `${password}.`)).status).to.equal(401);
    expect((await signIn(await server(), "hearth@pve", password)).status).to.equal(401);
    const refused = signIn(await server(), "root@pam", "old").then(requireSignedIn);
    expect(await messageOf(refused)).to.contain("Proxmox refuses the new password");
  });

  it("goes to no server whose certificate is not trusted, unless the stack file says so", async () => {
    const untrusted = { ...(await server()), authorities: [] };
    expect(await messageOf(signIn(untrusted, "root@pam", password))).to.match(/certificate/);
    requireSignedIn(await signIn({ ...untrusted, insecure: true }, "root@pam", password));
  });

  it("leaves the token as it is", async () => {
    expect((await askProxmox({ ...(await server()), token: proxmoxToken })("/version")).status).to.equal(200);
  });
});
