import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";

import { execa } from "execa";

import { tool } from "./tools.ts";

/** A Pulumi project in its own folder, with the real engine, a real plugin and a file backend. */
export interface Scratch {
  folder: string;
  /** The program pulumi. */
  engine: string;
  /** Variables that it runs with. */
  environment: Record<string, string>;
  /** Runs pulumi and returns its output. Throws if pulumi fails. */
  pulumi: (...args: string[]) => Promise<string>;
  /** Writes a file into the project. */
  write: (name: string, text: string) => Promise<void>;
  remove: () => Promise<void>;
}

/** Creates a project with the program and a stack `test`. Its engine finds only the given plugin. */
export const scratch = async (plugin: string, program: string): Promise<Scratch> => {
  const programs = await Promise.all(["pulumi", "pulumi-language-nodejs", plugin].map(tool));
  const [engine = "pulumi"] = programs;
  const folder = await mkdtemp(join(tmpdir(), "hearth-scratch-"));
  const write = (name: string, text: string) => writeFile(join(folder, name), text);
  const environment = {
    PATH: [...programs.map(dirname), dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter),
    PULUMI_HOME: join(folder, ".pulumi"),
    PULUMI_BACKEND_URL: `file://${folder}`,
    PULUMI_CONFIG_PASSPHRASE: "test",
    PULUMI_SKIP_UPDATE_CHECK: "1",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "1",
  };
  const pulumi = async (...args: string[]): Promise<string> => {
    const { stdout } = await execa(engine, [...args, "--non-interactive"], {
      cwd: folder,
      maxBuffer: 1 << 28,
      env: environment,
    });
    return stdout;
  };
  await symlink(join(import.meta.dirname, "..", "..", "node_modules"), join(folder, "node_modules"));
  await write("package.json", JSON.stringify({ type: "module", main: "index.ts" }));
  await write("index.ts", program);
  await write(
    "Pulumi.yaml",
    "name: scratch\nruntime: { name: nodejs, options: { typescript: false, nodeargs: --import tsx } }\n",
  );
  await pulumi("stack", "init", "test");
  return {
    folder,
    engine,
    environment,
    pulumi,
    write,
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
};
