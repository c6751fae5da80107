import { expect } from "chai";
import { parse } from "yaml";

import { checkStacks } from "../../../../infra/config/checks/across.ts";
import { examineConfig, type HearthConfig } from "../../../../infra/config/index.ts";
import { bareDocument } from "../../../../infra/config/schema.ts";
import { bootMachines } from "../../../../infra/machines.ts";
import { isMachineType, resourceFacts } from "../../../../infra/platforms/index.ts";
import { answersOf, stackFileText } from "../../../../operations/config/init-file.ts";
import { inventoryRows } from "../../../../operations/config/inventory.ts";
import { macsMissing, questions } from "../../../../operations/config/questions.ts";
import { dangerOf } from "../../../../operations/preview/danger.ts";
import { Fingerprints } from "../../../../operations/preview/fingerprints.ts";
import { machineChanges } from "../../../../operations/preview/machines.ts";
import { platformAdopters } from "../../../../lib/recovery/adoption/platforms.ts";
import { changed, type Change } from "../../../support/changes.ts";
import { boardType, threeMakers, threePlatforms } from "../../../support/third-platform.ts";

const controller: Change = ["shelf", { controller: "10.30.0.5" }];
const onShelf = (name: string, slot: unknown): Change[] => [
  [`nodes/${name}/platform`, "shelf"],
  [`nodes/${name}/shelf`, { slot }],
];
const all = (): Change[] => [1, 2, 3].flatMap((slot) => onShelf(`den-prod-cp0${slot}`, slot));

/** Prod with its nodes, or some of them, on a platform that the project does not have. */
const examined = (...changes: Change[]) => examineConfig(changed("prod", ...changes), threePlatforms);

const configOf = (...changes: Change[]): HearthConfig => {
  const { config, problems } = examined(...changes);
  if (!config) throw new Error(JSON.stringify(problems));
  return config;
};

const problemsOf = (...changes: Change[]): string[][] =>
  examined(...changes).problems.map(({ path, problem, advice }) => [path.join("."), problem, advice]);

describe("a platform that is added", () => {
  it("is not known to the project itself", () => {
    const { problems } = examineConfig(changed("prod", ...onShelf("den-prod-cp01", 1)));
    expect(problems.map(({ path, problem }) => `${path.join(".")} ${problem}`)).to.deep.equal([
      "nodes.den-prod-cp01.platform shelf is not a platform",
    ]);
  });

  it("configures a cluster, alone or beside others", () => {
    expect(problemsOf(controller, ...all())).to.deep.equal([]);
    expect(problemsOf(controller, ...onShelf("den-prod-cp01", 1))).to.deep.equal([]);
  });

  it("is recognized where a node does not name it", () => {
    expect(problemsOf(controller, ...all(), ["nodes/den-prod-cp02/platform", undefined])).to.deep.equal([
      ["nodes.den-prod-cp02.platform", "is missing", "add platform: shelf, for it has the key shelf"],
    ]);
    expect(problemsOf(["nodes/den-prod-cp02/platform", undefined])).to.deep.equal([
      ["nodes.den-prod-cp02.platform", "is missing", "add platform: metal, for it has no key such as proxmox or shelf"],
    ]);
  });

  it("has its values explained, and its keys", () => {
    expect(problemsOf(controller, ...all(), ["nodes/den-prod-cp02/shelf/slot", 0])).to.deep.equal([
      ["nodes.den-prod-cp02.shelf.slot", "0 is too small", "give at least 1"],
    ]);
    expect(problemsOf(controller, ...all(), ["nodes/den-prod-cp02/platform", "metal"])).to.deep.equal([
      [
        "nodes.den-prod-cp02.shelf",
        "has no effect without platform: shelf",
        "write platform: shelf beside it, or remove it",
      ],
    ]);
  });

  it("checks its own nodes, and takes its addresses", () => {
    expect(problemsOf(...onShelf("den-prod-cp01", 1))).to.deep.equal([
      [
        "nodes.den-prod-cp01.platform",
        "is shelf, but hearth:shelf does not say where its controller is",
        "add hearth:shelf with controller",
      ],
    ]);
    const taken = problemsOf(...all(), ["shelf", { controller: "10.30.0.11" }]);
    expect(taken.map(([path, problem]) => `${path ?? ""} ${problem ?? ""}`)).to.deep.equal([
      "nodes.den-prod-cp01.address 10.30.0.11 is also the address of the controller",
    ]);
  });

  it("keeps what is its own from other stacks", () => {
    const config = configOf(controller, ...all());
    const problems =
      checkStacks(
        [
          ["prod", config],
          ["third", config],
        ],
        threePlatforms,
      ).third ?? [];
    expect(problems.map(({ path, problem }) => `${path.join(".")} ${problem}`)).to.include(
      "nodes.den-prod-cp01.shelf.slot 1 is also the slot of den-prod-cp01 in Pulumi.prod.yaml",
    );
  });

  it("makes machines beside those of other platforms", () => {
    const machines = bootMachines(configOf(controller, ...onShelf("den-prod-cp02", 2)), {}, [], threeMakers);
    expect(
      Object.fromEntries(Object.entries(machines).map(([name, each]) => [name, each.resetOnDestroy])),
    ).to.deep.equal({
      "den-prod-cp01": true,
      "den-prod-cp02": false,
      "den-prod-cp03": true,
    });
  });

  it("is in the inventory, and in the schema of stack files", () => {
    const [row] = inventoryRows("prod", configOf(controller, ...all()), threePlatforms);
    expect(row?.slice(3, 4)).to.deep.equal(["shelf"]);
    expect(row?.slice(6, 10)).to.deep.equal(["shelf", "1", "4", "8192 MiB"]);
    expect(bareDocument(threePlatforms).properties).to.include.keys("shelf", "proxmox");
  });

  it("tells what its resources are, how they are found, and what their change endangers", () => {
    expect(isMachineType(boardType, threePlatforms)).to.equal(true);
    expect(resourceFacts(boardType, threePlatforms)?.lostWith).to.equal("its machine");
    expect(platformAdopters(threePlatforms)).to.have.nested.property("shelf").with.all.keys(boardType);
    expect(dangerOf(boardType, "replace", [], threePlatforms)).to.equal("machine");
    expect(dangerOf(boardType, "update", ["disk"], threePlatforms)).to.equal("volume");
    expect(dangerOf(boardType, "replace")).to.equal(undefined);
  });

  it("tells what becomes of its machines when they change", () => {
    const urn = `urn:pulumi:prod::hearth::${boardType}::den-prod-cp01`;
    const change = {
      ...{ urn, type: boardType, name: "den-prod-cp01", operation: "update" as const, danger: undefined },
      isKept: false,
      ...{ because: [], unknown: [], properties: [{ path: "slot", before: "1", after: "2" }] },
    };
    const none = new Map();
    const { restarts } = machineChanges([change], none, none, Fingerprints.of("a seed"), threePlatforms);
    expect(restarts).to.deep.equal([{ node: "den-prod-cp01", what: "somebody carries it", why: "slot" }]);
  });

  it("is asked for and written by init", () => {
    const asked = questions({ controller: "10.30.0.5" }, threePlatforms);
    const flags = (platform: string) =>
      asked.filter(({ matters }) => !matters || matters({ platform })).map(({ flag }) => flag);
    expect(flags("shelf")).to.include("controller").and.not.include("bridge");
    expect(flags("proxmox")).to.include("bridge").and.not.include("controller");
    expect(macsMissing({ platform: "shelf", "control-planes": "3", workers: "0", macs: "" }, threePlatforms)).to.equal(
      "--macs has 0 hardware addresses for 3 machines",
    );
    const given = {
      ...{ site: "den", platform: "shelf", "control-planes": "1", workers: "1", subnet: "10.40.0.0/24" },
      ...{ vip: "10.40.0.10", talos: "v1.13.9", controller: "10.30.0.5", macs: "7C:83:34:40:00:11,7C:83:34:40:00:12" },
      "install-disk": "/dev/mmcblk0",
    };
    const { config } = parse(stackFileText(answersOf("lab", given, threePlatforms))) as {
      config: Record<string, Record<string, unknown>>;
    };
    expect(config["hearth:shelf"]).to.deep.equal({ controller: "10.30.0.5" });
    expect(config["hearth:nodes"]).to.deep.equal({
      "den-lab-cp01": {
        ...{ platform: "shelf", role: "controlplane", image: "standard", address: "10.40.0.11" },
        ...{ mac: "7C:83:34:40:00:11", installDisk: "/dev/mmcblk0", shelf: { slot: 1 } },
      },
      "den-lab-wk01": {
        ...{ platform: "shelf", role: "worker", image: "standard", address: "10.40.0.21" },
        ...{ mac: "7C:83:34:40:00:12", installDisk: "/dev/mmcblk0", shelf: { slot: 2 } },
      },
    });
    expect(config).not.to.have.any.keys("hearth:proxmox", "hearth:metal");
  });
});
