import { resourceTypes } from "../../../components/resource-types.ts";
import { revealed } from "../../engine/value.ts";
import { type Adopter, type Adopters, type Creation, type Found } from "./adopter.ts";
import { record, secret, text, type Properties } from "./properties.ts";

const identifier = ({ metadata }: Properties): string => {
  const { namespace, name } = revealed(metadata) as { namespace?: string; name: string };
  return namespace === undefined ? name : `${namespace}/${name}`;
};

/** The name under which the lost state's engine owned the fields of an object, so that the new one is the same owner. */
const fieldManager = (properties: Properties): string | undefined => {
  const { managedFields = [] } = record(properties, "metadata") as { managedFields?: { manager: string }[] };
  return managedFields.map(({ manager }) => manager).find((manager) => manager.startsWith("pulumi-kubernetes"));
};

const readObject = async (creation: Creation): Promise<Found | undefined> => {
  const found = await creation.read(identifier(creation.inputs), { ...creation.inputs, __inputs: creation.inputs });
  const manager = found && fieldManager(found.properties);
  return found && manager ? { ...found, properties: { ...found.properties, __fieldManager: manager } } : found;
};

/** An object that somebody else manages once it exists: its existence is enough. */
const existing: Adopter = (creation) => readObject(creation);

/** An object that is taken over only if it has the expected content; otherwise it is applied again. */
const same: Adopter = async (creation) => {
  const found = await readObject(creation);
  return found && says(found.properties, creation.inputs) ? found : undefined;
};

/** Whether an object holds the data that it should. */
const says = (live: Properties, wanted: Properties): boolean => {
  const data = record(live, "data");
  const encoded = Object.entries(record(wanted, "stringData")).map(([key, value]) => [
    key,
    Buffer.from(String(value)).toString("base64"),
  ]);
  const expected = { ...record(wanted, "data"), ...(Object.fromEntries(encoded) as Properties) };
  return Object.entries(expected).every(([key, value]) => data[key] === value);
};

const release: Adopter = async (creation) => {
  const { inputs } = creation;
  const id = `${text(inputs, "namespace")}/${text(inputs, "name")}`;
  // The plugin keeps a release's inputs among its outputs, and requires that they are secret.
  return creation.read(id, { ...inputs, __inputs: secret(inputs) });
};

/** How objects of Kubernetes are found. */
export const kubernetesAdopters: Adopters = {
  [resourceTypes.namespace]: existing,
  [resourceTypes.secret]: same,
  [resourceTypes.configMap]: same,
  [resourceTypes.helmRelease]: release,
  "kubernetes:fluxcd.controlplane.io/v1:FluxInstance": existing,
  "kubernetes:argoproj.io/v1alpha1:Application": existing,
};
