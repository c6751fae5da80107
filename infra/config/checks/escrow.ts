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

/** A file that only one person's key decrypts is lost with that key. */
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

/** A recipient whose identity others know keeps nothing secret. A placeholder lets nobody decrypt. */
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
              problem: `${recipient} is ${what}: the escrow and all backups could be decrypted by strangers`,
              advice: "write the age1… of your own identity; age-keygen -o FILE creates one",
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
