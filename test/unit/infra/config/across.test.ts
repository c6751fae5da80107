import { expect } from "chai";

import { checkStacks } from "../../../../infra/config/checks/across.ts";
import { parseConfig } from "../../../../infra/config/index.ts";
import { changed, type Change } from "../../../support/changes.ts";

/** What prod, changed, takes from dev, changed as well. */
const taken = (prod: Change[], dev: Change[] = []): string[][] => {
  const stacks = {
    dev: parseConfig("dev", changed("dev", ...dev)),
    prod: parseConfig("prod", changed("prod", ...prod)),
  };
  const problems = checkStacks(Object.entries(stacks));
  expect(problems.dev).to.deep.equal([]);
  return (problems.prod ?? [])
    .filter(({ warning }) => !warning)
    .map(({ path, problem, advice }) => [path.join("."), problem, advice]);
};

const virtual: Change[] = [
  ["proxmox", { endpoint: "https://10.20.0.5:8006", imageDatastore: "local", diskDatastore: "local", bridge: "vmbr0" }],
  ["nodes/den-prod-cp01/platform", "proxmox"],
  ["nodes/den-prod-cp01/diskSelector", undefined],
  ["nodes/den-prod-cp01/diskEncryption", "none"],
  ["nodes/den-prod-cp01/secureBoot", false],
  ["nodes/den-prod-cp01/proxmox", { host: "pve2", vmId: 2011, cores: 4, memory: 8192, disk: 80 }],
];

const onSubnetOfDev = (address: string): Change[] => [
  ["network/subnet", "10.20.0.0/16"],
  ["network/gateway", "10.20.0.1"],
  ["cluster/vip", "10.20.9.10"],
  ["cluster/endpoint", "https://10.20.9.10:6443"],
  ["nodes/den-prod-cp01/address", address],
  ["nodes/den-prod-cp02/address", "10.20.9.12"],
  ["nodes/den-prod-cp03/address", "10.20.9.13"],
];

describe("stacks beside each other", () => {
  it("take nothing from each other, as committed", () => {
    expect(taken([])).to.deep.equal([]);
  });

  it("may not have an address twice", () => {
    expect(taken(onSubnetOfDev("10.20.0.21"))).to.deep.equal([
      [
        "nodes.den-prod-cp01.address",
        "10.20.0.21 is also the address of den-dev-wk01 in Pulumi.dev.yaml",
        "give one of them another",
      ],
    ]);
  });

  it("may not have a node where the other's load balancers are", () => {
    expect(taken(onSubnetOfDev("10.20.0.200"))).to.deep.equal([
      [
        "nodes.den-prod-cp01.address",
        "10.20.0.200 is in the pool 10.20.0.192/26 in Pulumi.dev.yaml",
        "use an address that is outside of it",
      ],
    ]);
  });

  it("may not have overlapping pools", () => {
    expect(taken([["network/loadBalancers", "10.20.0.224/27"]])).to.deep.equal([
      [
        "network.loadBalancers",
        "10.20.0.224/27 overlaps the pool 10.20.0.192/26 in Pulumi.dev.yaml",
        "use a range that is apart from it",
      ],
    ]);
  });

  it("may not have a pool with the other's nodes in it", () => {
    expect(
      taken([["network/loadBalancers", "10.20.0.16/29"]], [["nodes/den-dev-wk02/address", "10.20.0.40"]]),
    ).to.deep.equal([
      [
        "network.loadBalancers",
        "10.20.0.16/29 holds 10.20.0.21, which is the address of den-dev-wk01 in Pulumi.dev.yaml",
        "use a range that is apart from it",
      ],
    ]);
  });

  it("may not have a hardware address twice", () => {
    expect(taken([["nodes/den-prod-cp02/mac", "BC:24:11:20:00:21"]])).to.deep.equal([
      [
        "nodes.den-prod-cp02.mac",
        "BC:24:11:20:00:21 is also the hardware address of den-dev-wk01 in Pulumi.dev.yaml",
        "give one of them another",
      ],
    ]);
  });

  it("may not have a VM's number twice in one Proxmox cluster", () => {
    expect(taken(virtual)).to.deep.equal([
      [
        "nodes.den-prod-cp01.proxmox.vmId",
        "2011 is also the number of den-dev-cp01 in Pulumi.dev.yaml",
        "give one of them another",
      ],
    ]);
  });

  it("may have a VM's number twice in two Proxmox clusters", () => {
    expect(taken([...virtual, ["proxmox/endpoint", "https://10.30.0.5:8006"]])).to.deep.equal([]);
  });

  it("may not have a hostname twice, be it a tunnel's or a record's", () => {
    const advice = "a name points to one tunnel or record only: give each environment its own names";
    expect(taken([["cloudflare/ingress/0/hostname", "welcome-dev.example.com"]])).to.deep.equal([
      ["cloudflare.ingress.0.hostname", "welcome-dev.example.com is also a hostname in Pulumi.dev.yaml", advice],
    ]);
    expect(taken([["cloudflare/records", [{ name: "welcome-dev", type: "TXT", content: "mine" }]]])).to.deep.equal([
      ["cloudflare.records.0.name", "welcome-dev.example.com is also a hostname in Pulumi.dev.yaml", advice],
    ]);
  });

  it("may not be of one name, by which clusters, tunnels and the owner of records are known", () => {
    const renamed = Object.fromEntries(
      Object.entries(changed("prod").nodes as Record<string, unknown>).map(([name, node]) => [
        name.replace("den-prod-cp0", "den-dev-cp1"),
        node,
      ]),
    );
    const problems = taken([
      ["cluster/name", "den-dev"],
      ["nodes", renamed],
    ]);
    expect(problems.map(([path, problem]) => `${path ?? ""} ${problem ?? ""}`)).to.include.members([
      "cluster.name den-dev is also the name of the cluster in Pulumi.dev.yaml",
      "cluster.name den-dev is also the name of a tunnel in Pulumi.dev.yaml",
    ]);
  });

  it("may not be made of one folder", () => {
    expect(taken([["gitops/path", "gitops/clusters/dev"]])).to.deep.equal([
      [
        "gitops.path",
        "gitops/clusters/dev is also what the cluster is made of in Pulumi.dev.yaml",
        "give each cluster a folder of its own",
      ],
    ]);
  });

  it("may not promote from one to the other where both follow one branch, or two repositories", () => {
    const promotion: Change = ["gitops/promotion", { from: "dev" }];
    expect(taken([promotion])).to.deep.equal([
      [
        "gitops.branch",
        "main is also the branch of dev, which promotes to prod",
        "write a branch of its own in Pulumi.prod.yaml, such as prod",
      ],
    ]);
    expect(taken([promotion, ["gitops/branch", "prod"]])).to.deep.equal([]);
    const elsewhere: Change = ["gitops/repository", "ssh://git@github.com/you/other.git"];
    expect(taken([promotion, ["gitops/branch", "prod"], elsewhere]).map(([path]) => path)).to.deep.equal([
      "gitops.repository",
    ]);
  });

  it("may not be one autonomous system at one router", () => {
    const bgp = {
      mode: "bgp",
      asn: 64513,
      peers: [{ name: "router", address: "10.30.0.1", asn: 64512 }],
    };
    expect(
      taken(
        [],
        [
          ["network/announce", bgp],
          ["network/loadBalancers", "10.21.0.0/24"],
        ],
      ),
    ).to.deep.equal([
      [
        "network.announce.asn",
        "64513 is also the autonomous system at the same router in Pulumi.dev.yaml",
        "give each cluster a number of its own, such as 64513 and 64514",
      ],
    ]);
  });

  it("may not have one escrow file", () => {
    const recipients = changed("prod").escrow as { recipients: string[] };
    const path = "escrow/den.sops.yaml";
    expect(taken([["escrow/path", path]], [["escrow", { ...recipients, path }]])).to.deep.equal([
      ["escrow.path", `${path} is also the escrow file in Pulumi.dev.yaml`, "give each stack a file of its own"],
    ]);
  });

  it("may have pods where the other has its subnet, with a warning", () => {
    const [dev, prod] = [parseConfig("dev", changed("dev")), parseConfig("prod", changed("prod"))];
    const warnings = (change: (config: typeof prod) => void) => {
      const mine = structuredClone(prod);
      change(mine);
      const { prod: found = [] } = checkStacks([
        ["dev", dev],
        ["prod", mine],
      ]);
      return found.filter(({ warning }) => warning).map(({ path, problem }) => [path.join("."), problem]);
    };
    expect(warnings(() => undefined)).to.deep.equal([]);
    expect(warnings(({ cluster }) => (cluster.podCidr = "10.20.0.0/16" as typeof cluster.podCidr))).to.deep.equal([
      [
        "cluster.podCidr",
        "10.20.0.0/16 overlaps network.subnet in Pulumi.dev.yaml, 10.20.0.0/24, so that one cannot reach the other",
      ],
      [
        "cluster.podCidr",
        "10.20.0.0/16 overlaps network.loadBalancers in Pulumi.dev.yaml, 10.20.0.192/26, so that one cannot reach the other",
      ],
    ]);
    expect(
      warnings(({ network }) => (network.loadBalancers = "10.97.0.0/24" as typeof network.loadBalancers)),
    ).to.deep.equal([
      [
        "network.loadBalancers",
        "10.97.0.0/24 overlaps cluster.serviceCidr in Pulumi.dev.yaml, 10.96.0.0/12, so that one cannot reach the other",
      ],
    ]);
    expect(warnings(({ network }) => (network.subnet = "10.20.0.0/23" as typeof network.subnet))).to.deep.equal([
      ["network.subnet", "10.20.0.0/23 overlaps the subnet 10.20.0.0/24 in Pulumi.dev.yaml without being the same"],
    ]);
  });
});
