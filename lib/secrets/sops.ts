import { execa } from "execa";
import { parse, stringify } from "yaml";

import type { Recipients } from "../../components/secrets/escrow-head.ts";
import { Problem } from "../../toolchain/problem.ts";
import { Toolchain } from "../../toolchain/toolchain.ts";
import type { Keys } from "./keys.ts";

/** The reason why a file did not open. */
export type Refusal = "no key" | "changed" | "damaged";

/** Thrown where SOPS does not open a file. Its message is SOPS's own last line, and holds no secret. */
export class SopsError extends Error {
  constructor(
    readonly refusal: Refusal,
    message: string,
  ) {
    super(message);
  }
}

/** Variables of the environment by which SOPS finds keys and recipients; each call names its own. */
const unset = Object.fromEntries(
  [
    ...[
      "SOPS_AGE_KEY",
      "SOPS_AGE_KEY_FILE",
      "SOPS_AGE_KEY_CMD",
      "SOPS_AGE_SSH_PRIVATE_KEY_FILE",
      "SOPS_AGE_SSH_PRIVATE_KEY_CMD",
    ],
    ...["SOPS_AGE_RECIPIENTS", "SOPS_KMS_ARN", "SOPS_PGP_FP", "SOPS_GCP_KMS_IDS", "SOPS_AZURE_KEYVAULT_URLS"],
    ...["SOPS_VAULT_URIS", "SOPS_DECRYPTION_ORDER", "SOPS_CONFIG"],
  ].map((name) => [name, undefined]),
);

/** The program sops. What it encrypts and decrypts goes through pipes, never through files. */
export class Sops {
  constructor(
    private readonly program: string,
    private readonly env: Record<string, string | undefined> = {},
  ) {}

  /** Finds sops, and builds it if it is missing. */
  static async find(root: string, env: Record<string, string | undefined> = {}): Promise<Sops> {
    const { sops = "sops" } = await new Toolchain({ root }).ensure(["sops"]);
    return new Sops(sops, env);
  }

  /** Encrypts the values below the keys that match. */
  async encrypt(yaml: string, { age: recipients, kms }: Recipients, encryptedRegex: string): Promise<string> {
    const to = ["--age", recipients.join(","), ...kms.flatMap((key) => [kmsFlag(key), key])];
    const { exitCode, stdout, stderr } = await this.call(
      ["encrypt", ...types("yaml"), ...to, "--encrypted-regex", encryptedRegex, "--filename-override", "escrow.yaml"],
      yaml,
    );
    if (exitCode !== 0) throw new Problem(`sops cannot encrypt: ${lastLine(stderr)}`);
    return stdout;
  }

  /**
   * Decrypts a YAML file.
   *
   * @throws SopsError where it does not open
   */
  async decrypt(yaml: string, { identities, kms }: Keys): Promise<unknown> {
    const { exitCode, stdout, stderr } = await this.call(["decrypt", ...types("json")], withoutOthers(yaml, kms), {
      SOPS_AGE_KEY: identities.join("\n"),
    });
    if (exitCode === 0) return JSON.parse(stdout);
    const refusal = /MAC mismatch/i.test(stderr)
      ? "changed"
      : /data key|no identity|identities/i.test(stderr)
        ? "no key"
        : "damaged";
    throw new SopsError(refusal, lastLine(stderr));
  }

  /**
   * The text of a SOPS file with a new data key, encrypted to one recipient in place of another.
   *
   * @param identities of which one opens the file as it is
   */
  async exchange(
    path: string,
    { add, remove }: { add: string; remove: string },
    identities: string[],
  ): Promise<string> {
    const { exitCode, stdout, stderr } = await this.call(["rotate", "--add-age", add, "--rm-age", remove, path], "", {
      SOPS_AGE_KEY: identities.join("\n"),
    });
    if (exitCode !== 0) throw new Problem(`sops cannot encrypt ${path} anew: ${lastLine(stderr)}`);
    return stdout;
  }

  /**
   * Runs a command in a checkout, by the rules of its `.sops.yaml` and with the person's own keys.
   *
   * @param identities that may open the file beside the person's
   * @throws Problem where it fails
   */
  async inCheckout(
    root: string,
    args: string[],
    { input, identities = [] }: { input?: string; identities?: readonly string[] } = {},
  ): Promise<string> {
    const { exitCode, stdout, stderr } = await execa(this.program, args, {
      cwd: root,
      env: besideOwn(identities),
      reject: false,
      stripFinalNewline: false,
      ...(input !== undefined && { input }),
    });
    if (exitCode === 0) return stdout;
    throw new Problem(
      /data key|identit/i.test(stderr)
        ? `No identity here opens ${args.at(-1) ?? "the file"}: set SOPS_AGE_KEY_FILE to the file with one of its recipients' identities`
        : `sops: ${lastLine(stderr)}`,
    );
  }

  /** Lets the person change a file of a checkout in their editor. */
  async edit(root: string, path: string, identities: readonly string[] = []): Promise<void> {
    const options = { cwd: root, env: besideOwn(identities), stdio: "inherit", reject: false } as const;
    const { exitCode } = await execa(this.program, ["edit", path], options);
    // The exit code by which SOPS reports that nothing was changed.
    if (exitCode !== 0 && exitCode !== 200) throw new Problem(`sops did not change ${path}`);
  }

  private call(args: string[], input: string, keys: Record<string, string> = {}) {
    // In the root folder SOPS meets no configuration of a project, and with a folder that is not there no keys of a person's.
    const env = { ...this.env, ...unset, ...keys, XDG_CONFIG_HOME: "/nonexistent" };
    return execa(this.program, args, { input, env, cwd: "/", reject: false, stripFinalNewline: false });
  }
}

/** Adds identities to those in the person's environment; SOPS tries each. */
const besideOwn = (identities: readonly string[]): Record<string, string> => {
  const own = process.env.SOPS_AGE_KEY;
  if (identities.length === 0) return {};
  return { SOPS_AGE_KEY: [...(own === undefined ? [] : [own]), ...identities].join("\n") };
};

const types = (output: "yaml" | "json"): string[] => ["--input-type", "yaml", "--output-type", output];

/** The flag of sops that takes a KMS key's name. Source: getsops/sops, README, the identifiers of each service's keys. */
export const kmsFlag = (kms: string): "--kms" | "--gcp-kms" | "--azure-kv" | "--hc-vault-transit" => {
  if (kms.startsWith("arn:")) return "--kms";
  if (kms.startsWith("projects/")) return "--gcp-kms";
  return new URL(kms).hostname.endsWith(".vault.azure.net") ? "--azure-kv" : "--hc-vault-transit";
};

/** Lists of a SOPS file's keys that are in a service, by the name of the list. */
const services = ["kms", "gcp_kms", "azure_kv", "hc_vault"] as const;

/** The file without its keys in services that may not be asked: SOPS would ask them last, and wait for them. */
const withoutOthers = (yaml: string, kms: boolean): string => {
  if (kms) return yaml;
  const file = parse(yaml) as { sops?: Record<string, unknown> };
  const rest = Object.entries(file.sops ?? {}).filter(([name]) => !services.some((service) => service === name));
  // Every string is quoted: SOPS's parser would read some of them as times.
  return stringify({ ...file, sops: Object.fromEntries(rest) }, { lineWidth: 0, defaultStringType: "QUOTE_DOUBLE" });
};

const lastLine = (text: string): string => text.trim().split("\n").at(-1)?.trim() ?? "";
