import { isMap, isScalar, LineCounter, parseDocument, visit, type Document, type Node } from "yaml";

/** A fault in a workflow that gives a stranger, or a changed action, too much access. */
export interface Danger {
  file: string;
  line: number;
  /** What is wrong. */
  problem: string;
  /** What to write instead. */
  advice: string;
}

type Mapping = Record<string, unknown>;

interface Job extends Mapping {
  steps?: Step[];
}

interface Step extends Mapping {
  uses?: string;
  run?: string;
  with?: Mapping;
}

/** The workflow, or the definition of an action, to check. */
interface Subject {
  text: string;
  document: Document;
  content: Mapping;
  /** Jobs by name; the steps of an action's definition are one job. */
  jobs: [string, Job][];
  /** Names of the events that start it. */
  triggers: string[];
  /** Line of a path's node, from 1. */
  lineOf: (...path: (string | number)[]) => number;
}

type Found = Omit<Danger, "file">;

/** Finds one kind of danger. */
type Look = (subject: Subject) => Found[];

/**
 * Finds dangers in a workflow or an action's definition beyond those that actionlint checks.
 *
 * The check is strict: what it refuses may be harmless, but can be written in another way.
 */
export const dangersOf = (file: string, text: string): Danger[] => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [error] = document.errors;
  if (error) {
    return [{ file, line: error.linePos?.[0].line ?? 1, problem: "is not YAML", advice: "mend its indentation" }];
  }
  const content = mapping(document.toJS());
  const subject: Subject = {
    text,
    document,
    content,
    jobs: jobsOf(content),
    triggers: triggersOf(content),
    lineOf: (...path) => {
      const node = document.getIn(path, true) as Node | undefined;
      return node?.range ? lines.linePos(node.range[0]).line : 1;
    },
  };
  return looks.flatMap((look) => look(subject)).map((found) => ({ file, ...found }));
};

const mapping = (value: unknown): Mapping =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Mapping) : {};

const jobsOf = (content: Mapping): [string, Job][] =>
  "runs" in content ? [["runs", mapping(content.runs)]] : (Object.entries(mapping(content.jobs)) as [string, Job][]);

const triggersOf = ({ on }: Mapping): string[] => {
  if (typeof on === "string") return [on];
  return Array.isArray(on) ? on.map(String) : Object.keys(mapping(on));
};

const isWorkflow = ({ content }: Subject): boolean => "jobs" in content;

const stepsOf = ({ jobs }: Subject): { job: string; path: (string | number)[]; step: Step }[] =>
  jobs.flatMap(([job, { steps }]) =>
    (Array.isArray(steps) ? steps : []).map((step, index) => ({
      job,
      path: job === "runs" ? ["runs", "steps", index] : ["jobs", job, "steps", index],
      step,
    })),
  );

const isCheckout = ({ uses }: Step): boolean => uses?.startsWith("actions/checkout@") ?? false;

/** Events that run a stranger's input with the repository's secrets. */
const strangers: Record<string, string> = {
  pull_request_target: "use pull_request; what needs secrets belongs to a job for branches of this repository",
  issue_comment: "let people start it by workflow_dispatch: anybody may comment",
};

const triggers: Look = ({ triggers: events, lineOf }) =>
  events
    .filter((event) => event in strangers)
    .map((event) => ({
      line: lineOf("on", event),
      problem: `${event} runs with this repository's secrets on what a stranger sent`,
      advice: strangers[event] ?? "",
    }));

const checkoutOfRun: Look = (subject) =>
  subject.triggers.includes("workflow_run")
    ? stepsOf(subject)
        .filter(({ step }) => isCheckout(step))
        .map(({ path }) => ({
          line: subject.lineOf(...path),
          problem: "checks out code after workflow_run, with this repository's secrets",
          advice: "do it in the workflow that ran, or check nothing out",
        }))
    : [];

const expression = "${{";

/** GitHub inserts an expression into the script before a shell reads it, with any quotes. */
const injections: Look = (subject) =>
  stepsOf(subject).flatMap(({ path, step }) =>
    [
      { text: step.run, at: "run" },
      { text: step.with?.script, at: "with" },
    ]
      .filter(({ text }) => typeof text === "string" && text.includes(expression))
      .map(({ at }) => ({
        line: subject.lineOf(...path, at),
        problem: "pastes an expression into a script",
        advice: 'give it as a variable under env, and write "$NAME" in the script',
      })),
  );

const digest = /^[\w.-]+\/[\w./-]+@[0-9a-f]{40}$/;
const image = /^docker:\/\/\S+@sha256:[0-9a-f]{64}$/;

/** A tag can be moved to other code overnight; a digest cannot. */
const pins: Look = ({ document, lineOf }) => {
  const found: Found[] = [];
  visit(document, {
    Pair: (_, pair, path) => {
      const { key, value } = pair;
      if (!isScalar(key) || key.value !== "uses" || !isScalar(value)) return;
      const used = String(value.value);
      const line = lineOf(...pathOf(path), "uses");
      if (used.startsWith("./")) return;
      if (!digest.test(used) && !image.test(used)) {
        found.push({
          line,
          problem: `${used} is not pinned by its digest`,
          advice: "write the full commit digest, and the release as a comment: # v1.2.3",
        });
      } else if (!/^ ?v\d+\.\d+\.\d+$/.test(value.comment ?? "")) {
        found.push({ line, problem: `${used} does not say its release`, advice: "add it as a comment: # v1.2.3" });
      }
    },
  });
  return found;
};

/** The keys and indexes that lead to a node, from the ancestors that `visit` passes. */
const pathOf = (ancestors: readonly unknown[]): (string | number)[] =>
  ancestors.flatMap((ancestor, index): (string | number)[] => {
    const next = ancestors[index + 1];
    if (isMap(ancestor)) {
      const pair = next as { key?: { value?: string | number } } | undefined;
      return pair?.key?.value === undefined ? [] : [pair.key.value];
    }
    const items = (ancestor as { items?: unknown[] }).items;
    const position = Array.isArray(items) ? items.indexOf(next) : -1;
    return position === -1 ? [] : [position];
  });

const readOnly = (permissions: unknown): boolean =>
  typeof permissions === "object" &&
  permissions !== null &&
  Object.values(permissions).every((level) => level === "read" || level === "none");

/** Every job must declare its own permissions. */
const permissions: Look = (subject) => {
  if (!isWorkflow(subject)) return [];
  const { content, jobs, lineOf } = subject;
  return [
    ...(readOnly(content.permissions)
      ? []
      : [
          {
            line: lineOf("permissions"),
            problem: "permissions of all jobs are not said, or let them write",
            advice: "write permissions: {} or contents: read at the top, and what a job writes under the job",
          },
        ]),
    ...jobs
      .filter(([, job]) => typeof job.permissions === "string")
      .map(([name]) => ({
        line: lineOf("jobs", name, "permissions"),
        problem: `job ${name} has all permissions of a kind`,
        advice: "name those that it needs",
      })),
  ];
};

/** Every later step can read a token that remains in .git. */
const credentials: Look = (subject) =>
  stepsOf(subject)
    .filter(({ step }) => isCheckout(step) && step.with?.["persist-credentials"] !== false)
    .map(({ path }) => ({
      line: subject.lineOf(...path),
      problem: "leaves the token in the checkout",
      advice: "add persist-credentials: false",
    }));

const sameRepository = "github.event.pull_request.head.repo.full_name == github.repository";

/** A pull request runs its own code, so it has secrets only if somebody of the repository sent it. */
const secretsOfPullRequests: Look = (subject) => {
  if (!subject.triggers.includes("pull_request")) return [];
  return subject.jobs
    .filter(([, job]) => hasSecrets(job))
    .flatMap(([name, job]): Found[] => {
      const line = subject.lineOf("jobs", name);
      return [
        ...(typeof job.if === "string" && job.if.includes(sameRepository)
          ? []
          : [
              {
                line,
                problem: `job ${name} has secrets on pull requests of forks`,
                advice: `add if: ${sameRepository}`,
              },
            ]),
        ...(job.environment === undefined
          ? [
              {
                line,
                problem: `job ${name} has secrets without an environment that protects them`,
                advice: "add environment, and keep the secrets there",
              },
            ]
          : []),
      ];
    });
};

const hasSecrets = (job: Job): boolean =>
  /\bsecrets\s*[.[]/.test(JSON.stringify(job)) ||
  job.secrets !== undefined ||
  mapping(job.permissions)["id-token"] === "write";

const inherited: Look = ({ jobs, lineOf }) =>
  jobs
    .filter(([, job]) => job.secrets === "inherit")
    .map(([name]) => ({
      line: lineOf("jobs", name, "secrets"),
      problem: `job ${name} hands on all secrets`,
      advice: "name those that it needs",
    }));

/** A job that hangs holds its runner, and its lock on the state, for six hours. */
const timeouts: Look = (subject) =>
  isWorkflow(subject)
    ? subject.jobs
        .filter(([, job]) => job["timeout-minutes"] === undefined && job.uses === undefined)
        .map(([name]) => ({
          line: subject.lineOf("jobs", name),
          problem: `job ${name} may run for six hours`,
          advice: "add timeout-minutes",
        }))
    : [];

const looks: Look[] = [
  triggers,
  checkoutOfRun,
  injections,
  pins,
  permissions,
  credentials,
  secretsOfPullRequests,
  inherited,
  timeouts,
];
