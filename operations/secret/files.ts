import { existsSync, globSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";

import { execa } from "execa";

import { ageRecipient } from "../../components/secrets/age.ts";
import { labAgeIdentity } from "../../lib/secrets/lab-identity.ts";
import { Problem } from "../../toolchain/problem.ts";
import { Toolchain } from "../../toolchain/toolchain.ts";

/** The encrypted files of a checkout, by SOPS's own program and the rules of `.sops.yaml`. */
export class SecretFiles {
  private constructor(
    private readonly root: string,
    private readonly sops: string,
  ) {}

  /** @param root the checkout's root, which holds `.sops.yaml` */
  static async open(root: string, toolchainRoot = join(import.meta.dirname, "../..")): Promise<SecretFiles> {
    if (!existsSync(join(root, ".sops.yaml")))
      throw new Problem(`${root} has no .sops.yaml, which names the recipients`);
    const { sops = "sops" } = await new Toolchain({ root: toolchainRoot }).ensure(["sops"]);
    return new SecretFiles(root, sops);
  }

  /** Every encrypted file of the tree, from the root. */
  all(): string[] {
    return globSync("gitops/**/*.sops.yaml", { cwd: this.root }).sort();
  }

  /** The path from the root, of a file that the rules are for. */
  named(file: string): string {
    const path = relative(this.root, resolve(this.root, file));
    if (/^gitops\/.*\.sops\.yaml$/.test(path)) return path;
    throw new Problem(`${file} is no file that Flux decrypts: write one such as gitops/apps/APP/app/NAME.sops.yaml`);
  }

  /** Writes a new file. What it holds in the clear goes through a pipe only. */
  async create(path: string, manifest: string): Promise<void> {
    if (existsSync(join(this.root, path)))
      throw new Problem(`${path} is there: change it with npm run secret -- edit ${path}`);
    const encrypted = await this.run(
      ["encrypt", "--input-type", "yaml", "--output-type", "yaml", "--filename-override", path],
      {
        input: manifest,
      },
    );
    await this.write(path, encrypted);
  }

  /** Lets the person change a file in their editor. */
  async edit(path: string): Promise<void> {
    this.require(path);
    const { exitCode } = await execa(this.sops, ["edit", path], {
      cwd: this.root,
      env: await this.keys(path),
      stdio: "inherit",
      reject: false,
    });
    // SOPS says by this that nothing was changed.
    if (exitCode !== 0 && exitCode !== 200) throw new Problem(`sops did not change ${path}`);
  }

  /** Encrypts a file anew, with another data key, to the recipients that `.sops.yaml` names now. */
  async rotate(path: string): Promise<void> {
    this.require(path);
    const env = await this.keys(path);
    // In this order: afterwards, who opened it until now may have no key to it.
    await this.write(path, await this.run(["rotate", path], { env }));
    await this.run(["updatekeys", "--yes", path], { env });
  }

  private require(path: string): void {
    if (!existsSync(join(this.root, path))) throw new Problem(`${path} is not there: npm run secret -- new makes it`);
  }

  /** The lab's identity for what is encrypted to it, beside the person's own: SOPS tries each. */
  private async keys(path: string): Promise<Record<string, string>> {
    const recipient = await ageRecipient(labAgeIdentity);
    const isLabs = (await readFile(join(this.root, path), "utf8")).includes(recipient);
    const own = process.env.SOPS_AGE_KEY;
    if (!isLabs) return {};
    return { SOPS_AGE_KEY: [own, labAgeIdentity].filter((each) => each !== undefined).join("\n") };
  }

  private async run(args: string[], options: { input?: string; env?: Record<string, string> }): Promise<string> {
    const { exitCode, stdout, stderr } = await execa(this.sops, args, {
      cwd: this.root,
      reject: false,
      stripFinalNewline: false,
      ...options,
    });
    if (exitCode === 0) return stdout;
    const said = stderr.trim().split("\n").at(-1) ?? "";
    const isClosed = /data key|identit/i.test(stderr);
    throw new Problem(
      isClosed
        ? `No identity here opens ${args.at(-1) ?? "the file"}: set SOPS_AGE_KEY_FILE to the file with one of its recipients' identities`
        : `sops: ${said}`,
    );
  }

  /** A file is whole or as it was. */
  private async write(path: string, text: string): Promise<void> {
    const file = join(this.root, path);
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  }
}
