import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { execa, type Result } from "execa";

const root = join(import.meta.dirname, "../..");

/** A clone of the repository with a lab of its own, on a subnet that no other test uses. */
export class LabCheckout {
  private constructor(readonly path: string) {}

  /** Clones HEAD with its uncommitted changes, and moves dev to 10.`octet`.0.0/24. */
  static async create(octet: number): Promise<LabCheckout> {
    const path = await mkdtemp(join(tmpdir(), "hearth-"));
    await execa("git", ["clone", "--quiet", root, path]);
    const checkout = new LabCheckout(path);
    const { stdout: diff } = await execa("git", ["diff", "HEAD", "--binary"], { cwd: root, stripFinalNewline: false });
    if (diff !== "") await execa("git", ["apply"], { cwd: path, input: diff });
    await symlink(join(root, "node_modules"), join(path, "node_modules"));
    await checkout.edit("Pulumi.dev.yaml", (text) => text.replaceAll(/\b10\.20\.0\./g, `10.${octet.toString()}.0.`));
    await checkout.commit("Move dev to another subnet");
    return checkout;
  }

  /** Runs `npm run lab -- …`; its output is stdout and stderr together. */
  lab(...args: string[]): ReturnType<typeof this.start> {
    return this.start(args);
  }

  /** Runs a command of a shell that has evaluated what `npm run lab -- env` prints. */
  shell(command: string): Promise<Result> {
    return execa("bash", ["-c", `set -e; eval "$(npm run --silent lab -- env)"; ${command}`], {
      cwd: this.path,
      all: true,
      reject: false,
    });
  }

  file(...path: string[]): string {
    return join(this.path, ...path);
  }

  /** The process ID of the lab's supervisor. */
  async supervisor(): Promise<number> {
    return Number(await readFile(this.file(".lab/dev/supervisor.pid"), "utf8"));
  }

  async edit(file: string, change: (text: string) => string): Promise<void> {
    const before = await readFile(this.file(file), "utf8");
    const after = change(before);
    if (after === before) throw new Error(`The edit changes nothing in ${file}`);
    await writeFile(this.file(file), after);
  }

  /** Commits everything, and gives the commit. */
  async commit(message: string): Promise<string> {
    const identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"];
    await execa("git", [...identity, "commit", "--quiet", "--all", "--message", message], { cwd: this.path });
    return (await execa("git", ["rev-parse", "HEAD"], { cwd: this.path })).stdout;
  }

  async remove(): Promise<void> {
    await this.lab("reset");
    await rm(this.path, { recursive: true, force: true });
  }

  private start(args: string[]) {
    return execa("npm", ["run", "--silent", "lab", "--", ...args], { cwd: this.path, all: true, reject: false });
  }
}
