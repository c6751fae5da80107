import { expect } from "chai";
import fc from "fast-check";

import type { AskProxmox } from "../../../../lib/cluster/proxmox.ts";
import { requireRights, type AskCloudflare } from "../../../../operations/rotate/cloudflare-token.ts";
import { missingRights, requireSameRights } from "../../../../operations/rotate/proxmox-token.ts";
import { messageOf } from "../../../support/failure.ts";

const proxmox =
  (data: object, status = 200): AskProxmox =>
  () =>
    Promise.resolve({ status, reason: "", data });

describe("a new Proxmox token", () => {
  const old = { "/": { "VM.Allocate": 1, "Sys.Audit": 1 }, "/storage": { "Datastore.Audit": 1 } };

  it("is taken with the rights of the old one, and with more", async () => {
    await requireSameRights(proxmox(old), proxmox(old));
    await requireSameRights(proxmox({ ...old, "/sdn": { "SDN.Use": 1 } }), proxmox(old));
  });

  it("is refused if it lacks one of them, and told which", async () => {
    const less = { "/": { "VM.Allocate": 1 }, "/storage": { "Datastore.Audit": 1 } };
    expect(await messageOf(requireSameRights(proxmox(less), proxmox(old)))).to.contain("Sys.Audit on /");
  });

  it("is refused if Proxmox refuses it, or gives it nothing", async () => {
    expect(await messageOf(requireSameRights(proxmox({}, 401), proxmox(old)))).to.contain("refuses the new token");
    expect(await messageOf(requireSameRights(proxmox({}), proxmox({}, 401)))).to.contain("may do less");
    expect(await messageOf(requireSameRights(proxmox({}, 500), proxmox(old)))).to.contain("answers 500");
  });

  it("has the rights that propagate from above, and not those that do not", () => {
    expect(missingRights({ "/": { A: 1 } }, { "/vms/100": { A: 1 } })).to.deep.equal([]);
    expect(missingRights({ "/": { A: 0 } }, { "/vms/100": { A: 1 } })).to.deep.equal(["A on /vms/100"]);
    expect(missingRights({ "/": { A: 1 }, "/vms": { B: 1 } }, { "/vms": { A: 1 } })).to.deep.equal(["A on /vms"]);
  });

  it("lacks nothing of itself, and all of what another has if it has nothing", () => {
    const rights = fc.dictionary(
      fc.constantFrom("/", "/vms", "/vms/100", "/storage/local"),
      fc.dictionary(fc.constantFrom("A", "B", "C"), fc.constantFrom(0, 1)),
    );
    fc.assert(
      fc.property(rights, (each) => {
        expect(missingRights(each, each)).to.deep.equal([]);
        expect(missingRights({}, each)).to.have.lengthOf(Object.values(each).flatMap(Object.keys).length);
      }),
    );
  });
});

describe("a new Cloudflare token", () => {
  const at = { account: "account", zone: "zone", tunnel: "tunnel" };

  /** Answers by method and the end of the path; what is not named is allowed. */
  const cloudflare =
    (answers: Record<string, number>, seen: string[] = []): AskCloudflare =>
    (method, path) => {
      seen.push(`${method} ${path}`);
      const found = Object.entries(answers).find(([name]) => `${method} ${path}`.includes(name));
      return Promise.resolve({ status: found?.[1] ?? (method === "PATCH" ? 404 : 200), body: {} });
    };

  it("is tried without a change: it reads, and edits only a record that cannot be", async () => {
    const seen: string[] = [];
    await requireRights(cloudflare({}, seen), at);
    expect(seen.filter((each) => !each.startsWith("GET "))).to.deep.equal([
      `PATCH /zones/zone/dns_records/${"0".repeat(32)}`,
    ]);
  });

  it("is refused if it may not edit records or tunnels, and told what it lacks", async () => {
    expect(await messageOf(requireRights(cloudflare({ "PATCH ": 403 }), at))).to.contain("lacks DNS: Edit");
    expect(await messageOf(requireRights(cloudflare({ "/token": 403 }), at))).to.contain(
      "lacks Cloudflare Tunnel: Edit",
    );
    expect(await messageOf(requireRights(cloudflare({ "": 401 }), at))).to.contain("refuses the new token");
  });

  it("is not judged while Cloudflare is not well", async () => {
    expect(await messageOf(requireRights(cloudflare({ cfd_tunnel: 503 }), at))).to.contain("answers 503");
    expect(await messageOf(requireRights(cloudflare({ "PATCH ": 429 }), at))).to.contain("answers 429");
  });
});
