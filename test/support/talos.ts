import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";
import { type LabFolder, type LabProcess, accepts, eventually, labFolder, startLab } from "./lab-process.ts";
import { labPrograms } from "./lab-programs.ts";

/** What a command printed and how it ended. */
export interface Result {
  code: number;
  /** Both stdout and stderr. */
  text: string;
}

/** A machine of the lab and the process that simulates it. */
export interface Machine {
  name: string;
  address: string;
  /** Its process, while it runs. */
  process: LabProcess | undefined;
  /** Powers it on, and waits until its API port is open unless it should not be. */
  start: (waitForApi?: boolean) => Promise<LabProcess>;
}

/** Machines with the configuration of one cluster for them, made by the real talosctl. */
export interface TalosLab {
  folder: LabFolder;
  /** Adds a machine, powered off. */
  machine: (name: string, address: string, platform?: "metal" | "nocloud") => Promise<Machine>;
  /** Writes a machine configuration with patches and gives its path. */
  configuration: (type: "controlplane" | "worker", hostname: string, ...patches: object[]) => Promise<string>;
  /** Runs talosctl with the cluster's talosconfig and fails when it does. */
  talosctl: (...args: string[]) => Promise<string>;
  /** Runs talosctl and tells how it ended. */
  tryTalosctl: (...args: string[]) => Promise<Result>;
  /** Fetches a new kubeconfig from a control plane and returns a function that runs kubectl with it. */
  kubectl: (node: string) => Promise<(...args: string[]) => Promise<string>>;
  /** Values in the configuration that no log may show. */
  secrets: () => Promise<string[]>;
  /** Ends every machine and deletes the folder. */
  stop: () => Promise<void>;
}

const programs = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "talosctl"] as const;

/** Makes a folder, keys and configurations for a cluster whose endpoint is at an address. */
export const talosLab = async (endpoint: string): Promise<TalosLab> => {
  const { talosctl = "talosctl", ...rest } = await labPrograms(...programs);
  const { kubectl = "kubectl" } = await labPrograms("kubectl").catch((): Record<string, string> => ({}));
  const folder = await labFolder({ programs: rest });
  const path = (...elements: string[]): string => join(folder.dir, ...elements);
  const machines: Machine[] = [];
  let counter = 0;

  const run = async (program: string, args: readonly string[]): Promise<Result> => {
    try {
      const { stdout, stderr } = await promisify(execFile)(program, args, { maxBuffer: 1 << 26, timeout: 180_000 });
      return { code: 0, text: stdout + stderr };
    } catch (error) {
      const { code, stdout = "", stderr = "" } = error as { code?: number; stdout?: string; stderr?: string };
      return { code: typeof code === "number" ? code : 1, text: stdout + stderr };
    }
  };
  const must = async (program: string, args: readonly string[]): Promise<string> => {
    const { code, text } = await run(program, args);
    if (code !== 0) throw new Error(`${program.split("/").at(-1) ?? program} ${args.join(" ")}: ${text}`);
    return text;
  };
  const talosconfig = ["--talosconfig", path("generated", "talosconfig")];

  await mkdir(path("generated"));
  await writeFile(
    path("cluster.json"),
    JSON.stringify({ cluster: { network: { cni: { name: "none" } }, proxy: { disabled: true } } }),
  );
  const install = ["--install-disk", "/dev/sda", "--install-image", "ghcr.io/siderolabs/installer:v1.13.9"];
  const versions = ["--talos-version", "v1.13", "--kubernetes-version", "1.36.4"];
  const plain = ["--with-docs=false", "--with-examples=false", "--force", "-o", path("generated")];
  await must(talosctl, [
    ...["gen", "config", "test", `https://${endpoint}:6443`, "--config-patch", `@${path("cluster.json")}`],
    ...[...install, ...versions, ...plain],
  ]);

  return {
    folder,
    machine: async (name, address, platform = "nocloud") => {
      const spec = path(`${name}.json`);
      const disk = {
        device: "/dev/sda",
        sizeGiB: 20,
        transport: "sata",
        model: "QEMU HARDDISK",
        serial: `disk-${name}`,
      };
      await writeFile(
        spec,
        JSON.stringify({
          name,
          address,
          platform,
          mac: "bc:24:11:00:00:01",
          cores: 2,
          memoryMiB: 4096,
          disks: [disk],
          uuid: "6e1d1b56-0b67-4c51-9d3a-0123456789ab",
          image: { version: "v1.13.9", schematic: "" },
        }),
      );
      const machine: Machine = {
        name,
        address,
        process: undefined,
        start: async (waitForApi = true) => {
          const started = await startLab("machine", folder.config, ["--spec", spec]);
          machine.process = started;
          void started.ended.then(() => {
            if (machine.process === started) machine.process = undefined;
          });
          if (waitForApi) await eventually(`${name} answers`, () => accepts(`${address}:50000`), 60);
          return started;
        },
      };
      machines.push(machine);
      return machine;
    },
    configuration: async (type, hostname, ...patches) => {
      counter += 1;
      const name = { apiVersion: "v1alpha1", kind: "HostnameConfig", hostname, auto: "off" };
      const files = await Promise.all(
        [name, ...patches].map(async (patch, index) => {
          const file = path(`patch-${counter}-${index}.json`);
          await writeFile(file, JSON.stringify(patch));
          return ["--patch", `@${file}`];
        }),
      );
      const output = path(`machine-${counter}.yaml`);
      const source = path("generated", `${type}.yaml`);
      await must(talosctl, ["machineconfig", "patch", source, ...files.flat(), "-o", output]);
      return output;
    },
    talosctl: (...args) => must(talosctl, [...talosconfig, ...args]),
    tryTalosctl: (...args) => run(talosctl, [...talosconfig, ...args]),
    kubectl: async (node) => {
      const kubeconfig = path(`kubeconfig-${node}`);
      await must(talosctl, [...talosconfig, "-e", node, "-n", node, "kubeconfig", kubeconfig, "--force"]);
      return (...args) => must(kubectl, ["--kubeconfig", kubeconfig, ...args]);
    },
    secrets: async () => {
      const [document] = parseAllDocuments(await readFile(path("generated", "controlplane.yaml"), "utf8"));
      const found: string[] = [];
      const look = (value: unknown, key = ""): void => {
        if (typeof value === "object" && value !== null)
          for (const [name, inner] of Object.entries(value)) look(inner, name);
        else if (typeof value === "string" && /^(key|token|secret|secretboxEncryptionSecret)$/.test(key)) {
          found.push(value);
          if (key === "key") found.push(...Buffer.from(value, "base64").toString().split("\n").slice(1, 2));
        }
      };
      look(document?.toJS());
      return found;
    },
    stop: async () => {
      await Promise.all(machines.map(({ process }) => process?.stop() ?? Promise.resolve(0)));
      await folder.remove();
    },
  };
};
