import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { parser } from "@prometheus-io/lezer-promql";
import { expect } from "chai";
import { execa } from "execa";
import { parse, parseAllDocuments } from "yaml";

import { renderTree } from "../../lib/tree/render.ts";
import { Toolchain } from "../../toolchain/toolchain.ts";
import { situations } from "./alert-series.ts";

const root = join(import.meta.dirname, "../..");
const monitoring = join(root, "gitops/infrastructure");

interface Rule {
  alert?: string;
  expr: string;
  for?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

interface Manifest {
  kind?: string;
  spec?: { groups?: { name: string; rules: Rule[] }[] };
}

const rules = globSync("**/*.yaml", { cwd: monitoring, exclude: ["**/*.sops.yaml"] }).flatMap((file) =>
  parseAllDocuments(readFileSync(join(monitoring, file), "utf8"))
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest?.kind === "PrometheusRule")
    .flatMap((manifest) => (manifest?.spec?.groups ?? []).flatMap((group) => group.rules))
    .map((rule) => ({ ...rule, file })),
);

/** Where an expression is no PromQL, by Prometheus's own grammar. */
const mistakes = (expression: string): string[] => {
  const found: string[] = [];
  parser.parse(expression).iterate({
    enter: (node) => {
      if (node.type.isError) found.push(expression.slice(Math.max(0, node.from - 10), node.to + 10));
    },
  });
  return found;
};

describe("alerts", () => {
  it("are expressions that Prometheus can parse", () => {
    expect(rules.length).to.be.greaterThan(15);
    for (const { file, alert, expr } of rules) expect(mistakes(expr), `${file}: ${alert ?? ""}`).to.deep.equal([]);
    expect(mistakes("sum by (le (x)")).not.to.deep.equal([]);
  });

  it("say what is wrong, and how bad it is", () => {
    for (const { file, alert, labels, annotations } of rules.filter((rule) => rule.alert !== undefined)) {
      expect(labels?.severity, `${file}: ${alert ?? ""}`).to.match(/^(info|warning|critical)$/);
      expect(annotations?.summary, `${file}: ${alert ?? ""}`).to.match(/\S/);
    }
  });

  it("on silence are about a monitor that there is", async () => {
    // Prometheus calls what a PodMonitor finds by its namespace and its name.
    const jobs = rules.flatMap(({ expr }) => [...expr.matchAll(/job="([^"/]+\/[^"]+)"/g)].map(([, job]) => job));
    expect(jobs.length).to.be.greaterThan(1);
    const { objects } = await renderTree(root, "prod");
    const monitors = objects.filter(({ kind }) => kind === "PodMonitor");
    expect(monitors.map(({ namespace, name }) => `${namespace ?? ""}/${name}`)).to.include.members(jobs);
  }).timeout(60_000);

  it("fire where they have to, and nowhere else, by Prometheus' own engine", async () => {
    const alerts = rules.flatMap(({ alert, expr, for: pending = "" }) =>
      alert === undefined ? [] : [{ alert, expr, for: pending }],
    );
    expect(Object.keys(situations)).to.have.members(alerts.map(({ alert }) => alert));
    const cases = alerts.flatMap(({ alert, ...rule }) =>
      (["fires", "quiet"] as const).flatMap((what) =>
        (situations[alert]?.[what] ?? []).map((series) => ({
          name: `${alert}: ${series.join(", ")}`,
          what,
          ...rule,
          series,
        })),
      ),
    );
    const { "hearth-promql": program = "" } = await new Toolchain({ root }).ensure(["hearth-promql"]);
    const request = { alerts: cases.map(({ expr, for: pending, series }) => ({ expr, for: pending, series })) };
    const { stdout } = await execa(program, { input: JSON.stringify(request) });
    const { fires } = JSON.parse(stdout) as { fires: boolean[] };
    const wrong = (what: "fires" | "quiet") =>
      cases.filter((each, index) => each.what === what && fires[index] !== (what === "fires")).map(({ name }) => name);
    expect({ silent: wrong("fires"), false: wrong("quiet") }).to.deep.equal({ silent: [], false: [] });
    // Each is seen both ways, so that no expression is always true.
    expect(
      Object.values(situations).filter(({ fires: some, quiet }) => some.length === 0 || quiet.length === 0),
    ).to.deep.equal([]);
  }).timeout(120_000);

  it("are named once each", () => {
    const names = rules.flatMap(({ alert }) => alert ?? []);
    expect(new Set(names).size).to.equal(names.length);
  });

  for (const [what, pattern] of [
    ["Flux", /^Flux/],
    ["certificates", /^Certificate/],
    ["backups that are late", /Backup|Snapshot/],
    ["etcd", /^Etcd/],
    ["Ceph", /^Ceph/],
    ["the tunnel", /^Tunnel/],
    ["logs that are missing", /^Logs/],
  ] as const) {
    it(`tell of ${what}`, () => {
      expect(rules.some(({ alert }) => pattern.test(alert ?? ""))).to.equal(true);
    });
  }
});

describe("the dead man's switch", () => {
  interface Route {
    receiver: string;
    matchers?: { name: string; value: string; matchType?: string }[];
    repeatInterval?: string;
    routes?: Route[];
  }
  const read = (file: string) =>
    (
      parse(readFileSync(join(monitoring, "monitoring", file), "utf8")) as {
        spec: { route: Route; receivers: { name: string; webhookConfigs?: { sendResolved: boolean }[] }[] };
      }
    ).spec;

  it("hears of the alert that always fires, and of no other", () => {
    const { route, receivers } = read("dead-mans-switch/config/alertmanager.yaml");
    expect(route.matchers).to.deep.equal([{ name: "alertname", value: "Watchdog" }]);
    expect(route.routes).to.equal(undefined);
    expect(receivers.map(({ name }) => name)).to.deep.equal([route.receiver]);
  });

  it("hears of it often enough for a period of five minutes, and not when it is over", () => {
    const { route, receivers } = read("dead-mans-switch/config/alertmanager.yaml");
    expect(Number(/^(\d+)m$/.exec(route.repeatInterval ?? "")?.[1])).to.be.lessThan(3);
    expect(
      receivers.flatMap(({ webhookConfigs }) => webhookConfigs?.map(({ sendResolved }) => sendResolved)),
    ).to.deep.equal([false]);
  });

  it("is alone in hearing of it: people do not", () => {
    const { route } = read("kube-prometheus-stack/config/alertmanager.yaml");
    const [first] = route.routes ?? [];
    expect(first).to.deep.equal({ matchers: [{ name: "alertname", value: "Watchdog" }], receiver: "nobody" });
  });
});

describe("dashboards", () => {
  const files = globSync("**/dashboards/*.json", { cwd: monitoring });

  it("are there", () => {
    expect(files).not.to.have.lengthOf(0);
  });

  for (const file of files) {
    it(`${file} asks what Prometheus can parse`, () => {
      const { panels } = JSON.parse(readFileSync(join(monitoring, file), "utf8")) as {
        panels: { id: number; title: string; datasource: { type: string }; targets: { expr: string }[] }[];
      };
      expect(new Set(panels.map(({ id }) => id)).size).to.equal(panels.length);
      for (const { title, targets } of panels.filter(({ datasource }) => datasource.type === "prometheus")) {
        for (const { expr } of targets) expect(mistakes(expr), title).to.deep.equal([]);
      }
    });
  }
});
