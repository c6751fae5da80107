import { randomBytes } from "node:crypto";

import { resourceTypes } from "../../components/resource-types.ts";
import { ageIdentity } from "../../components/secrets/age.ts";
import { deriveSeed, seedLength } from "../../components/secrets/derive.ts";
import { nameOf } from "../../components/urn.ts";
import type { PulumiStack } from "../engine/pulumi-stack.ts";
import { ofType, type State } from "../engine/state.ts";
import { revealed } from "../engine/value.ts";

/** The age identity of a seed, which is base64. */
export const identityOfSeed = (seed: string): string => ageIdentity(Uint8Array.from(Buffer.from(seed, "base64")));

/**
 * The identity that decrypts a stack's part of the tree: of the seed in the stack file, or else of the one that the state drew.
 * Undefined where there is neither yet.
 */
export const stackIdentity = (state: State | undefined, ageSeed: string | undefined): string | undefined => {
  const password = state && ofType(state, resourceTypes.password).find(({ urn }) => nameOf(urn) === "age-seed");
  const drawn = revealed(password?.outputs?.result);
  const seed = ageSeed ?? (typeof drawn === "string" ? deriveSeed(drawn, "age-seed") : undefined);
  return seed === undefined ? undefined : identityOfSeed(seed);
};

/** Draws a stack another age key into its stack file, whose seed the next update takes. Returns the identity. */
export const drawIdentity = async (engine: Pick<PulumiStack, "reconfigure">): Promise<string> => {
  const seed = randomBytes(seedLength).toString("base64");
  await engine.reconfigure(["config", "set", "--secret", "hearth:ageSeed"], seed);
  return identityOfSeed(seed);
};
