// Measures previews of dev in a lab, before anything of it is there: `node --import tsx bench/preview.ts [MACHINES…]`, with 3, 30 and 100
// machines unless others are named. HEARTH_TOFU is a folder with `tofu` and the providers of Proxmox and Talos for it, where those are to be
// measured as well.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";

import { execa } from "execa";
import { parseDocument } from "yaml";

import { stackFile } from "../infra/config/error.ts";
import { shellExports } from "../lab/environment.ts";
import { labFolder } from "../lib/engine/lab-folder.ts";
import { inClone, median } from "./measure.ts";
import { peakOf } from "./peak.ts";
import { bareProgram } from "./preview-bare.ts";
import { tofuFiles } from "./preview-tofu.ts";

const folder = join(import.meta.dirname, "..", ".hearth", "bench-preview");
const stack = "dev";
const runs = 5;

interface Row {
  what: string;
  /** Median, in seconds. */
  seconds: number;
  /** Of all processes together, in MiB. */
  memory: number;
}

const measure = async (what: string, command: string, cwd: string): Promise<Row> => {
  const found: { seconds: number; memory: number }[] = [];
  for (let run = 0; run < runs; run += 1) {
    const started = performance.now();
    const child = execa("bash", ["-c", command], { cwd, all: true, reject: false });
    const memory = peakOf(child.pid ?? 0);
    const { exitCode, all } = await child;
    const seconds = (performance.now() - started) / 1000;
    if (exitCode !== 0) throw new Error(`${what} fails: ${all}`);
    found.push({ seconds, memory: await memory });
  }
  return {
    what,
    seconds: median(found.map((each) => each.seconds)),
    memory: Math.max(...found.map((each) => each.memory)),
  };
};

const measureAll = (count: number): Promise<Row[]> =>
  inClone({ folder, stack, machines: count }, async () => {
    const lab = labFolder(folder, stack);
    console.log(`Previews of ${String(count)} machines`);
    await execa("npm", ["run", "--silent", "lab", "--", "preview"], { cwd: folder });
    const inLab = (command: string): string => `set -e\n${shellExports(lab)}\n${command}`;
    // The lab's script of pulumi leaves the policies to whoever names a pack.
    const withoutPolicies = `--message "without --policy-pack"`;
    const rows = [
      await measure("npm run lab -- preview", "npm run --silent lab -- preview", folder),
      await measure("pulumi preview, with the policies", inLab("pulumi preview --non-interactive"), folder),
      await measure("pulumi preview, without", inLab(`pulumi preview --non-interactive ${withoutPolicies}`), folder),
    ];
    const calls = join(folder, ".hearth", "calls.json");
    const logged = `mkdir -p ${join(folder, ".hearth")}; PULUMI_DEBUG_GRPC=${calls} pulumi preview ${withoutPolicies}`;
    await execa("bash", ["-c", inLab(logged)], { cwd: folder });
    const bare = join(folder, ".hearth", "bare");
    await bareProgram(bare, await readFile(calls, "utf8"), join(folder, "node_modules"));
    await execa("bash", ["-c", inLab("pulumi stack init bare")], { cwd: bare });
    const ofBare = `pulumi preview --config-file Pulumi.bare.yaml --stack bare --non-interactive ${withoutPolicies}`;
    rows.push(await measure("a bare program with the same resources", inLab(ofBare), bare));
    const tofu = process.env.HEARTH_TOFU;
    if (tofu === undefined) console.log("OpenTofu is not measured: HEARTH_TOFU names no folder that has it");
    else {
      const own = join(folder, ".hearth", "tofu");
      await mkdir(own, { recursive: true });
      const { nodes, credentials } = await readLab(lab.credentials);
      for (const [name, text] of Object.entries(tofuFiles(tofu, nodes, credentials)))
        await writeFile(join(own, name), text);
      const env = `export TF_CLI_CONFIG_FILE=${join(own, "tofurc")}`;
      rows.push(
        await measure("tofu plan of the machines alone", `${env}\n${join(tofu, "tofu")} plan -input=false`, own),
      );
    }
    return rows;
  });

/** The machines of the stack file as the clone has it, and what the lab's Proxmox wants to know. */
const readLab = async (credentials: string) => {
  const { config } = parseDocument(await readFile(join(folder, ".lab", stack, stackFile(stack)), "utf8")).toJS() as {
    config: Record<string, Record<string, unknown>>;
  };
  const { proxmoxToken = "" } = JSON.parse(await readFile(credentials, "utf8")) as Record<string, string>;
  return {
    nodes: Object.entries(config["hearth:nodes"] ?? {}).map(([name, node]) => ({
      name,
      ...(node as { address: string; role: string; proxmox: { vmId: number } }),
    })),
    credentials: { endpoint: String(config["hearth:proxmox"]?.endpoint), token: proxmoxToken },
  };
};

const counts = process.argv.slice(2).map(Number);
const tables: string[] = [];
for (const count of counts.length > 0 ? counts : [3, 30, 100]) {
  const rows = await measureAll(count);
  tables.push(
    `${String(count)} machines, ${String(cpus().length)} processors (${cpus()[0]?.model ?? ""}), medians of ${String(runs)}:`,
    "",
    "| | median | memory at the peak |",
    "| --- | --- | --- |",
    ...rows.map(
      ({ what, seconds, memory }) => `| ${what} | ${seconds.toFixed(1)} s | ${String(Math.round(memory))} MiB |`,
    ),
    "",
  );
}
console.log(tables.join("\n"));
