import { expect } from "chai";

import { rolloutSchema } from "../../../../infra/config/rollout.ts";
import { expressionProblem } from "../../../../infra/config/health-expression.ts";
import type { KubernetesObject } from "../../../../lib/cluster/kubernetes.ts";
import { checksOf, healthProblem, readHealth, type Health } from "../../../../lib/rollout/health.ts";
import type { HealthCheck } from "../../../../lib/rollout/health-check.ts";
import { systems } from "../../../../lib/rollout/systems.ts";

type Given = Omit<KubernetesObject, "metadata"> & { metadata: KubernetesObject["metadata"] & { annotations?: object } };

/** The API of a cluster with objects of some kinds, by the path of their list. */
const clusterWith = (kinds: Record<string, { kind: string; namespaced?: boolean; objects: Given[] }>) => {
  const resources = (root: string) =>
    Object.entries(kinds)
      .filter(([path]) => path.startsWith(`${root}/`))
      .flatMap(([path, { kind, namespaced = true }]) => {
        const name = path.slice(root.length + 1);
        return [
          { name, kind, namespaced },
          { name: `${name}/status`, kind, namespaced },
        ];
      });
  return {
    get: <T>(root: string) => {
      const found = resources(root);
      return Promise.resolve((found.length > 0 ? { resources: found } : undefined) as T | undefined);
    },
    list: (path: string) => {
      const [, namespace] = /\/namespaces\/([^/]+)\//.exec(path) ?? [];
      const objects = kinds[path.replace(/\/namespaces\/[^/]+/, "")]?.objects ?? [];
      return Promise.resolve(
        objects.filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace),
      );
    },
  };
};

const ready = (status: string, message = ""): KubernetesObject["status"] => ({
  conditions: [{ type: "Ready", status, message }],
});

/** What does not hold of a system's object. */
const problemsOf = (system: keyof typeof systems, kind: string, object: Given, now = new Date()): string[] =>
  systems[system].filter((check) => check.kind === kind).flatMap((check) => healthProblem(check, object, now) ?? []);

describe("the health of a system that is installed", () => {
  const ceph = (health: string, details: object, minutes: number): Given => ({
    metadata: { namespace: "rook-ceph", name: "rook-ceph" },
    status: {
      phase: "Ready",
      ceph: {
        health,
        details,
        lastChecked: new Date(Date.now() - minutes * 60_000).toISOString().replace(/\.\d+/, ""),
      },
    },
  });

  it("is that of Ceph, and why it is not", () => {
    expect(problemsOf("ceph", "CephCluster", ceph("HEALTH_OK", {}, 1))).to.deep.equal([]);
    const details = { OSD_DOWN: { severity: "HEALTH_WARN", message: "1 osds down" } };
    expect(problemsOf("ceph", "CephCluster", ceph("HEALTH_WARN", details, 1))).to.deep.equal([
      'CephCluster rook-ceph/rook-ceph: object.status.ceph.health == "HEALTH_OK" does not hold: object.status.ceph.health is "HEALTH_WARN"; ' +
        'object.status.ceph.details is {"OSD_DOWN":{"severity":"HEALTH_WARN","message":"1 osds down"}}',
    ]);
  });

  it("is not that of a Ceph that nobody has asked for a while, or ever", () => {
    const [stale] = problemsOf("ceph", "CephCluster", ceph("HEALTH_OK", {}, 6));
    expect(stale).to.match(/lastChecked\) < duration\("5m"\) does not hold: object.status.ceph.lastChecked is "20/);
    const fresh: Given = { metadata: { name: "rook-ceph" }, status: { phase: "Progressing" } };
    expect(problemsOf("ceph", "CephCluster", fresh)[0]).to.contain(
      "(No such key: ceph): object.status.ceph.health is missing",
    );
  });

  it("is that of CloudNativePG's instances, unless they hibernate", () => {
    const postgres = (readyInstances: number, phase: string, annotations = {}): Given => ({
      metadata: { namespace: "apps", name: "db", annotations },
      spec: { instances: 3 },
      status: { instances: 3, readyInstances, phase },
    });
    const healthy = "Cluster in healthy state";
    expect(problemsOf("cloudnative-pg", "Cluster", postgres(3, healthy))).to.deep.equal([]);
    expect(problemsOf("cloudnative-pg", "Cluster", postgres(2, healthy))[0])
      .to.match(/^Cluster apps\/db: /)
      .and.contain("object.status.readyInstances is 2; object.spec.instances is 3");
    expect(problemsOf("cloudnative-pg", "Cluster", postgres(3, "Switchover in progress"))).to.have.length(1);
    expect(problemsOf("cloudnative-pg", "Cluster", postgres(0, "", { "cnpg.io/hibernation": "on" }))).to.deep.equal([]);
    const bare: Given = { metadata: { namespace: "apps", name: "db" }, spec: { instances: 1 } };
    expect(problemsOf("cloudnative-pg", "Cluster", bare)).to.have.length(1);
  });

  it("is that of LINSTOR's controller and satellites", () => {
    const satellite = (available: string): Given => ({
      metadata: { name: "den-prod-wk01" },
      status: {
        conditions: [
          { type: "Applied", status: "True" },
          { type: "Available", status: available, message: "satellite not online" },
          { type: "Configured", status: "True", message: "Pools configured" },
        ],
      },
    });
    expect(problemsOf("linstor", "LinstorSatellite", satellite("True"))).to.deep.equal([]);
    expect(problemsOf("linstor", "LinstorSatellite", satellite("False"))[0]).to.contain(
      "object.status.conditions is Applied=True, Available=False (satellite not online), Configured=True",
    );
  });

  it("is that of what Flux reconciles, and not of what it was told to leave", () => {
    const kustomization = (status: string, suspend?: boolean): Given => ({
      metadata: { namespace: "flux-system", name: "apps" },
      spec: suspend === undefined ? {} : { suspend },
      status: ready(status, "health check failed"),
    });
    expect(problemsOf("flux", "Kustomization", kustomization("True"))).to.deep.equal([]);
    expect(problemsOf("flux", "Kustomization", kustomization("True", false))).to.deep.equal([]);
    expect(problemsOf("flux", "Kustomization", kustomization("False"))[0]).to.contain(
      "Ready=False (health check failed)",
    );
    expect(problemsOf("flux", "Kustomization", kustomization("Unknown", true))).to.deep.equal([]);
  });

  it("is asked for by expressions that a stack file could have", () => {
    for (const { expression } of Object.values(systems).flat())
      expect(expressionProblem(expression)).to.equal(undefined);
  });
});

describe("health expressions", () => {
  const deployment = (name: string, readyReplicas: number): Given => ({
    metadata: { namespace: "apps", name },
    spec: { replicas: 2 },
    status: { readyReplicas },
  });
  const cluster = clusterWith({
    "/apis/apps/v1/deployments": { kind: "Deployment", objects: [deployment("one", 2), deployment("two", 1)] },
    "/api/v1/nodes": { kind: "Node", namespaced: false, objects: [{ metadata: { name: "wk01" } }] },
  });
  const check = (given: Partial<HealthCheck> = {}): HealthCheck => ({
    ...{ apiVersion: "apps/v1", kind: "Deployment", expression: "object.status.readyReplicas == object.spec.replicas" },
    ...given,
  });
  const health = (...given: Partial<HealthCheck>[]): Promise<Health> => readHealth(cluster, given.map(check));

  it("hold for every object, or name those for which they do not, with what they have", async () => {
    expect((await health({ name: "one" })).problems).to.deep.equal([]);
    expect((await health({})).problems).to.deep.equal([
      "Deployment apps/two: object.status.readyReplicas == object.spec.replicas does not hold: " +
        "object.status.readyReplicas is 1; object.spec.replicas is 2",
    ]);
  });

  it("need the object that they name, and none where they name none", async () => {
    expect((await health({ name: "three", namespace: "apps" })).problems).to.deep.equal([
      "There is no Deployment three in the namespace apps",
    ]);
    expect((await health({ namespace: "games" })).problems).to.deep.equal([]);
  });

  it("are mistaken where they are about a kind that the cluster does not have", async () => {
    expect((await health({ kind: "Deploiment" })).mistakes).to.deep.equal([
      "The cluster has no kind Deploiment of apps/v1, but Deployment",
    ]);
    expect((await health({ apiVersion: "ceph.rook.io/v2", kind: "CephCluster" })).mistakes).to.deep.equal([
      "The cluster has no kind CephCluster of ceph.rook.io/v2",
    ]);
    const node = { apiVersion: "v1", kind: "Node", namespace: "apps", expression: "has(object.metadata)" };
    expect((await health(node)).mistakes).to.deep.equal(["A Node is in no namespace: leave apps out"]);
  });

  it("do not hold where they are neither true nor false", async () => {
    expect((await health({ name: "one", expression: "object.metadata.name" })).problems[0]).to.contain(
      'is "one", which is neither true nor false',
    );
  });

  it("do not hold where the API does not answer", async () => {
    const silent = { ...cluster, list: () => Promise.reject(new Error("connection refused")) };
    expect((await readHealth(silent, [check()])).problems).to.deep.equal([
      "Objects of the kind Deployment cannot be read: connection refused",
    ]);
  });

  it("of the known systems apply where those are installed, and are not skipped", async () => {
    const flux = clusterWith({
      "/apis/kustomize.toolkit.fluxcd.io/v1/kustomizations": {
        kind: "Kustomization",
        objects: [{ metadata: { namespace: "flux-system", name: "apps" }, status: ready("False", "broken") }],
      },
    });
    const asked = (given: object) => readHealth(flux, checksOf(rolloutSchema.parse({ health: given }).health));
    const found = await asked({});
    expect(found.problems).to.have.length(1);
    expect({ ...found, problems: [] }).to.deep.equal({ problems: [], mistakes: [], settles: 0 });
    expect((await asked({ skip: ["flux"] })).problems).to.deep.equal([]);
  });

  it("have to hold for a while where a controller looks once a minute", async () => {
    const object = {
      metadata: { name: "ceph" },
      status: { ceph: { health: "HEALTH_OK", lastChecked: new Date().toISOString() } },
    };
    const ceph = clusterWith({ "/apis/ceph.rook.io/v1/cephclusters": { kind: "CephCluster", objects: [object] } });
    expect((await readHealth(ceph, systems.ceph)).settles).to.be.greaterThan(60_000);
  });
});
