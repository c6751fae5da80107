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

const strangersInput: Look = ({ triggers: events, lineOf }) =>
  events.includes("issue_comment")
    ? [
        {
          line: lineOf("on", "issue_comment"),
          problem: "issue_comment runs with this repository's secrets on what a stranger sent",
          advice: "let people start it by workflow_dispatch: anybody may comment",
        },
      ]
    : [];

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

/** Events whose workflow is the pull request's own. */
const ofPullRequests = ["pull_request", "pull_request_review", "pull_request_review_comment"];

/** Such a workflow is the pull request's own, so whoever can push writes what is done with its secrets. */
const secretsOfPullRequests: Look = (subject) =>
  subject.triggers.some((event) => ofPullRequests.includes(event))
    ? subject.jobs
        .filter(([, job]) => hasSecrets(job, subject))
        .map(([name]) => ({
          line: subject.lineOf("jobs", name),
          problem: `job ${name} has secrets, and the pull request says what it does with them`,
          advice: "do without, or do it as preview.yml does: on pull_request_target",
        }))
    : [];

/** A job without an environment gets the repository's own secrets; an environment may have a reviewer, and admits main alone. */
const hasSecrets = (job: Job, { content }: Subject): boolean =>
  /\$\{\{(?:(?!\}\}).)*\bsecrets\b/i.test(JSON.stringify([job, content.env])) ||
  job.secrets !== undefined ||
  job.environment !== undefined ||
  mapping(job.permissions)["id-token"] === "write";

const sameRepository = "github.event.pull_request.head.repo.full_name == github.repository";
const headCommit = "${{ github.event.pull_request.head.sha }}";

/** Environments whose jobs a person approves one by one, and those that run main's code only, by the end of their names. */
const reviewedEnvironment = "-preview";
const environmentOfMain = "-main";

/** Programs that fetch or run code. A job without a review gives the pull request's commit to `hearth preview --data-from` alone. */
const fetching = /\b(git|gh|npm|npx(?! hearth )|yarn|pnpm|node|tsx|curl|wget|bash|sh|eval|source)\b/;

/**
 * A workflow on pull_request_target is main's and has its secrets, also for forks. Its jobs take nothing of forks. They run main's code, or
 * else the pull request's one commit after a review.
 */
const targetJobs: Look = (subject) => {
  if (!subject.triggers.includes("pull_request_target")) return [];
  return subject.jobs.flatMap(([name, job]): Found[] => {
    const steps = stepsOf(subject).filter((each) => each.job === name);
    const refused = (problem: string, advice: string, ...path: (string | number)[]): Found => ({
      line: subject.lineOf(...(path.length > 0 ? path : ["jobs", name])),
      problem: `job ${name} ${problem}`,
      advice,
    });
    const checkouts = steps.filter(({ step }) => isCheckout(step));
    const takesTheirs = checkouts.some(({ step }) => step.with?.ref !== undefined);
    const environment = nameOfEnvironment(job);
    return [
      ...(conjuncts(job.if).includes(sameRepository)
        ? []
        : [refused("runs for forks, with this repository's secrets", `add if: ${sameRepository}`)]),
      ...checkouts
        .filter(({ step }) => step.with?.repository !== undefined || ![undefined, headCommit].includes(refOf(step)))
        .map(({ path }) =>
          refused("checks out what can move after the review", `leave ref out, or write ref: ${headCommit}`, ...path),
        ),
      ...(takesTheirs && !environment.endsWith(reviewedEnvironment)
        ? [
            refused(
              "runs the pull request's code without a review",
              "add an environment with a reviewer, named …-preview",
            ),
          ]
        : []),
      ...(!takesTheirs && hasSecrets(job, subject) && !environment.endsWith(environmentOfMain)
        ? [
            refused(
              "has secrets without an environment for main's code",
              "add one that admits main alone, named …-main",
            ),
          ]
        : []),
      ...(job.uses === undefined ? [] : [refused("calls another workflow", "write its steps here")]),
      ...steps
        .filter(({ step }) => !takesTheirs && fetching.test(step.run ?? ""))
        .map(({ path }) =>
          refused(
            "could fetch or run the pull request's code",
            "call npx hearth, which takes data alone",
            ...path,
            "run",
          ),
        ),
    ];
  });
};

const refOf = ({ with: given }: Step): string | undefined => given?.ref as string | undefined;

const nameOfEnvironment = ({ environment }: Job): string => {
  const name = typeof environment === "string" ? environment : mapping(environment).name;
  return typeof name === "string" ? name : "";
};

/** The conditions that all hold where a job runs. With an alternative, none is certain. */
const conjuncts = (condition: unknown): string[] =>
  typeof condition !== "string" || condition.includes("||")
    ? []
    : condition
        .replace(/^\$\{\{(.*)\}\}$/, "$1")
        .split("&&")
        .map((part) => part.trim());

const hosted = /^(ubuntu|macos|windows)-[\w.-]+$/;

/** Events whose workflow is main's or needs somebody who may push. The branches of a push are looked at besides. */
const ownEvents = ["push", "schedule", "workflow_dispatch"];

/** A runner of one's own stands in the machines' network, and keeps what a job leaves behind. */
const ownRunners: Look = (subject) =>
  subject.jobs
    .filter(([, job]) => isWorkflow(subject) && job.uses === undefined && !onlyHosted(job["runs-on"]))
    .filter(() => !subject.triggers.every((event) => ownEvents.includes(event)) || pushesOfOthers(subject))
    .map(([name]) => ({
      line: subject.lineOf("jobs", name),
      problem: `job ${name} may run what is not on main on a runner of one's own`,
      advice: "write runs-on: ubuntu-24.04, or start it by what is merged: on push to branches: [main]",
    }));

const onlyHosted = (runsOn: unknown): boolean => typeof runsOn === "string" && hosted.test(runsOn);

const pushesOfOthers = ({ triggers: events, content }: Subject): boolean => {
  const branches = mapping(mapping(content.on).push).branches;
  return events.includes("push") && !(Array.isArray(branches) && branches.length === 1 && branches[0] === "main");
};

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
  strangersInput,
  checkoutOfRun,
  injections,
  pins,
  permissions,
  credentials,
  secretsOfPullRequests,
  targetJobs,
  ownRunners,
  inherited,
  timeouts,
];
