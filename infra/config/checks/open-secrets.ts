import { secretsIn, type FoundSecret } from "../../../components/secrets/looks-secret.ts";
import type { ConfigurationProblem } from "../error.ts";
import { setSecret } from "../secrets.ts";
import type { Check, Draft } from "./check.ts";

/** Patches in the stack file appear unencrypted in Git, in the state and in previews. */
const openPatches: Check = ({ cluster, nodes }) => [
  ...Object.entries(cluster?.patches ?? {}).flatMap(([group, patches]) =>
    found(patches, ["cluster", "patches", group], `under ${group}`),
  ),
  ...Object.entries(nodes).flatMap(([node, { patches }]) =>
    found(patches, ["nodes", node, "patches"], `under nodes.${node}`),
  ),
];

const found = (patches: unknown, path: string[], group: string): ConfigurationProblem[] =>
  secretsIn(patches).map((secret) =>
    problemOf(
      secret,
      path,
      `replace the secret, and move the patch ${group} in the secret hearth:machinePatches: ${setSecret("machinePatches")}`,
    ),
  );

/** Other values may contain secrets too: a password in a mirror's URL, a token in a kernel argument. */
const openValues: Check = (draft) =>
  secretsIn(withoutPatches(draft)).map((secret) =>
    problemOf(
      secret,
      [],
      "replace the secret, and remove it from the file: everyone who reads the repository can read it",
    ),
  );

const problemOf = ({ path, what }: FoundSecret, parent: string[], advice: string): ConfigurationProblem => ({
  path: [...parent, ...path],
  problem: `holds ${what} for everyone to read`,
  advice,
});

/** The stack file without its patches. */
const withoutPatches = (draft: Draft): unknown => ({
  ...draft,
  platforms: undefined,
  // Their nodes hold the same.
  pools: undefined,
  cluster: { ...draft.cluster, patches: undefined },
  nodes: Object.fromEntries(Object.entries(draft.nodes).map(([name, node]) => [name, { ...node, patches: undefined }])),
});

export const openSecretChecks: Check[] = [openPatches, openValues];
