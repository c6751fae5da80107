// Builds tools from scratch, in empty caches, and reports the time and the disk space at the peak and at the end:
// `node --import tsx bench/setup.ts [TOOL…]`. Without arguments it builds what `npm run lab` needs.
import { execa } from "execa";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const root = join(import.meta.dirname, "..");

/** The tools that the lab runs, without those of tests and people. */
const forLab = [
  "pulumi",
  "pulumi-language-nodejs",
  "pulumi-resource-kubernetes",
  "pulumi-resource-proxmoxve",
  "pulumi-resource-talos",
  "pulumi-resource-random",
  "pulumi-resource-cloudflare",
  "hearth-lab",
  "hearth-tree",
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kwok",
  "flux-operator",
  "source-controller",
  "kustomize-controller",
  "helm-controller",
  "notification-controller",
];

const gibibytes = async (folder: string): Promise<number> => {
  const { stdout } = await execa("du", ["-sk", folder], { reject: false });
  return Number(stdout.split("\t")[0]) / 2 ** 20;
};

/** Peak memory of all processes of a build together, as the kernel counts it for the cgroup. */
const memory = async (): Promise<string> => {
  const peak = await readFile("/sys/fs/cgroup/memory.peak", "utf8").catch(() => "");
  return peak === "" ? "unknown" : `${(Number(peak) / 2 ** 30).toFixed(1)} GiB`;
};

const main = async (names: string[]): Promise<void> => {
  const cache = await mkdtemp(join(tmpdir(), "hearth-bench-"));
  const env = { HEARTH_CACHE: cache };
  const tools = [join(root, "bin/hearth.mjs"), "tools"];
  let peak = 0;
  const watch = setInterval(() => void gibibytes(cache).then((now) => (peak = Math.max(peak, now))), 5000);
  try {
    const started = Date.now();
    const build = execa(process.execPath, [...tools, ...names], { env, stdin: "ignore", buffer: false });
    for await (const line of createInterface({ input: build.stderr })) console.log(line);
    await build;
    const seconds = (Date.now() - started) / 1000;
    clearInterval(watch);
    const compiled = (await readFile(join(cache, "logs", "build.log"), "utf8")).match(/^\S+$/gm) ?? [];
    await execa(process.execPath, [...tools, "prune"], { env });
    console.log(`
| processors | ${cpus().length.toString()}, ${cpus()[0]?.model ?? ""} |
| time | ${Math.floor(seconds / 60).toString()} min ${Math.round(seconds % 60).toString()} s |
| packages compiled | ${compiled.length.toString()}, ${new Set(compiled).size.toString()} different |
| disk at the peak | ${peak.toFixed(1)} GiB |
| disk after pruning | ${(await gibibytes(cache)).toFixed(1)} GiB |
| memory at the peak | ${await memory()} |`);
  } finally {
    clearInterval(watch);
    await rm(cache, { recursive: true, force: true });
  }
};

await main(process.argv.length > 2 ? process.argv.slice(2) : forLab);
