import { isPlaceholder, strangerOf } from "../../../components/secrets/known-recipients.ts";
import type { ConfigurationProblem } from "../error.ts";
import { isLab } from "../lab.ts";
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
const secondWayIn: Check = ({ escrow, network }) =>
  !isLab(network) && escrow?.recipients.length === 1 && escrow.kms === undefined
    ? [
        {
          path: ["escrow", "recipients"],
          problem: "has one recipient only, and with that identity everything is lost",
          advice: "add a second recipient that is kept elsewhere, or kms",
          warning: true,
        },
      ]
    : [];

/** What strangers can open is no secret, and what nobody can open is no escrow. */
const ownRecipients: Check = ({ escrow, network }) =>
  isLab(network)
    ? []
    : (escrow?.recipients ?? []).flatMap((recipient, index): ConfigurationProblem[] => {
        const path = ["escrow", "recipients", index];
        const what = strangerOf(recipient);
        if (what !== undefined) {
          return [
            {
              path,
              problem: `${recipient} is ${what}: the escrow and all backups would be sealed to strangers`,
              advice: "write the age1… of an identity of your own; age-keygen -o FILE makes one",
              undeployable: true,
            },
          ];
        }
        if (!isPlaceholder(recipient)) return [];
        return [
          {
            path,
            problem: `${recipient} stands where a recipient has to be written`,
            advice:
              "write the age1… that age-keygen -o FILE prints, and keep FILE where the cluster's loss does not reach it",
            undeployable: true,
          },
        ];
      });

export const escrowChecks: Check[] = [recipientsOnce, secondWayIn, ownRecipients];
