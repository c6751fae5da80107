import { expect } from "chai";
import { stringify } from "yaml";

import { machinePatches } from "../../../components/talos/machine-config.ts";
import { reachOf, reachProblems, type Reach } from "../../../infra/reach.ts";
import { clusterSettings, machineSettings } from "../../support/machines.ts";

interface Given {
  endpoint?: string;
  vips?: string[];
  certSANs?: string[];
  extraArgs?: Record<string, string | string[]>;
}

const [old, now] = ["https://10.20.0.10:6443", "https://10.20.0.9:6443"];

/** Inputs of a control plane's configuration, as the program declares them. */
const inputs = ({ endpoint = old, vips = ["10.20.0.10"], certSANs = ["10.20.0.10"], extraArgs }: Given) => ({
  node: "10.20.0.11",
  machineConfigurationInput: stringify({ machine: {}, cluster: { controlPlane: { endpoint } } }),
  configPatches: [
    stringify({ cluster: { apiServer: { certSANs } } }),
    ...vips.map((name) => stringify({ apiVersion: "v1alpha1", kind: "Layer2VIPConfig", name, link: "eth0" })),
    ...(extraArgs ? [stringify({ cluster: { apiServer: { extraArgs } } })] : []),
  ],
});

const reach = (given: Given): Reach => reachOf(inputs(given));

const problems = (before: Given, after: Given): string[] => reachProblems(reach(before), reach(after));

const tokens = { "service-account-issuer": old, "api-audiences": old };

/** The cluster before and after it goes to another VIP, with everything that the guide says. */
const beside: Given = { vips: ["10.20.0.10", "10.20.0.9"], certSANs: ["10.20.0.10", "10.20.0.9"], extraArgs: tokens };
const moved: Given = { ...beside, endpoint: now };

describe("how a cluster is reached", () => {
  it("is read from what is generated and from patches", () => {
    expect(reach({})).to.deep.equal({
      ...{ endpoint: old, vips: ["10.20.0.10"], certSANs: ["10.20.0.10"], issuers: [old], audiences: [old] },
    });
    expect(reach(moved)).to.deep.include({ endpoint: now, issuers: [old], audiences: [old] });
    expect(reachOf({ node: "10.20.0.11" }).endpoint).to.equal(undefined);
  });

  it("does not change where nothing of it does, nor where it is not known", () => {
    expect(problems({}, {})).to.deep.equal([]);
    expect(reachProblems(reachOf({}), reach({ endpoint: now }))).to.deep.equal([]);
  });

  it("is not the new endpoint at once, and everything that is missing is said", () => {
    const [said, ...others] = problems({}, { endpoint: now, vips: ["10.20.0.9"], certSANs: ["10.20.0.9"] });
    expect(others).to.deep.equal([]);
    expect(said).to.equal(
      "cluster.endpoint would go from https://10.20.0.10:6443 to https://10.20.0.9:6443, and " +
        "10.20.0.9 is in no certificate yet: add it to cluster.certSANs; " +
        "no machine answers at 10.20.0.9 yet: add it as a Layer2VIPConfig to cluster.patches.controlPlanes; " +
        "API servers would refuse the tokens of all pods: write service-account-issuer: https://10.20.0.10:6443 and " +
        "api-audiences: https://10.20.0.10:6443 to cluster.apiServer.extraArgs in cluster.patches.controlPlanes; " +
        "10.20.0.10 would be in no certificate any more: keep it in cluster.certSANs; " +
        "no machine would answer at 10.20.0.10 any more: keep it as a Layer2VIPConfig in cluster.patches.controlPlanes. " +
        'docs/guides/changing-a-cluster.md, "Another address", has the way',
    );
  });

  it("may become another one by three changes: beside the old one, in its place, and alone", () => {
    const alone: Given = { ...moved, vips: ["10.20.0.9"], certSANs: ["10.20.0.9"] };
    expect(problems({}, beside)).to.deep.equal([]);
    expect(problems(beside, moved)).to.deep.equal([]);
    expect(problems(moved, alone)).to.deep.equal([]);
    expect(problems({}, moved)).to.have.length(1);
    expect(problems(beside, alone)).to.have.length(1);
  });

  it("changes by the three stack files of the guide, as they are rendered", () => {
    const rendered = (at: string, besides: string[], certSANs: string[]): Reach => {
      const vips = besides.map((name) => ({ apiVersion: "v1alpha1", kind: "Layer2VIPConfig", name, link: "eth0" }));
      const controlPlanes = [...vips, { cluster: { apiServer: { extraArgs: tokens } } }];
      const settings = { endpointHost: at, vip: at, certSANs, patches: { all: [], controlPlanes, workers: [] } };
      const generated = { cluster: { controlPlane: { endpoint: `https://${at}:6443` } } };
      return reachOf({
        machineConfigurationInput: stringify(generated),
        configPatches: machinePatches(machineSettings(), clusterSettings(settings)),
      });
    };
    const [first, second, third] = [
      rendered("10.20.0.10", ["10.20.0.9"], ["10.20.0.9", "10.20.0.10"]),
      rendered("10.20.0.9", ["10.20.0.10"], ["10.20.0.9", "10.20.0.10"]),
      rendered("10.20.0.9", [], ["10.20.0.9"]),
    ];
    expect(reachProblems(reach({}), first)).to.deep.equal([]);
    expect(reachProblems(first, second)).to.deep.equal([]);
    expect(reachProblems(second, third)).to.deep.equal([]);
    expect(reachProblems(reach({}), second)).to.have.length(1);
    expect(reachProblems(first, third)).to.have.length(1);
  });

  it("keeps the tokens of pods: their issuer is there, first or not, until nothing has one of its tokens", () => {
    const lists = (...issuers: string[]) => ({ "service-account-issuer": issuers, "api-audiences": issuers });
    expect(problems(beside, { ...moved, extraArgs: lists(now, old) })).to.deep.equal([]);
    expect(problems(beside, { ...moved, extraArgs: lists(now) })[0]).to.contain("refuse the tokens of all pods");
    expect(problems({ ...moved, extraArgs: lists(now, old) }, { ...moved, extraArgs: lists(now) })).to.deep.equal([]);
    expect(problems(moved, { ...moved, extraArgs: {} })[0]).to.contain("refuse the tokens of all pods");
  });

  it("does not lose the VIP that its endpoint is, nor swaps one that something else may lead to", () => {
    expect(problems({}, { vips: [] })[0]).to.contain(
      "No machine would answer at 10.20.0.10, where cluster.endpoint leads",
    );
    const byName = { endpoint: "https://k8s.example.com:6443" };
    expect(problems(byName, { ...byName, vips: ["10.20.0.9"] })[0]).to.contain(
      "cluster.vip would go from 10.20.0.10 to 10.20.0.9 at once",
    );
    expect(problems(byName, { ...byName, vips: ["10.20.0.10", "10.20.0.9"] })).to.deep.equal([]);
  });
});
