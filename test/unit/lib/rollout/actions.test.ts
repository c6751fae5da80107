import { expect } from "chai";

import type { Talosctl } from "../../../../lib/cluster/talosctl.ts";
import { clusterActions } from "../../../../lib/rollout/actions.ts";
import type { Access } from "../../../../lib/rollout/read.ts";

const kubeconfig = [
  'clusters: [{ cluster: { server: "https://10.20.0.10:6443", certificate-authority-data: "" } }]',
  'users: [{ user: { client-certificate-data: "", client-key-data: "" } }]',
].join("\n");

/** The actions on three control planes, and the addresses that were asked. */
const threeControlPlanes = () => {
  const asked: string[] = [];
  const talos: Partial<Talosctl> = {
    once: (address) => {
      asked.push(address);
      return Promise.resolve("");
    },
  };
  const machines: Access["machines"] = {
    cp01: { role: "controlplane", address: "10.20.0.11" },
    cp02: { role: "controlplane", address: "10.20.0.12" },
    cp03: { role: "controlplane", address: "10.20.0.13" },
  };
  const access: Access = { talos: talos as Talosctl, kubeconfig, machines };
  return { asked, machines, actions: clusterActions(access, { drainsByItself: true, health: [] }) };
};

describe("an upgrade of Kubernetes", () => {
  it("goes through a control plane that is still there", async () => {
    const { asked, actions } = threeControlPlanes();
    await actions.upgradeKubernetes("v1.36.5", ["cp02"]);
    expect(asked).to.deep.equal(["10.20.0.12"]);
  });
});
