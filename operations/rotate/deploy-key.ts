import { setTimeout as sleep } from "node:timers/promises";

import { resourceTypes } from "../../components/resource-types.ts";
import { hosted } from "../../components/gitops/repository.ts";
import { publicKeyFingerprint, sshKeyPair } from "../../components/secrets/ssh.ts";
import { ofType, type State } from "../../lib/engine/state.ts";
import { revealed } from "../../lib/engine/value.ts";
import { Problem } from "../../toolchain/problem.ts";
import { clusterSecretsIn, passwordsNamed, redraw, seedOf, type Carrier, type DrawnSecret } from "./drawn.ts";
import { tryRepository } from "./repository-access.ts";
import { commitStep, type Rotation, type Surroundings } from "./rotation.ts";

/** The SSH key by which the cluster reads its repository. */
export const deployKey: Rotation = {
  name: "deploy-key",
  what: "the SSH key by which the cluster reads its repository",
  interrupts: "Flux reads no commit for the seconds between the new key and its next look.",
  rotate: async (surroundings) => {
    const { target } = surroundings;
    const { resumed, before, escrow } = await redraw(surroundings, deployKeySecret, (state) =>
      untilAccepted(surroundings, state),
    );
    const old = oldFingerprint(before, resumed);
    const isRegistered = ofType(before, resourceTypes.deployKey).length > 0;
    const { host } = hosted((await target.config()).gitops.repository);
    return {
      resumed,
      said: [`${target.stack} reads its repository with another deploy key`],
      left: [
        ...commitStep(target, escrow),
        ...(isRegistered ? [] : [`remove the old deploy key at ${host}${old === undefined ? "" : `: ${old}`}`]),
      ],
      escrow,
    };
  },
};

const pairOf = (state: State) => {
  const [password] = passwordsNamed(state, "deploy-key-seed");
  return password && sshKeyPair(Buffer.from(seedOf(password), "base64"), "");
};

/** Keys of a Secret's data that hold the deploy key: Flux's, and Argo CD's. */
const keys = ["identity", "sshPrivateKey"];

const keysIn = (state: State) =>
  clusterSecretsIn(state).flatMap(({ urn, data }) =>
    keys.flatMap((key) => (data[key] === undefined ? [] : [{ urn, key: data[key] }])),
  );

/** Source of the fields of a registered key: pulumi-github 6.15, RepositoryDeployKey. */
const registeredIn = (state: State): { urn: string; key: string }[] =>
  ofType(state, resourceTypes.deployKey).map(({ urn, inputs }) => ({
    urn,
    key: String((revealed(inputs) as { key?: unknown } | undefined)?.key),
  }));

/** A public key without its comment. */
const material = (key: string): string => key.trim().split(" ").slice(0, 2).join(" ");

export const deployKeySecret: DrawnSecret = {
  name: "deploy key",
  passwords: (state) => passwordsNamed(state, "deploy-key-seed"),
  carriers: (state): Carrier[] => {
    const pair = pairOf(state);
    return [
      ...keysIn(state).map(({ urn, key }) => ({ urn, isCurrent: key.trim() === pair?.privateKey.trim() })),
      ...registeredIn(state).map(({ urn, key }) => ({
        urn,
        isCurrent: material(key) === material(pair?.publicKey ?? ""),
      })),
    ];
  },
};

/**
 * The fingerprint, as Git hosts show it, of the key that is out of use now; undefined if nothing has it any more.
 *
 * @param before the state before this run. If an earlier run drew the new key, that is what the password of this state gives
 */
export const oldFingerprint = (before: State, resumed: boolean): string | undefined => {
  const drawn = pairOf(before)?.privateKey.trim();
  const held = keysIn(before).find(({ key }) => !resumed || key.trim() !== drawn);
  return held && publicKeyFingerprint(held.key);
};

/** How long the person has for registering the key, in milliseconds, and the pause between two tries. */
const timeout = 30 * 60_000;
const pause = 5_000;

/**
 * Waits until the Git host accepts the new key. Where the program registers it, the update does so before it removes the old one.
 *
 * @throws Problem if it does not in half an hour
 */
const untilAccepted = async ({ target, credentials, print }: Surroundings, state: State): Promise<void> => {
  const { gitops, cluster } = await target.config();
  const [password] = passwordsNamed(state, "deploy-key-seed");
  const isCarried = deployKeySecret.carriers(state).every(({ isCurrent }) => isCurrent);
  if (password === undefined || isCarried || registeredIn(state).length > 0) return;
  if (!gitops.repository.startsWith("ssh:")) return;
  const seed = Buffer.from(seedOf(password), "base64");
  const comment = `hearth-${cluster.name}`;
  const access = { url: gitops.repository, knownHosts: gitops.knownHosts ?? "", seed, comment };
  const deadline = Date.now() + timeout;
  let tried = await tryRepository(access);
  if (tried.is === "accepted") return;
  const { host } = hosted(gitops.repository);
  print(`Register this deploy key at ${host}, to read only, beside the old one. This goes on once ${host} accepts it:`);
  print(`\n  ${sshKeyPair(seed, comment).publicKey}\n`);
  while (tried.is !== "accepted") {
    if (Date.now() > deadline)
      throw new Problem(
        `${host} does not accept the new deploy key (${tried.why}). The cluster still has the old one: register the new one, and run this again`,
      );
    credentials.live(`Waiting for ${host} to accept the new key: ${tried.why}`);
    await sleep(pause);
    tried = await tryRepository(access);
  }
};
