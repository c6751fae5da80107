import { expect } from "chai";

import type { Exemption } from "../../../../infra/config/policy.ts";
import { resourceChanges } from "../../../../operations/preview/changes.ts";
import type { EngineEvent } from "../../../../lib/engine/events.ts";
import { Fingerprints } from "../../../../operations/preview/fingerprints.ts";
import { propertyDiff } from "../../../../operations/preview/property-diff.ts";
import { outcomeOf, report, type Preview } from "../../../../operations/preview/report.ts";
import { treeChanges, type TreeObject } from "../../../../operations/preview/tree-changes.ts";
import { Secret, Unknown, type Values } from "../../../../lib/engine/value.ts";

const fingerprints = Fingerprints.of("seed");
const urnOf = (type: string, name: string) => `urn:pulumi:dev::hearth::${type}::${name}`;
const step = (op: string, type: string, name = "it"): EngineEvent => ({
  resourcePreEvent: { metadata: { op, type, urn: urnOf(type, name) } },
});
const changesOf = (...events: EngineEvent[]) => resourceChanges(events, new Map(), new Map(), fingerprints);
const vm = "proxmoxve:index/vmLegacy:VmLegacy";

describe("the changes of resources", () => {
  it("begin with replaced and deleted machines, secrets, volumes and tunnels", () => {
    const changes = changesOf(
      step("create", "cloudflare:index/dnsRecord:DnsRecord", "a"),
      step("delete", "cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared", "t"),
      step("replace", "random:index/randomPassword:RandomPassword", "s"),
      step("delete", "kubernetes:core/v1:PersistentVolumeClaim", "v"),
      step("update", vm, "u"),
      step("delete", vm, "m"),
    );
    expect(changes.map(({ name, danger }) => [name, danger])).to.deep.equal([
      ["m", "machine"],
      ["s", "secret"],
      ["v", "volume"],
      ["t", "tunnel"],
      ["u", undefined],
      ["a", undefined],
    ]);
  });

  it("are one for all steps of a replacement, and none for what stays", () => {
    const changes = changesOf(
      step("delete-replaced", vm),
      step("replace", vm),
      step("create-replacement", vm),
      step("same", vm, "other"),
    );
    expect(changes.map(({ operation }) => operation)).to.deep.equal(["replace"]);
  });

  it("mark a disk that a machine loses", () => {
    const disks = (count: number) => ({
      disks: Array.from({ length: count }, (_, i) => ({ interface: `scsi${i}`, size: 10 })),
    });
    const states = (inputs: Values) => new Map([[urnOf(vm, "it"), { inputs, outputs: {} }]]);
    const [change] = resourceChanges([step("update", vm)], states(disks(2)), states(disks(1)), fingerprints);
    expect(change?.danger).to.equal("volume");
    const [grown] = resourceChanges([step("update", vm)], states(disks(1)), states(disks(2)), fingerprints);
    expect(grown?.danger).to.equal(undefined);
  });
});

describe("the properties that differ", () => {
  const diff = (before: Values, after: Values) =>
    propertyDiff(before, after, fingerprints).map(({ path, before: from, after: to }) => [path, from, to]);

  it("are told down to single values, an inserted item by itself", () => {
    expect(
      diff({ rules: [{ host: "a" }, { host: "z" }] }, { rules: [{ host: "a" }, { host: "m" }, { host: "z" }] }),
    ).to.deep.equal([["rules[1]", undefined, '{host: "m"}']]);
    expect(diff({ rules: [{ host: "a", port: 1 }] }, { rules: [{ host: "a", port: 2 }] })).to.deep.equal([
      ["rules[0].port", "1", "2"],
    ]);
  });

  it("show as a fingerprint what is called or looks like a secret, though nobody marked it", () => {
    const patch = (value: string) => ({ configPatches: [`machine:\n  token: ${value}\n`], auth: { password: value } });
    const found = diff(patch("hunter2"), patch("hunter3"));
    expect(found.map(([path]) => path)).to.deep.equal(["configPatches[0]", "auth.password"]);
    expect(JSON.stringify(found)).not.to.contain("hunter");
  });

  it("show a secret as a fingerprint, and a value that only became secret not at all", () => {
    expect(diff({ token: new Secret("one") }, { token: new Secret("two") })[0]?.slice(1)).to.deep.equal([
      fingerprints.print("one"),
      fingerprints.print("two"),
    ]);
    expect(diff({ token: "one" }, { token: new Secret("one") })).to.deep.equal([]);
  });

  it("say where a value is not known yet", () => {
    expect(diff({ id: "1" }, { id: new Unknown() })).to.deep.equal([["id", '"1"', "(not known yet)"]]);
  });
});

describe("the changes of the tree", () => {
  const object = (kind: string, name: string, more: object = {}): TreeObject => ({
    kustomization: "flux-system/app",
    apiVersion: "v1",
    kind,
    namespace: "apps",
    name,
    file: "app.yaml",
    object: { kind, metadata: { name }, ...more },
  });

  it("tell of added, changed and removed objects, removed volumes first", () => {
    const changes = treeChanges(
      [
        object("Service", "gone"),
        object("PersistentVolumeClaim", "data"),
        object("ConfigMap", "c", { data: { a: "1" } }),
      ],
      [object("ConfigMap", "c", { data: { a: "2" } }), object("Service", "new")],
      fingerprints,
    );
    expect(changes.map(({ operation, name, danger }) => [operation, name, danger])).to.deep.equal([
      ["remove", "apps/data", "volume"],
      ["remove", "apps/gone", undefined],
      ["change", "apps/c", undefined],
      ["add", "apps/new", undefined],
    ]);
    expect(changes[2]?.lines).to.include('-  a: "1"').and.to.include('+  a: "2"');
  });

  it("show which encrypted value changed, and no value of a Secret", () => {
    const secret = (ciphertext: string) => ({
      ...object("Secret", "s", { stringData: { password: "placeholder", user: "robot" } }),
      encrypted: { "stringData.password": ciphertext },
    });
    const [change] = treeChanges([secret("ENC[one]")], [secret("ENC[two]")], fingerprints);
    expect(change?.lines.filter((line) => /^[+-]/.test(line))).to.have.length(2);
    expect(change?.lines.join("\n"))
      .to.match(/\+ {2}password: ‹/)
      .and.not.to.match(/robot|ENC|placeholder/);
  });
});

describe("what a preview comes to", () => {
  const nothing: Preview = {
    ...{ stack: "dev", head: "Commit `a`", base: undefined, state: "today", resources: [], same: 38, machines: [] },
    ...{ restarts: [], tree: [], policy: undefined, problems: [], warnings: [], unknown: ["drift"] },
  };
  const dangerous = { ...nothing, resources: changesOf(step("delete", vm)) };

  it("is the worst of what it tells", () => {
    expect(outcomeOf(nothing)).to.equal("unchanged");
    expect(outcomeOf({ ...nothing, resources: changesOf(step("update", vm)) })).to.equal("changes");
    expect(outcomeOf(dangerous)).to.equal("dangerous");
    expect(outcomeOf({ ...dangerous, problems: ["no"] })).to.equal("failed");
    const refused = { steps: [], notes: [], refusals: ["no"] };
    expect(outcomeOf({ ...nothing, rollout: refused })).to.equal("failed");
    const finding = { policy: "p", resource: "r", message: "m", mandatory: true };
    expect(outcomeOf({ ...nothing, policy: { passed: 1, findings: [finding] } })).to.equal("failed");
    expect(outcomeOf({ ...nothing, policy: { passed: 1, findings: [{ ...finding, mandatory: false }] } })).to.equal(
      "unchanged",
    );
  });

  it("stands in the heading, before anything else", () => {
    expect(report(nothing)).to.match(/^# Preview of dev: nothing changes\n\n38 unchanged\./);
    expect(report(dangerous)).to.match(/^# Preview of dev: ⚠ dangerous changes\n/);
  });

  it("says of what cannot be made again whether a deployment would lose it", () => {
    const exemption = (until: string) => ({
      ...{ policy: "kept-resources" as const, reason: "It is sold", resources: ["it"], until },
    });
    const told = (...exemptions: Exemption[]) => report({ ...dangerous, exemptions });
    expect(told()).to.contain("; refused, for no exemption from `kept-resources` names it");
    expect(told({ ...exemption("2999-12-31"), resources: ["another"] })).to.contain("; refused");
    expect(told(exemption("2020-01-01"))).to.contain("; refused");
    expect(told(exemption("2999-12-31")))
      .to.contain("; exempt until 2999-12-31: It is sold")
      .and.not.contain("refused");
    expect(report({ ...nothing, resources: changesOf(step("update", vm)) })).not.to.contain("refused");
  });

  it("says that nothing but the state was asked", () => {
    expect(report(nothing)).to.contain("the state of today, not with what is there now");
  });
});
