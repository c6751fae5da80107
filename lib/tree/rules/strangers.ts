import { isPlaceholder, strangersIn } from "../../../components/secrets/known-recipients.ts";
import { isLab } from "../../../infra/config/lab.ts";
import type { Finding } from "../render.ts";
import type { Rule, Tree } from "./rule.ts";

/**
 * Files that are encrypted to keys which strangers have, or that would encrypt to them.
 *
 * The example secrets are the lab's. They may stay for as long as the stack file has placeholders, for nothing can be deployed then.
 */
export const strangers: Rule = (tree) => {
  if (isExample(tree)) return [];
  const files = [".sops.yaml", ...new Set(tree.objects.map(({ file }) => file))];
  return files.flatMap((file) =>
    strangersIn(tree.sources.textOf(file)).map(({ recipient, what }): Finding => {
      const line = tree.sources.lineNear(file, recipient);
      const advice =
        file === ".sops.yaml"
          ? "write `pulumi stack output ageRecipient` in its place, then: npx hearth secret rotate"
          : file.endsWith(".sops.yaml")
            ? `give it values of your own, then: npx hearth secret rotate ${file}`
            : "write a recipient of your own; ${escrow_recipients} has those of hearth:escrow";
      return { file, ...(line !== undefined && { line }), message: `${recipient} is ${what}`, advice };
    }),
  );
};

const isExample = ({ config: { network, escrow } }: Tree): boolean =>
  isLab(network) || (escrow?.recipients ?? []).some(isPlaceholder);
