import { resourceTypes } from "../../components/resource-types.ts";
import { documentsIn, type MachineDocument } from "../../components/talos/documents-in.ts";
import type { RegistryCredentials } from "../../components/talos/documents/index.ts";
import { parseRegistryCredentials, parseSecretPatches } from "../../infra/config/patches.ts";
import { ofType, type State } from "../../lib/engine/state.ts";
import { requireDeployedMachines } from "../../lib/recovery/checkout.ts";
import { revealed } from "../../lib/engine/value.ts";
import { Problem } from "../../toolchain/problem.ts";
import { Internet } from "../doctor/internet.ts";
import { exchangeSecret, type GivenCarrier } from "./given-secret.ts";
import { requireNothingElse } from "./nothing-else.ts";
import { tryRegistry } from "./registry-access.ts";
import { commitStep, type Rotation } from "./rotation.ts";

/**
 * The credentials by which machines pull images from registries.
 *
 * Talos takes them without a restart, and uses them at once for its own images. Containerd, which pulls the images of pods, reads them only
 * when it starts, and it starts with its machine. Source: siderolabs/talos v1.13.9, runtime/v1alpha1/v1alpha1_runtime.go,
 * CanApplyImmediate.
 */
export const registryCredentials: Rotation = {
  name: "registry-credentials",
  what: "the credentials by which machines pull images from registries",
  interrupts:
    "Nothing. Images of pods are pulled with the old ones until a machine restarts, so keep those until the end. The new ones are read from " +
    "standard input, as JSON in one line.",
  rotate: async (surroundings) => {
    const { target } = surroundings;
    const { stack } = target;
    const config = await target.config();
    const read = (text: string) => readCredentials(text, stack);
    const internet = await Internet.of(target.environment);
    try {
      const { resumed, unproven, escrow } = await exchangeSecret(surroundings, {
        rotation: "registry-credentials",
        key: "registryCredentials",
        name: "registry credentials",
        carriers: (state, configured) => credentialsIn(state, configured, stack),
        normalize: (text) => normalized(text, stack),
        requireAlone: async (within, state, urns) => {
          requireDeployedMachines(state, config.nodes, stack);
          await requireNothingElse(within, state, { urns, without: withoutCredentials });
        },
        attempt: async (next) => {
          const tried = Object.entries(read(next)).map(([name, given]) =>
            tryRegistry((url, options) => internet.ask(url, options), name, given),
          );
          return (await Promise.all(tried)).flat();
        },
      });
      return {
        resumed,
        said: [`Every machine of ${stack} has other credentials for registries`, ...unproven],
        left: [
          ...commitStep(target, escrow, `Pulumi.${stack}.yaml`),
          "restart each machine, the next one when the one before is Ready, so that pods get their images with the new ones:",
          ...Object.entries(config.nodes).map(
            ([node, { address }]) =>
              `kubectl drain ${node} --ignore-daemonsets --delete-emptydir-data && talosctl --nodes ${address} reboot --wait && kubectl uncordon ${node}`,
          ),
          "revoke the old credentials at the registries",
        ],
        escrow,
      };
    } finally {
      await internet.close();
    }
  },
};

type Credentials = Record<string, RegistryCredentials>;

/** @throws Problem that shows nothing of the text */
const readCredentials = (text: string, stack: string): Credentials => {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    // The parser's message quotes the text.
    throw new Problem('The registry credentials are not JSON: write {"ghcr.io": {"username": "…", "password": "…"}}');
  }
  return parseRegistryCredentials(raw, stack);
};

/** Credentials in a form in which two are equal if they say the same. */
const inOneForm = (credentials: Credentials): string =>
  JSON.stringify(
    Object.keys(credentials)
      .sort()
      .map((name) => {
        const given = credentials[name];
        return [name, given && ("identityToken" in given ? [given.identityToken] : [given.username, given.password])];
      }),
  );

/** The value of hearth:registryCredentials in the form that machines have. */
export const normalized = (text: string, stack: string): string => inOneForm(readCredentials(text, stack));

const kind = "RegistryAuthConfig";

/**
 * The machines' configurations, each with the credentials that it has. Registries that hearth:machinePatches names are skipped: what is
 * there counts before these.
 */
export const credentialsIn = (state: State, configured: Record<string, string>, stack: string): GivenCarrier[] => {
  const own = readCredentials(configured.registryCredentials ?? "{}", stack);
  const others = registriesOfPatches(configured.machinePatches, stack);
  const skipped = Object.entries(own).filter(([name]) => others.has(name));
  return ofType(state, resourceTypes.machineConfiguration).map(({ urn, inputs }) => {
    const { machineConfigurationInput: text } = (revealed(inputs) ?? {}) as { machineConfigurationInput?: string };
    const given = documentsIn(text ?? "")
      .filter((document) => document.kind === kind && !others.has(String(document.name)))
      .map((document) => [String(document.name), credentialsOf(document)]);
    return { urn, value: inOneForm(Object.fromEntries([...skipped, ...given]) as Credentials) };
  });
};

const credentialsOf = ({ username, password, identityToken }: MachineDocument): RegistryCredentials =>
  typeof identityToken === "string" ? { identityToken } : { username: String(username), password: String(password) };

const registriesOfPatches = (text: string | undefined, stack: string): Set<string> => {
  if (text === undefined) return new Set();
  const { all, controlPlanes, workers, nodes } = parseSecretPatches(JSON.parse(text), stack);
  const patches = [...all, ...controlPlanes, ...workers, ...Object.values(nodes).flat()];
  return new Set(patches.filter((patch) => patch.kind === kind).map(({ name }) => String(name)));
};

/** The inputs of a machine's configuration without credentials for registries. */
export const withoutCredentials = (inputs: Record<string, unknown>): Record<string, unknown> => ({
  ...inputs,
  machineConfigurationInput: documentsIn(String(inputs.machineConfigurationInput)).filter(
    (document) => document.kind !== kind,
  ),
});
