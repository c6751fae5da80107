import { escaped } from "../../lib/terminal/svg.ts";
import { inSeconds, type Judged, type TimedStep } from "./judge.ts";
import { unknownTimes, type Track } from "./outages.ts";

/** What a timeline shows of one deployment. */
export interface Drawn {
  title: string;
  tracks: readonly Track[];
  steps: readonly TimedStep[];
  outages: readonly Judged[];
  /** When the measuring ended, in milliseconds. */
  end: number;
}

const layout = { width: 1100, left: 260, right: 30, row: 22, bar: 14, head: 58, gap: 34 };
const colours = { up: "#d9ead3", expected: "#f6b26b", unexpected: "#cc0000", unknown: "#d9d9d9", step: "#eef3fb" };

/** Things that were never out are one row a kind, and so are the objects of Flux, so that the picture stays small. */
const rowsOf = ({ tracks, outages }: Drawn): { label: string; tracks: readonly Track[] }[] => {
  const isOut = (track: Track): boolean => outages.some((each) => isOf(each, track));
  const isOwn = (track: Track): boolean => track.kind !== "flux" && (!isQuiet(track.kind) || isOut(track));
  const own = tracks.filter(isOwn);
  const quiet = (["route", "edge", "flux"] as const).flatMap((kind) => {
    const rest = tracks.filter((track) => track.kind === kind && !isOwn(track));
    return rest.length === 0 ? [] : [{ label: `${names[kind]} (${rest.length})`, tracks: rest }];
  });
  return [...own.map((track) => ({ label: labelOf(track), tracks: [track] })), ...quiet];
};

const names = { route: "Services of routes", edge: "Tunnels and records", flux: "Objects of Flux" };

const isQuiet = (kind: Track["kind"]): kind is keyof typeof names => kind in names;

const isOf = ({ track }: Judged, { kind, name }: Track): boolean => track.kind === kind && track.name === name;

const labelOf = ({ kind, name }: Track): string =>
  ({ api: "Kubernetes API", etcd: "etcd's quorum", node: `node ${name}` })[kind as string] ?? name;

/** Draws when what was out of service, as an SVG image: a band for each deployment, with its steps behind the rows. */
export const timelineOf = (bands: readonly Drawn[]): string => {
  let top = 30;
  const drawn = bands.map((band) => {
    const { text, height } = bandOf(band, top);
    top += height + layout.gap;
    return text;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${layout.width}" height="${top}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    ...legend(),
    ...drawn,
    `</svg>\n`,
  ].join("\n");
};

const legend = (): string[] =>
  [
    ["in service", colours.up],
    ["out, as it may be", colours.expected],
    ["out, and must not be", colours.unexpected],
    ["could not be asked", colours.unknown],
  ].flatMap(([label = "", colour = ""], index) => [
    `<rect x="${20 + index * 190}" y="10" width="12" height="12" fill="${colour}"/>`,
    `<text x="${38 + index * 190}" y="20">${label}</text>`,
  ]);

const bandOf = (band: Drawn, top: number): { text: string; height: number } => {
  const { title, steps, outages, end } = band;
  const rows = rowsOf(band);
  const scale = (layout.width - layout.left - layout.right) / Math.max(end, 1);
  const x = (time: number): string => (layout.left + time * scale).toFixed(1);
  const rect = (from: number, to: number, y: number, height: number, colour: string, tip = ""): string =>
    `<rect x="${x(from)}" y="${y}" width="${Math.max((to - from) * scale, 1).toFixed(1)}" height="${height}" fill="${colour}">` +
    `${tip === "" ? "" : `<title>${escaped(tip)}</title>`}</rect>`;
  const height = layout.head + rows.length * layout.row;
  const text = [
    `<text x="20" y="${top + 20}" font-weight="bold">${escaped(title)}</text>`,
    ...steps.flatMap((step, index) => [
      rect(step.from, step.to, top + 26, height - 26, index % 2 === 0 ? colours.step : "#e1e9f6", step.name),
      `<text x="${x(step.from)}" y="${top + (index % 2 === 0 ? 38 : 50)}" font-size="10">${escaped(step.name)}</text>`,
    ]),
    ...rows.flatMap(({ label, tracks }, index) => {
      const y = top + layout.head + index * layout.row;
      const own = outages
        .filter((outage) => tracks.some((track) => isOf(outage, track)))
        .sort((a, b) => Number(b.isExpected) - Number(a.isExpected));
      const gaps = tracks.length === 1 ? unknownTimes(tracks[0]?.samples ?? [], end) : [];
      return [
        `<text x="20" y="${y + 11}">${escaped(label)}</text>`,
        rect(0, end, y, layout.bar, colours.up),
        ...gaps.map(({ from, to }) => rect(from, to, y, layout.bar, colours.unknown)),
        ...own.map(({ track, from, to, isExpected, why }) => {
          const colour = isExpected ? colours.expected : colours.unexpected;
          return rect(from, to, y, layout.bar, colour, `${track.name || label}: ${inSeconds(to - from)}; ${why}`);
        }),
      ];
    }),
    `<text x="${x(0)}" y="${top + height + 14}" text-anchor="middle">0 s</text>`,
    `<text x="${x(end)}" y="${top + height + 14}" text-anchor="end">${inSeconds(end)}</text>`,
  ].join("\n");
  return { text, height };
};
