import { readFileSync } from "node:fs";

import { expect } from "chai";
import { parse } from "yaml";

import { configKeys, parseConfig } from "../../../infra/config.ts";

/** What Pulumi.dev.yaml says, changed by a test. */
const devConfig = (change: (config: any) => void = () => undefined): unknown => {
  const { config } = parse(readFileSync(new URL("../../../Pulumi.dev.yaml", import.meta.url), "utf8")) as {
    config: Record<string, unknown>;
  };
  const raw = Object.fromEntries(
    configKeys.flatMap((key) => (config[`hearth:${key}`] === undefined ? [] : [[key, config[`hearth:${key}`]]])),
  );
  change(raw);
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
    expect(
      parseConfig(
        "dev",
        devConfig((config) => delete config.cloudflare),
      ).cloudflare,
    ).to.equal(undefined);
  });

  const bad: [string, (config: any) => void, string][] = [
    ["a key that nobody knows", (c) => (c.cluster.colour = "red"), 'cluster   Unrecognized key: "colour"'],
    ["an address that is none", (c) => (c.nodes["den-dev-wk01"].address = "10.20.0.300"), "nodes.den-dev-wk01.address"],
    ["two control planes", (c) => (c.nodes["den-dev-wk01"].role = "controlplane"), "2 control planes cannot keep"],
    ["no control plane", (c) => (c.nodes["den-dev-cp01"].role = "worker"), "0 control planes cannot keep a quorum"],
    [
      "an address used twice",
      (c) => (c.nodes["den-dev-wk02"].address = "10.20.0.21"),
      "nodes.den-dev-wk02.address   10.20.0.21 is also that of den-dev-wk01",
    ],
    [
      "a hardware address used twice, whatever its case",
      (c) => (c.nodes["den-dev-wk02"].mac = "bc:24:11:20:00:21"),
      "nodes.den-dev-wk02.mac   BC:24:11:20:00:21 is also that of den-dev-wk01",
    ],
    [
      "a VM's number used twice",
      (c) => (c.nodes["den-dev-wk02"].proxmox.vmId = 2021),
      "nodes.den-dev-wk02.proxmox.vmId   2021 is also that of den-dev-wk01",
    ],
    ["an unknown image profile", (c) => (c.nodes["den-dev-cp01"].image = "huge"), "huge is not a profile under images"],
    ["virtual machines without Proxmox", (c) => delete c.proxmox, "nodes.den-dev-cp01.proxmox   needs the key proxmox"],
    [
      "a plain HTTP endpoint",
      (c) => (c.cluster.endpoint = "http://10.20.0.10:6443"),
      "cluster.endpoint   is not a URL",
    ],
    ["a Talos release without its v", (c) => (c.cluster.talos = "1.13.9"), "cluster.talos   is not a release"],
    ["no repository", (c) => delete c.gitops, "gitops   "],
  ];
  for (const [what, change, problem] of bad) {
    it(`is refused for ${what}`, () => {
      expect(problemsOf(devConfig(change)))
        .to.match(/^Pulumi\.dev\.yaml has \d+ problems?:/)
        .and.to.contain(problem);
    });
  }

  it("is refused with all problems at once", () => {
    const message = problemsOf(
      devConfig((config) => {
        config.cluster.talos = "new";
        config.network.gateway = "router";
      }),
    );
    expect(message).to.contain("has 2 problems").and.to.contain("cluster.talos").and.to.contain("network.gateway");
  });
});
