import { expect } from "chai";

import type { HearthConfig } from "../../infra/config/index.ts";
import { podsOf, quantity, requestsOfPod } from "../../lib/tree/requests.ts";
import { requests, roomOf } from "../../lib/tree/rules/requests.ts";
import type { Tree } from "../../lib/tree/rules/rule.ts";
import { configOf } from "../support/doctor.ts";

const asks = (cpu: string, memory: string) => ({ resources: { requests: { cpu, memory } } });

/** A Deployment whose pods ask for that. */
const deployment = (name: string, replicas: number, cpu: string, memory: string) => ({
  kind: "Deployment",
  name,
  namespace: "apps",
  file: `gitops/apps/${name}.yaml`,
  object: { spec: { replicas, template: { spec: { containers: [asks(cpu, memory)] } } } },
});

/** What is found of objects on dev, which has two workers of 4 cores and 8 GiB. */
const found = (objects: object[], change: (config: HearthConfig) => void = () => undefined) => {
  const config = configOf("dev");
  change(config);
  return requests({ config, objects, released: [], sources: { lineOf: () => undefined } } as unknown as Tree);
};

describe("what pods ask for", () => {
  it("is read as Kubernetes writes it", () => {
    expect(["250m", "2", "1.5Gi", "512Mi", "100M", "1k", "?", undefined].map(quantity)).to.deep.equal([
      ...[0.25, 2, 1.5 * 2 ** 30, 2 ** 29, 1e8, 1000, 0, 0],
    ]);
  });

  it("is that of all containers, or of the hungriest that runs before them", () => {
    const containers = [asks("100m", "1Gi"), asks("50m", "1Gi"), {}];
    expect(requestsOfPod({ containers })).to.deep.equal({ cpu: 150, memory: 2 ** 31 });
    const initContainers = [asks("1", "1Gi"), { restartPolicy: "Always", ...asks("10m", "1Gi") }];
    expect(requestsOfPod({ containers, initContainers })).to.deep.equal({ cpu: 1000, memory: 3 * 2 ** 30 });
  });

  it("counts replicas, a pod on each node, and a database's instances, but no job", () => {
    const template = { spec: { containers: [asks("1", "1Gi")] } };
    const count = (kind: string, spec: object) => podsOf({ kind, object: { spec } }, 5)?.count;
    expect(count("Deployment", { template })).to.equal(1);
    expect(count("StatefulSet", { template, replicas: 3 })).to.equal(3);
    expect(count("DaemonSet", { template })).to.equal(5);
    expect(count("Cluster", { instances: 2, ...asks("1", "1Gi") })).to.equal(2);
    expect(count("Job", { template })).to.equal(undefined);
    expect(count("Deployment", { template, replicas: "many" })).to.equal(0);
  });
});

describe("the machines of a stack", () => {
  it("have what Talos and the kubelet leave of workers, or of control planes where these run pods", () => {
    const config = configOf("dev");
    const worker = { cpu: 3950, memory: (8192 - 384 - 100) * 2 ** 20 };
    expect(roomOf(config)).to.deep.equal([worker, worker]);
    config.cluster.scheduleOnControlPlanes = true;
    expect(roomOf(config)).to.deep.include({ cpu: 1950, memory: (4096 - 512 - 100) * 2 ** 20 });
  });

  it("are enough for what fits", () => {
    expect(found([deployment("notes", 2, "3", "7Gi")])).to.deep.equal([]);
  });

  it("are too small for all pods together, the hungriest named", () => {
    const [finding, ...others] = found([
      deployment("notes", 1, "100m", "1Gi"),
      deployment("database", 3, "100m", "6Gi"),
    ]);
    expect(others).to.deep.equal([]);
    expect(finding?.file).to.equal("gitops/clusters/dev/kustomization.yaml");
    expect(finding?.message).to.equal(
      "pods ask for 19.0 GiB of memory at least, and the machines have 15.1 GiB of memory for them",
    );
    expect(finding?.advice).to.contain("Deployment apps/database (18.0 GiB of memory), Deployment apps/notes");
  });

  it("are too small for one pod", () => {
    expect(found([deployment("notes", 1, "6", "1Gi")])[0]?.message).to.equal(
      "Deployment apps/notes asks for 6.0 cores, and the largest machine has 4.0 cores for pods",
    );
  });

  it("are not judged where the size of one is not known", () => {
    const metal = configOf("prod").nodes["den-prod-cp01"];
    const huge = deployment("notes", 1, "600", "1Gi");
    expect(
      found([huge], ({ nodes }) => void Object.assign(nodes, { metal: { ...metal, role: "worker" } })),
    ).to.deep.equal([]);
  });
});
