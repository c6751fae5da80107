import { parseAllDocuments } from "yaml";

import { at, isObject, type Inputs, type Resource } from "./resource.ts";

/** Several policies look at the same documents, and YAML takes its time. */
const parsed = new WeakMap<Inputs, Inputs[]>();

/** The documents that a machine is given in the clear, in the order in which they are applied. */
export const machineDocuments = ({ inputs }: Pick<Resource, "inputs">): Inputs[] => {
  const documents = parsed.get(inputs) ?? parse(inputs);
  parsed.set(inputs, documents);
  return documents;
};

const parse = (inputs: Inputs): Inputs[] =>
  Array.isArray(inputs.configPatches)
    ? inputs.configPatches
        .filter((patch) => typeof patch === "string")
        .flatMap((patch) => parseAllDocuments(patch).map((document) => document.toJS() as unknown))
        .filter(isObject)
    : [];

/** Documents of a kind. */
export const ofKind = (documents: Inputs[], kind: string): Inputs[] => documents.filter((each) => each.kind === kind);

/** The value at a path of the main configuration that the last of the patches sets. */
export const setting = (documents: Inputs[], ...path: string[]): unknown =>
  documents
    .filter(({ kind }) => kind === undefined)
    .map((document) => at(document, ...path))
    .findLast((value) => value !== undefined);

/** Whether a machine's configuration makes it a control plane: it alone gets the API server's settings. */
export const isControlPlane = (documents: Inputs[]): boolean =>
  setting(documents, "cluster", "apiServer") !== undefined;
