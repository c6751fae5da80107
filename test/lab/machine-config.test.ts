import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect } from "chai";
import { execa } from "execa";
import { parseAllDocuments } from "yaml";

import { resourceTypes } from "../../components/resource-types.ts";
import { recoveryKeyDocuments } from "../../components/talos/documents/index.ts";
import { machinePatches, patchText } from "../../components/talos/machine-config.ts";
import { examineStackFile, parseStackFile } from "../../infra/config/stack-file.ts";
import { examples, type Example } from "../support/examples.ts";
import { machineOptions } from "../support/machine-options.ts";
import { clusterSettings, machineSettings } from "../support/machines.ts";
import { scratch, type Scratch } from "../support/scratch.ts";
import { runStack } from "../support/stack.ts";
import { tool } from "../support/tools.ts";

const contracts = ["v1.12", "v1.13"];
const roles = ["controlplane", "worker"] as const;

/** One configuration to render: its name, its cluster's contract, its role, and the patches on it. */
interface Case {
  name: string;
  contract: string;
  role: string;
  patches: string[];
}

const options: Case[] = machineOptions.flatMap(({ what, machine, cluster }) =>
  contracts.flatMap((contract) =>
    roles.map((role) => {
      const settings = machineSettings({ ...machine, role });
      return {
        name: `a ${role} of ${contract} with ${what}`,
        contract,
        role,
        patches: [
          ...recoveryKeyDocuments(settings, "cmVjb3Zlcnkta2V5").map(patchText),
          ...machinePatches(settings, clusterSettings(cluster)),
        ],
      };
    }),
  ),
);

/** The machines of the examples, as the program passes them to the plugin.  */
const ofExample = async ({ name, stacks: [stack = ""], read }: Example): Promise<Case[]> => {
  const { config, problems } = examineStackFile(parseStackFile(read(stack)));
  if (!config) throw new Error(`${name}: ${problems.map(({ problem }) => problem).join("; ")}`);
  const { resources } = await runStack(config);
  return resources
    .filter(({ type }) => type === resourceTypes.machineConfiguration)
    .map((machine) => ({
      name: `${machine.name} of the example ${name}`,
      contract: config.cluster.contract,
      role: config.nodes[machine.name]?.role ?? "",
      patches: machine.inputs.configPatches as string[],
    }));
};

const cases = [...options];
// One after the other: a process has one program.
for (const example of examples) cases.push(...(await ofExample(example)));

/** Renders the cases in the way that TalosCluster does, save that nothing is applied: the base, and then the patches. */
const program = `
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import * as talos from "@pulumi/talos";
const cases = JSON.parse(readFileSync("cases.json", "utf8"));
const provider = new talos.Provider("talos");
const secrets = new Map(${JSON.stringify(contracts)}.map((contract) =>
  [contract, new talos.machine.Secrets(contract, { talosVersion: contract }, { provider })]));
export const configurations = pulumi.all(cases.map(({ contract, role, patches }) =>
  talos.machine.getConfigurationOutput({
    clusterName: "den-dev",
    clusterEndpoint: "https://10.20.0.10:6443",
    machineType: role,
    machineSecrets: secrets.get(contract).machineSecrets,
    configPatches: patches,
    kubernetesVersion: contract === "v1.12" ? "v1.35.0" : "v1.36.4",
    talosVersion: contract,
  }, { provider }).machineConfiguration));
`;

describe("machine configuration", () => {
  let project: Scratch;
  let rendered: string[];

  before("rendered by the real plugin", async () => {
    project = await scratch("pulumi-resource-talos", program);
    await project.write("cases.json", JSON.stringify(cases));
    await project.pulumi("up", "--yes", "--skip-preview");
    const outputs = await project.pulumi("stack", "output", "--json", "--show-secrets");
    rendered = (JSON.parse(outputs) as { configurations: string[] }).configurations;
  });

  after(() => project.remove());

  for (const [index, { name }] of cases.entries()) {
    it(`of ${name} is valid`, async () => {
      const file = join(project.folder, `${index}.yaml`);
      await writeFile(file, rendered[index] ?? "");
      const { exitCode, stderr } = await execa(
        await tool("talosctl"),
        ["validate", "--mode", "metal", "--strict", "--config", file],
        { reject: false },
      );
      expect(stderr).to.equal("");
      expect(exitCode).to.equal(0);
    });
  }

  /** The documents of a control plane with options, as Talos gets them. */
  const documentsOf = (what: string): Record<string, unknown>[] => {
    const index = cases.findIndex(({ name }) => name === `a controlplane of v1.13 with ${what}`);
    return parseAllDocuments(rendered[index] ?? "").map((document) => document.toJS() as Record<string, unknown>);
  };

  it("opens every volume but STATE by the TPM and by the recovery key, each in its slot", () => {
    const volumes = documentsOf("SecureBoot with TPM, and volumes of its own").filter(({ encryption }) => encryption);
    const keysOf = ({ name, encryption }: Record<string, unknown>) => [
      name,
      (encryption as { keys: { slot: number }[] }).keys.sort((a, b) => a.slot - b.slot),
    ];
    const tpm = { slot: 0, tpm: { checkSecurebootStatusOnEnroll: true } };
    const both = [
      { ...tpm, lockToState: true },
      { slot: 1, static: { passphrase: "cmVjb3Zlcnkta2V5" } },
    ];
    expect(Object.fromEntries(volumes.map(keysOf))).to.deep.equal({ STATE: [tpm], EPHEMERAL: both, data: both });
  });

  it("exempts kube-system from pod security once, beside what is named", () => {
    const [main] = documentsOf("workloads on control planes, exempt namespaces, and access to the Talos API");
    expect(main)
      .to.have.nested.property("cluster.apiServer.admissionControl[0].configuration.exemptions.namespaces")
      .that.deep.equals(["kube-system", "storage"]);
    expect(main).to.have.nested.property(
      "cluster.apiServer.admissionControl[0].configuration.defaults.enforce",
      "baseline",
    );
  });

  it("lets load balancers use control planes that run workloads, and no others", () => {
    const label = "machine.nodeLabels.node\\.kubernetes\\.io/exclude-from-external-load-balancers";
    const [main] = documentsOf("workloads on control planes, exempt namespaces, and access to the Talos API");
    expect(main).not.to.have.nested.property(label);
    expect(documentsOf("plain")[0]).to.have.nested.property(label, "");
  });

  it("selects the disk by what it is, and by no path", () => {
    const [main] = documentsOf("a disk selector");
    expect(main).not.to.have.nested.property("machine.install.disk");
    expect(main).to.have.nested.property("machine.install.diskSelector.size", ">= 100GB");
  });

  it("replaces what Talos audits", () => {
    const [main] = documentsOf("workloads on control planes, exempt namespaces, and access to the Talos API");
    expect(main)
      .to.have.nested.property("cluster.apiServer.auditPolicy.rules")
      .that.deep.equals([{ level: "RequestResponse" }]);
  });

  it("names the machine once", () => {
    const names = documentsOf("plain").filter(({ kind }) => kind === "HostnameConfig");
    expect(names).to.deep.equal([
      { apiVersion: "v1alpha1", kind: "HostnameConfig", auto: "off", hostname: "den-dev-cp01" },
    ]);
  });
});
