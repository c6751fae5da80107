import { inSeconds, type Judged, type TimedStep, type Verdict } from "./judge.ts";

/** How one deployment of a trial went. */
export interface Part {
  /** @example "The change" */
  title: string;
  /** Why it was not carried out, in the command's own words; undefined if it was. */
  refusal: string | undefined;
  /** Seconds that the deployment took. */
  seconds: number;
  steps: readonly TimedStep[];
  verdicts: readonly Verdict[];
  outages: readonly Judged[];
  /** What Flux applied, and after how many seconds; why not where it did not. */
  flux: string;
  /** Whether Flux applied the commit. */
  isApplied: boolean;
}

/** How a trial went. */
export interface Trial {
  stack: string;
  base: string;
  head: string;
  /** The change, and the way back where it was tried. */
  parts: readonly Part[];
  /** What a reader has to know besides. */
  notes: readonly string[];
}

/** Whether a trial held, could not be carried out, or had something out of service that must not be. */
export type Outcome = "held" | "broken" | "refused";

/** Of the way back only what was out counts: not every change has one. */
export const outcomeOf = ({ parts: [change, ...back] }: Pick<Trial, "parts">): Outcome => {
  if (change === undefined || change.refusal !== undefined) return "refused";
  const hasHeld = ({ verdicts }: Part): boolean => verdicts.every(({ isHeld }) => isHeld);
  return change.isApplied && hasHeld(change) && back.every(hasHeld) ? "held" : "broken";
};

const headings: Record<Outcome, string> = {
  held: "✅ Everything held",
  broken: "❌ Something was out of service that must not be",
  refused: "⛔ The change is not carried out",
};

/** What is measured, and by what. */
const method = `What was measured, four times a second, from outside of the machines:

- **Machines**: whether the Talos API presents a certificate of the cluster, and whether the node is Ready and takes pods.
- **The Kubernetes API**: whether \`/readyz\` answers at the endpoint on a new connection, within two seconds.
- **etcd's quorum**: whether an API server's \`/readyz/etcd\` says that etcd answers. API servers ask it once a second.
- **Services of routes**: whether the EndpointSlices of what an HTTPRoute leads to have a ready pod. Pods are scheduled, drained and moved as in
  life, but nothing runs in them, and no request is sent to them.
- **Tunnels and records**: whether the simulated Cloudflare has them. No connector connects to the tunnel.
- **Flux**: whether what it reconciles is Ready.

Times are those of the lab, whose machines boot in seconds. What is out of service together, and in which order, is that of real ones.`;

/** The report of a trial, in Markdown. */
export const reportOf = (trial: Trial, timeline: string): string => {
  const { stack, base, head, parts, notes } = trial;
  return [
    `# ${stack}: ${headings[outcomeOf(trial)]}`,
    `Tried in a lab: ${head} on ${base}.`,
    ...(notes.length > 0 ? [notes.map((note) => `- ${note}`).join("\n")] : []),
    ...parts.flatMap(partOf),
    `![What was out of service](${timeline})`,
    method,
    "",
  ].join("\n\n");
};

const partOf = ({ title, refusal, seconds, steps, verdicts, outages: all, flux }: Part): string[] => {
  // Flux reconciles every object for a commit; the verdict and the picture say when.
  const outages = all.filter(({ track, isExpected }) => track.kind !== "flux" || !isExpected);
  return [
    `## ${title}`,
    ...(refusal === undefined
      ? [`Deployed in ${inSeconds(seconds * 1000)}. ${flux}`]
      : ["`npx hearth deploy` ended before its end. It said:", fenced(refusal)]),
    ...(verdicts.length > 0
      ? [
          rows(
            ["", "what", "measured", "why"],
            verdicts.map(({ isHeld, what, measured, why }) => [isHeld ? "✅" : "❌", what, measured, shortened(why)]),
          ),
        ]
      : []),
    ...(steps.length > 0
      ? [
          rows(
            ["step", "what", "announced as out of service", "took"],
            steps.map((step) => [
              `\`${step.name}\``,
              step.what,
              step.out,
              step.isDone ? inSeconds(step.to - step.from) : "not done",
            ]),
          ),
        ]
      : refusal === undefined
        ? ["It took no step: no machine had to go out of service."]
        : []),
    ...(outages.length > 0
      ? [
          `<details><summary>${outages.length} outages</summary>`,
          rows(
            ["", "what", "from", "for", "why"],
            [...outages]
              .sort((a, b) => a.from - b.from)
              .map(({ track, from, to, isExpected, why }) => [
                isExpected ? "✅" : "❌",
                `${track.kind} ${track.name}`.trim(),
                inSeconds(from),
                inSeconds(to - from),
                why,
              ]),
          ),
          "</details>",
        ]
      : []),
  ];
};

/** A step explains many outages of one kind. */
const shortened = (why: readonly string[]): string =>
  why.length > 4 ? [...why.slice(0, 3), `and ${why.length - 3} more`].join("; ") : why.join("; ");

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll(/\s+/g, " ");

/** A table in Markdown. */
export const rows = (headings: readonly string[], content: readonly (readonly string[])[]): string =>
  [headings, headings.map(() => "---"), ...content].map((row) => `| ${row.map(cell).join(" | ")} |`).join("\n");

/** Text as it is, whatever fences it has itself. */
const fenced = (text: string): string => {
  const longestFence = Math.max(2, ...[...text.matchAll(/`+/g)].map(([found]) => found.length));
  const fence = "`".repeat(longestFence + 1);
  return `${fence}text\n${text.trim()}\n${fence}`;
};
