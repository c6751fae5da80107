import type { ConfigurationProblem } from "../error.ts";
import type { Check } from "./check.ts";

/** What a selector of install disks means to Talos. Source: siderolabs/talos v1.13.9, v1alpha1_provider.go, DiskMatchExpression. */
const selectorsSayWhatTheyMean: Check = ({ nodes }) =>
  Object.entries(nodes).flatMap(([name, { diskSelector: selector }]): ConfigurationProblem[] => {
    if (!selector) return [];
    const path = ["nodes", name, "diskSelector"];
    const { size, type, ...patterns } = selector;
    const narrows = [size, ...Object.values(patterns)].some((value) => value !== undefined && value !== "*");
    return [
      ...Object.entries(patterns)
        .filter(([, pattern]) => pattern === "*")
        .map(([key]) => ({
          path: [...path, key],
          problem: "matches every disk",
          advice: "remove it, or write what tells the disk from the others",
        })),
      // For Talos, `ssd` is any disk that does not rotate.
      ...(type === "ssd" && !narrows
        ? [
            {
              path,
              problem: "matches every disk that does not rotate, NVMe too",
              advice: "add what tells it from the others, such as size, model or busPath",
              warning: true,
            },
          ]
        : []),
      ...(size !== undefined && /^\d/.test(size)
        ? [
            {
              path: [...path, "size"],
              problem: `${size} matches disks of exactly that size, which few disks have`,
              advice: `write ">= ${size}"`,
              warning: true,
            },
          ]
        : []),
    ];
  });

export const installDiskChecks: Check[] = [selectorsSayWhatTheyMean];
