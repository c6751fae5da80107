import { expect } from "chai";

import { virtualMachineRestarts } from "../../../../infra/platforms/proxmox/dangers.ts";

describe("what becomes of a running virtual machine", () => {
  it("is a stop and a start, unless it may not be stopped", () => {
    expect(virtualMachineRestarts(["memory.dedicated"], true)[0]?.what).to.equal(
      "Proxmox stops and starts it in the update",
    );
    expect(virtualMachineRestarts(["memory.dedicated"], false)[0]?.what).to.equal(
      "nothing until somebody stops and starts it",
    );
    expect(virtualMachineRestarts(["tpmState"], false)[0]?.what).to.contain("refused");
    expect(virtualMachineRestarts(["tags[2]"], true)).to.deep.equal([]);
    expect(virtualMachineRestarts(["disks[1].size"], true)).to.deep.equal([]);
    expect(virtualMachineRestarts(["disks[0].cache", "disks[1].iothread"], false)[0]?.why).to.equal("disks");
  });
});
