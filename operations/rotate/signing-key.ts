import { readFile } from "node:fs/promises";

import { signingKeys, signingSeed } from "../../components/secrets/signing.ts";
import { inOneLine } from "../../infra/facts.ts";
import type { Target } from "../../lib/engine/target.ts";
import { recipientsFor } from "../../lib/secrets/recipients.ts";
import { writeWhole } from "../../lib/terminal/whole-file.ts";
import { requireSigningKeys } from "../backup/signing-key.ts";
import { withoutSigners } from "../escrow/signers.ts";
import { backUpState } from "../state/backup.ts";
import {
  clusterSecretsIn,
  passwordsNamed,
  redraw,
  requireUsed,
  seedOf,
  type Carrier,
  type DrawnSecret,
} from "./drawn.ts";
import { commitStep, type Rotation } from "./rotation.ts";

/** The seed of the keys that sign backups: the stack's and the cluster's. */
export const signingKey: Rotation = {
  name: "signing-key",
  what: "the keys that sign backups, the stack's and the cluster's",
  interrupts:
    "Nothing that runs. Backups up to now prove nothing any more, and restore and rebuild refuse them: take new ones at once.",
  rotate: async (surroundings) => {
    const { target, credentials } = surroundings;
    credentials.live("Reading the stack's state");
    requireUsed(await target.engine.state(), signingSecret, target.stack);
    recipientsFor(target, await target.config());
    credentials.live("Taking the old signers out of the stack file");
    await forgetSigners(target);
    const { resumed, escrow } = await redraw(surroundings, signingSecret);
    credentials.live("Backing the state up");
    const { stack } = await requireSigningKeys(target);
    const { name } = await backUpState(target, stack.privateKey);
    return {
      resumed,
      said: [
        `Backups of ${target.stack} are signed by other keys, which Pulumi.${target.stack}.yaml names`,
        `The first state that they prove is ${name}`,
      ],
      left: [
        ...commitStep(target, escrow, `Pulumi.${target.stack}.yaml`),
        `take a snapshot: npx hearth snapshot ${target.stack}. The cluster's own follow by its schedule`,
        "delete the backups up to now, once you do not need them: whoever has the old key can change them",
      ],
      escrow,
    };
  },
};

/** Lets the escrow's next writing name the new signers. Until then the stack file names none, and no backup is taken for proven. */
const forgetSigners = async ({ stackFile, stack }: Target): Promise<void> => {
  const text = await readFile(stackFile, "utf8");
  const without = withoutSigners(text, `Pulumi.${stack}.yaml`);
  if (without !== text) await writeWhole(stackFile, without);
};

export const signingSecret: DrawnSecret = {
  name: "signing key",
  passwords: (state) => passwordsNamed(state, signingSeed),
  carriers: (state): Carrier[] => {
    const [password] = passwordsNamed(state, signingSeed);
    const key = password && inOneLine(signingKeys(seedOf(password)).cluster.privateKey);
    return clusterSecretsIn(state).flatMap(({ urn, data: { snapshot_signing_key: carried } }) =>
      carried === undefined ? [] : [{ urn, isCurrent: carried === key }],
    );
  },
};
