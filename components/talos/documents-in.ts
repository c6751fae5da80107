import { parseAllDocuments } from "yaml";

/** A document of a machine configuration, or of a patch of one. That of `machine` and `cluster` has no kind. */
export type MachineDocument = Record<string, unknown>;

/** The documents of a machine configuration or of a patch, without Talos's own comments. None where there is no text yet. */
export const documentsIn = (text: unknown): MachineDocument[] =>
  typeof text === "string"
    ? parseAllDocuments(text)
        .map((document) => document.toJS() as unknown)
        .filter(isDocument)
    : [];

/** The documents of all patches among the inputs of a machine's configuration, in the order in which they are applied. */
export const patchesIn = ({ configPatches }: Record<string, unknown>): MachineDocument[] =>
  Array.isArray(configPatches) ? configPatches.flatMap(documentsIn) : [];

const isDocument = (value: unknown): value is MachineDocument =>
  typeof value === "object" && value !== null && !Array.isArray(value);
