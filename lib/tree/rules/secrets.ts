import { at } from "../../../infra/tree-objects.ts";
import { isEncrypted } from "../../../infra/tree-walk.ts";
import { called, findingAt, type Rule, type TreeObject } from "./rule.ts";

/** Secrets that anyone can read who can read the repository, and encrypted ones that the program would not find. */
export const secrets: Rule = (tree) =>
  tree.objects.flatMap((object) => {
    if (object.encrypted && !isEncrypted(object.file)) {
      return findingAt(tree, object, {
        message: `${called(object)} is encrypted, and its file is not called so`,
        advice: `call the file ${object.file.replace(/(\.ya?ml)$/, ".sops$1")}: .sops.yaml and the program go by the name`,
      });
    }
    const key =
      object.encrypted || object.kind !== "Secret" || object.apiVersion !== "v1" ? undefined : plainKey(object);
    if (key === undefined) return [];
    return findingAt(tree, object, {
      path: key,
      message: `${called(object)} has ${key.join(".")} in plain text`,
      advice: "encrypt the file: npx hearth secret new, or take the value from a variable of the program",
    });
  });

/** The first value that is neither empty nor made of what the program creates or SOPS keeps. */
const plainKey = ({ object }: TreeObject): string[] | undefined => {
  for (const field of ["stringData", "data"]) {
    for (const [key, value] of Object.entries((at(object, field) ?? {}) as Record<string, unknown>)) {
      const text = field === "data" ? Buffer.from(String(value), "base64").toString() : String(value);
      if (text !== "" && !text.includes("placeholder") && !text.includes("ENC[AES256_GCM")) return [field, key];
    }
  }
  return undefined;
};
