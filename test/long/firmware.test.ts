import { join } from "node:path";

import { expect } from "chai";
import { execa, type ResultPromise } from "execa";
import { parseAllDocuments } from "yaml";

import { visit } from "../../lab/visit.ts";
import { labFolder } from "../../lib/engine/lab-folder.ts";
import { killTree } from "../../lib/engine/processes.ts";
import { LabCheckout } from "../support/lab-checkout.ts";
import { eventually } from "../support/lab-process.ts";

const octet = 77;
const name = "den-prod-wk01";
const address = `127.${octet.toString()}.0.12`;

/** A control plane and a worker of metal, whose disks' keys are in their TPMs. */
const small = (text: string): string =>
  text
    .replace(/ {4}den-prod-cp03:\n(?: {6}.*\n)+/, "")
    .replace(/ {4}den-prod-cp02:\n {6}platform: metal\n {6}role: controlplane\n/, (found) =>
      found.replace("den-prod-cp02", name).replace("controlplane", "worker"),
    );

interface Volume {
  metadata: { id: string };
  spec: {
    encryptionProvider?: string;
    encryptionSlot?: number;
    configuredEncryptionKeys?: string[];
    encryptionFailedSyncs?: string[];
  };
}

describe("an update of firmware, where a TPM opens the machine's disks", () => {
  let checkout: LabCheckout;
  let environment: string;
  const begun: ResultPromise[] = [];
  const talosctl = `talosctl --nodes ${address} --endpoints ${address}`;

  const shell = async (command: string, exitCode = 0): Promise<string> => {
    const ran = await checkout.shell(command, "prod");
    expect(ran.exitCode, String(ran.all)).to.equal(exitCode);
    return String(ran.all);
  };

  /** How the machine's encrypted disks were opened: slot, kinds of keys, and how many it could not get. */
  const disks = async (): Promise<Record<string, [number | undefined, string, number]>> => {
    const { stdout } = await checkout.shell(`${talosctl} get volumestatus --output yaml`, "prod");
    return Object.fromEntries(
      parseAllDocuments(String(stdout))
        .map((document) => document.toJS() as Volume)
        .filter(({ spec }) => spec.encryptionProvider === "luks2")
        .map(({ metadata, spec }) => [
          metadata.id,
          [
            spec.encryptionSlot,
            (spec.configuredEncryptionKeys ?? []).join(" "),
            (spec.encryptionFailedSyncs ?? []).length,
          ],
        ]),
    );
  };

  const begin = (cwd: string) => {
    const said = { text: "" };
    const run = execa("bash", ["-c", `${environment}\nexec node bin/hearth.mjs firmware prod ${name} --lab`], {
      ...{ cwd, reject: false, all: true, buffer: false },
    });
    run.all.on("data", (data: Buffer) => {
      said.text += data.toString();
    });
    begun.push(run);
    return { run, said };
  };

  const says = (said: { text: string }, text: string): Promise<boolean> =>
    eventually(`it says ${text}`, () => Promise.resolve(said.text.includes(text)), 300).catch((error: unknown) => {
      throw new Error(`${String(error)}; it said:\n${said.text}`);
    });

  before(async () => {
    checkout = await LabCheckout.createSmallProd(octet);
    await checkout.edit("Pulumi.prod.yaml", small);
    await checkout.commit("Have a control plane and a worker");
    const { exitCode, all } = await checkout.lab("up", "prod");
    expect(exitCode, all).to.equal(0);
    const said = await execa("npm", ["run", "--silent", "lab", "--", "env", "prod"], { cwd: checkout.path });
    environment = said.stdout;
  });

  after(async () => {
    for (const { pid } of begun) if (pid !== undefined) await killTree(pid);
    await checkout.remove();
  });

  it("has the machine drained, with a second key, when a person is asked to go to it", async () => {
    expect(await disks()).to.deep.equal({ STATE: [0, "tpm", 0], EPHEMERAL: [0, "static tpm", 0] });
    const { run, said } = begin(checkout.path);
    await says(said, "Update its firmware now");
    expect(await disks()).to.deep.equal({ STATE: [0, "nodeID tpm", 0], EPHEMERAL: [0, "nodeID static tpm", 0] });
    expect(await shell("kubectl get nodes --no-headers")).to.match(new RegExp(`${name} +Ready,SchedulingDisabled`));
    if (run.pid !== undefined) await killTree(run.pid);
  });

  it("keeps deployments from taking that key away", async () => {
    expect(await shell("npx hearth deploy prod", 1)).to.contain(`${name} is in the midst of an update of its firmware`);
  });

  it("seals another key to the new firmware, from a fresh clone after it was killed", async () => {
    const clone = checkout.file(".hearth", "again");
    await execa("git", ["clone", "--quiet", checkout.path, clone]);
    for (const each of ["node_modules", ".lab"]) await execa("ln", ["-s", checkout.file(each), join(clone, each)]);
    const { run, said } = begin(clone);
    await says(said, "Update its firmware now");
    await visit(labFolder(checkout.path, "prod"), name, { update: true });
    const { exitCode } = await run;
    expect(exitCode, said.text).to.equal(0);
    expect(await disks()).to.deep.equal({ STATE: [0, "tpm", 0], EPHEMERAL: [0, "static tpm", 0] });
    expect(await shell("kubectl get nodes --no-headers")).to.not.contain("SchedulingDisabled");
    expect(await shell("npx hearth deploy prod")).to.contain("Nothing to deploy");
    await shell("npx hearth drift prod");
    await shell(`${talosctl} reboot --wait --timeout 5m`);
    expect((await disks()).STATE).to.deep.equal([0, "tpm", 0]);
  });
});
