import { parse } from "yaml";

/** Thrown for a person's mistake in the GitOps tree. */
export class TreeError extends Error {
  override name = "TreeError";
}

/** Parses a file of the tree. @throws TreeError that names the file, and where it is no YAML */
export const parseFile = (text: string, file: string): unknown => {
  try {
    return parse(text);
  } catch (error) {
    const [why = ""] = error instanceof Error ? error.message.split("\n") : [];
    throw new TreeError(`${file} is not YAML: ${why.replace(/:$/, "")}`);
  }
};
