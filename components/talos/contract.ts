import { minorOf } from "./releases/index.ts";

/** The versions that the plugin records for imported secrets, whose contract it cannot know. */
const imported = ["v1.2", "v1.3"];

/** The configuration contract of a cluster, and what is wrong with the configured one. */
export interface Contract {
  contract: string;
  problem?: string;
}

/**
 * Returns the contract of a cluster from the configured one and the one that its secrets were created with.
 *
 * The contract stays at the Talos minor that the cluster was created with, whatever is configured. A lower one makes the plugin
 * generate new secrets, which locks out every machine. Any other change can make etcd's data unreadable (siderolabs/talos#13885).
 */
export const pinnedContract = (configured: string, recorded: string): Contract => {
  const first = minorOf(recorded);
  if (minorOf(configured) === first || imported.includes(first)) return { contract: configured };
  return {
    contract: first,
    problem: `cluster.contract is ${configured}, but this cluster was created with ${first} and keeps it: set it back to ${first}`,
  };
};
