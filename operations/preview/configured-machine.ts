import { documentsIn } from "../../components/talos/documents-in.ts";
import { partsOfImage } from "../../components/talos/installer.ts";
import { ownVolumes } from "../../components/talos/own-volumes.ts";
import { roleIn, typeIn } from "../../components/talos/role.ts";
import { diskKeysOf } from "../../lib/cluster/disk-keys.ts";
import { withoutVips } from "../../lib/cluster/machine-configuration.ts";
import type { StateResource } from "../../lib/engine/state.ts";
import { revealed } from "../../lib/engine/value.ts";
import type { DesiredMachine } from "../../lib/rollout/step.ts";
import { machineDocuments, setting } from "../../policy/machine-documents.ts";

/** A machine that a resource configures. */
export interface ConfiguredMachine extends DesiredMachine {
  address: string;
  /** Its volumes that are not Talos's own. */
  volumes: string[];
  /** Whether a TPM opens its disks. */
  isSealed: boolean;
  /** Whether its configuration has a VIP. */
  hasVip: boolean;
}

/**
 * The machine that the inputs of its configuration describe.
 *
 * @param whole its whole configuration, where that is known: patches with keys are no inputs in plain
 */
export const configuredMachine = (inputs: Record<string, unknown>, whole?: unknown): ConfiguredMachine => {
  const documents = machineDocuments({ inputs });
  const image = setting(documents, "machine", "install", "image");
  const installer = typeof image === "string" ? image : "";
  const { version, schematic } = partsOfImage(installer);
  const main = documentsIn(whole);
  return {
    role: typeIn(main) ?? typeIn(documentsIn(inputs.machineConfigurationInput)) ?? roleIn(documents),
    address: String(inputs.node),
    image: { version, schematic, installer },
    volumes: ownVolumes([...documents, ...main]),
    isSealed: diskKeysOf(documents).includes("tpm"),
    hasVip: withoutVips(documents) !== undefined,
  };
};

/** The machine that a resource of the state configures. */
export const recordedMachine = ({ inputs = {}, outputs = {} }: StateResource): ConfiguredMachine => {
  const { machineConfiguration } = revealed(outputs) as Record<string, unknown>;
  return configuredMachine(revealed(inputs) as Record<string, unknown>, machineConfiguration);
};
