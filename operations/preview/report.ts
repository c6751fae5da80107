import { count } from "../../infra/config/error.ts";
import { exemptionFor, today, type Exemption } from "../../infra/config/policy.ts";
import { secondsOf, type RolloutPlan } from "../../lib/rollout/plan.ts";
import { duration } from "../../lib/terminal/display.ts";
import type { ResourceChange } from "./changes.ts";
import { dangerNouns, type Operation } from "./danger.ts";
import type { MachineChange } from "./machines.ts";
import { block, code, escaped, folded, table } from "./markdown.ts";
import type { PolicyResults } from "./policy.ts";
import type { Restart } from "./reboots.ts";
import type { TreeChange } from "./tree-changes.ts";

/** The outcome of a preview. */
export type Outcome = "unchanged" | "changes" | "dangerous" | "failed";

/** The content of a preview. */
export interface Preview {
  stack: string;
  /** The previewed commit, with a note on uncommitted changes. */
  head: string;
  /** The commit that it is compared with, if any. */
  base: string | undefined;
  /** When the state was last changed; undefined if there is no state. */
  state: string | undefined;
  resources: ResourceChange[];
  /** Exemptions of the stack file, which say what may be lost. */
  exemptions?: readonly Exemption[];
  /** Number of resources that do not change. */
  same: number;
  machines: MachineChange[];
  restarts: Restart[];
  /** The steps that a deployment would carry out; undefined if the stack was never deployed. */
  rollout?: RolloutPlan | undefined;
  /** Undefined if the tree was not rendered. */
  tree: TreeChange[] | undefined;
  policy: PolicyResults | undefined;
  /** Why it failed. */
  problems: string[];
  /** Warnings of the program. */
  warnings: string[];
  /** What it could not find out. */
  unknown: string[];
}

/** Returns the outcome of a preview: the worst of its findings. */
export const outcomeOf = ({ problems, resources, tree = [], policy, rollout: plan }: Preview): Outcome => {
  if (problems.length > 0 || policy?.findings.some(({ mandatory }) => mandatory)) return "failed";
  // A deployment refuses it.
  if (plan && plan.refusals.length > 0) return "failed";
  if ([...resources, ...tree].some(({ danger }) => danger !== undefined)) return "dangerous";
  return resources.length + tree.length > 0 ? "changes" : "unchanged";
};

/** Writes a preview as Markdown, the most important parts first. */
export const report = (preview: Preview): string =>
  [
    heading(preview),
    problems(preview),
    dangerous(preview),
    restarts(preview),
    rollout(preview),
    policy(preview),
    resources(preview),
    machines(preview),
    tree(preview),
    warnings(preview),
    unknown(preview),
  ]
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join("\n")}\n`)
    .join("\n");

const headlines: Record<Outcome, string> = {
  unchanged: "nothing changes",
  changes: "changes",
  dangerous: "⚠ dangerous changes",
  failed: "✗ failed",
};

const heading = (preview: Preview): string[] => {
  const { stack, head, base, state, same } = preview;
  const summary = [
    ...summaryOf(preview.resources),
    ...(same === 0 ? [] : [`${same} unchanged`]),
    ...(preview.tree === undefined || preview.tree.length === 0
      ? []
      : [`${count(preview.tree.length, "object")} of the tree`]),
  ];
  return [
    `# Preview of ${stack}: ${headlines[outcomeOf(preview)]}`,
    "",
    ...(summary.length === 0 ? [] : [`${summary.join(", ")}.`, ""]),
    `${head}${base === undefined ? "" : `, against ${base}`}. ` +
      (state === undefined
        ? "The stack has no state yet: everything would be made."
        : `Compared with the state of ${state}, not with what is there now: no API has to answer for this.`),
  ];
};

const words: Record<Operation, string> = {
  replace: "replaced",
  delete: "deleted",
  update: "updated",
  create: "created",
  import: "imported",
  other: "otherwise changed",
};
const verbs: Record<Operation, string> = {
  replace: "replace",
  delete: "delete",
  update: "update",
  create: "create",
  import: "import",
  other: "change",
};

const summaryOf = (changes: readonly ResourceChange[]): string[] =>
  (Object.keys(words) as Operation[]).flatMap((operation) => {
    const number = changes.filter((change) => change.operation === operation).length;
    return number === 0 ? [] : [`${number} ${words[operation]}`];
  });

const problems = ({ problems: found }: Preview): string[] =>
  found.length === 0
    ? []
    : ["## Why it failed", "", ...found.flatMap((text) => [...block("text", text.trimEnd().split("\n")), ""])].slice(
        0,
        -1,
      );

const dangerous = ({ resources: changes, tree: objects = [], exemptions = [] }: Preview): string[] => {
  const rows = [
    ...changes.flatMap(({ danger, isKept, operation, name, type, because, properties }) =>
      danger === undefined
        ? []
        : [
            `- ⚠ **${verbs[operation]} ${dangerNouns[danger]}** ${code(name)} (${shortType(type)})${reason(operation, because, properties)}${isKept ? keptUnless(name, exemptions) : ""}`,
          ],
    ),
    ...objects.flatMap(({ danger, kind, name, kustomization }) =>
      danger === undefined
        ? []
        : [
            `- ⚠ **remove ${dangerNouns[danger]}** ${code(name)} (${kind} of the tree, applied by ${code(kustomization)})`,
          ],
    ),
  ];
  return rows.length === 0 ? [] : ["## ⚠ Dangerous", "", ...rows];
};

/** Says whether a deployment would carry out the loss. */
const keptUnless = (name: string, exemptions: readonly Exemption[]): string => {
  const found = exemptionFor("kept-resources", name, exemptions, today());
  return found?.isValid === true
    ? `; exempt until ${found.until ?? ""}: ${escaped(found.reason)}`
    : "; refused, for no exemption from `kept-resources` names it";
};

const reason = (operation: Operation, because: readonly string[], properties: ResourceChange["properties"]): string => {
  if (operation === "update") {
    const gone = properties.filter(({ after }) => after === undefined).map(({ path }) => code(path));
    return gone.length === 0 ? "" : `: ${gone.join(", ")} goes`;
  }
  const keys = because.length > 0 ? because : properties.map(({ path }) => path);
  if (operation === "delete" || keys.length === 0) return "";
  const values = keys.map((key) => {
    const [change] = properties.filter(
      ({ path }) => path === key || path.startsWith(`${key}.`) || path.startsWith(`${key}[`),
    );
    return change === undefined ? code(key) : transition(change);
  });
  return `, because of ${values.join(", ")}`;
};

const transition = ({ path, before, after }: ResourceChange["properties"][number]): string => {
  if (before === undefined) return `${code(path)} = ${code(after ?? "")}`;
  if (after === undefined) return `${code(path)} goes, was ${code(before)}`;
  return `${code(path)} ${code(before)} → ${code(after)}`;
};

const restarts = ({ restarts: found }: Preview): string[] =>
  found.length === 0
    ? []
    : [
        "## What needs a restart",
        "",
        ...table(
          ["machine", "what it takes", "because of"],
          found.map(({ node, what, why }) => [code(node), what, why]),
        ),
      ];

const rollout = ({ stack, rollout: plan }: Preview): string[] => {
  if (!plan || (plan.steps.length === 0 && plan.refusals.length === 0)) return [];
  const { steps, refusals } = plan;
  return [
    "## Rollout",
    "",
    ...refusals.map((text) => `- ✗ **refused**: ${escaped(text)}`),
    ...(steps.length === 0
      ? []
      : [
          `\`npx hearth deploy ${stack}\` carries ${steps.length === 1 ? "this step" : `these ${steps.length} steps`} out, one after ` +
            `the other, in about ${duration(secondsOf(steps))}. Which control plane leads etcd, and so comes last, shows only then.`,
          "",
          ...table(
            ["step", "what is done", "out of service", "usually"],
            steps.map(({ name, what, out, seconds }) => [code(name), what, out, duration(seconds)]),
          ),
        ]),
  ];
};

const policy = ({ policy: results }: Preview): string[] => {
  if (results === undefined) return [];
  const { passed, findings } = results;
  return [
    "## Policy",
    "",
    ...findings.flatMap(({ policy: name, resource, message, mandatory }) => {
      const [first = "", ...rest] = message.split("\n").filter((line) => line.trim() !== "");
      const place = resource === undefined ? "" : ` on ${code(resource)}`;
      return [
        `- ${mandatory ? "✗ **refused**" : "note"} by ${code(name)}${place}: ${escaped(first)}`,
        ...rest.map((line) => `  ${escaped(line)}`),
      ];
    }),
    `${findings.length === 0 ? "" : "\n"}${count(passed, "policy").replace(/policys$/, "policies")} found nothing wrong.`,
  ];
};

const resources = ({ resources: changes }: Preview): string[] =>
  changes.length === 0
    ? []
    : [
        "## Resources",
        "",
        ...changes.flatMap((change) => {
          const { operation, danger, name, type, properties } = change;
          return [
            `- ${danger === undefined ? "" : "⚠ "}${verbs[operation]} ${code(name)} (${shortType(type)})`,
            ...properties.map((property) => `  - ${transition(property)}`),
          ];
        }),
      ];

/** A type without the repetition in its name. */
const shortType = (type: string): string => {
  const [provider = "", , name = type] = type.split(":");
  const kind = name.charAt(0).toUpperCase() + name.slice(1);
  return provider === "pulumi" ? `provider ${name}` : `${provider} ${kind}`;
};

const machines = ({ machines: changes }: Preview): string[] =>
  changes.length === 0
    ? []
    : [
        "## Machine configuration",
        "",
        "A value in ‹› is a secret's fingerprint: the same value has the same one.",
        ...changes.flatMap(({ node, lines, partial }) => [
          "",
          ...folded(
            `${node}: ${count(changedLines(lines), "line")}${partial ? ", of what carries no keys; the rest is not known yet" : ""}`,
            block("diff", lines),
          ),
        ]),
      ];

const changedLines = (lines: readonly string[]): number =>
  lines.filter((line) => line.startsWith("+") || line.startsWith("-")).length;

const operationMarks: Record<TreeChange["operation"], string> = { add: "add", change: "change", remove: "remove" };

const tree = ({ tree: changes }: Preview): string[] =>
  changes === undefined || changes.length === 0
    ? []
    : [
        "## GitOps tree",
        "",
        ...changes.flatMap(({ operation, danger, kind, name, kustomization, file, lines }) => {
          const title = `${danger === undefined ? "" : "⚠ "}${operationMarks[operation]} ${kind} ${name} (${kustomization}, ${file})`;
          return lines.length === 0 ? [`- ${escaped(title)}`, ""] : [...folded(title, block("diff", lines)), ""];
        }),
      ].slice(0, -1);

const warnings = ({ warnings: found }: Preview): string[] =>
  found.length === 0
    ? []
    : ["## Warnings", "", ...found.flatMap((text) => [...block("text", text.trimEnd().split("\n")), ""])].slice(0, -1);

const unknown = ({ unknown: things }: Preview): string[] => [
  "## What this preview could not know",
  "",
  ...things.map((thing) => `- ${thing}`),
];
