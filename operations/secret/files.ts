import { existsSync, globSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";

import { ageRecipient } from "../../components/secrets/age.ts";
import { strangersIn } from "../../components/secrets/known-recipients.ts";
import { isEncrypted } from "../../infra/tree-walk.ts";
import { ruleFor } from "../../lib/secrets/creation-rules.ts";
import { labAgeIdentity } from "../../lib/secrets/lab-identity.ts";
import { Sops } from "../../lib/secrets/sops.ts";
import { writeWhole } from "../../lib/terminal/whole-file.ts";
import { Problem } from "../../toolchain/problem.ts";

/** The encrypted files of a checkout, handled by the sops program and the rules of `.sops.yaml`. */
export class SecretFiles {
  private constructor(
    private readonly root: string,
    private readonly sops: Sops,
    private readonly isExample: boolean,
  ) {}

  /**
   * @param root the checkout's root, which holds `.sops.yaml`
   * @param isExample whether the files are for the lab, and may be encrypted to publicly known keys
   */
  static async open(
    root: string,
    isExample = false,
    toolchainRoot = join(import.meta.dirname, "../.."),
  ): Promise<SecretFiles> {
    if (!existsSync(join(root, ".sops.yaml")))
      throw new Problem(`${root} has no .sops.yaml, which names the recipients`);
    return new SecretFiles(root, await Sops.find(toolchainRoot), isExample);
  }

  /** Every encrypted file of the tree, or of one of its folders, from the root. */
  all(folder = "gitops"): string[] {
    return globSync(`${folder}/**`, { cwd: this.root }).filter(isEncrypted).sort();
  }

  /** The files that a path from the root or the working folder stands for: itself, or all in it. */
  under(path: string): string[] {
    const whole = resolve(this.root, path);
    const isFolder = statSync(whole, { throwIfNoEntry: false })?.isDirectory() === true;
    return isFolder ? this.all(relative(this.root, whole)).map((file) => this.named(file)) : [this.named(path)];
  }

  /** The path from the root of a file that the rules cover. */
  named(file: string): string {
    const path = relative(this.root, resolve(this.root, file));
    if (/^gitops\/.*\.sops\.yaml$/.test(path)) return path;
    throw new Problem(
      `${file} is no file that Flux decrypts: write one such as gitops/clusters/dev/secrets/APP/NAME.sops.yaml`,
    );
  }

  /** Writes a new file. Its plain content goes only through a pipe. */
  async create(path: string, manifest: string): Promise<void> {
    if (existsSync(join(this.root, path)))
      throw new Problem(`${path} is there: change it with npx hearth secret edit ${path}`);
    await this.replace(path, manifest);
  }

  /** Writes a file whatever is there, with a new data key. Its plain content goes only through a pipe. */
  async replace(path: string, manifest: string): Promise<void> {
    await this.requireRule(path);
    const types = ["--input-type", "yaml", "--output-type", "yaml"];
    const encrypted = await this.sops.inCheckout(this.root, ["encrypt", ...types, "--filename-override", path], {
      input: manifest,
    });
    await writeWhole(join(this.root, path), encrypted);
  }

  /** The plain content of a file. @param identities that may open it beside the person's and the lab's */
  async read(path: string, identities: readonly string[]): Promise<string> {
    const keys = [...identities, ...(await this.identities(path))];
    return this.sops.inCheckout(this.root, ["decrypt", path], { identities: keys });
  }

  /** Adds a value to a Secret, or changes it, and leaves the others as they are encrypted. It goes only through a pipe. */
  async set(path: string, key: string, value: string, identities: readonly string[]): Promise<void> {
    await this.requireRule(path);
    const keys = [...identities, ...(await this.identities(path))];
    const index = `["stringData"][${JSON.stringify(key)}]`;
    await this.sops.inCheckout(this.root, ["set", "--value-stdin", path, index], {
      input: JSON.stringify(value),
      identities: keys,
    });
  }

  /** Lets the user change a file in their editor. */
  async edit(path: string): Promise<void> {
    this.require(path);
    await this.requireOwn(path);
    await this.sops.edit(this.root, path, await this.identities(path));
  }

  /** Encrypts a file again, with another data key, to the present recipients in `.sops.yaml`. */
  async rotate(path: string): Promise<void> {
    this.require(path);
    await this.requireRule(path);
    const keys = { identities: await this.identities(path) };
    // In this order, because afterwards the previous reader may have no key to it.
    await writeWhole(join(this.root, path), await this.sops.inCheckout(this.root, ["rotate", path], keys));
    await this.sops.inCheckout(this.root, ["updatekeys", "--yes", path], keys);
  }

  private require(path: string): void {
    if (!existsSync(join(this.root, path))) throw new Problem(`${path} is not there: npx hearth secret new makes it`);
  }

  /** Refuses a path that no environment's rule is for, or whose rule names recipients whose identity is publicly known. */
  async requireRule(path: string): Promise<void> {
    const rule = ruleFor(await readFile(join(this.root, ".sops.yaml"), "utf8"), path);
    if (rule === undefined) {
      throw new Problem(
        `.sops.yaml has no rule for ${path}: write it below an environment's folder, such as gitops/clusters/dev/secrets/APP, or add a rule`,
      );
    }
    const next = "write your stack's own in its place, `pulumi stack output ageRecipient`";
    this.refuseStrangers(rule.recipients.join(" "), `.sops.yaml, for ${path},`, next);
  }

  /** Refuses a file with recipients whose identity is publicly known. */
  private async requireOwn(file: string): Promise<void> {
    const next = `name your own in .sops.yaml, then: npx hearth secret rotate ${file}`;
    this.refuseStrangers(await readFile(join(this.root, file), "utf8"), file, next);
  }

  private refuseStrangers(text: string, where: string, next: string): void {
    const [stranger] = this.isExample ? [] : strangersIn(text);
    if (stranger === undefined) return;
    throw new Problem(
      `${where} names ${stranger.recipient}, ${stranger.what}: ${next}. Where it is an example for the lab only, add --lab`,
    );
  }

  /** The lab's identity, for files that are encrypted to it. */
  private async identities(path: string): Promise<string[]> {
    const recipient = await ageRecipient(labAgeIdentity);
    return (await readFile(join(this.root, path), "utf8")).includes(recipient) ? [labAgeIdentity] : [];
  }
}
