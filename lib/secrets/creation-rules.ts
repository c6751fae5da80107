import { isMap, isSeq, parse, parseAllDocuments, parseDocument } from "yaml";

import { Problem } from "../../toolchain/problem.ts";

/** A creation rule of `.sops.yaml`, as far as it names age recipients. */
export interface CreationRule {
  recipients: string[];
}

const recipient = /age1[a-z0-9]+/g;

/** All creation rules of a `.sops.yaml`, with the paths that each is for; without a path it is for all. */
const rulesIn = (text: string): (CreationRule & { path: RegExp })[] => {
  const { creation_rules: rules = [] } = (parse(text) ?? {}) as { creation_rules?: { path_regex?: string }[] };
  return rules.map((rule) => ({
    path: new RegExp(rule.path_regex ?? ""),
    recipients: [...new Set(JSON.stringify(rule).match(recipient) ?? [])],
  }));
};

/**
 * The rule by which SOPS encrypts a new file; undefined if there is none. The first that fits counts.
 *
 * Source: getsops/sops v3.13.3, config/config.go, parseCreationRuleForFile.
 *
 * @param text of `.sops.yaml`
 * @param file path from its folder
 */
export const ruleFor = (text: string, file: string): CreationRule | undefined =>
  rulesIn(text).find(({ path }) => path.test(file));

/** The rules for other files than one. */
export const otherRules = (text: string, file: string): CreationRule[] =>
  rulesIn(text).filter(({ path }) => !path.test(file));

/** Recipients that can open a SOPS file. Source: getsops/sops v3.13.3, stores, the `sops` metadata. */
export const recipientsOf = (text: string): string[] => {
  const documents = parseAllDocuments(text).map((document) => document.toJS() as { sops?: unknown } | null);
  const found =
    JSON.stringify(documents.map((document) => document?.sops ?? {})).match(/"recipient":"age1[a-z0-9]+"/g) ?? [];
  return [...new Set(found.flatMap((each) => each.match(recipient) ?? []))];
};

/** Where the text of the rule for a file begins and ends. */
const rangeFor = (text: string, file: string): [number, number] | undefined => {
  const index = rulesIn(text).findIndex(({ path }) => path.test(file));
  const rules = parseDocument(text).get("creation_rules");
  const rule = isSeq(rules) && index >= 0 ? rules.items[index] : undefined;
  return isMap(rule) && rule.range != null ? [rule.range[0], rule.range[1]] : undefined;
};

/** The line on which the rule for a file names a recipient, counted from 1; undefined if it does not. */
export const lineInRule = (text: string, file: string, recipient: string): number | undefined => {
  const [start, end] = rangeFor(text, file) ?? [0, 0];
  const at = text.slice(start, end).indexOf(recipient);
  return at < 0 ? undefined : text.slice(0, start + at).split("\n").length;
};

/**
 * A `.sops.yaml` with one recipient in place of another in the rule for a file. Everything else stays as it is written.
 */
export const withRecipient = (text: string, file: string, { from, to }: { from: string; to: string }): string => {
  const [start, end] = rangeFor(text, file) ?? [0, 0];
  return text.slice(0, start) + text.slice(start, end).replaceAll(from, to) + text.slice(end);
};

/**
 * A `.sops.yaml` whose rule for a folder names a stack's own recipients, and no stranger. A rule that is missing is added.
 *
 * @param folder the environment's, such as `gitops/clusters/dev`
 * @param own recipients, the stack's first
 * @throws Problem where the rule has its recipients elsewhere, as in key groups
 */
export const withOwn = (
  text: string,
  folder: string,
  own: readonly string[],
  isStranger: (recipient: string) => boolean,
): string => {
  const document = parseDocument(text);
  const index = rulesIn(text).findIndex(({ path }) => path.test(`${folder}/secrets/a.sops.yaml`));
  if (index < 0) {
    const rule = {
      path_regex: `${folder}/.*\\.sops\\.yaml$`,
      encrypted_regex: "^(data|stringData)$",
      age: own.join(","),
    };
    document.addIn(["creation_rules"], document.createNode(rule));
    return document.toString({ lineWidth: 0 });
  }
  const path = ["creation_rules", index, "age"];
  const present = document.getIn(path);
  if (typeof present !== "string") {
    throw new Problem(
      `.sops.yaml: the rule for ${folder} has no recipients under age: name ${own.join(" and ")} in it yourself, and run this again`,
    );
  }
  const kept = present.split(",").map((each) => each.trim());
  const next = [...new Set([...own, ...kept.filter((each) => each !== "" && !isStranger(each))])];
  if (next.join() === kept.join()) return text;
  document.setIn(path, next.join(","));
  return document.toString({ lineWidth: 0 });
};
