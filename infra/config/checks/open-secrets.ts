import { secretsIn, type FoundSecret } from "../../../components/secrets/looks-secret.ts";
import type { ConfigurationProblem } from "../error.ts";
import { setSecret } from "../secrets.ts";
import type { Check, Draft } from "./check.ts";

/** Patches in the clear are in Git, in the state and in previews, for everyone to read. */
const openPatches: Check = ({ cluster, nodes }) => [
  ...Object.entries(cluster?.patches ?? {}).flatMap(([group, patches]) =>
    found(patches, ["cluster", "patches", group], `under ${group}`),
  ),
  ...Object.entries(nodes).flatMap(([node, { patches }]) =>
    found(patches, ["nodes", node, "patches"], `under nodes.${node}`),
  ),
];

const found = (patches: unknown, path: string[], place: string): ConfigurationProblem[] =>
  secretsIn(patches).map((secret) =>
    problemOf(
      secret,
      path,
      `make it another one, and put the patch ${place} of the secret hearth:machinePatches: ${setSecret("machinePatches")}`,
    ),
  );

/** Secrets elsewhere: a mirror's password in its URL, a token in a kernel argument. */
const openValues: Check = (draft) =>
  secretsIn(withoutPatches(draft)).map((secret) =>
    problemOf(
      secret,
      [],
      "make it another one, and take it out of the file: what is in it, everyone reads who reads the repository",
    ),
  );

const problemOf = ({ path, what }: FoundSecret, parent: string[], advice: string): ConfigurationProblem => ({
  path: [...parent, ...path],
  problem: `holds ${what} for everyone to read`,
  advice,
});

const withoutPatches = ({ nodes, cluster, ...rest }: Draft): unknown => ({
  ...rest,
  cluster: { ...cluster, patches: undefined },
  nodes: Object.fromEntries(Object.entries(nodes).map(([name, node]) => [name, { ...node, patches: undefined }])),
});

export const openSecretChecks: Check[] = [openPatches, openValues];
