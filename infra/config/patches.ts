import { z } from "zod";

import { pluginMinor, releaseOf } from "../../components/talos/releases/index.ts";
import { ConfigurationError, says } from "./error.ts";
import { registryCredentialsSchema } from "./surroundings.ts";

/** The plugin refuses document kinds that its machinery does not know, before any machine sees them. */
const pluginKinds = releaseOf(pluginMinor)?.documentKinds ?? [];

const hasKnownKind = ({ kind }: Record<string, unknown>): boolean =>
  kind === undefined || (typeof kind === "string" && pluginKinds.includes(kind));

const hasContent = (patch: Record<string, unknown>): boolean =>
  "kind" in patch || "machine" in patch || "cluster" in patch;

/** A strategic merge patch of a machine configuration: a document with a kind, or with `machine` or `cluster`. */
export const patchSchema = z
  .record(z.string(), z.unknown())
  .refine(hasContent, says("is not a patch", "write a document with a kind, or with machine or cluster"))
  .refine(
    hasKnownKind,
    says(
      "is of a kind that the Talos plugin does not know",
      `use a document of Talos ${pluginMinor.slice(1)}, or one of cluster or machine`,
    ),
  );

/** Patches by the machines that get them. Those that contain keys belong in the secret hearth:machinePatches. */
export const patchesSchema = z.strictObject({
  /** For all machines. */
  all: z.array(patchSchema).default([]),
  /** For control planes. */
  controlPlanes: z.array(patchSchema).default([]),
  /** For workers. */
  workers: z.array(patchSchema).default([]),
});

/** Schema of the secret `hearth:machinePatches`. */
export const secretPatchesSchema = patchesSchema.extend({
  nodes: z.record(z.string(), z.array(patchSchema)).default({}),
});

/**
 * Parses the secret `hearth:machinePatches`.
 *
 * @throws ConfigurationError that shows none of its content
 */
export const parseSecretPatches = (raw: unknown, stack: string): z.output<typeof secretPatchesSchema> => {
  const parsed = secretPatchesSchema.safeParse(raw);
  if (parsed.success) return parsed.data;
  throw new ConfigurationError(
    stack,
    parsed.error.issues.map(({ path }) => ({
      path: ["machinePatches", ...path],
      problem: "is not what a patch or a list of patches looks like",
      advice: "write lists of documents under all, controlPlanes, workers, or the name of a node under nodes",
    })),
  );
};

/**
 * Parses the secret `hearth:registryCredentials`.
 *
 * @throws ConfigurationError that shows none of its content
 */
export const parseRegistryCredentials = (raw: unknown, stack: string): z.output<typeof registryCredentialsSchema> => {
  const parsed = registryCredentialsSchema.safeParse(raw);
  if (parsed.success) return parsed.data;
  throw new ConfigurationError(stack, [
    {
      path: ["registryCredentials"],
      problem: "is not an object of credentials by registry",
      advice: 'write {"ghcr.io": {"username": "…", "password": "…"}}, or identityToken in place of both',
    },
  ]);
};
