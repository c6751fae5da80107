import type { ConfigurationProblem } from "../error.ts";
import { bytes } from "../sizes.ts";
import type { Check, Draft } from "./check.ts";

type Node = Draft["nodes"][string];

/** The volumes of a node, each with its path. */
const volumesOf = (name: string, { ephemeral, volumes }: Node) => [
  ...(ephemeral ? [{ path: ["nodes", name, "ephemeral"], volume: ephemeral }] : []),
  ...Object.entries(volumes).map(([volume, value]) => ({ path: ["nodes", name, "volumes", volume], volume: value })),
];

const all = (draft: Draft) => Object.entries(draft.nodes).flatMap(([name, node]) => volumesOf(name, node));

/** Source: siderolabs/talos v1.13.9, pkg/machinery/config/types/block/volume_config.go. */
const sizesInOrder: Check = (draft) =>
  all(draft).flatMap(({ path, volume: { minSize, maxSize } }) => {
    const [least, most] = [bytes(minSize), bytes(maxSize)];
    return least !== undefined && most !== undefined && least > most
      ? [
          {
            path: [...path, "minSize"],
            problem: `${String(minSize)} is more than its maxSize ${String(maxSize)}`,
            advice: "make minSize the smaller one",
          },
        ]
      : [];
  });

/** EPHEMERAL is created first, and takes all free space unless it has a maximum size. */
const roomBesideEphemeral: Check = ({ nodes }) =>
  Object.entries(nodes).flatMap(([name, { ephemeral, volumes }]) =>
    ephemeral?.maxSize !== undefined || ephemeral?.disk !== undefined
      ? []
      : Object.entries(volumes)
          .filter(([, { disk }]) => disk.trim() === "system_disk")
          .map(([volume]) => ({
            path: ["nodes", name, "volumes", volume, "disk"],
            problem: "is the disk that EPHEMERAL takes the whole rest of",
            advice: "give ephemeral of the node a maxSize",
          })),
  );

/** Empties the strings of an expression, which may contain anything. */
const withoutTexts = (expression: string): string => expression.replaceAll(/"[^"]*"|'[^']*'/g, '""');

/** Source: siderolabs/talos v1.13.9, pkg/machinery/cel/celenv/celenv.go: units are unsigned constants. */
const unit = /(\d+)(u?)\s*\*\s*(u\.)?([KMGTPE]iB|[kMGTPE]B)\b/g;

const selectorsAreCel: Check = (draft) =>
  all(draft).flatMap(({ path, volume: { disk } }): ConfigurationProblem[] => {
    if (disk === undefined) return [];
    const expression = withoutTexts(disk);
    const at = [...path, "disk"];
    const assigns = /(^|[^=!<>])=(?!=)/.test(expression);
    const signed = [...expression.matchAll(unit)].find(([, , unsigned, prefix]) => unsigned === "" || prefix);
    return [
      ...(assigns ? [{ path: at, problem: "has = where it compares", advice: "write ==" }] : []),
      ...(signed
        ? [
            {
              path: at,
              problem: `has ${signed[0]}, and sizes are numbers without a sign`,
              advice: `write ${String(signed[1])}u * ${String(signed[4])}`,
            },
          ]
        : []),
    ];
  });

/** For Talos, `ssd` matches any disk that does not rotate. */
const ssdsAreMeant: Check = ({ nodes }) =>
  Object.entries(nodes)
    .filter(([, { diskSelector }]) => diskSelector?.type === "ssd" && Object.keys(diskSelector).length === 1)
    .map(([name]) => ({
      path: ["nodes", name, "diskSelector"],
      problem: "matches every disk that does not rotate, NVMe too",
      advice: "add what tells it from the others, such as size, model or busPath",
      warning: true,
    }));

export const volumeChecks: Check[] = [sizesInOrder, roomBesideEphemeral, selectorsAreCel, ssdsAreMeant];
