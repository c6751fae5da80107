import { execa } from "execa";
import { chmod, mkdir, readFile, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { ageRecipient } from "../components/secrets/age.ts";
import { writeWhole } from "../lib/terminal/whole-file.ts";
import { moduleFolder } from "../toolchain/modules.ts";
import { codeOf, Problem } from "../toolchain/problem.ts";
import { Toolchain } from "../toolchain/toolchain.ts";
import { labAgeIdentity } from "../lib/secrets/lab-identity.ts";
import { labCredentials } from "./credentials.ts";
import {
  deriveLab,
  deriveStack,
  isSecret,
  serviceAddresses,
  toLoopback,
  withoutPools,
  type StackConfig,
} from "./derive.ts";
import { Engine } from "./engine.ts";
import { pulumiScript, readIfThere } from "./environment.ts";
import type { LabFolder } from "../lib/engine/lab-folder.ts";
import type { LabConfig } from "./lab-config.ts";
import { labSecrets } from "./secrets.ts";
import { Simulators } from "./simulators.ts";
import { Supervisor } from "./supervisor.ts";
import { noTree, readLabTree, type ReadTree } from "./tree-reading.ts";
import { bucketOf, keepsVolumes, keepVolumes, volsyncModule, volumePrograms } from "./volumes.ts";

/** Programs that the simulators start. */
const simulated = [
  ...["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"],
  ...["flux-operator", "source-controller", "kustomize-controller", "helm-controller", "notification-controller"],
];

/** Programs that the engine consists of. */
const engine = [
  ...["pulumi", "pulumi-language-nodejs", "pulumi-resource-kubernetes", "pulumi-resource-proxmoxve"],
  ...["pulumi-resource-talos", "pulumi-resource-random", "pulumi-resource-cloudflare"],
];

/** Programs that a person uses by hand. */
const handTools = ["kubectl", "talosctl"];

/** The result of a set-up. */
export interface SetUp {
  lab: LabConfig;
  /** Paths of the programs by name. */
  programs: Record<string, string>;
  /** Whether the new configuration differs from that of simulators that may be running. */
  isChanged: boolean;
}

interface StackFile {
  config: StackConfig & Record<string, unknown>;
  encryptionsalt?: string;
}

/** One stack's lab: its configuration, its programs, and the parts that run. */
export class Lab {
  readonly supervisor: Supervisor;

  private constructor(
    readonly folder: LabFolder,
    private readonly committed: StackConfig,
  ) {
    this.supervisor = new Supervisor(folder, serviceAddresses(committed).supervisor);
  }

  /** The cluster's folder in the GitOps tree. */
  get treePath(): string {
    return this.committed["hearth:gitops"].path;
  }

  /** Reads the committed stack configuration. */
  static async open(folder: LabFolder): Promise<Lab> {
    const text = await readFile(folder.committed, "utf8").catch((error: unknown) => {
      if (codeOf(error) !== "ENOENT") throw error;
      throw new Problem(`There is no stack ${folder.stack}: Pulumi.${folder.stack}.yaml is missing`);
    });
    return new Lab(folder, (parse(text) as StackFile).config);
  }

  private get nodes(): StackConfig["hearth:nodes"] {
    return withoutPools(this.committed)["hearth:nodes"];
  }

  /** Finds or builds every program, and writes the lab's configuration. */
  async setUp(): Promise<SetUp> {
    const { folder } = this;
    const before = await readIfThere(folder.config);
    await this.makeFolder();
    const toolchain = new Toolchain({ root: folder.root });
    const hasVolumes = await keepsVolumes(folder);
    const started = [...simulated, ...(hasVolumes ? volumePrograms : [])];
    const programs = await toolchain.ensure([...started, ...engine, "hearth-lab", "hearth-tree"]);
    const credentials = await labCredentials(folder);
    const [tree, data] = await Promise.all([this.readTree(), this.data()]);
    const lab = deriveLab(this.committed, {
      stack: folder.stack,
      dir: folder.path,
      repository: folder.root,
      // The lab's own program is included, so that a rebuilt one counts as a changed configuration.
      programs: Object.fromEntries([...started, "hearth-lab"].map((name) => [name, programs[name] ?? ""])),
      data: { ...data, ...(hasVolumes && { volsync: await volsyncModule(folder.root) }) },
      credentials,
      charts: tree.charts,
      computers: before === undefined ? undefined : (JSON.parse(before) as LabConfig).metal,
      bucket: hasVolumes
        ? await bucketOf(folder.root, this.treePath, serviceAddresses(this.committed).bucket)
        : undefined,
    });
    const text = `${JSON.stringify(lab, undefined, 2)}\n`;
    await writeWhole(folder.config, text);
    await this.linkPrograms(lab, programs);
    return { lab, programs, isChanged: before !== undefined && before !== text };
  }

  /** Makes the lab's volumes hold data from its next set-up on. */
  async keepVolumes(): Promise<void> {
    await this.makeFolder();
    await keepVolumes(this.folder);
  }

  /** The names of the stack file's machines. */
  get machines(): string[] {
    return Object.keys(this.nodes);
  }

  /** The name of the node at an address of the lab, which its computer may not have. */
  nodeAt(address: string): string | undefined {
    return Object.entries(this.nodes).find(([, node]) => toLoopback(node.address) === address)?.[0];
  }

  /** The configuration that the last set-up wrote. Undefined if this lab was never up. */
  async written(): Promise<LabConfig | undefined> {
    const text = await readIfThere(this.folder.config);
    return text === undefined ? undefined : (JSON.parse(text) as LabConfig);
  }

  /** The engine, with a stack and a complete configuration. The simulators must run already. */
  async engine(lab: LabConfig, pulumi: string): Promise<Engine> {
    const { folder } = this;
    const file = await this.writeDerived();
    const credentials = await labCredentials(folder);
    const secrets = labSecrets(this.committed, credentials);
    const missing = Object.entries(secrets).filter(([key]) => file.config[key] === undefined);
    const made = new Engine(folder, lab, pulumi);
    await made.prepare(Object.fromEntries(missing));
    return made;
  }

  /** Derives the configuration again from the present stack file. */
  async derive(): Promise<void> {
    await this.writeDerived();
  }

  /** Takes the signers of backups out of the derived configuration: a stack that was destroyed gets others. */
  async forgetSigners(): Promise<void> {
    await this.writeDerived(false);
  }

  simulators(lab: LabConfig): Simulators {
    return new Simulators(this.folder, lab);
  }

  /** The releases that this lab stops, and the objects whose health it does not check. */
  async leftOut(): Promise<Pick<ReadTree, "stopped" | "unchecked">> {
    const text = await readIfThere(this.folder.skipped);
    return text === undefined ? noTree : (JSON.parse(text) as Pick<ReadTree, "stopped" | "unchecked">);
  }

  /** The commit that the lab's Git server serves, in Flux's notation. */
  async revision(lab: LabConfig): Promise<string> {
    return `refs/heads/${lab.git.branch}@sha1:${await git(this.folder.root, "rev-parse", "HEAD")}`;
  }

  /** Whether tracked files have uncommitted changes, which the lab does not serve. */
  async hasUncommitted(): Promise<boolean> {
    return (await git(this.folder.root, "status", "--porcelain", "--untracked-files=no", "--", "gitops")) !== "";
  }

  /** Links the programs that a person uses into the lab's `bin` folder. */
  async linkHandTools(): Promise<void> {
    const found = await new Toolchain({ root: this.folder.root }).ensure(handTools);
    for (const [name, path] of Object.entries(found)) await link(path, join(this.folder.bin, name));
  }

  private async makeFolder(): Promise<void> {
    try {
      await mkdir(this.folder.path, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw new Problem(`${this.folder.path} cannot be created (${codeOf(error) ?? "?"}): make the checkout writable`);
    }
  }

  /** Works out what of the tree can run here, and writes what the simulators create in place of the rest. */
  private async readTree(): Promise<ReadTree> {
    const { folder } = this;
    const tree =
      this.committed["hearth:gitops"].engine === "argocd" ? noTree : await readLabTree(folder, this.committed);
    const { kinds, policies, stopped, unchecked, definitions } = tree;
    await writeWhole(folder.created, JSON.stringify({ definitions, kinds, policies }));
    await writeWhole(folder.skipped, JSON.stringify({ stopped, unchecked }));
    return tree;
  }

  /** Folders in Go's module cache that hold what the simulators serve. */
  private async data(): Promise<Record<string, string>> {
    const from = (folder: string, module: string): Promise<string> =>
      moduleFolder(join(this.folder.root, folder), module);
    const [kwok, fluxOperator, cilium] = await Promise.all([
      from(".", "sigs.k8s.io/kwok"),
      from(".", "github.com/controlplaneio-fluxcd/flux-operator"),
      from("toolchain/charts", "github.com/cilium/cilium"),
    ]);
    return { kwok, "flux-operator": fluxOperator, cilium: join(cilium, "install", "kubernetes", "cilium") };
  }

  private async linkPrograms(lab: LabConfig, programs: Record<string, string>): Promise<void> {
    await mkdir(this.folder.bin, { recursive: true });
    for (const name of engine.filter((each) => each !== "pulumi")) {
      await link(programs[name] ?? "", join(this.folder.bin, name));
    }
    await link(process.execPath, join(this.folder.bin, "node"));
    const script = join(this.folder.bin, "pulumi");
    await writeWhole(script, pulumiScript(this.folder, lab, programs.pulumi ?? ""));
    await chmod(script, 0o700);
  }

  /** Writes the derived configuration. Secrets of an earlier one are kept, and who signs backups. */
  private async writeDerived(keepsSigners = true): Promise<StackFile> {
    const before = parse((await readIfThere(this.folder.derived)) ?? "config: {}") as StackFile;
    const knownHosts = (await readFile(this.folder.knownHosts, "utf8")).trim();
    const recipient = await ageRecipient(labAgeIdentity);
    const secrets = Object.entries(before.config).filter(([, value]) => isSecret(value));
    const { signers } = (before.config["hearth:escrow"] ?? {}) as { signers?: unknown };
    const facts = { stack: this.folder.stack, knownHosts, recipient, signers: keepsSigners ? signers : undefined };
    const file: StackFile = {
      config: {
        ...deriveStack(this.committed, facts),
        ...Object.fromEntries(secrets),
      },
      ...(before.encryptionsalt !== undefined && { encryptionsalt: before.encryptionsalt }),
    };
    await writeWhole(this.folder.derived, stringify(file, { lineWidth: 0, schema: "yaml-1.1" }));
    return file;
  }
}

const link = async (target: string, path: string): Promise<void> => {
  await rm(path, { force: true });
  await symlink(target, path);
};

const git = async (cwd: string, ...args: string[]): Promise<string> => {
  try {
    return (await execa("git", args, { cwd })).stdout.trim();
  } catch (error) {
    if (codeOf(error) === "ENOENT")
      throw new Problem("Git is missing, which the lab needs to serve its repository: install it");
    throw new Problem(
      `${cwd} is not a Git checkout with a commit: clone the repository, or run \`git init\` and commit`,
    );
  }
};
