/** What the plugin records for secrets that were imported: it cannot know their contract. */
const imported = ["v1.2", "v1.3"];

/**
 * What is wrong with a cluster's configuration contract, given the one that its secrets were made with.
 *
 * The contract stays at the Talos minor that the cluster was created with. A lower one makes the plugin draw new secrets, which
 * locks every machine out; another one can leave etcd's data undecipherable (siderolabs/talos#13885).
 */
export const contractProblem = (contract: string, recorded: string): string | undefined => {
  const first = normalize(recorded);
  if (normalize(contract) === first || imported.includes(first)) return undefined;
  return `cluster.contract is ${contract}, but this cluster was created with ${first} and keeps it: set it back to ${first}`;
};

const normalize = (version: string): string => `v${version.replace(/^v/, "").split(".").slice(0, 2).join(".")}`;
