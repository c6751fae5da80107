import { randomBytes } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { execa } from "execa";

import { stacksIn } from "../../infra/config/stack-file.ts";
import { escrowPath } from "../../infra/escrow-file.ts";
import { signaturePath } from "../../lib/secrets/escrow-signature.ts";
import { opensSalt, saltIn } from "../../lib/engine/passphrase.ts";
import { PulumiStack } from "../../lib/engine/pulumi-stack.ts";
import { Pulumi, type Environment } from "../../lib/engine/pulumi.ts";
import type { State } from "../../lib/engine/state.ts";
import { passphraseIn, type Target } from "../../lib/engine/target.ts";
import { withPrivateFolder } from "../../lib/secrets/private-folder.ts";
import { writeWhole } from "../../lib/terminal/whole-file.ts";
import { Problem } from "../../toolchain/problem.ts";
import { writeEscrow } from "../escrow/write.ts";
import { acceptedSigningKey } from "../backup/signing-key.ts";
import { backUpState } from "../state/backup.ts";
import { commitStep, type Rotation, type Surroundings } from "./rotation.ts";

/** The passphrase that encrypts the secrets of the state and of the stack file. */
export const passphrase: Rotation = {
  name: "passphrase",
  what: "the passphrase that encrypts the secrets of the state and of the stack file",
  interrupts:
    "Nothing that runs. Until they have the new passphrase and the new stack file, other people and pipelines can neither preview nor deploy.",
  rotate: async (surroundings) => {
    const { target, credentials } = surroundings;
    const { root, stack, isLab } = target;
    const before = await progressOf(target);
    const path = escrowPath(await target.config(), stack);
    const old = await target.passphrase();
    if (before.file !== undefined && old !== undefined && (before.is === "fresh" || before.is === "prepared"))
      await requireOwnFile(target, before.file, old);
    if (before.is === "fresh") {
      credentials.live("Keeping the old passphrase in the escrow");
      await keepOld(surroundings, path);
    }
    await changePassphrase(surroundings, before);
    const kept = isLab ? undefined : await lastCommitOf(root, path);
    const escrow = await writeEscrow(target, credentials);
    credentials.live("Backing the state up");
    const { name } = await backUpState(target, await acceptedSigningKey(target));
    return {
      resumed: before.is !== "fresh",
      said: [
        `Another passphrase encrypts the secrets of ${stack}`,
        `Backups up to now open with the passphrase of the escrow before${kept === undefined ? "" : `: git show ${kept}:${path}`}`,
        `The first that needs the new one is ${name}`,
      ],
      left: [
        ...commitStep(target, escrow, `Pulumi.${stack}.yaml`),
        ...(before.file === undefined ? ["set PULUMI_CONFIG_PASSPHRASE to the new passphrase in your shell"] : []),
        "give the new passphrase to whoever deploys: people, and the secret PULUMI_CONFIG_PASSPHRASE of GitHub's environments",
        "if the old one is known to others: rotate what the state holds too, because they may have a copy of it",
      ],
      escrow,
    };
  },
};

/** How far a change of the passphrase is, by the salts of stack file, next stack file and state. */
export interface Progress {
  is: "fresh" | "prepared" | "imported" | "done but for the file";
  /** The file that holds the passphrase; undefined if a variable does. */
  file: string | undefined;
  /** The stack file that is encrypted by the new passphrase, until it takes the place of the old one. */
  nextFile: string;
}

export const progressOf = async (target: Target): Promise<Progress> => {
  const { stack, stackFile } = target;
  const salt = saltIn(await readFile(stackFile, "utf8"));
  if (salt === undefined)
    throw new Problem(
      `No passphrase encrypts the secrets of ${stack}: rotate the key of its secrets provider where that is kept`,
    );
  const env: Environment = { ...process.env, ...target.environment };
  const file = env.PULUMI_CONFIG_PASSPHRASE === undefined ? env.PULUMI_CONFIG_PASSPHRASE_FILE : undefined;
  const nextFile = `${stackFile}.new`;
  const [nextSalt, stateSalt] = [saltIn(await textOf(nextFile)), await saltOfState(target)];
  if (nextSalt !== undefined && nextSalt === stateSalt) return { is: "imported", file, nextFile };
  if (stateSalt !== salt)
    throw new Problem(
      `Pulumi.${stack}.yaml and the state of ${stack} are encrypted by different passphrases: ` +
        "take the stack file from the commit that belongs to the state",
    );
  const prepared = file === undefined ? undefined : await textOf(drawnFile(file, stack));
  if (prepared !== undefined && prepared !== "" && (await opensSalt(prepared.trim(), salt)))
    return { is: "done but for the file", file, nextFile };
  return { is: nextSalt === undefined ? "fresh" : "prepared", file, nextFile };
};

/** Beside the file of a passphrase: what holds the drawn one, until it takes its place. */
const drawnFile = (file: string, stack: string): string => `${file}.${stack}.new`;

const textOf = (path: string): Promise<string> => readFile(path, "utf8").catch(() => "");

/** The salt that a state's secrets are encrypted with. */
const saltOfState = async ({ engine }: Target): Promise<string | undefined> => {
  const { deployment } = JSON.parse(await engine.sealedState()) as State;
  return (deployment.secrets_providers as { state?: { salt?: string } } | undefined)?.state?.salt;
};

/**
 * Proves that the old passphrase stays at hand for old backups: the escrow holds it, a key opens it, and Git keeps it as it is.
 *
 * @throws Problem if one of these does not hold
 */
const keepOld = async ({ target, credentials }: Surroundings, path: string): Promise<void> => {
  const { trials } = await writeEscrow(target, credentials);
  if (!trials.some(({ outcome }) => outcome === "opened"))
    throw new Problem(
      `No key at hand opens ${path}, and after this only its earlier versions have the old passphrase: give --identity`,
    );
  if (target.isLab) return;
  await requireCommitted(target.root, path, signaturePath(path));
};

/**
 * Proves that no other stack needs the passphrase of a file, which the new one is going to replace.
 *
 * @throws Problem if the passphrase opens another stack file
 */
export const requireOwnFile = async (
  { root, stack }: Pick<Target, "root" | "stack">,
  file: string,
  passphrase: string,
): Promise<void> => {
  for (const other of stacksIn(root).filter((each) => each !== stack)) {
    const name = `Pulumi.${other}.yaml`;
    const salt = saltIn(await readFile(join(root, name), "utf8"));
    if (salt === undefined || !(await opensSalt(passphrase, salt))) continue;
    throw new Problem(
      `${file} also opens ${name}: give each stack a file of its own. Unset PULUMI_CONFIG_PASSPHRASE_FILE, set PULUMI_CONFIG_PASSPHRASE ` +
        `to the old passphrase, and run this again: it reads the new one, which you keep in a file of ${stack}'s; ${file} stays for ${other}`,
    );
  }
};

/** @throws Problem if Git does not have files as they are */
export const requireCommitted = async (root: string, ...paths: string[]): Promise<void> => {
  for (const path of paths) {
    const git = (...args: string[]) => execa("git", [...args], { cwd: root, reject: false });
    const { stdout, exitCode } = await git("status", "--porcelain", "--ignored", "--", path);
    const { exitCode: isTracked } = await git("cat-file", "-e", `HEAD:./${path}`);
    if (exitCode === 0 && stdout === "" && isTracked === 0) continue;
    throw new Problem(
      `${path} is not committed as it is, and Git's history is what keeps the old passphrase for old backups: commit it, and run this again`,
    );
  }
};

const lastCommitOf = async (root: string, path: string): Promise<string> =>
  (await execa("git", ["log", "-1", "--format=%h", "--", path], { cwd: root })).stdout;

/**
 * The new passphrase. Where a file holds the passphrase, it is drawn into a file beside it, so that it is kept before anything is
 * encrypted by it. Where a variable does, the person gives it.
 */
const newPassphrase = async (
  { target: { stack }, readValue }: Surroundings,
  { is, file, nextFile }: Progress,
): Promise<string> => {
  if (file !== undefined) {
    const drawnInto = drawnFile(file, stack);
    const begun = (await textOf(drawnInto)).trim();
    if (begun !== "") return begun;
    if (is === "imported")
      throw new Problem(
        `${drawnInto} is gone, which had the new passphrase: the state opens with no other. Put it there again, and run this again`,
      );
    const drawn = randomBytes(32).toString("base64url");
    await writeWhole(drawnInto, `${drawn}\n`);
    return drawn;
  }
  const given = await readValue("new passphrase");
  if (given.length < 16)
    throw new Problem("The new passphrase is short: give 16 characters or more, as of openssl rand");
  const salt = saltIn(await textOf(nextFile));
  if (is === "imported" && salt !== undefined && !(await opensSalt(given, salt)))
    throw new Problem("The state is encrypted by another new passphrase already: give that one");
  return given;
};

/** Gives stack file, state and environment another passphrase, from wherever an earlier run was interrupted. */
export const changePassphrase = async (surroundings: Surroundings, progress: Progress): Promise<void> => {
  const { target, credentials } = surroundings;
  const { live } = credentials;
  const { is, file, nextFile } = progress;
  const { stackFile, engine } = target;
  const next = await newPassphrase(surroundings, progress);
  if (is === "fresh" || is === "prepared") {
    live("Encrypting the stack file anew");
    await rm(nextFile, { force: true });
    const text = await encryptedAnew(target, next);
    const salt = saltIn(text) ?? "";
    if (!(await opensSalt(next, salt))) throw new Problem("The new passphrase does not open the new stack file");
    await writeWhole(nextFile, text);
    live("Encrypting the state anew");
    const { program, root, environment } = engine.pulumi;
    const after = new Pulumi(program, root, { ...environment, ...only(next) });
    await engine.changeState((state) => withSalt(state, salt), new PulumiStack(after, engine.name, engine.file));
  }
  // From here on only the new passphrase opens the state, and the two files follow.
  if (is !== "done but for the file") await rename(nextFile, stackFile);
  if (file === undefined) process.env.PULUMI_CONFIG_PASSPHRASE = next;
  else await rename(drawnFile(file, target.stack), file);
  if ((await passphraseIn({ ...process.env, ...target.environment })) !== next)
    throw new Problem("The environment does not give the new passphrase");
};

const only = (value: string): Environment => ({
  PULUMI_CONFIG_PASSPHRASE: value,
  PULUMI_CONFIG_PASSPHRASE_FILE: undefined,
});

/** The stack file with its secrets encrypted by another passphrase. Pulumi does that to a copy, on a state of its own. */
const encryptedAnew = ({ engine, root, stack, stackFile }: Target, next: string): Promise<string> =>
  withPrivateFolder(async (folder) => {
    const copy = join(folder, `Pulumi.${stack}.yaml`);
    await writeFile(join(folder, "Pulumi.yaml"), await readFile(join(root, "Pulumi.yaml")));
    await writeFile(copy, await readFile(stackFile), { mode: 0o600 });
    const { program, environment } = engine.pulumi;
    const pulumi = new Pulumi(program, folder, { ...environment, PULUMI_BACKEND_URL: `file://${folder}` });
    await pulumi.call(["stack", "init", stack, "--no-select"], stack);
    const args = ["stack", "change-secrets-provider", "passphrase", "--stack", stack];
    await pulumi.call(args, stack, { input: `${next}\n` });
    return readFile(copy, "utf8");
  });

/** Returns a state that is to be encrypted with another salt. */
export const withSalt = (state: State, salt: string): State => {
  const providers = state.deployment.secrets_providers as { type?: string; state?: object } | undefined;
  return {
    ...state,
    deployment: {
      ...state.deployment,
      secrets_providers: { ...providers, type: "passphrase", state: { ...providers?.state, salt } },
    },
  };
};
