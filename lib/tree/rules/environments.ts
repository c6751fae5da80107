import { strangerOf } from "../../../components/secrets/known-recipients.ts";
import { clusterFolder } from "../../../infra/facts.ts";
import { isEncrypted } from "../../../infra/tree-walk.ts";
import { lineInRule, otherRules, recipientsOf, ruleFor } from "../../secrets/creation-rules.ts";
import type { Finding } from "../render.ts";
import { called, findingAt, type Rule, type Tree } from "./rule.ts";

/**
 * Encrypted files that are not of this environment alone. Each is in the folder of its environment, and is encrypted to the recipients that
 * `.sops.yaml` names for that folder; at least one of them is no other environment's.
 */
export const environments: Rule = (tree) => {
  const folder = clusterFolder(tree.config.gitops);
  const encrypted = tree.objects.filter(({ file }) => isEncrypted(file));
  const [own, shared] = [true, false].map((inside) =>
    encrypted.filter(({ file }) => file.startsWith(`${folder}/`) === inside),
  );
  return [
    ...(shared ?? []).flatMap((object) =>
      findingAt(tree, object, {
        message: `${called(object)} is encrypted in a file that is not of this environment alone`,
        advice: `move it below ${folder}/secrets, where no other environment reads it, and write it again: docs/guides/secrets.md`,
      }),
    ),
    ...[...new Set((own ?? []).map(({ file }) => file))].flatMap((file) => recipients(tree, file)),
    ...sharedKeys(tree, folder),
  ];
};

const recipients = ({ sources }: Tree, file: string): Finding[] => {
  const rule = ruleFor(sources.textOf(".sops.yaml"), file);
  if (rule === undefined) {
    return [{ file: ".sops.yaml", message: `no creation rule is for ${file}`, advice: "add one for its environment" }];
  }
  const [expected, found] = [rule.recipients, recipientsOf(sources.textOf(file))];
  const other = [
    ...found.filter((each) => !expected.includes(each)),
    ...expected.filter((each) => !found.includes(each)),
  ];
  const [first] = other;
  if (first === undefined) return [];
  const line = sources.lineNear(file, first);
  return [
    {
      file,
      ...(line !== undefined && { line }),
      message: found.includes(first)
        ? `${first} opens it, and .sops.yaml does not name it for this file`
        : `${first} does not open it, and .sops.yaml names it for this file`,
      advice: `npx hearth secret rotate ${file}, and change the values if somebody had the key who should not`,
    },
  ];
};

/** An environment whose every key is another's too. What strangers have is another rule's finding. */
const sharedKeys = ({ sources }: Tree, folder: string): Finding[] => {
  const [text, file] = [sources.textOf(".sops.yaml"), `${folder}/secrets/a.sops.yaml`];
  const others = otherRules(text, file).flatMap((rule) => rule.recipients);
  const own = ruleFor(text, file)?.recipients ?? [];
  const [first] = own;
  if (first === undefined || own.some((each) => strangerOf(each) !== undefined || !others.includes(each))) return [];
  const line = lineInRule(text, file, first);
  return [
    {
      file: ".sops.yaml",
      ...(line !== undefined && { line }),
      message: `every recipient of ${folder} opens another environment's secrets too`,
      advice: "name the stack's own for it, `pulumi stack output ageRecipient`, then: npx hearth secret rotate",
    },
  ];
};
