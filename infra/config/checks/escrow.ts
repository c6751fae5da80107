import { collisions } from "./collisions.ts";
import type { Check } from "./check.ts";

const recipientsOnce: Check = ({ escrow }) =>
  collisions(
    (escrow?.recipients ?? []).map((recipient, index) => ({
      path: ["escrow", "recipients", index],
      value: recipient,
      shown: "the recipient",
      owner: `that of entry ${index}`,
      advice: "remove one of them",
    })),
  );

/** A file that one person's key alone opens is as easily lost as that key. */
const secondWayIn: Check = ({ escrow }) =>
  escrow?.recipients.length === 1 && escrow.kms === undefined
    ? [
        {
          path: ["escrow", "recipients"],
          problem: "has one recipient only, and with that identity everything is lost",
          advice: "add a second recipient that is kept elsewhere, or kms",
          warning: true,
        },
      ]
    : [];

export const escrowChecks: Check[] = [recipientsOnce, secondWayIn];
