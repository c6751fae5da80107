import { expect } from "chai";

import { machineRestarts } from "../../../../operations/preview/reboots.ts";

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

  it("is a wiped volume for another encryption", () => {
    const volume = "---\napiVersion: v1alpha1\nkind: VolumeConfig\nname: STATE\nencryption: { provider: luks2 }\n";
    expect(restarts(machine(""), machine("", volume)).map(({ why }) => why)).to.deep.equal(["VolumeConfig STATE"]);
  });
});
