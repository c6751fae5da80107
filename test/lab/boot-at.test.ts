import { expect } from "chai";

import { machineState } from "../../lib/cluster/machine-state.ts";
import { move } from "../../operations/boot/move.ts";
import { waitingMachines } from "../../operations/boot/waiting.ts";
import { configOf } from "../support/doctor.ts";
import { messageOf } from "../support/failure.ts";
import { eventually } from "../support/lab-process.ts";
import { type Machine, type TalosLab, talosLab } from "../support/talos.ts";
import { tool } from "../support/tools.ts";

const [address, lease, taken] = ["127.68.12.11", "127.68.12.157", "127.68.12.12"];
const name = "den-prod-cp01";

describe("npx hearth boot --at", () => {
  let lab: TalosLab;
  let machine: Machine;

  before(async () => {
    lab = await talosLab(address);
    machine = await lab.machine("moving", address, "metal", lease);
    await machine.start();
  });

  after(() => lab.stop());

  const moveTo = async (own: string, mac = "BC:24:11:00:00:01") => {
    const config = configOf("prod");
    const node = config.nodes[name];
    if (!node) throw new Error(`prod has no ${name}`);
    Object.assign(node, { address: own, mac, bond: undefined, vlan: undefined, links: {} });
    Object.assign(config.network, { subnet: "127.68.12.0/24", gateway: "127.68.12.1" });
    const waiting = waitingMachines(await tool("talosctl"));
    await move(config, { stack: "prod", name, at: lease }, waiting, { timeout: 20_000, pause: 500 });
  };

  it("leaves a machine alone that is another node's, and one whose address is taken", async () => {
    expect(await messageOf(moveTo(address, "BC:24:11:00:00:02"))).to.contain(
      "but BC:24:11:00:00:01. Nothing was changed",
    );
    await (await lab.machine("in its place", taken)).start();
    expect(await messageOf(moveTo(taken))).to.contain(`Something answers at ${taken} already`);
    expect(await machineState(lease, "")).to.equal("blank");
  });

  it("has the machine wait at its node's address, where it takes its whole configuration", async () => {
    await moveTo(address);
    expect([await machineState(address, ""), await machineState(lease, "")]).to.deep.equal(["blank", "silent"]);
    const file = await lab.configuration("controlplane", name);
    await lab.talosctl("apply-config", "--insecure", "--nodes", address, "--file", file);
    const isConfigured = async () => (await machineState(address, "")) === "foreign";
    await eventually("the machine runs with its configuration", isConfigured, 60);
  });
});
