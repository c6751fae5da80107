import { expect } from "chai";

import { resourceTypes } from "../../../components/resource-types.ts";
import { RolloutGuard, type Update } from "../../../infra/rollout-guard.ts";
import { rolloutEnvironment, rolloutNote, withRunningKubernetes } from "../../../infra/rollout.ts";

const generated = (kubernetes = "v1.36.4", more = ""): string =>
  `machine:\n  type: worker\n  kubelet: { image: "ghcr.io/siderolabs/kubelet:${kubernetes}" }\n  features: { rbac: true }\n${more}`;

const patches = (...machine: string[]): string[] => [
  "machine: { install: { image: factory.talos.dev/metal-installer/abc:v1.13.9 } }",
  ...machine,
  "apiVersion: v1alpha1\nkind: HostnameConfig\nhostname: a\n",
];

const configuration = (name: string, after: { patches?: string[]; generated?: unknown }): Update => ({
  ...{ type: resourceTypes.machineConfiguration, name },
  before: { machineConfigurationInput: generated(), configPatches: patches() },
  after: {
    machineConfigurationInput: "generated" in after ? after.generated : generated(),
    configPatches: after.patches ?? patches(),
  },
});

const machine = (name: string, before: object, after: object): Update => ({
  ...{ type: resourceTypes.virtualMachine, name },
  before: { cpu: { cores: 2 }, tags: ["a"], ...before },
  after: { cpu: { cores: 2 }, tags: ["a"], ...after },
});

/** What a guard says of updates, in their order. */
const said = (...updates: Update[]): string => {
  const guard = new RolloutGuard("dev");
  try {
    for (const update of updates) guard.judge(update);
    return "";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

const udev = (name: string): Update => configuration(name, { patches: patches("machine: { udev: { rules: [a] } }") });

describe("an update by hand", () => {
  it("may restart one machine, for its configuration and its virtual machine", () => {
    expect(said(udev("wk01"), machine("wk01", {}, { cpu: { cores: 4 } }))).to.equal("");
  });

  it("is refused where a second machine would restart, whatever for, and names both and the command", () => {
    const message = said(udev("wk01"), machine("wk02", {}, { cpu: { cores: 4 } }));
    expect(message).to.contain("wk01 (machine.udev) and wk02 (cpu)").and.contain("npx hearth deploy dev");
  });

  it("is refused where a machine could not open its disks when it restarts", () => {
    const volume =
      "apiVersion: v1alpha1\nkind: VolumeConfig\nname: STATE\nencryption: { provider: luks2, keys: [{ slot: 0, nodeID: {} }] }";
    expect(said(configuration("wk01", { patches: patches(volume) })))
      .to.contain("wk01 could not open its disks when it restarts (other keys of VolumeConfig STATE)")
      .and.contain("remove the machine, deploy, wipe its disks, and add it again");
  });

  it("does not record that a machine has SecureBoot", () => {
    const secure = patches().map((patch) => patch.replace("metal-installer", "metal-installer-secureboot"));
    expect(said(configuration("wk01", { patches: secure }))).to.contain(
      "wk01: SecureBoot is turned on at the machine only, after it was wiped, and by no update: run npx hearth deploy dev",
    );
  });

  it("migrates one machine, and not two together", () => {
    const moves = (name: string) => machine(name, { nodeName: "pve1" }, { nodeName: "pve2" });
    expect(said(moves("wk01"))).to.equal("");
    expect(said(moves("wk01"), moves("wk02"))).to.contain("wk01 (another host) and wk02 (another host)");
  });

  it("gives one machine another name, and not two together", () => {
    const named = (hostname: string) => [
      ...patches(),
      `apiVersion: v1alpha1\nkind: HostnameConfig\nhostname: ${hostname}\n`,
    ];
    const renames = (from: string, to: string) => {
      const { before, ...update } = configuration(to, { patches: named(to) });
      return { ...update, before: { ...before, configPatches: named(from) } };
    };
    expect(said(renames("wk01", "wk08"))).to.equal("");
    expect(said(renames("wk01", "wk08"), renames("wk02", "wk09"))).to.contain(
      "wk08 (another name) and wk09 (another name)",
    );
  });

  it("may change on all machines what they take while they run", () => {
    const labels = patches("machine: { nodeLabels: { a: b }, features: { kubePrism: { enabled: true } } }");
    expect(said(...["wk01", "wk02"].map((name) => configuration(name, { patches: labels })))).to.equal("");
    expect(said(...["wk01", "wk02"].map((name) => machine(name, {}, { tags: ["b"] })))).to.equal("");
    const installer = patches().map((patch) => patch.replace("v1.13.9", "v1.13.10"));
    expect(said(...["wk01", "wk02"].map((name) => configuration(name, { patches: installer })))).to.equal("");
  });

  it("is refused where the API servers of two control planes would restart together, whatever a worker gets", () => {
    const plane = generated().replace("worker", "controlplane");
    const server = patches("cluster: { apiServer: { certSANs: [k8s.example.com] } }");
    const update = (name: string, text = plane, after = server): Update => {
      const all = configuration(name, { patches: after, generated: text });
      return { ...all, before: { ...all.before, machineConfigurationInput: text } };
    };
    expect(said(update("cp01"), update("wk01", generated()))).to.equal("");
    expect(said(update("cp01"), update("cp02")))
      .to.contain("These API servers would restart together: cp01 (cluster.apiServer.certSANs) and cp02")
      .and.contain("npx hearth deploy dev");
    const image = patches("cluster: { apiServer: { image: a }, controllerManager: { extraArgs: { v: 2 } } }");
    expect(said(update("cp01", plane, image), update("cp02", plane, image))).to.equal("");
  });

  it("may have other notes of the plugin on what was left to its defaults", () => {
    const noted = {
      watchdog: { __defaults: [], enabled: false },
      serialDevices: [{ __defaults: [], device: "socket" }],
    };
    const plain = { watchdog: { enabled: false }, serialDevices: [{ device: "socket" }] };
    const tags = (name: string) => machine(name, plain, { ...noted, tags: ["b"] });
    expect(said(tags("wk01"), tags("wk02"))).to.equal("");
  });

  it("is refused for another Kubernetes release, which would reach all machines at once", () => {
    const message = said(configuration("wk01", { generated: generated("v1.36.5") }));
    expect(message).to.contain("from v1.36.4 to v1.36.5 on all machines").and.contain("npx hearth deploy dev");
  });

  it("is refused for another address of a machine, and for another endpoint, and names the way", () => {
    const moved = configuration("wk01", {});
    const from = { ...moved, before: { ...moved.before, node: "10.20.0.21" } };
    expect(said({ ...from, after: { ...moved.after, node: "10.20.0.22" } })).to.contain(
      "wk01 would go from 10.20.0.21 to 10.20.0.22, and no update changes the address of a machine that runs",
    );
    expect(said({ ...from, after: { ...moved.after, node: "10.20.0.21" } })).to.equal("");
    const at = (host: string): string =>
      generated("v1.36.4", `cluster: { controlPlane: { endpoint: "https://${host}:6443" } }\n`);
    const other = configuration("wk01", { generated: at("10.20.0.9") });
    expect(said({ ...other, before: { ...other.before, machineConfigurationInput: at("10.20.0.10") } })).to.contain(
      "cluster.endpoint would go from https://10.20.0.10:6443 to https://10.20.0.9:6443",
    );
  });

  it("is refused for another role, which etcd or its own pods would not survive", () => {
    const plane = generated().replace("type: worker", "type: controlplane");
    expect(said(configuration("wk01", { generated: plane })))
      .to.contain("wk01 is a worker and would become a control plane")
      .and.contain("run npx hearth deploy dev, which replaces it");
    const other = configuration("wk01", {});
    expect(said({ ...other, before: { ...other.before, machineConfigurationInput: plane } })).to.contain(
      "wk01 is a control plane and would become a worker",
    );
  });

  it("sees what is generated, and knows of nothing that is not known yet", () => {
    const changed = (name: string) =>
      configuration(name, { generated: generated("v1.36.4", "  pods: []\n  udev: {}\n") });
    expect(said(changed("wk01"), changed("wk02"))).to.contain("machine.udev");
    const unknown = (name: string) => configuration(name, { generated: undefined });
    expect(said(unknown("wk01"), unknown("wk02"))).to.equal("");
  });

  it("may do anything to resources that are no machines", () => {
    const guard = new RolloutGuard("dev");
    expect(
      [resourceTypes.machineConfiguration, resourceTypes.virtualMachine].map((type) => guard.judges(type)),
    ).to.deep.equal([true, true]);
    expect(guard.judges(resourceTypes.secret)).to.equal(false);
  });
});

describe("a command that carries a rollout out", () => {
  it("says so to the program, which then renders the Kubernetes that runs", () => {
    const config = { cluster: { kubernetes: "v1.36.4", name: "dev" } };
    expect(rolloutNote({})).to.equal(undefined);
    expect(withRunningKubernetes(config, rolloutNote({}))).to.deep.equal(config);
    expect(withRunningKubernetes(config, rolloutNote(rolloutEnvironment()))).to.deep.equal(config);
    expect(withRunningKubernetes(config, rolloutNote(rolloutEnvironment({ kubernetes: "v1.36.3" })))).to.deep.equal({
      cluster: { kubernetes: "v1.36.3", name: "dev" },
    });
  });
});
