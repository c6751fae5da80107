import { collisions } from "./collisions.ts";
import type { Check } from "./check.ts";

/** The links of a bond are hardware, so each belongs to one machine. */
const uniqueLinks: Check = ({ nodes }) =>
  collisions(
    Object.entries(nodes).flatMap(([name, { mac, bond }]) =>
      [mac, ...(bond?.macs ?? [])].map((value, index) => ({
        path: index === 0 ? ["nodes", name, "mac"] : ["nodes", name, "bond", "macs", index - 1],
        value,
        owner: `a link of ${name}`,
        advice: "name each link once",
      })),
    ),
  ).filter(({ path }) => path.includes("bond"));

/** Without SecureBoot the TPM releases the key to whatever boots. */
const tpmKnowsWhatBooted: Check = ({ cluster }) =>
  cluster?.diskEncryption === "tpm" && !cluster.secureBoot
    ? [
        {
          path: ["cluster", "diskEncryption"],
          problem: "is tpm without SecureBoot, so that whatever boots gets the key",
          advice: "set cluster.secureBoot to true",
          warning: true,
        },
      ]
    : [];

export const machineChecks: Check[] = [uniqueLinks, tpmKnowsWhatBooted];
