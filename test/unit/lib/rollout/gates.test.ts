import { expect } from "chai";

import { gateProblems, type Readings } from "../../../../lib/rollout/gates.ts";

const machines = {
  cp01: { role: "controlplane" },
  cp02: { role: "controlplane" },
  cp03: { role: "controlplane" },
  wk01: { role: "worker" },
} as const;
const planes = ["cp01", "cp02", "cp03"];

/** A cluster that is whole, changed by a test. */
const whole = (): Readings => ({
  etcd: planes.map((machine) => ({
    machine,
    id: `id-${machine}`,
    leader: "id-cp02",
    members: planes.map((name) => ({ name, isVoting: true })),
    alarms: [],
  })),
  nodes: Object.keys(machines).map((name) => ({ name, isReady: true, message: "", isCordoned: false, boot: "1" })),
  apis: planes.map((machine) => ({ machine })),
});

const problems = (change: (readings: Readings) => void, except?: string): string[] => {
  const readings = whole();
  change(readings);
  return gateProblems({ machines, except }, readings);
};

describe("the gate before a step", () => {
  it("lets a cluster pass that is whole", () => {
    expect(problems(() => undefined)).to.deep.equal([]);
  });

  it("stops at a member of etcd that only learns, or that is missing", () => {
    const learning = problems(({ etcd }) => {
      for (const { members } of etcd) Object.assign(members[2] ?? {}, { isVoting: false });
    });
    expect(learning).to.contain("cp01 does not count cp03 among etcd's voting members");
    const missing = problems(({ etcd }) => {
      etcd.forEach(({ members }) => members.splice(1, 1));
    });
    expect(missing).to.contain("cp03 does not count cp02 among etcd's voting members");
  });

  it("stops at a member of etcd that no control plane is", () => {
    const found = problems(({ etcd }) => etcd[0]?.members.push({ name: "cp09", isVoting: true }));
    expect(found.join()).to.contain("counts cp09 among etcd's members");
  });

  it("stops where a member does not answer, knows no leader or another one", () => {
    const silent = problems(({ etcd }) =>
      Object.assign(etcd[0] ?? {}, { problem: "connection refused", leader: undefined }),
    );
    expect(silent).to.deep.equal(["The etcd member of cp01 does not answer: connection refused"]);
    const leaderless = problems(({ etcd }) => Object.assign(etcd[1] ?? {}, { leader: undefined }));
    expect(leaderless).to.deep.equal(["The etcd member of cp02 knows no leader"]);
    const split = problems(({ etcd }) => Object.assign(etcd[1] ?? {}, { leader: "id-cp03" }));
    expect(split).to.deep.equal(["The members of etcd do not agree on a leader"]);
  });

  it("stops at an alarm, and names it once", () => {
    const found = problems(({ etcd }) => {
      etcd.forEach(({ alarms }) => alarms.push("NOSPACE"));
    });
    expect(found).to.have.length(1);
    expect(found[0]).to.contain("NOSPACE");
  });

  it("stops at another node that is not Ready or not there, and not at the machine of the step", () => {
    const notReady = (readings: Readings) =>
      Object.assign(readings.nodes[3] ?? {}, { isReady: false, message: "kubelet stopped" });
    expect(problems(notReady)).to.deep.equal(["The node wk01 is not Ready: kubelet stopped"]);
    expect(problems(notReady, "wk01")).to.deep.equal([]);
    expect(problems(({ nodes }) => nodes.pop())).to.deep.equal(["The cluster has no node wk01"]);
  });

  it("stops where an API server does not answer, or was not asked", () => {
    const down = problems(({ apis }) => Object.assign(apis[2] ?? {}, { problem: "500" }));
    expect(down).to.deep.equal(["The Kubernetes API of cp03 does not answer: 500"]);
    expect(problems(({ apis }) => apis.pop())).to.have.length(1);
    expect(problems(({ etcd }) => etcd.pop())).to.have.length(1);
  });

  it("expects nothing of a machine that joins or leaves, and all of the others", () => {
    const readings = whole();
    for (const { members } of readings.etcd) members.splice(2, 1);
    readings.etcd[2] = { machine: "cp03", problem: "etcd is not running", leader: "old", members: [], alarms: [] };
    readings.apis.pop();
    readings.nodes.splice(2, 1);
    const outside = { machines, except: "cp03", isOutside: true };
    expect(gateProblems(outside, readings)).to.deep.equal([]);
    expect(gateProblems({ machines, except: "cp03" }, readings)).to.not.deep.equal([]);
    readings.etcd[0]?.members.push({ name: "cp03", isVoting: false });
    expect(gateProblems(outside, readings)).to.deep.equal([]);
    readings.etcd[0]?.members.push({ name: "cp09", isVoting: false });
    expect(gateProblems(outside, readings)).to.have.length(1);
  });
});
