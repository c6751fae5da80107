import { escaped } from "../../lib/terminal/svg.ts";

/** A part of a rehearsed case, in seconds since its disaster; negative before it. */
export interface Span {
  name: string;
  from: number;
  to: number;
}

/** The result of a rehearsal of one case. */
export interface Rehearsal {
  case: string;
  /** Description of what the disaster destroyed. */
  lost: string;
  spans: Span[];
  /** Seconds from the disaster until the platform is at Git's revision and needs no more changes. */
  recoveryTime: number;
  /** Seconds before the disaster for which all writes to etcd are lost; undefined if none are lost. */
  lossWindow: number | undefined;
  /** The comparisons, and whether each found no difference. */
  checks: { what: string; isSame: boolean }[];
}

/** Formats seconds for people. */
export const seconds = (value: number): string =>
  value < 100 ? `${value.toFixed(1)} s` : `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;

/** The table at the end of a rehearsal. */
export const table = (rehearsals: readonly Rehearsal[]): string => {
  const rows = [
    ["CASE", "LOST", "RECOVERED AFTER", "LOST WRITES OF", "THE SAME"],
    ...rehearsals.map(({ case: name, lost, recoveryTime, lossWindow, checks }) => [
      name,
      lost,
      seconds(recoveryTime),
      lossWindow === undefined ? "nothing" : `the last ${seconds(lossWindow)}`,
      `${checks.filter(({ isSame }) => isSame).length} of ${checks.length}`,
    ]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (row: string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return rows.map(line).join("\n");
};

const layout = { width: 960, left: 110, right: 30, row: 64, top: 56, bar: 22 };
const colours = ["#4e79a7", "#f28e2b", "#76b7b2", "#59a14f", "#b07aa1", "#edc948", "#9c755f"];

/** Draws the timeline of rehearsals as an SVG image: one row per case, with the disaster at zero. */
export const timelineSvg = (rehearsals: readonly Rehearsal[]): string => {
  const spans = rehearsals.flatMap((each) => each.spans);
  const [from, to] = [Math.min(0, ...spans.map((span) => span.from)), Math.max(1, ...spans.map((span) => span.to))];
  const scale = (layout.width - layout.left - layout.right) / (to - from);
  const x = (second: number): string => (layout.left + (second - from) * scale).toFixed(1);
  const names = [...new Set(spans.map(({ name }) => name))];
  const colour = (name: string): string => colours[names.indexOf(name) % colours.length] ?? "#888";
  const height = layout.top + rehearsals.length * layout.row + 30;
  const legend = names.map(
    (name, index) =>
      `<rect x="${20 + index * 130}" y="14" width="12" height="12" fill="${colour(name)}"/>` +
      `<text x="${38 + index * 130}" y="24">${escaped(name)}</text>`,
  );
  const rows = rehearsals.flatMap((each, index) => {
    const y = layout.top + index * layout.row;
    const loss = each.lossWindow === undefined ? "no write lost" : `writes of ${seconds(each.lossWindow)} lost`;
    return [
      `<text x="20" y="${y + 16}" font-weight="bold">${escaped(each.case)}</text>`,
      ...each.spans.map(
        (span) =>
          `<rect x="${x(span.from)}" y="${y}" width="${Math.max((span.to - span.from) * scale, 1).toFixed(1)}" ` +
          `height="${layout.bar}" fill="${colour(span.name)}"><title>${escaped(span.name)}: ${seconds(span.to - span.from)}</title></rect>`,
      ),
      `<text x="${x(0)}" y="${y + 40}" fill="#555">${escaped(each.lost)} lost; back after ${seconds(each.recoveryTime)}, ${loss}</text>`,
    ];
  });
  const zero = `<line x1="${x(0)}" y1="${layout.top - 12}" x2="${x(0)}" y2="${height - 24}" stroke="#c00" stroke-dasharray="4 3"/>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${layout.width}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    ...legend,
    ...rows,
    zero,
    `<text x="${x(0)}" y="${height - 8}" fill="#c00" text-anchor="middle">disaster</text>`,
    `</svg>\n`,
  ].join("\n");
};
