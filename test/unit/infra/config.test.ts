import { expect } from "chai";

import { parseConfig } from "../../../infra/config/index.ts";
import { rawConfig } from "../../support/stack.ts";

/** A path, with `/` between its keys, and the value to put there; undefined removes the key. */
type Change = [path: string, value: unknown];

type Tree = Record<string, unknown>;

/** What Pulumi.dev.yaml says, changed. */
const devConfig = (...changes: Change[]): Tree => {
  const raw = rawConfig("dev");
  for (const [path, value] of changes) {
    const keys = path.split("/");
    const last = keys.pop() ?? "";
    const parent = keys.reduce<Tree>((tree, key) => tree[key] as Tree, raw);
    parent[last] = value;
    if (value === undefined) Reflect.deleteProperty(parent, last);
  }
  return raw;
};

const problemsOf = (raw: unknown): string => {
  try {
    parseConfig("dev", raw);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("The configuration was accepted");
};

describe("the configuration", () => {
  it("of dev, as committed, is accepted", () => {
    const config = parseConfig("dev", devConfig());
    expect(Object.keys(config.nodes)).to.deep.equal(["den-dev-cp01", "den-dev-wk01", "den-dev-wk02"]);
  });

  it("may lack Cloudflare", () => {
    expect(parseConfig("dev", devConfig(["cloudflare", undefined])).cloudflare).to.equal(undefined);
  });

  const bad: [what: string, change: Change, problem: string][] = [
    ["a key that nobody knows", ["cluster/colour", "red"], "cluster.colour   is not a key that Hearth knows"],
    [
      "an address that is none",
      ["nodes/den-dev-wk01/address", "10.20.0.300"],
      "nodes.den-dev-wk01.address   10.20.0.300 is not an",
    ],
    [
      "two control planes",
      ["nodes/den-dev-wk01/role", "controlplane"],
      "2 control planes keep no better quorum than 1",
    ],
    ["no control plane", ["nodes/den-dev-cp01/role", "worker"], "has no control plane"],
    [
      "an address used twice",
      ["nodes/den-dev-wk02/address", "10.20.0.21"],
      "nodes.den-dev-wk02.address   10.20.0.21 is also the address of den-dev-wk01",
    ],
    [
      "a hardware address used twice, whatever its case",
      ["nodes/den-dev-wk02/mac", "bc:24:11:20:00:21"],
      "nodes.den-dev-wk02.mac   BC:24:11:20:00:21 is also the hardware address of den-dev-wk01",
    ],
    [
      "a VM's number used twice",
      ["nodes/den-dev-wk02/proxmox/vmId", 2021],
      "nodes.den-dev-wk02.proxmox.vmId   2021 is also the number of den-dev-wk01",
    ],
    ["an unknown image profile", ["nodes/den-dev-cp01/image", "huge"], "huge is not a profile under images"],
    [
      "virtual machines without Proxmox",
      ["proxmox", undefined],
      "nodes.den-dev-cp01.proxmox   is a virtual machine, but hearth:proxmox",
    ],
    [
      "a plain HTTP endpoint",
      ["cluster/endpoint", "http://10.20.0.10:6443"],
      "cluster.endpoint   http://10.20.0.10:6443 is not a URL",
    ],
    ["a Talos release without its v", ["cluster/talos", "1.13.9"], "cluster.talos   1.13.9 is not a release"],
    ["no repository", ["gitops", undefined], "gitops   "],
  ];
  for (const [what, change, problem] of bad) {
    it(`is refused for ${what}`, () => {
      expect(problemsOf(devConfig(change)))
        .to.match(/^Pulumi\.dev\.yaml has \d+ problems?:/)
        .and.to.contain(problem);
    });
  }

  it("is refused with all problems at once", () => {
    expect(problemsOf(devConfig(["cluster/talos", "new"], ["network/gateway", "router"])))
      .to.contain("has 2 problems")
      .and.to.contain("cluster.talos")
      .and.to.contain("network.gateway");
  });
});
