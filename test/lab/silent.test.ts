import { existsSync } from "node:fs";

import { expect } from "chai";
import { execa } from "execa";

import { machineState } from "../../lib/cluster/machine-state.ts";
import { LabCheckout } from "../support/lab-checkout.ts";
import { eventually } from "../support/lab-process.ts";

const octet = 52;
const machines = { "den-dev-wk02": 22, "den-dev-wk01": 21, "den-dev-cp01": 11 };

/** A power cut, or the wrong VLAN: everything is there, and nothing answers. */
describe("npx hearth rebuild where machines do not answer", () => {
  let checkout: LabCheckout;

  const rebuild = (...args: string[]) =>
    execa(
      "node",
      ["--import", "tsx", "operations/main.ts", "rebuild", "dev", "--lab", "--yes", "--confirm", "dev", ...args],
      { cwd: checkout.path, all: true, reject: false },
    );

  /** Powers a machine off, which keeps its disk. */
  const powerOff = async (name: keyof typeof machines): Promise<void> => {
    const address = `127.${octet.toString()}.0.${machines[name].toString()}`;
    const { exitCode, all } = await checkout.shell(
      `talosctl --nodes ${address} --endpoints ${address} shutdown --force --wait=false`,
    );
    expect(exitCode, String(all)).to.equal(0);
    const isSilent = async () => (await machineState(address, "")) === "silent";
    await eventually(`${name} is off`, isSilent, 120);
  };

  before(async () => {
    checkout = await LabCheckout.createSmall(octet);
    const { exitCode, all } = await checkout.lab();
    expect(exitCode, all).to.equal(0);
  });

  after(() => checkout.remove());

  it("says whom it asked, and does nothing", async () => {
    await powerOff("den-dev-wk02");
    const { exitCode, all } = await rebuild("--wait", "5");
    expect(exitCode, all).to.equal(1);
    expect(all)
      .to.contain("den-dev-wk02: does not answer; Proxmox: VM 2022 exists and is stopped on pve1")
      .and.to.contain("--lost den-dev-wk02")
      .and.not.to.contain("den-dev-wk01: does not answer");
    expect(existsSync(checkout.file(".hearth/rebuild-dev.json"))).to.equal(false);
  });

  it("takes nothing for lost after a power cut, whatever snapshot it is given", async () => {
    const snapshot = checkout.file("etcd.db");
    const address = `127.${octet.toString()}.0.11`;
    const taken = await checkout.shell(`talosctl -n ${address} -e ${address} etcd snapshot ${snapshot}`);
    expect(taken.exitCode, String(taken.all)).to.equal(0);
    await powerOff("den-dev-wk01");
    await powerOff("den-dev-cp01");
    for (const args of [["--etcd", snapshot], ["--etcd", snapshot, "--plan"], []]) {
      const { exitCode, all } = await rebuild("--wait", "5", ...args);
      expect(exitCode, all).to.equal(1);
      expect(all).to.contain("Nobody knows whether these machines are lost, so nothing is done");
      expect(all.match(/does not answer; Proxmox: VM \d+ exists and is stopped/g)).to.have.length(3);
    }
    expect(existsSync(checkout.file(".hearth/rebuild-dev.json"))).to.equal(false);
  });
});
