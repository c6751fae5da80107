import { inSeconds, machinesOut } from "./judge.ts";
import { atOnce, longest } from "./outages.ts";
import type { Part } from "./report.ts";

/** The headings of a table of deployments. */
export const figureHeadings = [
  "change",
  "steps",
  "most machines out at once",
  "API gone in a row",
  "etcd's quorum gone",
  "took",
];

/**
 * A deployment as a row of a table.
 *
 * Of a change that is refused only the reason is told, if nothing was out meanwhile.
 */
export const figuresOf = ({ title, steps, outages, seconds, refusal }: Part): string[] => {
  const most = atOnce(machinesOut(outages)).names.length;
  const gone = (kind: "api" | "etcd"): string => {
    const times = outages.filter(({ track }) => track.kind === kind);
    return times.length === 0
      ? "not gone"
      : `${inSeconds(longest(times))}${times.length > 1 ? `, ${times.length} times` : ""}`;
  };
  const names = steps.map(({ name, isDone }) => `\`${name}\`${isDone ? "" : " (not done)"}`).join(", ");
  const taken = names === "" ? (refusal === undefined ? "none" : "refused") : names;
  return [title, taken, most.toString(), gone("api"), gone("etcd"), inSeconds(seconds * 1000)];
};
