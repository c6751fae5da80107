import { minorOf } from "./releases/index.ts";

/** What the plugin records for secrets that were imported: it cannot know their contract. */
const imported = ["v1.2", "v1.3"];

/** The configuration contract that a cluster has, and what is wrong with the one that was asked for. */
export interface Contract {
  contract: string;
  problem?: string;
}

/**
 * The contract of a cluster, given the one that is configured and the one that its secrets were made with.
 *
 * The contract stays at the Talos minor that the cluster was created with, whatever is configured. A lower one makes the plugin draw
 * new secrets, which locks every machine out; another one can leave etcd's data undecipherable (siderolabs/talos#13885).
 */
export const pinnedContract = (configured: string, recorded: string): Contract => {
  const first = minorOf(recorded);
  if (minorOf(configured) === first || imported.includes(first)) return { contract: configured };
  return {
    contract: first,
    problem: `cluster.contract is ${configured}, but this cluster was created with ${first} and keeps it: set it back to ${first}`,
  };
};
