import { patchesIn } from "../components/talos/documents-in.ts";
import { at, type Inputs, type Resource } from "./resource.ts";

/** Several policies read the same documents, and parsing YAML is slow. */
const parsed = new WeakMap<Inputs, Inputs[]>();

/** Returns the unencrypted patches of a machine, in the order in which they are applied. */
export const machineDocuments = ({ inputs }: Pick<Resource, "inputs">): Inputs[] => {
  const documents = parsed.get(inputs) ?? patchesIn(inputs);
  parsed.set(inputs, documents);
  return documents;
};

/** Returns the documents of a kind. */
export const ofKind = (documents: Inputs[], kind: string): Inputs[] => documents.filter((each) => each.kind === kind);

/** Returns the value that the last patch sets at a path of the main configuration. */
export const setting = (documents: Inputs[], ...path: string[]): unknown =>
  documents
    .filter(({ kind }) => kind === undefined)
    .map((document) => at(document, ...path))
    .findLast((value) => value !== undefined);

/**
 * Whether a machine's configuration is no target of an update with targets, and not there yet. The engine skips its creation, and gives
 * policies no inputs. In any other update it has some: the address is required.
 *
 * Source: pulumi 3.259.0, pkg/resource/deploy/step_generator.go, checkInputs and NewSkippedCreateStep.
 */
export const isSkipped = ({ inputs }: Pick<Resource, "inputs">): boolean => Object.keys(inputs).length === 0;
