import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";

import { execa } from "execa";

import type { LabConfig } from "../../lab/lab-config.ts";
import { engineEnvironment } from "../../lib/engine/lab-environment.ts";
import type { LabFolder } from "../../lib/engine/lab-folder.ts";
import { vendorPlugin } from "../../toolchain/locate.ts";
import { tools } from "../../toolchain/tools.ts";
import { tool } from "./tools.ts";

const root = join(import.meta.dirname, "../..");

/** What the person answers where a command asks: a text that the question ends with, and the answer. */
export type Answers = readonly (readonly [question: string, answer: string])[];

/** How long one command may take, in milliseconds: where it waits for an answer that nobody gives, that is not long. */
const timeoutOf = (command: string): number => (command.includes("hearth deploy") ? 15 : 2) * 60_000;

/** Who has nothing of Hearth yet: a home folder with a shell, whose folder and variables stay from command to command. */
export class Newcomer {
  private constructor(
    readonly home: string,
    private readonly environment: Record<string, string>,
  ) {}

  /**
   * Gives somebody a home and what the guides ask for: Node.js, Git, Pulumi, age, kubectl and talosctl.
   *
   * Their editor keeps what Git proposes. Four things of the Internet are not in the lab, and stand here for it: the repository's
   * public address leads to a folder, `age-keygen` is age's format by another program, npm's packages are those of this checkout, and
   * Go's modules those of this computer.
   *
   * @param fork folder of the bare repository that they forked
   */
  static async at(fork: string, folder: LabFolder, config: LabConfig): Promise<Newcomer> {
    const home = await mkdtemp(join(tmpdir(), "hearth-home-"));
    const bin = join(home, "bin");
    await mkdir(bin);
    await writeFile(
      join(home, ".gitconfig"),
      `[user]\nname = You\nemail = you@example.com\n[core]\neditor = true\n[url "file://${fork}"]\ninsteadOf = git@github.com:you/hearth.git\n`,
    );
    await writeFile(join(bin, "age-keygen"), ageKeygen(join(root, "node_modules/age-encryption/dist/index.js")));
    await chmod(join(bin, "age-keygen"), 0o755);
    const internet = Object.entries(engineEnvironment(folder, config)).filter(([name]) =>
      /proxy|ssl_cert|extra_ca|no_proxy/i.test(name),
    );
    const programs = await Promise.all(
      ["pulumi", "pulumi-language-nodejs", "talosctl", "sops"].map((name) => tool(name)),
    );
    const path = (process.env.PATH ?? "").split(delimiter).filter((each) => !each.includes("node_modules"));
    const environment = {
      HOME: home,
      // Pulumi asks the system's list of users for its folder, whatever HOME is.
      PULUMI_HOME: join(home, ".pulumi"),
      PATH: [bin, dirname(process.execPath), ...programs.map(dirname), ...path].join(delimiter),
      TERM: "xterm",
      // Its spinner would stand before the first line of what a command prints.
      npm_config_progress: "false",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      GOMODCACHE: (await execa("go", ["env", "GOMODCACHE"])).stdout,
      HEARTH_CACHE:
        process.env.HEARTH_CACHE ??
        join(process.env.XDG_CACHE_HOME ?? join(process.env.HOME ?? "", ".cache"), "hearth"),
      ...(Object.fromEntries(internet) as Record<string, string>),
    };

    await writeFile(join(home, ".shell"), shell);
    return new Newcomer(home, environment);
  }

  /** What a clone of npm's registry would bring. */
  async installPackages(): Promise<void> {
    await symlink(join(root, "node_modules"), join(this.home, "hearth/node_modules"));
  }

  /** What `pulumi install` does with the vendors' plugins, with those of this checkout. */
  async installPlugins(): Promise<void> {
    for (const each of tools) {
      const plugin = await vendorPlugin(each, root);
      if (plugin === undefined) continue;
      const folder = join(this.home, ".pulumi/plugins", `resource-${plugin.name}-v${plugin.version}`);
      await mkdir(folder, { recursive: true });
      await symlink(await tool(each.name), join(folder, each.name));
    }
  }

  /** Types a command into the terminal, answers what it asks, and returns what the terminal shows. */
  async type(command: string, answers: Answers = []): Promise<{ exitCode: number; output: string }> {
    await writeFile(join(this.home, ".command"), command);
    const running = execa("script", ["--quiet", "--return", "--command", `bash ${this.home}/.shell`, "/dev/null"], {
      ...{
        cwd: this.home,
        env: this.environment,
        extendEnv: false,
        all: true,
        reject: false,
        timeout: timeoutOf(command),
      },
    });
    let [shown, read] = ["", 0];
    running.stdout.on("data", (chunk: Buffer) => {
      shown += chunk.toString();
      for (;;) {
        const asked = answers
          .map(([question, answer]) => ({ end: shown.indexOf(question, read) + question.length, question, answer }))
          .filter(({ question }) => shown.includes(question, read))
          .sort((a, b) => a.end - b.end)[0];
        if (asked === undefined) return;
        read = asked.end;
        // As the return key; programs that read the terminal raw know no other end of a line.
        running.stdin.write(`${asked.answer}\r`);
      }
    });
    const { exitCode = 1, stdout, timedOut } = await running;
    // Colours, and what moves the cursor, are nothing that a guide shows.
    return { exitCode: timedOut ? 124 : exitCode, output: stripVTControlCharacters(stdout).replaceAll("\r", "") };
  }

  remove(): Promise<void> {
    return rm(this.home, { recursive: true, force: true });
  }
}

/** Keeps the folder and the exported variables of one command for the next. */
const shell = `cd "$(cat ~/.folder 2>/dev/null || echo ~)"
[ -f ~/.variables ] && . ~/.variables
set -e
trap 'status=$?; pwd > ~/.folder; export -p > ~/.variables; exit $status' EXIT
. ~/.command
`;

const ageKeygen = (library: string): string => `#!${process.execPath}
import("${library}").then(async ({ generateIdentity, identityToRecipient }) => {
  const identity = await generateIdentity();
  const recipient = await identityToRecipient(identity);
  require("node:fs").writeFileSync(process.argv[3], "# public key: " + recipient + "\\n" + identity + "\\n", { mode: 0o600 });
  console.error("Public key: " + recipient);
});
`;
