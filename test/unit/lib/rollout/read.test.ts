import { expect } from "chai";

import type { KubernetesObject } from "../../../../lib/cluster/kubernetes.ts";
import { etcdAlarms, etcdStatus, type Talosctl } from "../../../../lib/cluster/talosctl.ts";
import { podsToEvict } from "../../../../lib/rollout/drain.ts";
import { leaderOf, readLed, readMachine } from "../../../../lib/rollout/read.ts";

describe("the status of etcd that talosctl prints", () => {
  const table = (leader: string) =>
    [
      "NODE         MEMBER             DB SIZE   IN USE            LEADER             RAFT INDEX   RAFT TERM   LEARNER   ERRORS",
      `10.20.0.11   a49c021e76e707db   20 MB     7.4 MB (36.95%)   ${leader}   53391        4           false     `,
    ].join("\n");

  it("tells a member and its leader, among sizes with spaces", () => {
    expect(etcdStatus(table("ecebb05b59a776f1"))).to.deep.equal({ id: "a49c021e76e707db", leader: "ecebb05b59a776f1" });
  });

  it("tells that there is no leader, or nothing", () => {
    expect(etcdStatus(table("0000000000000000"))?.leader).to.equal(undefined);
    expect(etcdStatus("")).to.equal(undefined);
  });

  it("tells alarms, and none where it prints nothing", () => {
    expect(
      etcdAlarms("NODE         MEMBER             ALARM\n10.20.0.11   a49c021e76e707db   NOSPACE\n"),
    ).to.deep.equal(["NOSPACE"]);
    expect(etcdAlarms("")).to.deep.equal([]);
  });
});

describe("a machine that is read", () => {
  const answers = (extensions: string): Talosctl =>
    ({
      once: (_: string, [command, what]: string[]) =>
        Promise.resolve(
          command === "read"
            ? "boot-id\n"
            : what === "extensions"
              ? extensions
              : "node: a\nspec:\n    version: v1.13.9\n",
        ),
    }) as Partial<Talosctl> as Talosctl;
  const extension = (name: string, version: string) =>
    `node: a\nspec:\n    metadata:\n        name: ${name}\n        version: ${version}\n`;

  it("tells its release, its boot, and the schematic among its extensions", async () => {
    const two = `${extension("qemu-guest-agent", "1.0")}---\n${extension("schematic", "abc")}`;
    expect(await readMachine(answers(two), "a")).to.deep.equal({
      version: "v1.13.9",
      schematic: "abc",
      boot: "boot-id",
    });
  });

  it("has no schematic where no factory made its image", async () => {
    expect((await readMachine(answers(""), "a")).schematic).to.equal(undefined);
  });

  it("is the leader if its member is the one that all name", () => {
    const view = (machine: string, leader?: string) => ({
      machine,
      id: `id-${machine}`,
      leader,
      members: [],
      alarms: [],
    });
    const readings = { etcd: [view("cp01", "id-cp02"), view("cp02", "id-cp02")], nodes: [], apis: [] };
    expect(leaderOf(readings)).to.equal("cp02");
    expect(leaderOf({ ...readings, etcd: [view("cp01")] })).to.equal(undefined);
  });
});

describe("the pods that leave a node", () => {
  const pod = (name: string, metadata: object, more: object = {}): KubernetesObject => ({
    metadata: { name, namespace: "apps", ...metadata },
    ...more,
  });

  it("are those that something else starts elsewhere, with their claims", () => {
    const volumes = [{ persistentVolumeClaim: { claimName: "data" } }, { emptyDir: {} }];
    expect(podsToEvict([pod("web", {}, { spec: { volumes }, status: { phase: "Running" } })])).to.deep.equal([
      { namespace: "apps", name: "web", claims: ["data"] },
    ]);
  });

  it("are neither static, nor of a DaemonSet, nor ended", () => {
    const pods = [
      pod("static", { annotations: { "kubernetes.io/config.mirror": "x" } }),
      pod("daemon", { ownerReferences: [{ kind: "DaemonSet", controller: true }] }),
      pod("done", {}, { status: { phase: "Succeeded" } }),
      pod("failed", {}, { status: { phase: "Failed" } }),
    ];
    expect(podsToEvict(pods)).to.deep.equal([]);
  });
});

describe("a cluster that is read", () => {
  const view = (leader?: string, problem?: string) => ({ machine: "cp01", leader, problem, members: [], alarms: [] });
  /** Reads one answer after the other, the last one for ever, and gives what was read with how often. */
  const read = async (...answers: ReturnType<typeof view>[][]) => {
    let asked = 0;
    const ask = () =>
      Promise.resolve({ etcd: answers[Math.min(asked++, answers.length - 1)] ?? [], apis: [], nodes: [] });
    const { etcd } = await readLed(ask, () => undefined, { most: 50, pause: 1 });
    return { asked, etcd };
  };

  it("has the leader that its etcd elects just now, or once it has started", async () => {
    const elected = [view("b"), view("b")];
    const before = [[view(undefined, "connection refused")], [view(), view(undefined, "connection refused")]];
    expect(await read(...before, elected)).to.deep.equal({ asked: 3, etcd: elected });
    expect(await read([view("b"), view()])).to.include({ asked: 1 });
  });

  it("is not waited for longer than that takes", async () => {
    expect((await read([view()])).etcd).to.deep.equal([view()]);
  });
});
