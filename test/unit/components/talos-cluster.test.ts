import * as pulumi from "@pulumi/pulumi";
import * as talos from "@pulumi/talos";
import { expect } from "chai";
import { parseAllDocuments } from "yaml";

import type { Machine } from "../../../components/machines/machine.ts";
import { metalMachine } from "../../../components/machines/metal.ts";
import { TalosCluster, type TalosClusterArgs } from "../../../components/talos/cluster.ts";
import { bootstrapNodeOf } from "../../../components/talos/bootstrap-node.ts";
import { secretPatchesOf } from "../../../components/talos/secret-patches.ts";
import { run } from "../../support/graph.ts";
import { clusterSettings, machineFacts } from "../../support/machines.ts";
import { expectSound, leaks } from "../../support/sound.ts";

const apply = "talos:machine/configurationApply:ConfigurationApply";
const machineSecret = "c2VjcmV0LW9mLW1hY2hpbmVz";
const authority = { cert: "Q0VSVA==", key: "S0VZ" };
const certs = {
  ...{ os: authority, k8s: authority, etcd: authority, k8sAggregator: authority },
  k8sServiceaccount: { key: "S0VZ" },
};
const wireguardKey = "d2lyZWd1YXJkLWtleQ==";

const virtual = (address: string, changes: Partial<Machine> = {}): Machine => ({
  ...machineFacts({ address, link: { mac: `BC:24:11:20:00:${address.slice(-2)}`, dhcp: false } }),
  platform: "nocloud",
  resources: [],
  resetOnDestroy: false,
  ...changes,
});

const args = (changes: Partial<TalosClusterArgs> = {}): TalosClusterArgs => ({
  ...clusterSettings(),
  name: "den-dev",
  machines: {
    "den-dev-wk01": virtual("10.20.0.21", { role: "worker" }),
    "den-dev-cp02": virtual("10.20.0.12"),
    "den-dev-cp01": virtual("10.20.0.11"),
    "den-dev-cp03": metalMachine(machineFacts({ address: "10.20.0.13" })),
  },
  endpoint: "https://10.20.0.10:6443",
  talos: "v1.13.9",
  kubernetes: "v1.36.4",
  contract: "v1.13",
  ready: () => Promise.resolve(),
  ...changes,
});

const form = (changes: Partial<TalosClusterArgs> = {}, { preview = false, kubeconfig = "kubeconfig" } = {}) => {
  let cluster: TalosCluster | undefined;
  return run(
    () => {
      cluster = new TalosCluster("talos", args(changes), { provider: new talos.Provider("talos") });
    },
    {
      preview,
      resources: {
        "talos:machine/secrets:Secrets": () => ({
          talosVersion: "v1.13",
          clientConfiguration: { caCertificate: "Q0E=", clientCertificate: "Q0VSVA==", clientKey: "S0VZ" },
          machineSecrets: { cluster: { id: "id", secret: machineSecret }, certs },
        }),
        "talos:cluster/kubeconfig:Kubeconfig": () => ({ kubeconfigRaw: kubeconfig }),
      },
      functions: {
        "talos:machine/getConfiguration:getConfiguration": ({ configPatches }) => ({
          machineConfiguration: [machineSecret, ...(configPatches as string[])].join("\n---\n"),
        }),
        "talos:client/getConfiguration:getConfiguration": () => ({ talosConfig: "talosconfig" }),
      },
    },
  ).then((graph) => Object.assign(graph, { cluster }));
};

describe("a Talos cluster", () => {
  for (const preview of [false, true]) {
    it(`is a sound graph when it is ${preview ? "previewed" : "made"}`, async () => {
      expectSound(await form({}, { preview }));
    });

    it(preview ? "waits for no API when it is previewed" : "waits for its API when it is made", async () => {
      const waited: string[] = [];
      await form({ ready: (kubeconfig) => Promise.resolve(void waited.push(kubeconfig)) }, { preview });
      expect(waited).to.deep.equal(preview ? [] : ["kubeconfig"]);
    });
  }

  for (const preview of [false, true]) {
    it(`opens all volumes but STATE of machines with a TPM by a second key too, ${preview ? "and previews it" : "kept secret"}`, async () => {
      const volumes = { data: { disk: "!system_disk" } };
      const machines = {
        "den-dev-cp01": virtual("10.20.0.11", { encryption: "tpm", volumes }),
        "den-dev-wk01": virtual("10.20.0.21", { role: "worker", encryption: "nodeID", volumes }),
      };
      const diskRecoveryKey = pulumi.secret("cmVjb3Zlcnkta2V5");
      const graph = await form({ machines, diskRecoveryKey }, { preview });
      expectSound(graph);
      const documents = (node: string) => {
        const machine = graph.ofType(apply).find(({ name }) => name === node);
        const text = String(machine?.inputs.machineConfigurationInput);
        return parseAllDocuments(text).map((each) => each.toJS() as unknown);
      };
      const encryption = {
        provider: "luks2",
        keys: [{ slot: 1, static: { passphrase: "cmVjb3Zlcnkta2V5" } }],
      };
      expect(documents("den-dev-cp01").slice(1)).to.deep.equal([
        { apiVersion: "v1alpha1", kind: "VolumeConfig", name: "EPHEMERAL", encryption },
        { apiVersion: "v1alpha1", kind: "UserVolumeConfig", name: "data", encryption },
      ]);
      expect(documents("den-dev-wk01").slice(1)).to.deep.equal([]);
      expect(leaks(graph, ["cmVjb3Zlcnkta2V5"])).to.deep.equal([]);
    });
  }

  it("leads to its endpoint, whichever one its kubeconfig was fetched with", async () => {
    const waited: string[] = [];
    const ready = (kubeconfig: string) => Promise.resolve(void waited.push(kubeconfig));
    await form({ ready, endpoint: "https://10.20.0.9:6443" }, { kubeconfig: "    server: https://10.20.0.10:6443\n" });
    expect(waited).to.deep.equal(["    server: https://10.20.0.9:6443\n"]);
  });

  it("protects its secrets, and draws no new ones for another contract", async () => {
    const [secrets] = (await form()).ofType("talos:machine/secrets:Secrets", { exactly: 1 });
    expect(secrets).to.deep.include({ protect: true, ignoreChanges: ["talosVersion"] });
  });

  it("configures every machine at its address, whatever it runs on", async () => {
    const applied = (await form()).ofType(apply, { exactly: 4 });
    const addresses = Object.fromEntries(applied.map(({ name, inputs }) => [name, inputs.node]));
    expect(addresses).to.deep.equal({
      "den-dev-wk01": "10.20.0.21",
      "den-dev-cp01": "10.20.0.11",
      "den-dev-cp02": "10.20.0.12",
      "den-dev-cp03": "10.20.0.13",
    });
  });

  it("protects the configurations whose deletion wipes a machine", async () => {
    const applied = (await form()).ofType(apply, { exactly: 4 });
    expect(applied.filter(({ protect }) => protect).map(({ name }) => name)).to.deep.equal(["den-dev-cp03"]);
  });

  it("has the machine of a renamed node for the same", async () => {
    const renamed = metalMachine(machineFacts({ address: "10.20.0.14", renamedFrom: "den-dev-old" }));
    const applied = (await form({ machines: { "den-dev-cp01": renamed } })).ofType(apply, { exactly: 1 });
    expect(applied[0]).to.deep.include({ name: "den-dev-cp01", aliases: ["den-dev-old"] });
  });

  it("shows in a preview what was typed, and nothing of what is secret", async () => {
    const graph = await form({
      secretPatches: pulumi.secret({
        nodes: { "den-dev-wk01": [{ kind: "WireguardConfig", privateKey: wireguardKey }] },
      }),
    });
    expect(leaks(graph, [machineSecret, wireguardKey])).to.deep.equal([]);
    for (const { inputs, secretPaths } of graph.ofType(apply)) {
      expect(secretPaths).to.have.members(["clientConfiguration", "machineConfigurationInput"]);
      expect((inputs.configPatches as string[])[0]).to.match(/^machine:\n {2}install:\n/);
    }
  });

  it("gives secret patches to the machines that they are for", async () => {
    const graph = await form({
      secretPatches: { nodes: { "den-dev-wk01": [{ kind: "WireguardConfig", privateKey: wireguardKey }] } },
    });
    const given = graph
      .ofType(apply)
      .filter(({ inputs }) => String(inputs.machineConfigurationInput).includes(wireguardKey));
    expect(given.map(({ name }) => name)).to.deep.equal(["den-dev-wk01"]);
  });

  it("wipes the machines that nothing else destroys", async () => {
    const wiped = (await form()).ofType(apply).filter(({ inputs }) => inputs.onDestroy !== undefined);
    expect(wiped.map(({ name, inputs }) => [name, inputs.onDestroy])).to.deep.equal([
      ["den-dev-cp03", { reset: true, graceful: false, reboot: true }],
    ]);
  });

  it("is founded by the first control plane by name, once every machine is configured", async () => {
    const graph = await form();
    const [bootstrap] = graph.ofType("talos:machine/bootstrap:Bootstrap", { exactly: 1 });
    expect(bootstrap?.inputs.node).to.equal("10.20.0.11");
    expect(bootstrap?.dependsOn).to.include.members(graph.urnsOf(apply));
  });

  it("renews its kubeconfig three months before it expires", async () => {
    const [kubeconfig] = (await form()).ofType("talos:cluster/kubeconfig:Kubeconfig", { exactly: 1 });
    expect(kubeconfig?.inputs.certificateRenewalDuration).to.equal("2160h");
  });

  it("never calls the Talos API at the shared address, which is gone with etcd", async () => {
    const { calls } = await form();
    const [rendered] = calls.filter(({ token }) => token === "talos:client/getConfiguration:getConfiguration");
    expect(rendered?.inputs.endpoints).to.deep.equal(["10.20.0.12", "10.20.0.11", "10.20.0.13"]);
  });
});

describe("the control plane that founds a cluster", () => {
  it("is the first by name", () => {
    expect(bootstrapNodeOf(args().machines).address).to.equal("10.20.0.11");
  });

  it("has to be there", () => {
    expect(() => bootstrapNodeOf({ "den-dev-wk01": virtual("10.20.0.21", { role: "worker" }) })).to.throw(
      "no control plane",
    );
  });
});

describe("secret patches", () => {
  const patch = (name: string) => ({ machine: { env: { name } } });
  const all = { all: [patch("all")], controlPlanes: [patch("cp")], workers: [patch("wk")], nodes: { a: [patch("a")] } };
  const namesOf = (node: string, role: "controlplane" | "worker") =>
    secretPatchesOf(all, node, role).map((text) => /name: (\w+)/.exec(text)?.[1]);

  it("are those of the cluster, the role and the machine, in this order", () => {
    expect(namesOf("a", "controlplane")).to.deep.equal(["all", "cp", "a"]);
    expect(namesOf("b", "worker")).to.deep.equal(["all", "wk"]);
    expect(secretPatchesOf({}, "a", "worker")).to.deep.equal([]);
  });
});
