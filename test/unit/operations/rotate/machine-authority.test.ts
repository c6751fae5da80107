import { readFileSync } from "node:fs";

import { expect } from "chai";
import { parseAllDocuments, stringify } from "yaml";

import type { Talosctl } from "../../../../lib/cluster/talosctl.ts";
import { MachineAuthority } from "../../../../operations/rotate/machine-authority.ts";

interface Configuration {
  machine: { ca: { crt: string; key: string }; acceptedCAs?: { crt: string }[]; [key: string]: unknown };
}

/** A machine that lets in who trusts one of the authorities that it accepts. */
class FakeMachine {
  configuration: Configuration = { machine: { type: "worker", ca: { crt: "old", key: "" } } };
  applied: string[][] = [];
  hasVip = false;
  /** How often it is read before it has its VIP again. */
  triedWithoutVip = 0;

  client(of: string): Talosctl {
    const once = (_: string, args: string[]): Promise<string> => {
      const { ca, acceptedCAs = [] } = this.configuration.machine;
      if (![ca, ...acceptedCAs].some(({ crt }) => crt === of)) return Promise.reject(new Error("bad certificate"));
      if (args[0] === "get") return Promise.resolve(stringify({ node: "n", spec: this.text() }));
      this.applied.push(args.slice(0, 3));
      const [main, vip] = parseAllDocuments(readFileSync(args.at(-1) ?? "", "utf8")).map(
        (document) => document.toJS() as unknown,
      );
      this.configuration = main as Configuration;
      this.hasVip = vip !== undefined;
      return Promise.resolve("");
    };
    return { once } as unknown as Talosctl;
  }

  private text(): string {
    this.triedWithoutVip -= 1;
    const vip = { apiVersion: "v1alpha1", kind: "Layer2VIPConfig", name: "10.20.0.10", link: "eth0" };
    const isShown = this.hasVip && this.triedWithoutVip < 0;
    return [stringify(this.configuration), ...(isShown ? [stringify(vip)] : [])].join("---\n");
  }
}

const place = { issuing: ["machine", "ca"], accepted: ["machine", "acceptedCAs"] };
const authority = { crt: "new", key: "new-key" };

describe("the authorities of a machine", () => {
  const of = (machine: FakeMachine, isControlPlane: boolean, ...clients: string[]) =>
    new MachineAuthority(
      { name: "wk01", address: "10.20.0.21", isControlPlane, hasVip: machine.hasVip },
      place,
      clients.map((each) => machine.client(each)),
    );

  it("are changed without a reboot, and a worker gets no key", async () => {
    const machine = new FakeMachine();
    await of(machine, false, "old", "new").write({ issuing: "old", accepted: ["new"] }, authority);
    expect(machine.configuration.machine).to.deep.equal({
      type: "worker",
      ca: { crt: "old", key: "" },
      acceptedCAs: [{ crt: "new" }],
    });
    await of(machine, false, "old", "new").write({ issuing: "new", accepted: ["old"] }, authority);
    expect(machine.configuration.machine.ca).to.deep.equal({ crt: "new", key: "" });
    expect(machine.applied).to.deep.equal(Array(2).fill(["apply-config", "--mode", "no-reboot"]));
  });

  it("are read and written by whichever certificate the machine accepts", async () => {
    const machine = new FakeMachine();
    const both = of(machine, true, "old", "new");
    await both.write({ issuing: "old", accepted: ["new"] }, authority);
    await both.write({ issuing: "new", accepted: ["old"] }, authority);
    await both.write({ issuing: "new", accepted: [] }, authority);
    expect(await both.read()).to.deep.equal({ issuing: "new", key: "new-key", accepted: [] });
    expect(machine.configuration.machine).to.deep.equal({ type: "worker", ca: authority });
  });

  it("are not written to a machine while a deployment has it do without its VIP", async () => {
    const machine = new FakeMachine();
    Object.assign(machine, { hasVip: true, triedWithoutVip: 1 });
    await of(machine, true, "old").write({ issuing: "old", accepted: ["new"] }, authority);
    expect(machine.hasVip).to.equal(true);
    expect(machine.configuration.machine.acceptedCAs).to.deep.equal([{ crt: "new" }]);
  }).timeout(10_000);
});
