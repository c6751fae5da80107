import { expect } from "chai";

import { verdictsOf, type Measured, type TimedStep } from "../../../../operations/try/judge.ts";
import type { Kind, Track } from "../../../../operations/try/outages.ts";

const plane = { role: "controlplane" } as const;
const worker = { role: "worker" } as const;

/** A thing that was out at these times, in milliseconds; without an end it did not come back. */
const track = (kind: Kind, name: string, ...out: [from: number, to?: number][]): Track => ({
  kind,
  name,
  samples: [
    { at: 0, is: "up" },
    ...out.flatMap(([from, to]) => [
      { at: from, is: "down" as const },
      ...(to === undefined ? [] : [{ at: to, is: "up" as const }]),
    ]),
  ],
});

const step = (name: string, from: number, to: number, isDone = true): TimedStep => ({
  ...{ name, from, to, isDone, what: "changes something", out: name.split("/")[1] ?? "one at a time" },
});

const measured = (change: Partial<Measured>): Measured => ({
  tracks: [],
  steps: [],
  machines: { cp01: plane, cp02: plane, cp03: plane, wk01: worker, wk02: worker },
  removed: [],
  planes: 3,
  spread: {},
  end: 100_000,
  isDone: true,
  ...change,
});

const single: Partial<Measured> = { machines: { cp01: plane, wk01: worker }, planes: 1 };

/** What does not hold of what was measured. */
const broken = (change: Partial<Measured>): string[] =>
  verdictsOf(measured(change)).flatMap(({ isHeld, what, why }) => (isHeld ? [] : [`${what}: ${why[0] ?? ""}`]));

describe("a change of machines", () => {
  const steps = [step("talos/wk01", 1000, 20_000), step("talos/wk02", 20_000, 40_000)];

  it("holds where each is out in its own step", () => {
    const tracks = [
      track("machine", "wk01", [5000, 15_000]),
      track("node", "wk01", [2000, 19_000]),
      track("machine", "wk02", [25_000, 35_000]),
    ];
    expect(broken({ tracks, steps })).to.deep.equal([]);
    expect(verdictsOf(measured({ tracks, steps }))[0]?.measured).to.equal(
      "1 at once at most; wk01 for 17.0 s, wk02 for 10.0 s",
    );
  });

  it("does not hold where two are out together, in whosever step that is", () => {
    const tracks = [track("machine", "wk01", [5000, 21_500]), track("machine", "wk02", [20_500, 35_000])];
    expect(broken({ tracks, steps })).to.deep.equal(["Machines, 5: wk01 and wk02 were out together for 1.0 s"]);
  });

  it("does not hold where one is out that no step is about", () => {
    expect(broken({ tracks: [track("machine", "cp01", [5000, 6000])], steps })).to.deep.equal([
      "Machines, 5: cp01: no step under way was about it",
    ]);
    expect(broken({ tracks: [track("machine", "wk01", [5000, 6000])] })).to.deep.equal([
      "Machines, 5: wk01: no step under way was about it",
    ]);
  });

  it("does not hold where one is out for longer than its step, or for good", () => {
    expect(broken({ tracks: [track("machine", "wk01", [5000, 30_000])], steps })).to.deep.equal([
      "Machines, 5: wk01: it was out outside of talos/wk01, the step that was about it",
    ]);
    expect(broken({ tracks: [track("machine", "wk01", [5000])], steps })).to.deep.equal([
      "Machines, 5: wk01: it was not back when the measuring ended",
    ]);
  });

  it("holds where one goes for good in the step that removes it, and not in one that did not end", () => {
    const tracks = [track("machine", "wk01", [5000])];
    const removed = ["wk01"];
    const renamed = { ...step("rename/wk09", 4000, 9000), out: "wk01" };
    expect(broken({ tracks, removed, steps: [renamed] })).to.deep.equal([]);
    expect(broken({ tracks, removed, steps: [{ ...renamed, out: "wk02" }] })).to.have.length(1);
    expect(broken({ tracks, removed, steps: [step("remove/wk01", 4000, 9000)] })).to.deep.equal([]);
    expect(broken({ tracks, removed, steps: [step("remove/wk01", 4000, 9000, false)] })).to.have.length(1);
  });

  it("lets kubelets restart while Kubernetes is upgraded, but no machine", () => {
    const upgrade = [step("kubernetes", 1000, 50_000)];
    expect(broken({ tracks: [track("node", "wk01", [5000, 6000])], steps: upgrade })).to.deep.equal([]);
    expect(broken({ tracks: [track("machine", "wk01", [5000, 6000])], steps: upgrade })).to.have.length(1);
  });
});

describe("the API of several control planes", () => {
  const steps = [step("talos/cp01", 1000, 50_000)];

  it("may be gone for a second", () => {
    expect(broken({ tracks: [track("api", "", [2000, 3000])], steps })).to.deep.equal([]);
  });

  it("may not be gone for longer, in a step neither", () => {
    expect(broken({ tracks: [track("api", "", [2000, 3001])], steps })).to.deep.equal([
      "The Kubernetes API, at the endpoint: 3 control planes are behind the endpoint, which may be gone for 1 s",
    ]);
  });

  it("may be gone for as long as an API server restarts while Kubernetes is upgraded, and in no other step", () => {
    const tracks = [track("api", "", [2000, 14_000])];
    const upgrade = step("kubernetes", 1000, 50_000);
    expect(broken({ tracks, steps: [upgrade] })).to.deep.equal([]);
    expect(broken({ tracks: [track("api", "", [2000, 63_000])], steps: [upgrade] })).to.have.length(1);
    const server = { ...step("configure/cp01", 1000, 50_000), out: "the API server of cp01" };
    expect(broken({ tracks, steps: [server] })).to.have.length(1);
  });

  it("needs a quorum, which an election does not take away", () => {
    expect(broken({ tracks: [track("etcd", "", [2000, 4000])], steps })).to.deep.equal([]);
    expect(broken({ tracks: [track("etcd", "", [2000, 6000])], steps })).to.deep.equal([
      "etcd's quorum: 3 control planes keep the quorum",
    ]);
  });
});

describe("the API of one control plane", () => {
  it("goes with its machine, as the step says", () => {
    const steps = [step("talos/cp01", 1000, 50_000)];
    const tracks = [track("api", "", [2000, 20_000]), track("etcd", "", [2000, 20_000])];
    expect(broken({ ...single, tracks, steps })).to.deep.equal([]);
  });

  it("may miss one answer", () => {
    const steps = [step("talos/wk01", 1000, 50_000)];
    expect(broken({ ...single, tracks: [track("api", "", [2000, 2400])], steps })).to.deep.equal([]);
  });

  it("does not go with a worker", () => {
    const steps = [step("talos/wk01", 1000, 50_000)];
    expect(broken({ ...single, tracks: [track("api", "", [2000, 20_000])], steps })).to.have.length(1);
  });

  it("has to come back", () => {
    const steps = [step("talos/cp01", 1000, 50_000)];
    expect(broken({ ...single, tracks: [track("api", "", [2000])], steps })).to.have.length(1);
  });
});

describe("a route", () => {
  const tracks = [track("route", "welcome/welcome", [2000, 9000])];

  it("may be gone with the only node that has its pods", () => {
    expect(broken({ tracks, spread: { "welcome/welcome": 1 } })).to.deep.equal([]);
  });

  it("may not be gone where another node has them as well", () => {
    expect(broken({ tracks, spread: { "welcome/welcome": 2 } })).to.deep.equal([
      "Services of 1 route: welcome/welcome: its Service had ready pods on 2 nodes",
    ]);
  });

  it("has to come back", () => {
    expect(broken({ tracks: [track("route", "welcome/welcome", [2000])] })).to.have.length(1);
  });
});

describe("a tunnel or record", () => {
  it("has to stay, unless the change takes it away for good", () => {
    expect(broken({ tracks: [track("edge", "CNAME a.example.com", [2000, 3000])] })).to.have.length(1);
    expect(broken({ tracks: [track("edge", "CNAME a.example.com", [2000])] })).to.deep.equal([]);
    expect(broken({ tracks: [track("edge", "CNAME a.example.com", [2000])], isDone: false })).to.have.length(1);
  });
});

describe("Flux", () => {
  it("may be busy, and has to be ready in the end", () => {
    expect(broken({ tracks: [track("flux", "Kustomization a/b", [2000, 9000])] })).to.deep.equal([]);
    expect(broken({ tracks: [track("flux", "Kustomization a/b", [2000])] })).to.have.length(1);
  });
});
