import { expect } from "chai";
import { parseAllDocuments } from "yaml";

import type { HearthConfig } from "../../../../infra/config/index.ts";
import type { MachineState } from "../../../../lib/cluster/machine-state.ts";
import { move, networkConfiguration, type Waiting } from "../../../../operations/boot/move.ts";
import { movedText } from "../../../../operations/boot/text.ts";
import { configOf } from "../../../support/doctor.ts";
import { messageOf } from "../../../support/failure.ts";

const name = "den-prod-cp01";
const at = "10.30.0.157";
const timing = { timeout: 20, pause: 1 };

const prod = (change: (node: HearthConfig["nodes"][string]) => void = () => undefined) => {
  const config = configOf("prod");
  const node = config.nodes[name];
  if (!node) throw new Error(`prod has no ${name}`);
  change(node);
  return { config, node };
};

/** A machine that waits at an address, and what it was given. */
const machine = (changes: Partial<Waiting> & { states?: Record<string, MachineState> } = {}) => {
  const { node } = prod();
  const states: Record<string, MachineState> = { [at]: "blank", ...changes.states };
  const given: string[] = [];
  const waiting: Waiting = {
    state: (address) => Promise.resolve(states[address] ?? "silent"),
    macs: () => Promise.resolve([node.mac, ...(node.bond?.macs ?? []), "58:47:CA:70:00:99"]),
    apply: (address, configuration) => {
      given.push(`${address}\n${configuration}`);
      states[node.address] = "blank";
      return Promise.resolve(undefined);
    },
    ...changes,
  };
  return { waiting, given };
};

const moved = (waiting: Waiting, config = prod().config, from = at) =>
  move(config, { stack: "prod", name, at: from }, waiting, timing);

describe("moving a waiting machine to its node's address", () => {
  it("gives it the node's links and name servers, and no machine section, which would end maintenance mode", () => {
    const { config, node } = prod((each) => {
      each.vlan = 30;
      delete each.bond;
    });
    const documents = parseAllDocuments(networkConfiguration(config, name)).map((each) => each.toJS() as object);
    expect(documents.map((each) => (each as { kind?: string }).kind)).to.deep.equal([
      ...["LinkAliasConfig", "LinkConfig", "VLANConfig", "ResolverConfig"],
    ]);
    expect(documents[0]).to.have.nested.property(
      "selector.match",
      `mac(link.permanent_addr) == "${node.mac.toLowerCase()}"`,
    );
    expect(documents[2]).to.deep.include({ vlanID: 30, addresses: [{ address: `${node.address}/24` }] });
  });

  it("ends once it waits at the node's address", async () => {
    const { waiting, given } = machine();
    await moved(waiting);
    expect(given).to.deep.equal([`${at}\n${networkConfiguration(prod().config, name)}`]);
  });

  const refused: [string, () => Promise<unknown>, RegExp][] = [
    [
      "where the machine has not the node's network card",
      () => moved(machine({ macs: () => Promise.resolve(["58:47:CA:70:00:99"]) }).waiting),
      /^The machine at 10\.30\.0\.157 is not that of nodes\.den-prod-cp01: it has no network card .*, but 58:47:CA:70:00:99\. Nothing was changed/,
    ],
    [
      "where something has the node's address",
      () => moved(machine({ states: { [prod().node.address]: "foreign" } }).waiting),
      /^Something answers at .* already, the address of nodes\.den-prod-cp01: nothing was changed/,
    ],
    ["where nobody waits", () => moved(machine({ states: { [at]: "silent" } }).waiting), /^Nobody answers at/],
    [
      "where a machine runs with a configuration",
      () => moved(machine({ states: { [at]: "foreign" } }).waiting),
      /^10\.30\.0\.157 runs Talos with a configuration already/,
    ],
    ["where it is there", () => moved(machine().waiting, prod().config, prod().node.address), /leave --at out$/],
    [
      "where the network assigns the address for ever",
      () => moved(machine().waiting, prod((node) => (node.dhcp = true)).config),
      /^nodes\.den-prod-cp01\.dhcp .* reserve it at the DHCP server$/,
    ],
  ];
  for (const [where, attempt, message] of refused) {
    it(`is refused ${where}`, async () => {
      expect(await messageOf(attempt())).to.match(message);
    });
  }

  it("gives nothing to a machine that it refuses", async () => {
    const { waiting, given } = machine({ macs: () => Promise.resolve([]) });
    await messageOf(moved(waiting));
    expect(given).to.deep.equal([]);
  });

  it("says what the machine refused, and where it did not arrive what to compare", async () => {
    const refusal = machine({ apply: () => Promise.resolve("rpc error: code = InvalidArgument") }).waiting;
    expect(await messageOf(moved(refusal))).to.contain("refuses its network settings: rpc error");
    const lost = machine({ apply: () => Promise.resolve(undefined) }).waiting;
    expect(await messageOf(moved(lost))).to.match(/but nothing answers at .* compare network\.subnet/);
  });

  it("is told with what comes next", () => {
    expect(movedText({ stack: "prod", name, address: "10.30.0.11" }).split("\n")).to.deep.equal([
      "den-prod-cp01 waits at 10.30.0.11. It keeps that address until it restarts: if it does before it is deployed, run this again.",
      "What comes next:",
      "  npx hearth doctor prod",
      "  npx hearth deploy prod",
    ]);
  });
});
