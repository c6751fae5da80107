import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { execa } from "execa";

import { resourceTypes } from "../../components/resource-types.ts";
import { ageRecipient, verifyOpens } from "../../components/secrets/age.ts";
import { readStackFile, examineStackFile, stacksIn } from "../../infra/config/stack-file.ts";
import { clusterFolder } from "../../infra/facts.ts";
import { readTree } from "../../infra/tree.ts";
import { isEncrypted } from "../../infra/tree-walk.ts";
import { messageOf, Problem } from "../../toolchain/problem.ts";
import { configuredSecrets } from "../escrow/collect.ts";
import { isNamed } from "../../components/urn.ts";
import { withRecipient } from "../../lib/secrets/creation-rules.ts";
import { installedIdentity, resourcesOf } from "../../lib/engine/state.ts";
import { drawIdentity, identityOfSeed } from "../../lib/secrets/stack-identity.ts";
import type { Sops } from "../../lib/secrets/sops.ts";
import { filesOf, type Credentials, type Written } from "../escrow/write.ts";
import { writeWhole } from "../destinations/index.ts";
import { hearthCommand, type Target } from "../../lib/engine/target.ts";
import { requireEscrowable, writeRecordedEscrow } from "./recorded-escrow.ts";
import { deployCommand, type Rotation } from "./rotation.ts";

/**
 * The age key that decrypts the tree's secrets: generates it into the configuration, encrypts the tree to it and no longer to the old
 * one, and writes the escrow again. The next update gives the key to the cluster.
 */
export const age: Rotation = {
  name: "age",
  what: "the age key that decrypts the secrets of the tree",
  interrupts:
    "From the push of the new files to the deployment Flux cannot decrypt them. It says so, applies nothing, and removes nothing.",
  rotate: async ({ target, credentials }) => {
    const { resumed, from, to, files, escrow } = await rotateAge(target, credentials);
    return {
      resumed,
      said: [
        `The age key of ${target.stack} is ${to}, no longer ${from}`,
        ...["Encrypted anew:", ...files.map((file) => `  ${file}`)],
      ],
      left: [
        `commit ${["the files above", ".sops.yaml", ...(target.isLab ? [] : changedBy(escrow, target.stack))].join(" and ")}, and push them`,
        `${deployCommand(target)}   gives the cluster the new key`,
        `${hearthCommand(target, "escrow", target.stack)}   takes the old seed out of the escrow`,
        "change the values in the files above: whoever had the old key can still read them in Git's history",
      ],
      escrow,
    };
  },
};

/** The stack file has the new seed. */
const changedBy = (escrow: Written, stack: string): string[] => [
  ...new Set([`Pulumi.${stack}.yaml`, ...filesOf(escrow, stack)]),
];

interface Exchange {
  resumed: boolean;
  from: string;
  to: string;
  /** Encrypted files of the tree that now open with the new key and no longer with the old one. */
  files: string[];
  escrow: Written;
}

const rotateAge = async (target: Target, credentials: Credentials): Promise<Exchange> => {
  const { live, sops } = credentials;
  live("Reading the stack's state");
  await requireEscrowable(target);
  const state = await target.engine.state();
  const old = installedIdentity(state);
  if (old === undefined)
    throw new Problem(
      `The state of ${target.stack} has no age key that the cluster was given: bring the stack up first`,
    );
  const configured = (await configuredSecrets(target)).ageSeed;
  const begun = configured !== undefined && identityOfSeed(configured) !== old ? identityOfSeed(configured) : undefined;
  live("Drawing a new age key");
  const next = begun ?? (await drawIdentity(target.engine));
  const seeds = resourcesOf(state).filter(({ urn }) => isNamed(urn, resourceTypes.password, "age-seed"));
  for (const seed of seeds.filter(({ protect }) => protect === true)) {
    // The configured seed replaces it, so the next update deletes it.
    await target.engine.call(["state", "unprotect", seed.urn, "--yes"]);
  }
  const keys = { old, next, from: await ageRecipient(old), to: await ageRecipient(next) };
  live("Encrypting the tree anew");
  const files = await encryptTree(target, keys, sops);
  await replaceRule(target, keys);
  const escrow = await writeRecordedEscrow(target, credentials);
  return { resumed: begun !== undefined, from: keys.from, to: keys.to, files, escrow };
};

interface Exchanged {
  old: string;
  next: string;
  from: string;
  to: string;
}

/**
 * Encrypts every file of the tree that the old key opens to the new one, with a new data key, because whoever had the old key
 * knows the old data key. This includes files of systems that are off.
 */
const encryptTree = async (target: Target, { old, next, from, to }: Exchanged, sops: Sops): Promise<string[]> => {
  const config = await target.config();
  const done: string[] = [];
  for (const path of await encryptedFilesOf(target)) {
    const file = join(target.root, path);
    const text = await readFile(file, "utf8");
    if (text.includes(from)) await writeWhole(file, await sops.exchange(file, { add: to, remove: from }, [old, next]));
    if (text.includes(from) || text.includes(to)) done.push(path);
  }
  await verifyOpens(next, readTree(config, target.root).encryptedFiles).catch((error: unknown) => {
    throw new Problem(messageOf(error));
  });
  return done;
};

/** The encrypted files in Git, except escrows and files of other stacks' clusters. */
const encryptedFilesOf = async ({ root, stack }: Target): Promise<string[]> => {
  const others = stacksIn(root)
    .filter((other) => other !== stack)
    .flatMap((other) => examineStackFile(readStackFile(root, other)).config?.gitops.path ?? []);
  const { stdout } = await execa("git", ["ls-files", "-z"], { cwd: root });
  return stdout
    .split("\0")
    .filter(isEncrypted)
    .filter((file) => ![...others, "escrow"].some((other) => file.startsWith(join(other, "/"))))
    .sort();
};

/** Makes SOPS encrypt this stack's files to the new key from now on. Another environment's rule keeps its recipients. */
const replaceRule = async (target: Target, { from, to }: Exchanged): Promise<void> => {
  const file = join(target.root, ".sops.yaml");
  const text = await readFile(file, "utf8").catch(() => "");
  const changed = withRecipient(text, `${clusterFolder((await target.config()).gitops)}/secrets/a.sops.yaml`, {
    from,
    to,
  });
  if (changed !== text) await writeWhole(file, changed);
};
