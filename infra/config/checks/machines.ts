import type { CommonNode } from "../nodes.ts";
import { collisions } from "./collisions.ts";
import type { Check } from "./check.ts";

/** The links of a bond and those to further networks are hardware, so each belongs to one machine. */
const uniqueLinks: Check = ({ nodes }) => {
  const all = Object.entries(nodes).flatMap(([name, node]) =>
    hardware(node).map(({ path, mac }) => ({
      path: ["nodes", name, ...path],
      value: mac,
      owner: `a link of ${name}`,
      advice: "name each link once",
    })),
  );
  const isFirst = ({ path }: { path: PropertyKey[] }) => path.length === 3;
  return collisions([...all.filter(isFirst), ...all.filter((link) => !isFirst(link))]).filter(
    (problem) => !isFirst(problem),
  );
};

/** The hardware addresses of a node, with their paths in it. */
export const hardware = ({
  mac,
  bond,
  links,
}: Pick<CommonNode, "mac" | "bond" | "links">): { path: PropertyKey[]; mac: string }[] => [
  { path: ["mac"], mac },
  ...(bond?.macs ?? []).map((each, index) => ({ path: ["bond", "macs", index], mac: each })),
  ...Object.entries(links).flatMap(([network, link]) => [
    ...(link.mac === undefined ? [] : [{ path: ["links", network, "mac"], mac: link.mac }]),
    ...(link.bond?.macs ?? []).map((each, index) => ({ path: ["links", network, "bond", "macs", index], mac: each })),
  ]),
];

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

/** A TPM opens nothing any more after a change of its mainboard, its firmware's keys or itself. */
const tpmIsNotTheOnlyKey: Check = ({ cluster, nodes }) =>
  cluster?.diskRecoveryKey === false &&
  Object.values(nodes).some(({ diskEncryption = cluster.diskEncryption }) => diskEncryption === "tpm")
    ? [
        {
          path: ["cluster", "diskRecoveryKey"],
          problem: "is false, so what is on the disks is lost with the TPM, the mainboard or the firmware's keys",
          advice: "remove it, and the escrow holds a second key; or keep a copy of what is on each machine elsewhere",
          warning: true,
        },
      ]
    : [];

export const machineChecks: Check[] = [uniqueLinks, tpmKnowsWhatBooted, tpmIsNotTheOnlyKey];
