import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { isPlaceholder } from "../../components/secrets/known-recipients.ts";
import { Problem } from "../../toolchain/problem.ts";
import { checkStacks } from "../../infra/config/checks/across.ts";
import { format, stackFile } from "../../infra/config/error.ts";
import type { HearthConfig } from "../../infra/config/schema.ts";
import { nodesOf, platformOf, platforms, settingsOf } from "../../infra/platforms/index.ts";
import type { Platform } from "../../infra/platforms/platform.ts";
import type { Given, Question } from "../../infra/platforms/question.ts";
import { examineStackFile, parseStackFile, stacksIn } from "../../infra/config/stack-file.ts";
import { answersOf, stackFileText } from "./init-file.ts";
import { macsMissing, questions } from "./questions.ts";
import type { Call } from "../../lib/terminal/command.ts";
import { examineStacks, validStacks } from "./stacks.ts";

type Values = Readonly<Record<string, string | boolean | string[] | undefined>>;

/** Writes the stack file of a new stack from flags, and asks for what they leave open. */
export const init = async (call: Call<Values>): Promise<number> => {
  const { root, print, complain, values } = call;
  const [stack = "dev"] = call.args;
  const file = stackFile(stack);
  if (!/^[a-z0-9]+$/.test(stack))
    throw new Problem(`${stack} is not a stack's name: use lower-case letters and digits`);
  if (existsSync(join(root, file)) && values.force !== true) {
    throw new Problem(`${file} is there already; --force replaces it`);
  }
  const others = existing(root, stack);
  const given = await answer(questions(knownFrom(others)), values, call);
  const missing = macsMissing(given);
  if (missing !== undefined) throw new Problem(missing);
  const text = stackFileText(answersOf(stack, given));
  const { config, problems: own, undeployable } = examineStackFile(parseStackFile(text));
  const problems = [...own, ...undeployable];
  const across = config
    ? (checkStacks([...others, [stack, config]])[stack] ?? []).filter(({ warning }) => !warning)
    : [];
  if (problems.length + across.length > 0) {
    complain(format(file, [...problems, ...across]));
    complain("Nothing was written. Run it again with other answers.");
    return 1;
  }
  writeFileSync(join(root, file), text);
  print(nextSteps(stack, given, treeStep(root, stack)));
  call.answer({ file });
  return 0;
};

const existing = (root: string, stack: string): [string, HearthConfig][] =>
  stacksIn(root).length === 0 ? [] : validStacks(examineStacks(root)).filter(([other]) => other !== stack);

/** Takes from the first of the other stacks the answers that a new one most likely shares, of an example its releases only. */
const knownFrom = ([first]: [string, HearthConfig][]): Given => {
  if (!first) return {};
  const [, config] = first;
  const { cluster, cloudflare, gitops, escrow, network } = config;
  const recipients = escrow?.recipients ?? [];
  // The example that Hearth comes with says nothing of the person's place, accounts and repository.
  const isExample = recipients.some(isPlaceholder);
  const known: Record<string, string | undefined> = {
    talos: cluster.talos,
    kubernetes: cluster.kubernetes,
    flux: gitops.flux,
    "gateway-api": network.gatewayApi,
    branch: gitops.branch,
    "known-hosts": gitops.knownHosts,
    ...(!isExample && {
      site: cluster.name.split("-")[0],
      repository: gitops.repository,
      ...Object.fromEntries(platforms.flatMap((platform) => Object.entries(platformAnswers(config, platform)))),
      domain: cloudflare?.zone.name,
      "cloudflare-account": cloudflare?.account,
      "cloudflare-zone": cloudflare?.zone.id,
      recipients: recipients.length > 0 ? recipients.join(",") : undefined,
    }),
  };
  return Object.fromEntries(
    Object.entries(known).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
};

/** Derives the answers to a platform's questions from a stack's machines there. */
const platformAnswers = (config: HearthConfig, platform: Platform): Record<string, string | undefined> => {
  const nodes = Object.values(nodesOf(config.nodes, platform));
  const hosts = nodes.flatMap((node) => platform.placement(node)?.host ?? []);
  return platform.setup.answers(settingsOf(config, platform), [...new Set(hosts)]);
};

/** Answers all relevant questions from the flag, the default or the user, in this order. */
const answer = async (all: Question[], values: Values, session: Pick<Call, "ask" | "complain">): Promise<Given> => {
  const given: Given = {};
  const wrong: string[] = [];
  const missing: string[] = [];
  for (const question of all) {
    const { flag, matters, refuse, fallback } = question;
    if (matters && !matters(given)) continue;
    const flagged = values[flag];
    const settled = typeof flagged === "string" ? flagged : fallback?.(given);
    if (settled === undefined && !session.ask) {
      missing.push(flag);
      continue;
    }
    const text = settled ?? (await insist(question, session));
    const problem = refuse(text);
    // Problems that follow from a missing answer do not count yet.
    if (problem !== undefined && (missing.length === 0 || flagged !== undefined)) wrong.push(`--${flag}: ${problem}`);
    given[flag] = text;
  }
  if (wrong.length > 0) throw new Problem(wrong.join("\n"));
  if (missing.length > 0) {
    const example = (flag: string) => all.find((question) => question.flag === flag)?.example ?? "…";
    throw new Problem(
      `Without a terminal to ask at, these facts are needed: ${missing.map((flag) => `--${flag} ${example(flag)}`).join(" ")}`,
    );
  }
  return given;
};

/** Asks until the answer is valid. */
const insist = async (
  { text, example, refuse }: Question,
  { ask, complain }: Pick<Call, "ask" | "complain">,
): Promise<string> => {
  for (;;) {
    const line = await ask?.(`${text}${example === undefined ? "" : ` (such as ${example})`}: `);
    const answered = line?.trim() ?? "";
    const problem = refuse(answered);
    if (problem === undefined) return answered;
    complain(`  ${problem}`);
  }
};

const nextSteps = (stack: string, given: Given, treeSteps: string[]): string =>
  [
    `Wrote ${stackFile(stack)}. What comes next:`,
    `  pulumi stack init ${stack}`,
    ...platformOf({ platform: given.platform ?? "" }).setup.secrets.map(
      (key) => `  pulumi config set --secret hearth:${key}`,
    ),
    ...((given.domain ?? "") === "" ? [] : ["  pulumi config set --secret hearth:cloudflareToken"]),
    ...treeSteps,
    `  npx hearth secret init ${stack}   makes the tree's secrets its own`,
    `  npm run lab -- up ${stack}     to try it without hardware`,
  ].join("\n");

/** What is to be done where the stack has no folder in the tree yet. */
const treeStep = (root: string, stack: string): string[] => {
  const folderOf = (of: string): string => `gitops/clusters/${of}`;
  if (existsSync(join(root, folderOf(stack)))) return [];
  const like = stacksIn(root).find((other) => existsSync(join(root, folderOf(other))));
  return [`  make ${folderOf(stack)}${like === undefined ? "" : `, as ${folderOf(like)} is`}`];
};
