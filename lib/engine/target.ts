import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { ConfigurationError } from "../../infra/config/error.ts";
import type { HearthConfig } from "../../infra/config/index.ts";
import { rolloutEnvironment } from "../../infra/rollout.ts";
import { examineStackFile, parseStackFile } from "../../infra/config/stack-file.ts";
import { codeOf, Problem } from "../../toolchain/problem.ts";
import { Toolchain } from "../../toolchain/toolchain.ts";
import { engineEnvironment, stateUrl } from "./lab-environment.ts";
import { labFolder } from "./lab-folder.ts";
import { PulumiStack } from "./pulumi-stack.ts";
import { Pulumi, type Environment } from "./pulumi.ts";

/** A command for a person to run. @example "npx hearth deploy dev --lab" */
export const hearthCommand = ({ isLab }: Pick<Target, "isLab">, ...words: string[]): string =>
  ["npx hearth", ...words, ...(isLab ? ["--lab"] : [])].join(" ");

/** The policy pack of a checkout, which is a program that the engine starts. */
export const policyPack = (root: string): string => join(root, "policy", "pack");

/** A stack as commands reach it: with its files and its engine, real or the lab's. */
export class Target {
  private constructor(
    /** The checkout's root. */
    readonly root: string,
    readonly stack: string,
    readonly isLab: boolean,
    /** The stack file that the engine runs with. In the lab it is the derived one. */
    readonly stackFile: string,
    /** Variables that the engine's processes have in addition to the person's. */
    readonly environment: Environment,
    readonly engine: PulumiStack,
  ) {}

  /**
   * Finds a stack.
   *
   * @param lab whether the lab's stack is meant; it is as well where the shell has evaluated `npm run lab -- env`
   */
  static async open(root: string, stack: string, { lab = false }: { lab?: boolean } = {}): Promise<Target> {
    const folder = labFolder(root, stack);
    const isLab = lab || process.env.PULUMI_BACKEND_URL === stateUrl(folder);
    const stackFile = isLab ? folder.derived : folder.committed;
    await readFile(stackFile, "utf8").catch((error: unknown) => {
      if (codeOf(error) !== "ENOENT") throw error;
      throw new Problem(
        isLab
          ? `The lab of ${stack} was never up: run \`npm run lab -- up ${stack}\` first`
          : `There is no stack ${stack}: Pulumi.${stack}.yaml is missing`,
      );
    });
    const { pulumi = "pulumi" } = await new Toolchain({ root }).ensure(["pulumi"]);
    const environment: Environment = isLab
      ? engineEnvironment(folder, JSON.parse(await readFile(folder.config, "utf8")) as { internet: { proxy: string } })
      : { PATH: `${join(root, "node_modules", ".bin")}:${process.env.PATH ?? ""}` };
    // Commands judge themselves what they take out of service; previews show it.
    Object.assign(environment, rolloutEnvironment());
    // The engine shares it: a rebuild adds the passphrase that only the escrow has.
    const engine = new PulumiStack(new Pulumi(pulumi, root, environment), stack, stackFile);
    return new Target(root, stack, isLab, stackFile, environment, engine);
  }

  /** Where the stack's state is kept; undefined for a lab, whose backend is a folder of whichever checkout it runs in. */
  async backend(): Promise<string | undefined> {
    return this.isLab ? undefined : this.engine.backend();
  }

  /** The stack's validated configuration. */
  async config(): Promise<HearthConfig> {
    const text = await readFile(this.stackFile, "utf8");
    const { config, problems, undeployable } = examineStackFile(parseStackFile(text));
    if (!config || undeployable.length > 0) throw new ConfigurationError(this.stack, [...problems, ...undeployable]);
    return config;
  }

  /** What the stack's secrets are encrypted with, where that is a passphrase that the environment gives. */
  async passphrase(): Promise<string | undefined> {
    if (!/^encryptionsalt:/m.test(await readFile(this.stackFile, "utf8"))) return undefined;
    const passphrase = await passphraseIn({ ...process.env, ...this.environment });
    if (passphrase) return passphrase;
    throw new Problem(
      `The secrets of ${this.stack} are encrypted by a passphrase: set PULUMI_CONFIG_PASSPHRASE_FILE to the file that holds it`,
    );
  }
}

/** The passphrase that Pulumi takes from an environment. Source: pulumi 3.259.0, pkg/secrets/passphrase/manager.go. */
export const passphraseIn = async (environment: Environment): Promise<string | undefined> => {
  const { PULUMI_CONFIG_PASSPHRASE: passphrase, PULUMI_CONFIG_PASSPHRASE_FILE: file } = environment;
  if (passphrase !== undefined || !file) return passphrase;
  return (await readFile(file, "utf8")).trim();
};
