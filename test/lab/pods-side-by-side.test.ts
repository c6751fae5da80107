import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect } from "chai";

import { type ControlPlane, addNode, startControlPlane } from "../support/control-plane.ts";
import { fakeController } from "../support/fake-controller.ts";
import { labData, labPrograms } from "../support/lab-programs.ts";
import { eventually, labFolder, startLab } from "../support/lab-process.ts";

interface Pods {
  items: { status: { podIP?: string; containerStatuses?: { restartCount: number; state: { running?: object } }[] } }[];
}

/** A pod whose process listens on a port of its address. */
const listeningPod = (name: string): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "default" },
  spec: {
    containers: [
      {
        name: "manager",
        image: "registry.example/kustomize-controller:v1.9.4",
        args: ["--health-addr=:9440"],
        env: [{ name: "REPORT", value: "report" }],
        ports: [{ name: "healthz", containerPort: 9440 }],
      },
    ],
  },
});

describe("the pods of labs side by side", () => {
  const clusters: ControlPlane[] = [];
  const undo: (() => Promise<unknown>)[] = [];

  before(async () => {
    const programs = await labPrograms("kwok");
    for (const last of ["1", "2"]) {
      const address = `127.92.7.${last}`;
      const folder = await labFolder({ internet: { proxy: `${address}:8128` } });
      undo.push(folder.remove);
      const cluster = await startControlPlane(join(folder.dir, "control-plane"), address);
      undo.push(cluster.stop);
      const config = JSON.parse(await readFile(folder.config, "utf8")) as Record<string, unknown>;
      const controller = await fakeController(folder.dir, "kustomize-controller");
      config.programs = { ...programs, "kustomize-controller": controller };
      config.data = await labData();
      await writeFile(folder.config, JSON.stringify(config));
      // Every lab has the range that its stack's configuration gives to pods, and configurations give the same one.
      await addNode(cluster, { name: "cp01", address: `127.92.8.${last}`, podCIDR: "10.93.0.0/24", ready: true });
      const lab = await startLab("pods", folder.config, ["--kubeconfig", cluster.kubeconfig]);
      undo.push(() => lab.stop());
      clusters.push(cluster);
    }
  });

  after(async () => {
    for (const each of undo.toReversed()) await each();
  });

  it("never have the same address, however close together they begin", async () => {
    const names = Array.from({ length: 8 }, (_, index) => `pod-${index}`);
    await Promise.all(clusters.flatMap((cluster) => names.map((name) => cluster.apply(listeningPod(name)))));
    const found = await eventually(
      "all of them run",
      async () => {
        const all = await Promise.all(clusters.map((cluster) => cluster.kubectl(["get", "pods", "-o", "json"])));
        const pods = all.flatMap((text) => (JSON.parse(text) as Pods).items);
        return pods.every(({ status }) => status.containerStatuses?.[0]?.state.running !== undefined) && pods;
      },
      60,
    );
    const addresses = found.map(({ status }) => status.podIP);
    expect(new Set(addresses).size).to.equal(clusters.length * names.length);
    expect(found.map(({ status }) => status.containerStatuses?.[0]?.restartCount)).to.deep.equal(
      addresses.map(() => 0),
    );
  });
});
