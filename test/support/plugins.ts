import { execFile } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import type { Duplex } from "node:stream";
import { promisify } from "node:util";

import { labPrograms } from "./lab-programs.ts";

const root = new URL("../..", import.meta.url).pathname;
let built: Promise<string> | undefined;

/** Builds the stand-in plugins once per test run and returns their folder. */
export const standInPlugins = (): Promise<string> => (built ??= build());

const build = async (): Promise<string> => {
  const folder = join(tmpdir(), "hearth-plugins-test");
  await promisify(execFile)("go", ["build", "-trimpath", "-o", `${folder}/`, "./cmd/..."], {
    cwd: join(root, "lab", "plugins"),
    env: { ...process.env, CGO_ENABLED: "0" },
  });
  return folder;
};

/** How a run of pulumi ended. */
export interface Run {
  code: number;
  /** stdout followed by stderr. */
  output: string;
  /** Only stdout. */
  text: string;
}

/** A Pulumi project in its own folder, with a file backend. */
export interface Project {
  folder: string;
  /** Runs pulumi. It does not throw when pulumi fails. */
  pulumi: (...args: readonly string[]) => Promise<Run>;
  /** Runs pulumi with additional environment variables. */
  pulumiWith: (environment: Record<string, string>, ...args: readonly string[]) => Promise<Run>;
  /** The program and environment with which pulumi runs. */
  program: { program: string; environment: Record<string, string> };
  /** Replaces the project's program, a module that may import this repository's packages. */
  write: (program: string) => Promise<void>;
  remove: () => Promise<void>;
}

/** The plugins that the tests are about. The vendors' are tested instead if HEARTH_PLUGINS is `vendor`. */
const isVendors = process.env.HEARTH_PLUGINS === "vendor";
const testedPlugins = async (): Promise<string[]> =>
  isVendors
    ? Object.values(await labPrograms("pulumi-resource-random", "pulumi-resource-cloudflare")).map(dirname)
    : [await standInPlugins()];

/** Creates a project with a stack. Its engine finds only the stand-in plugins, or the vendors' if these are tested. */
export const project = async (
  environment: Record<string, string>,
  secretsProvider = "passphrase",
): Promise<Project> => {
  const [plugins, programs] = await Promise.all([testedPlugins(), labPrograms("pulumi", "pulumi-language-nodejs")]);
  const { pulumi: engine = "pulumi" } = programs;
  const folder = await mkdtemp(join(tmpdir(), "hearth-project-"));
  const env = {
    PATH: [...plugins, ...Object.values(programs).map(dirname), dirname(process.execPath), "/usr/bin", "/bin"].join(
      delimiter,
    ),
    HOME: folder,
    PULUMI_HOME: join(folder, ".pulumi"),
    PULUMI_BACKEND_URL: `file://${folder}`,
    PULUMI_CONFIG_PASSPHRASE: "test",
    PULUMI_SKIP_UPDATE_CHECK: "1",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "1",
    NO_PROXY: "127.0.0.0/8,localhost",
    ...environment,
  };
  const pulumiWith = (more: Record<string, string>, ...args: readonly string[]): Promise<Run> =>
    new Promise((resolve) => {
      const options = { cwd: folder, env: { ...env, ...more }, maxBuffer: 1 << 26 };
      execFile(engine, [...args, "--non-interactive"], options, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
        resolve({ code, output: stdout + stderr, text: stdout });
      });
    });
  const pulumi = (...args: readonly string[]): Promise<Run> => pulumiWith({}, ...args);
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module", main: "index.ts" }));
  await writeFile(
    join(folder, "Pulumi.yaml"),
    JSON.stringify({
      name: "plugins",
      main: "index.ts",
      runtime: { name: "nodejs", options: { typescript: false, nodeargs: "--import tsx" } },
    }),
  );
  const made = await pulumi("stack", "init", "test", "--secrets-provider", secretsProvider);
  if (made.code !== 0) throw new Error(made.output);
  return {
    folder,
    pulumi,
    pulumiWith,
    program: { program: engine, environment: env },
    write: (program) => writeFile(join(folder, "index.ts"), program),
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
};

/** A proxy that connects one host to one address, as the lab's internet does with each host it simulates. */
export interface Proxy {
  url: string;
  /** The hosts that clients asked for. */
  asked: string[];
  stop: () => Promise<void>;
}

/** Starts a proxy. */
export const startProxy = async (host: string, to: string): Promise<Proxy> => {
  const asked: string[] = [];
  const sockets = new Set<Duplex>();
  const [address = "", port = ""] = to.split(":");
  const server = createServer((_, response) => response.writeHead(403).end());
  server.on("connect", (request, client, head: Buffer) => {
    asked.push(request.url ?? "");
    const far = connect(Number(port), address, () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      far.write(head);
      far.pipe(client).pipe(far);
    });
    for (const end of [far, client]) {
      sockets.add(end);
      end.on("error", () => [far, client].map((one) => one.destroy()));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("the proxy has no port");
  return {
    url: `http://${host}:${bound.port}`,
    asked,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const socket of sockets) socket.destroy();
      }),
  };
};
