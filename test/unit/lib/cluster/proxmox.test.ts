import { expect } from "chai";

import { virtualMachine, type AskProxmox, type ProxmoxAnswer } from "../../../../lib/cluster/proxmox.ts";

const ok = (data: unknown): ProxmoxAnswer => ({ status: 200, reason: "OK", data });

/** An API that lists machines, and answers for one of a host. */
const api =
  (list: ProxmoxAnswer, one: ProxmoxAnswer): AskProxmox =>
  (path) =>
    Promise.resolve(path.startsWith("/cluster/") ? list : one);

const none = {
  status: 500,
  reason: "Configuration file 'nodes/pve1/qemu-server/2011.conf' does not exist",
  data: null,
};

describe("virtualMachine", () => {
  it("finds one on whichever host it is now", async () => {
    const listed = api(ok([{ vmid: 2011, node: "pve2", status: "stopped" }]), none);
    expect(await virtualMachine(listed, "pve1", 2011)).to.deep.equal({ is: "there", status: "stopped", host: "pve2" });
  });

  it("knows that there is none where the host says so as well", async () => {
    expect(await virtualMachine(api(ok([]), none), "pve1", 2011)).to.deep.equal({ is: "absent" });
  });

  it("does not take for absent what its token may not see, or what a host that is down has", async () => {
    for (const one of [
      { status: 403, reason: "Permission check failed (/vms/2011, VM.Audit)", data: null },
      { status: 595, reason: "No route to host", data: null },
      { status: 500, reason: "can't lock file", data: null },
    ]) {
      const found = await virtualMachine(api(ok([]), one), "pve1", 2011);
      expect(found).to.deep.include({ is: "unknown" });
    }
  });

  it("knows nothing where Proxmox does not answer", async () => {
    const found = await virtualMachine(() => Promise.reject(new Error("connect ETIMEDOUT")), "pve1", 2011);
    expect(found).to.deep.equal({ is: "unknown", why: "connect ETIMEDOUT" });
  });
});
