import { expect } from "chai";

import { parseConfig } from "../../../infra/config/index.ts";
import { parseSecretPatches } from "../../../infra/config/patches.ts";
import { machineFacts } from "../../../infra/machines.ts";
import { rawConfig } from "../../support/stack.ts";

type Tree = Record<string, unknown>;

/** What Pulumi.dev.yaml says, with changes to its cluster, its profile and its second worker. */
const changed = ({ cluster = {}, image = {}, worker = {} }: { cluster?: Tree; image?: Tree; worker?: Tree }): Tree => {
  const raw = rawConfig("dev");
  const nodes = raw.nodes as Record<string, Tree>;
  const images = raw.images as Record<string, Tree>;
  return {
    ...raw,
    cluster: { ...(raw.cluster as Tree), ...cluster },
    images: { ...images, standard: { ...images.standard, ...image } },
    nodes: { ...nodes, "den-dev-wk02": written({ ...nodes["den-dev-wk02"], ...worker }) },
  };
};

/** Keys that are undefined are not in a file. */
const written = (tree: Tree): Tree =>
  Object.fromEntries(Object.entries(tree).filter(([, value]) => value !== undefined));

const problemsOf = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    return (error as Error).message;
  }
  return "";
};

const bond = { mode: "802.3ad", macs: ["BC:24:11:20:00:99"] };

describe("the configuration of machines", () => {
  const bad: [what: string, changes: Parameters<typeof changed>[0], path: string, problem: string][] = [
    [
      "two ways to find the disk",
      { worker: { platform: "metal", proxmox: undefined, diskSelector: { type: "nvme" } } },
      "installDisk",
      "stands beside diskSelector",
    ],
    [
      "no way to find the disk",
      { worker: { platform: "metal", proxmox: undefined, installDisk: undefined } },
      "installDisk",
      "is missing, and so is",
    ],
    [
      "a selector that selects any disk",
      { worker: { installDisk: undefined, diskSelector: {} } },
      "diskSelector",
      "any disk",
    ],
    ["a bond in a virtual machine", { worker: { bond } }, "bond", "links are all the host's"],
    [
      "a link in two machines",
      { worker: { platform: "metal", proxmox: undefined, bond: { ...bond, macs: ["bc:24:11:20:00:21"] } } },
      "bond.macs.0",
      "BC:24:11:20:00:21 is also a link of den-dev-wk01",
    ],
    [
      "a key in a TPM that is not there",
      {
        cluster: { diskEncryption: "tpm", secureBoot: true },
        worker: { proxmox: { host: "pve1", vmId: 2022, cores: 4, memory: 8192, disk: 80, tpm: false } },
      },
      "proxmox.tpm",
      "the key of its disk is in the TPM",
    ],
    ["a patch that is none", { worker: { patches: [{ spec: {} }] } }, "patches.0", "is not a patch"],
    [
      "a patch of a kind that is too new for the plugin",
      { cluster: { patches: { all: [{ apiVersion: "v1alpha1", kind: "ImageVerificationConfig" }] } } },
      "cluster.patches.all.0",
      "does not know",
    ],
    [
      "a taint without an effect",
      { worker: { taints: { dedicated: "storage" } } },
      "taints.dedicated",
      "is not a taint",
    ],
    [
      "two kernel arguments in one",
      { image: { kernelArguments: ["a=1 b=2"] } },
      "kernelArguments.0",
      "one kernel argument",
    ],
  ];
  for (const [what, changes, path, problem] of bad) {
    it(`is refused for ${what}`, () => {
      expect(problemsOf(() => parseConfig("dev", changed(changes))))
        .to.contain(path)
        .and.to.contain(problem);
    });
  }

  it("gives a machine its cluster's encryption and SecureBoot, unless it has its own", () => {
    const config = parseConfig(
      "dev",
      changed({
        cluster: { diskEncryption: "nodeID", secureBoot: true },
        worker: { diskEncryption: "none", secureBoot: false },
      }),
    );
    const facts = Object.values(config.nodes).map((node) => machineFacts(config, node));
    expect(facts.map(({ encryption, secureBoot }) => [encryption, secureBoot])).to.deep.equal([
      ["nodeID", true],
      ["nodeID", true],
      ["none", false],
    ]);
  });
});

describe("secret patches of machines", () => {
  it("are lists by what they are for", () => {
    const patch = { machine: { env: { TOKEN: "x" } } };
    expect(parseSecretPatches({ nodes: { "den-dev-wk01": [patch] } }, "dev")).to.deep.equal({
      ...{ all: [], controlPlanes: [], workers: [] },
      nodes: { "den-dev-wk01": [patch] },
    });
  });

  it("are refused with nothing of what they hold", () => {
    const message = problemsOf(() => parseSecretPatches({ all: [{ token: "very-secret" }], "very-secret": 1 }, "dev"));
    expect(message).to.contain("machinePatches.all.0").and.not.to.contain("very-secret");
  });
});
