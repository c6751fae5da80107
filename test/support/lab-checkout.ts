import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { execa, type Result } from "execa";

const root = join(import.meta.dirname, "../..");

/** A stack that the lab can run. */
export type Stack = "dev" | "prod";

const stacks = ["dev", "prod"] as const;
const subnets = { dev: /\b10\.20\.0\./g, prod: /\b10\.30\.0\./g };

/** The systems of a small cluster: enough to be reached from the Internet, and to decrypt what Git keeps. */
const small = [
  ...["flux-operator", "flux-instance", "webhook", "cilium", "load-balancers", "gateways", "cloudflared"],
  ...["cert-manager", "oauth2-proxy", "prometheus-crds", "welcome", "secret-ways"],
];

/** A clone of the repository with its own lab, on a subnet that no other test uses. */
export class LabCheckout {
  /** The output of `npm run lab -- env`, until the checkout changes. */
  private readonly exports = new Map<Stack, string>();

  private constructor(
    readonly path: string,
    private readonly stacks: Stack[],
  ) {}

  /**
   * Like {@link create}, with one stack and only a few systems in its tree. Starts in half the time, for tests that do
   * not need the whole tree.
   *
   * @param more additional systems
   */
  static async createSmall(octet: number, ...more: string[]): Promise<LabCheckout> {
    return (await LabCheckout.clone({ dev: octet })).keep("dev", more);
  }

  /** Like {@link createSmall}, for prod: three bare-metal control planes. */
  static async createSmallProd(octet: number): Promise<LabCheckout> {
    return (await LabCheckout.clone({ prod: octet })).keep("prod");
  }

  /** Clones HEAD with its uncommitted changes, and moves both stacks to subnets 10.`octet`.0.0/24 of their own. */
  static create(dev: number, prod: number): Promise<LabCheckout> {
    return LabCheckout.clone({ dev, prod });
  }

  private static async clone(octets: Partial<Record<Stack, number>>): Promise<LabCheckout> {
    const path = await mkdtemp(join(tmpdir(), "hearth-"));
    await execa("git", ["clone", "--quiet", root, path]);
    const checkout = new LabCheckout(
      path,
      stacks.filter((stack) => octets[stack] !== undefined),
    );
    const { stdout: diff } = await execa("git", ["diff", "HEAD", "--binary"], { cwd: root, stripFinalNewline: false });
    if (diff !== "") await execa("git", ["apply"], { cwd: path, input: diff });
    await symlink(join(root, "node_modules"), join(path, "node_modules"));
    for (const stack of checkout.stacks) {
      const subnet = `10.${String(octets[stack])}.0.`;
      await checkout.edit(`Pulumi.${stack}.yaml`, (text) => text.replaceAll(subnets[stack], subnet));
    }
    await checkout.commit("Move the stacks to other subnets");
    return checkout;
  }

  /** Removes all but a few systems from a stack's tree. */
  private async keep(stack: Stack, more: string[] = []): Promise<this> {
    const kept = [...small, ...more];
    await this.edit(`gitops/clusters/${stack}/kustomization.yaml`, (text) =>
      text.replaceAll(/^ {2}- .*\/(\S+)\/flux\.yaml\n/gm, (line, system: string) =>
        kept.includes(system) ? line : "",
      ),
    );
    // Pods only look alive in a lab, so that sign-in starts without the realm that it asks in life.
    if (!kept.includes("keycloak-realm")) {
      await this.edit("gitops/infrastructure/security/oauth2-proxy/flux.yaml", (text) =>
        text.replace(/( {4}#.*\n)? {4}- name: keycloak-realm\n/, ""),
      );
    }
    await this.commit("Keep a few systems");
    return this;
  }

  /** Puts an example over the stack file of prod, as a person would who begins with it. Its subnet becomes 10.`octet`.0.0/24. */
  async takeExample(name: string, octet: number): Promise<void> {
    const text = await readFile(join(root, "examples", name, "Pulumi.prod.yaml"), "utf8");
    await this.write("Pulumi.prod.yaml", text.replaceAll(/\b(192\.168\.1|10\.30\.0)\./g, `10.${String(octet)}.0.`));
    await this.commit(`Begin with the example ${name}`);
  }

  /** Runs `npm run lab -- …`. The output combines stdout and stderr. */
  lab(...args: string[]): ReturnType<typeof this.start> {
    return this.start(args);
  }

  /** Runs a command in a shell that has evaluated `npm run lab -- env`. */
  async shell(command: string, stack: Stack = "dev"): Promise<Result> {
    const options = { cwd: this.path, all: true, reject: false } as const;
    let exports = this.exports.get(stack);
    if (exports === undefined) {
      const said = await execa("npm", ["run", "--silent", "lab", "--", "env", stack], options);
      if (said.exitCode !== 0) return said;
      exports = said.stdout;
      this.exports.set(stack, exports);
    }
    return execa("bash", ["-c", `set -e\n${exports}\n${command}`], options);
  }

  file(...path: string[]): string {
    return join(this.path, ...path);
  }

  /** The process ID of the lab's supervisor. */
  async supervisor(stack: Stack = "dev"): Promise<number> {
    return Number(await readFile(this.file(".lab", stack, "supervisor.pid"), "utf8"));
  }

  async edit(file: string, change: (text: string) => string): Promise<void> {
    const before = await readFile(this.file(file), "utf8");
    const after = change(before);
    if (after === before) throw new Error(`The edit changes nothing in ${file}`);
    await this.write(file, after);
  }

  async write(file: string, text: string): Promise<void> {
    await writeFile(this.file(file), text);
    this.exports.clear();
  }

  /** Commits all changes and returns the commit. */
  commit(message: string): Promise<string> {
    return this.gitCommit("commit", "--quiet", "--all", "--message", message);
  }

  /** Reverts the last commit and returns the new one. */
  revert(): Promise<string> {
    return this.gitCommit("revert", "--no-edit", "HEAD");
  }

  private async gitCommit(...args: string[]): Promise<string> {
    await this.git(...args);
    return this.git("rev-parse", "HEAD");
  }

  /** Runs Git with a user name and returns its output. */
  async git(...args: string[]): Promise<string> {
    this.exports.clear();
    const identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"];
    return (await execa("git", [...identity, ...args], { cwd: this.path })).stdout;
  }

  async remove(): Promise<void> {
    for (const stack of this.stacks) await this.lab("reset", stack);
    await rm(this.path, { recursive: true, force: true });
  }

  private start(args: string[]) {
    this.exports.clear();
    return execa("npm", ["run", "--silent", "lab", "--", ...args], { cwd: this.path, all: true, reject: false });
  }
}
