import { resourceTypes } from "../../components/resource-types.ts";
import { diskRecoverySeed } from "../../components/secrets/seed.ts";
import { documentsOf } from "../../lib/cluster/machine-configuration.ts";
import { ofType } from "../../lib/engine/state.ts";
import { revealed } from "../../lib/engine/value.ts";
import { passwordsNamed, redraw, seedOf, type Carrier, type DrawnSecret } from "./drawn.ts";
import { commitStep, type Rotation } from "./rotation.ts";

/** The second key of volumes whose key is in a TPM. */
export const diskRecoveryKey: Rotation = {
  name: "disk-recovery-key",
  what: "the second key of disks whose key is in a TPM",
  interrupts:
    "Nothing that runs. The disks of a machine take the new key when it restarts; until then the old one opens them.",
  rotate: async (surroundings) => {
    const { target } = surroundings;
    const { resumed, escrow } = await redraw(surroundings, diskRecoverySecret);
    return {
      resumed,
      said: [`Machines of ${target.stack} have another recovery key in their configuration, and the escrow has it`],
      left: [
        ...commitStep(target, escrow),
        "restart each machine whose disks have it, one after the other. Keep the escrow of before until all have restarted",
      ],
      escrow,
    };
  },
};

export const diskRecoverySecret: DrawnSecret = {
  name: "recovery key of disks",
  passwords: (state) => passwordsNamed(state, diskRecoverySeed),
  carriers: (state): Carrier[] => {
    const [password] = passwordsNamed(state, diskRecoverySeed);
    const key = password && seedOf(password);
    return ofType(state, resourceTypes.machineConfiguration).flatMap(({ urn, inputs }) => {
      const { machineConfigurationInput: text } = (revealed(inputs) ?? {}) as { machineConfigurationInput?: string };
      const carried = documentsOf(text ?? "").flatMap(passphrasesOf);
      return carried.length === 0 ? [] : [{ urn, isCurrent: carried.every((each) => each === key) }];
    });
  },
};

/** The passphrases in a document of a machine's configuration that opens a volume. */
const passphrasesOf = (document: unknown): string[] => {
  const { encryption } = document as { encryption?: { keys?: { static?: { passphrase: string } }[] } };
  return (encryption?.keys ?? []).flatMap((key) => (key.static ? [key.static.passphrase] : []));
};
