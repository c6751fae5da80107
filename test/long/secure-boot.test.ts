import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { expect } from "chai";
import { execa, type ResultPromise } from "execa";

import { visit, type Visit } from "../../lab/visit.ts";
import { labFolder } from "../../lib/engine/lab-folder.ts";
import { killTree } from "../../lib/engine/processes.ts";
import { LabCheckout } from "../support/lab-checkout.ts";
import { eventually } from "../support/lab-process.ts";

const octet = 78;
const name = "den-prod-wk01";
const address = `127.${octet.toString()}.0.12`;
const file = "Pulumi.prod.yaml";

/** A control plane and a worker of metal, whose disk's key is in its TPM. Neither has SecureBoot. */
const small = (text: string): string =>
  text
    .replace("secureBoot: true", "secureBoot: false")
    .replace(/ {4}den-prod-cp03:\n(?: {6}.*\n)+/, "")
    .replace(/ {4}den-prod-cp02:\n {6}platform: metal\n {6}role: controlplane\n/, (found) =>
      found.replace("den-prod-cp02", name).replace("controlplane", "worker"),
    );

const secured = (text: string): string => text.replace(`    ${name}:\n`, `$&      secureBoot: true\n`);

const exemption =
  "  hearth:policy:\n    exemptions:\n" +
  `      - { policy: kept-resources, resources: [${name}], until: 2099-12-31, reason: It gets SecureBoot }\n`;

describe("SecureBoot, turned on for a machine of metal that exists", () => {
  let checkout: LabCheckout;
  let environment: string;
  let iso: string;
  const begun: ResultPromise[] = [];

  const shell = async (command: string, exitCode = 0): Promise<string> => {
    const ran = await checkout.shell(command, "prod");
    expect(ran.exitCode, String(ran.all)).to.equal(exitCode);
    return String(ran.all);
  };

  const person = (what: Visit): Promise<void> => visit(labFolder(checkout.path, "prod"), name, what);

  /** What the machine says of SecureBoot while it waits in maintenance mode. */
  const waiting = async (): Promise<string> => {
    const said = await checkout.shell(`talosctl get securitystate --insecure --nodes ${address} --output yaml`, "prod");
    return /secureBoot: (true|false)/.exec(String(said.stdout))?.[1] ?? "";
  };

  /** Whether the machine waits after a person's visit, and says so of SecureBoot. */
  const isBack = (secureBoot: string) => async (): Promise<boolean> =>
    !existsSync(checkout.file(".lab", "prod", "machines", name, "visit")) && (await waiting()) === secureBoot;

  /** Begins a deployment in a folder, and returns it with what it has said. */
  const begin = (cwd: string) => {
    const said = { text: "" };
    const deployment = execa("bash", ["-c", `${environment}\nexec node bin/hearth.mjs deploy prod --lab`], {
      ...{ cwd, reject: false, all: true, buffer: false },
    });
    deployment.all.on("data", (data: Buffer) => {
      said.text += data.toString();
    });
    begun.push(deployment);
    return { deployment, said };
  };

  const says = async (said: { text: string }, text: string, seconds: number): Promise<void> => {
    await eventually(`the deployment says ${text}`, () => Promise.resolve(said.text.includes(text)), seconds).catch(
      (error: unknown) => {
        throw new Error(`${String(error)}; it said:\n${said.text}`);
      },
    );
  };

  before(async () => {
    checkout = await LabCheckout.createSmallProd(octet);
    await checkout.edit(file, small);
    await checkout.commit("Have a control plane and a worker, without SecureBoot");
    const { exitCode, all } = await checkout.lab("up", "prod");
    expect(exitCode, all).to.equal(0);
    await checkout.edit(file, secured);
    await checkout.commit("Turn SecureBoot on for the worker");
    const lines = (await shell(`npx hearth boot prod ${name}`)).split("\n");
    iso = lines.find((line) => line.endsWith(".iso"))?.trim() ?? "";
    expect(iso).to.match(/\/metal-amd64-secureboot\.iso$/);
    const said = await execa("npm", ["run", "--silent", "lab", "--", "env", "prod"], { cwd: checkout.path });
    environment = said.stdout;
  });

  after(async () => {
    for (const { pid } of begun) if (pid !== undefined) await killTree(pid);
    await checkout.remove();
  });

  it("is refused by pulumi up, which names the command, and by a deployment without an exemption", async () => {
    const { exitCode, all } = await checkout.shell("pulumi up --yes --skip-preview", "prod");
    expect(exitCode, String(all)).to.not.equal(0);
    expect(String(all))
      .to.contain(`${name}: SecureBoot is turned on at the machine only`)
      .and.contain("npx hearth deploy");
    expect(await shell("npx hearth deploy prod", 1))
      .to.contain(`the machine ${name} would be replaced, because of SecureBoot`)
      .and.contain("kept-resources");
    expect(await shell("kubectl get nodes --no-headers")).to.not.contain("SchedulingDisabled");
  });

  it("is a step of the preview, with what a person does", async () => {
    // A preview runs to its end where a deployment has read the exemption before.
    await checkout.edit(file, (text) => text.replace("      secureBoot: true\n", "").concat(exemption));
    await checkout.commit("Allow the worker's replacement");
    await shell("npx hearth deploy prod");
    await checkout.edit(file, secured);
    await checkout.commit("Turn SecureBoot on for the worker");
    // It has what is dangerous, which its exit code says.
    await checkout.shell("npx hearth preview prod", "prod");
    const report = await readFile(checkout.file(".hearth", "preview-prod.md"), "utf8");
    expect(/^\|.*replace\/.*$/m.exec(report)?.[0])
      .to.contain(name)
      .and.contain("waits for a person to turn SecureBoot on and boot its ISO");
  });

  it("waits until the machine is booted with SecureBoot, and takes it without by no means", async () => {
    const { deployment, said } = begin(checkout.path);
    await says(said, `${name} waits for a person`, 240);
    await says(said, `npx hearth boot prod ${name} --lab names`, 10);
    await says(said, "Enroll Secure Boot keys: auto", 10);
    // The stick from which it was once installed boots, for its disk has nothing any more.
    await eventually("it waits without SecureBoot", async () => (await waiting()) === "false", 30);
    await person({ iso });
    await eventually("it waits without SecureBoot, after the visit", isBack("false"), 30);
    await sleep(20_000);
    await says(said, "waits in maintenance mode, and has SecureBoot off", 30);
    expect([await waiting(), deployment.exitCode]).to.deep.equal(["false", null]);
    expect(deployment.pid).to.be.a("number");
    if (deployment.pid !== undefined) await killTree(deployment.pid);
  });

  it("is gone on with from a fresh clone after it was killed, and ends as the stack file says", async () => {
    const clone = checkout.file(".hearth", "again");
    await execa("git", ["clone", "--quiet", checkout.path, clone]);
    for (const each of ["node_modules", ".lab"]) await execa("ln", ["-s", checkout.file(each), join(clone, each)]);
    const { deployment, said } = begin(clone);
    await says(said, `${name} waits for a person`, 240);
    expect(said.text).to.contain(`join/${name}`);
    await person({ secureBoot: "setup", iso });
    const { exitCode } = await deployment;
    expect(exitCode, said.text).to.equal(0);
    expect(said.text).to.contain(`join/${name} done`);
    const talosctl = `talosctl --nodes ${address} --endpoints ${address}`;
    expect(await shell(`${talosctl} get securitystate --output yaml`)).to.contain("secureBoot: true");
    expect(await shell(`${talosctl} get machineconfig --output yaml`)).to.match(
      /image: \S+\/metal-installer-secureboot\//,
    );
    expect(await shell("npx hearth deploy prod")).to.contain("Nothing to deploy");
    await shell("npx hearth drift prod");
    await shell(`${talosctl} reboot --wait --timeout 5m`);
    const nodes = (await shell("kubectl get nodes --no-headers")).trim().split("\n");
    expect(nodes.map((node) => node.split(/\s+/).slice(0, 2))).to.deep.equal([
      ["den-prod-cp01", "Ready"],
      [name, "Ready"],
    ]);
  });
});
