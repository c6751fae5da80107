import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { expect } from "chai";

import { alertmanagersOf, type Alertmanager } from "../../../../lib/cluster/alertmanager.ts";
import { expectedAlerts } from "../../../../lib/rollout/expected-alerts.ts";
import { Silences } from "../../../../lib/rollout/silences.ts";
import { alertmanagerAt, FakeAlertmanager } from "../../../support/fake-alertmanager.ts";

const times = { lapse: 1500, renew: 200 };

const ofNode = { alertname: "KubeNodeNotReady", node: "wk01", severity: "warning" };

const eventually = async (isSo: () => boolean, what: string): Promise<void> => {
  const deadline = Date.now() + 20_000;
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error(`It never came that ${what}`);
    await sleep(20);
  }
};

/** Silences of a rollout of one machine, in an Alertmanager, and what is warned of. */
const silencing = (alertmanagers: () => Promise<Alertmanager[]>, machines = ["wk01"]) => {
  const warnings: string[] = [];
  const args = { alertmanagers, machines, command: "npx hearth deploy dev", times };
  const warn = (problem: string): void => {
    warnings.push(problem);
  };
  return { warnings, silences: new Silences({ ...args, warn }) };
};

describe("the silences of a rollout", () => {
  const running: FakeAlertmanager[] = [];

  afterEach(async () => {
    for (const fake of running.splice(0)) await fake[Symbol.asyncDispose]();
  });

  const started = async () => {
    const fake = new FakeAlertmanager();
    running.push(fake);
    const alertmanager = alertmanagerAt(await fake.start());
    return { fake, ...silencing(() => Promise.resolve([alertmanager])) };
  };

  it("keep what is expected of the machines from people, and nothing else", async () => {
    const { fake, silences } = await started();
    await using both = silences;
    expect(fake.mutes(ofNode)).to.equal(false);
    await both.begin();
    expect(fake.mutes(ofNode)).to.equal(true);
    expect(fake.mutes({ ...ofNode, node: "wk02" })).to.equal(false);
    expect(fake.mutes({ alertname: "KubePodNotReady", namespace: "apps", pod: "web-1" })).to.equal(true);
    for (const alertname of ["CephHealthError", "EtcdNoLeader", "LinstorVolumeWithoutQuorum", "TunnelDown", "Watchdog"])
      expect(fake.mutes({ alertname, node: "wk01" }), alertname).to.equal(false);
    expect([...fake.silences.values()][0]).to.deep.include({
      createdBy: "hearth",
      comment: "npx hearth deploy dev takes machines out of service, one at a time. Lapses by itself",
    });
  });

  it("are renewed in place while the rollout goes on, and lapse after it", async () => {
    const { fake, silences, warnings } = await started();
    await silences.begin();
    await silences.begin();
    for (let looks = 0; looks < 8; looks += 1) {
      await sleep(times.lapse / 5);
      expect(fake.mutes(ofNode)).to.equal(true);
    }
    await silences[Symbol.asyncDispose]();
    expect(fake.silences.size).to.equal(2);
    await eventually(() => !fake.mutes(ofNode), "the silence lapses");
    expect(warnings).to.deep.equal([]);
  });

  it("are made again where Alertmanager moves and loses them, or was away for longer than they last", async () => {
    const { fake, silences, warnings } = await started();
    await using both = silences;
    await both.begin();
    fake.forget();
    await eventually(() => fake.mutes(ofNode), "they are made again");
    expect(warnings).to.deep.equal([]);
    fake.isAway = true;
    await eventually(() => warnings.length === 1, "it is warned of");
    expect(warnings[0]).to.contain("Alertmanager answers 503").and.contain("no endpoints available");
    fake.isAway = false;
    await eventually(() => fake.mutes(ofNode), "they are made again");
    expect(warnings).to.have.length(1);
  });

  it("lapse by themselves when the run is killed", async () => {
    const fake = new FakeAlertmanager();
    running.push(fake);
    const url = await fake.start();
    const script = join(import.meta.dirname, "../../../fixtures/silencing.ts");
    const run = spawn(process.execPath, ["--import", "tsx", script, url], { stdio: "inherit" });
    const died = once(run, "exit");
    await eventually(() => fake.mutes(ofNode), "the run silences alerts");
    run.kill("SIGKILL");
    await died;
    expect(fake.mutes(ofNode)).to.equal(true);
    const killed = Date.now();
    await eventually(() => !fake.mutes(ofNode), "the silence lapses");
    expect(Date.now() - killed).to.be.lessThan(3000);
  });

  it("are none where there is no Alertmanager, and only a warning where it cannot be asked", async () => {
    const none = silencing(() => Promise.resolve([]));
    await none.silences.begin();
    expect(none.warnings).to.deep.equal([]);
    const failing = silencing(() =>
      Promise.reject(new Error("GET /apis/monitoring.coreos.com/v1/alertmanagers answers 403")),
    );
    await failing.silences.begin();
    await failing.silences[Symbol.asyncDispose]();
    expect(failing.warnings).to.deep.equal(["GET /apis/monitoring.coreos.com/v1/alertmanagers answers 403"]);
  });
});

describe("the alerts that a rollout silences", () => {
  it("are alerts of the tree, or of its chart", () => {
    const files = readdirSync("gitops", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".yaml"));
    const rules = files.map((file) => readFileSync(join("gitops", file), "utf8")).join("\n");
    const own = expectedAlerts.filter((name) => !/^(Kube|TargetDown)/.test(name));
    expect(own).to.have.length.greaterThan(5);
    for (const name of own) expect(rules).to.contain(`- alert: ${name}\n`);
  });
});

describe("the Alertmanagers of a cluster", () => {
  it("are asked through the API server, at the Service of each", async () => {
    const asked: unknown[][] = [];
    const kubernetes = {
      list: () =>
        Promise.resolve([
          { metadata: { namespace: "monitoring", name: "kube-prometheus-stack" }, spec: { routePrefix: "/" } },
          { metadata: { namespace: "home", name: "own" }, spec: { routePrefix: "/alerts", serviceName: "own-alerts" } },
        ]),
      ask: (...args: unknown[]) => {
        asked.push(args);
        return Promise.resolve({ status: 200, body: "{}" });
      },
    };
    for (const alertmanager of await alertmanagersOf(kubernetes))
      await alertmanager("POST", "/api/v2/silences", { a: 1 });
    expect(asked).to.deep.equal([
      [
        "POST",
        "/api/v1/namespaces/monitoring/services/alertmanager-operated:9093/proxy/api/v2/silences",
        '{"a":1}',
        "application/json",
      ],
      [
        "POST",
        "/api/v1/namespaces/home/services/own-alerts:9093/proxy/alerts/api/v2/silences",
        '{"a":1}',
        "application/json",
      ],
    ]);
  });
});
