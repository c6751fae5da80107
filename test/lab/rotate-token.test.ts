import { expect } from "chai";

import { requireRights, type AskCloudflare } from "../../operations/rotate/cloudflare-token.ts";
import { cloudflareAccount, object, startCloudflare, type Cloudflare } from "../support/cloudflare.ts";
import { messageOf } from "../support/failure.ts";

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
