import { resourceTypes } from "../../components/resource-types.ts";
import type { Rule } from "../rule.ts";

/** Requires a current escrow, from which a lost stack can be rebuilt. */
export const freshEscrow: Rule = {
  name: "fresh-escrow",
  description: "The escrow holds the root secrets that the stack has.",
  check: ({ type }, { surroundings: { escrow, stack } }) =>
    type !== resourceTypes.stack || escrow === undefined
      ? []
      : [
          {
            problem: `${escrow.path} ${escrow.problem}`,
            advice: escrow.advice ?? `write it with npx hearth escrow ${stack}, and commit it`,
            subject: stack,
          },
        ],
};
