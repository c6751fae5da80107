import { expect } from "chai";

import { machineRestarts, merged } from "../../../../operations/preview/reboots.ts";

const node = "den-dev-wk01";
const machine = (fields: string, more = ""): string =>
  `version: v1alpha1\nmachine:\n  type: worker\n${fields}\n${more}`;
const installed = (image: string, disk = "/dev/sda"): string =>
  machine(`  install: { disk: ${disk}, image: ${image} }`);
const restarts = (before: string, after: string) => machineRestarts(node, before, after);

describe("what needs a reboot", () => {
  it("is nothing for what Talos changes while it runs", () => {
    const after = machine(
      "  nodeLabels: { a: b }\n  sysctls: { vm.nr_hugepages: '64' }\n  kernel: { modules: [{ name: drbd }] }",
    );
    expect(restarts(machine(""), after)).to.deep.equal([]);
    expect(
      restarts(machine("", "cluster: {}"), machine("", "cluster: { discovery: { enabled: false } }")),
    ).to.deep.equal([]);
  });

  it("is a reboot for the rest of the machine section, by its field", () => {
    expect(
      restarts(
        machine("  features: {}"),
        machine("  udev: { rules: [a] }\n  features: { rbac: true, kubePrism: { port: 1 } }"),
      ),
    ).to.deep.equal([
      {
        ...{ node, what: "reboots when it gets its configuration", isAtOnce: true },
        why: "machine.udev, machine.features.rbac",
      },
    ]);
  });

  it("is a reboot for features where there were none, whatever they are", () => {
    expect(
      restarts(machine(""), machine("  features: { kubePrism: { port: 1 } }")).map(({ why }) => why),
    ).to.deep.equal(["machine.features"]);
  });

  it("is a reboot for what stands beside the machine section, but for debug", () => {
    expect(
      restarts(machine("", "persist: true\ndebug: false"), machine("", "persist: false\ndebug: true")).map(
        ({ why }) => why,
      ),
    ).to.deep.equal(["persist"]);
  });

  it("is an upgrade for another Talos version", () => {
    const [restart] = restarts(
      installed("factory.talos.dev/metal-installer/abc:v1.13.8"),
      installed("factory.talos.dev/metal-installer/abc:v1.13.9"),
    );
    expect(restart?.why).to.equal("Talos v1.13.8 → v1.13.9");
    expect(restart?.what).to.contain("upgrade with a reboot to `factory.talos.dev/metal-installer/abc:v1.13.9`");
  });

  it("is an upgrade for another schematic and for SecureBoot", () => {
    const [restart] = restarts(
      installed("factory.talos.dev/metal-installer/abc:v1.13.9"),
      installed("factory.talos.dev/metal-installer-secureboot/def:v1.13.9"),
    );
    expect(restart?.why).to.match(/schematic.*metal-installer → metal-installer-secureboot/);
  });

  it("is a new installation for another disk", () => {
    expect(
      restarts(installed("a/b/c:v1"), installed("a/b/c:v1", "/dev/nvme0n1")).map(({ what }) => what),
    ).to.deep.equal(["nothing until it is installed anew"]);
  });

  it("is nothing for the taints of a worker, but a command of one's own for those that evict pods", () => {
    const tainted = (...keys: string[]) =>
      machine(
        `  kubelet: { extraConfig: { registerWithTaints: [${keys.map((key) => `{ key: ${key}, effect: NoSchedule }`).join(", ")}] } }`,
      );
    const isSet = { node, what: "nothing: `npx hearth deploy` sets them", why: "taints of a worker that runs" };
    expect(restarts(machine(""), tainted("gpu"))).to.deep.equal([isSet]);
    expect(restarts(tainted("gpu"), tainted("other"))).to.deep.equal([isSet]);
    expect(restarts(tainted("gpu"), machine(""))).to.deep.equal([isSet]);
    expect(restarts(tainted("gpu"), tainted("gpu"))).to.deep.equal([]);
    const evicting = machine(
      "  kubelet: { extraConfig: { registerWithTaints: [{ key: gpu, value: a, effect: NoExecute }] } }",
    );
    expect(restarts(tainted("gpu"), evicting)).to.deep.equal([
      {
        node,
        what: `\`kubectl taint node ${node} gpu=a:NoExecute gpu:NoSchedule-\` by you`,
        why: "a taint that evicts pods at once",
      },
    ]);
  });

  it("is fatal for another encryption, for Talos encrypts no volume that exists", () => {
    const volume = "---\napiVersion: v1alpha1\nkind: VolumeConfig\nname: STATE\nencryption: { provider: luks2 }\n";
    const [restart] = restarts(machine(""), machine("", volume));
    expect(restart).to.deep.include({ why: "other keys of VolumeConfig STATE", isFatal: true });
  });

  it("is a wiped volume for another size", () => {
    const volume = (size: string) =>
      machine(
        "",
        `---\napiVersion: v1alpha1\nkind: VolumeConfig\nname: EPHEMERAL\nprovisioning: { maxSize: ${size} }\n`,
      );
    expect(restarts(volume("10GiB"), volume("20GiB"))).to.deep.equal([
      { node, what: "nothing until the volume is wiped and made anew", why: "VolumeConfig EPHEMERAL" },
    ]);
  });

  describe("for the keys of an encrypted volume", () => {
    const volume = (...keys: string[]) =>
      machine(
        "",
        `---\napiVersion: v1alpha1\nkind: VolumeConfig\nname: EPHEMERAL\nencryption: { provider: luks2, keys: [${keys.join(", ")}] }\n`,
      );
    const tpm = "{ slot: 0, tpm: {} }";
    const recovery = (passphrase: string) => `{ slot: 1, static: { passphrase: ${passphrase} } }`;
    const whatOf = (before: string, after: string) =>
      restarts(before, after).map(({ what, isAtOnce }) => [what, isAtOnce]);
    const byRestart = [["has them when it restarts", undefined]];

    it("is a restart where one of them stays, so that the volume opens", () => {
      expect(whatOf(volume(tpm), volume(recovery("a"), tpm))).to.deep.equal(byRestart);
      expect(whatOf(volume(recovery("a"), tpm), volume(recovery("b"), tpm))).to.deep.equal(byRestart);
      expect(whatOf(volume(recovery("a"), tpm), volume(tpm))).to.deep.equal(byRestart);
    });

    it("is fatal where none stays", () => {
      expect(restarts(volume(tpm), volume("{ slot: 0, nodeID: {} }"))).to.deep.equal([
        {
          ...{ node, what: "cannot open its disks when it restarts", isFatal: true },
          why: "other keys of VolumeConfig EPHEMERAL",
        },
      ]);
    });

    it("is told without the keys", () => {
      expect(JSON.stringify(restarts(volume(tpm), volume(recovery("hunter2"), tpm)))).to.not.contain("hunter2");
    });
  });

  it("is known of the patches alone, while the keys are not", () => {
    const patches = (...documents: string[]) => merged(documents);
    const install = "machine: { install: { disk: /dev/sda, image: 'a/b/c:v1.13.9' } }";
    const [before, after] = [
      patches(install, "machine: { kubelet: { extraArgs: { a: b } } }"),
      patches(install, "machine: { udev: { rules: [a] } }", "machine: { kubelet: { extraArgs: { a: c } } }"),
    ];
    expect(restarts(before, after)).to.deep.equal([
      { node, what: "reboots when it gets its configuration", why: "machine.udev", isAtOnce: true },
    ]);
    expect(restarts(after, after)).to.deep.equal([]);
  });
});
