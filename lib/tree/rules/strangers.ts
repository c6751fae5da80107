import { isPlaceholder, strangerOf, strangersIn } from "../../../components/secrets/known-recipients.ts";
import { isLab } from "../../../infra/config/lab.ts";
import { clusterFolder } from "../../../infra/facts.ts";
import { lineInRule, ruleFor } from "../../secrets/creation-rules.ts";
import type { Finding } from "../render.ts";
import type { Rule, Tree } from "./rule.ts";

/**
 * Files that are encrypted to keys which strangers have, or that would encrypt to them.
 *
 * The example secrets are the lab's. They may stay for as long as the stack file has placeholders, for nothing can be deployed then.
 */
export const strangers: Rule = (tree) => {
  if (isExample(tree)) return [];
  const files = new Set(tree.objects.map(({ file }) => file).filter((file) => file !== ".sops.yaml"));
  return [...inRule(tree), ...[...files].flatMap((file) => inFile(tree, file))];
};

/** Other environments' rules are their own checks' matter: one that is not deployed may keep the lab's recipient. */
const inRule = ({ sources, config }: Tree): Finding[] => {
  const [text, file] = [sources.textOf(".sops.yaml"), `${clusterFolder(config.gitops)}/secrets/a.sops.yaml`];
  return (ruleFor(text, file)?.recipients ?? []).flatMap((recipient) => {
    const what = strangerOf(recipient);
    const line = lineInRule(text, file, recipient);
    return what === undefined
      ? []
      : {
          file: ".sops.yaml",
          ...(line !== undefined && { line }),
          message: `${recipient} is ${what}`,
          advice:
            "npx hearth secret init names the stack's own in its place, and encrypts the environment's secrets to it",
        };
  });
};

const inFile = ({ sources }: Tree, file: string): Finding[] =>
  strangersIn(sources.textOf(file)).map(({ recipient, what }) => {
    const line = sources.lineNear(file, recipient);
    const advice = file.endsWith(".sops.yaml")
      ? "npx hearth secret init gives it values of the stack's own, and encrypts it to its key"
      : "write a recipient of your own; ${escrow_recipients} has those of hearth:escrow";
    return { file, ...(line !== undefined && { line }), message: `${recipient} is ${what}`, advice };
  });

const isExample = ({ config: { network, escrow } }: Tree): boolean =>
  isLab(network) || (escrow?.recipients ?? []).some(isPlaceholder);
