import { z } from "zod";

import { metalMachine } from "../../components/machines/metal.ts";
import { commonKeys, withInstallDisk } from "../../infra/config/nodes.ts";
import { platforms } from "../../infra/platforms/index.ts";
import { makers } from "../../infra/platforms/makers.ts";
import type { Maker } from "../../infra/platforms/maker.ts";
import type { Platform } from "../../infra/platforms/platform.ts";
import { anything } from "../../infra/platforms/question.ts";

const node = withInstallDisk(
  z.strictObject({
    /** Platform of the node. */
    platform: z.literal("shelf"),
    ...commonKeys,
    /** The node's board, for `platform: shelf`. */
    shelf: z.strictObject({ slot: z.int().min(1) }),
  }),
);
const settings = z.strictObject({ controller: z.string() });

type ShelfNode = z.output<typeof node>;
type ShelfSettings = z.output<typeof settings>;

/** Type of the resource that powers a board on. */
export const boardType = "shelf:index/board:Board";

/** A platform that Hearth does not have: boards in a shelf, which a controller powers on. */
export const shelf: Platform<ShelfNode, ShelfSettings> = {
  name: "shelf",
  machine: "a board in a shelf",
  node,
  groups: { shelf: settings.optional() },
  secrets: { shelfToken: "Token of the shelf's controller." },
  resources: {
    [boardType]: {
      isMachine: true,
      lostWith: "its machine",
      identifier: (input) => `slot-${input("slot")}`,
      identity: [["slot"]],
      claims: ({ slot }) => [{ kind: "slot", value: String(slot) }],
    },
  },
  dangers: {
    machines: /^shelf:index\/board:/,
    losesDisk: (type, removed) => type === boardType && removed.includes("disk"),
    restarts: (type, properties) =>
      type === boardType && properties.includes("slot") ? [{ what: "somebody carries it", why: "slot" }] : [],
  },
  setup: {
    extensions: [],
    secrets: [],
    installDisk: "/dev/mmcblk0",
    questions: (known) => [
      { flag: "controller", text: "Address of the controller", refuse: anything, fallback: () => known.controller },
    ],
    answers: (given) => ({ controller: given?.controller }),
    settings: ({ controller }) => ({ controller }),
    node: (_, { position }) => ({ slot: position + 1 }),
  },
  check: ({ nodes, settings: given, complete }) =>
    given || !complete
      ? []
      : Object.keys(nodes).map((name) => ({
          path: ["nodes", name, "platform"],
          problem: "is shelf, but hearth:shelf does not say where its controller is",
          advice: "add hearth:shelf with controller",
        })),
  addresses: (given) =>
    given ? [{ path: ["shelf", "controller"], value: given.controller, owner: "the address of the controller" }] : [],
  claims: (name, { shelf: { slot } }) => [
    { namespace: "slot", path: ["nodes", name, "shelf", "slot"], value: String(slot), owner: `the slot of ${name}` },
  ],
  placement: ({ shelf: { slot } }) => ({ host: "shelf", id: String(slot), cores: 4, memory: 8192 }),
};

const shelfMachines: Maker<ShelfNode> = ({ nodes, factsOf }) =>
  Object.fromEntries(
    Object.entries(nodes).map(([name, each]) => [name, { ...metalMachine(factsOf(each)), resetOnDestroy: false }]),
  );

/** Hearth's platforms and this one. */
export const threePlatforms: readonly Platform[] = [...platforms, shelf];

export const threeMakers: Record<string, Maker> = { ...makers, shelf: shelfMachines as Maker };
