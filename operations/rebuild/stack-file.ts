import { parseDocument } from "yaml";

interface StackFile {
  encryptionsalt?: string;
  config?: Record<string, unknown>;
}

const isSecret = (value: unknown): boolean => typeof value === "object" && value !== null && "secure" in value;

/**
 * Adds the missing salt and encrypted values to a stack file, from the escrow's copy; undefined if nothing is missing. Other text
 * stays as it is, and so do the encrypted values that are there: they have another salt, or are newer.
 */
export const mended = (text: string, copy: string): string | undefined => {
  const document = parseDocument(text);
  const old = parseDocument(copy).toJS() as StackFile | null;
  const present = document.toJS() as StackFile | null;
  if (present?.encryptionsalt !== undefined || old?.encryptionsalt === undefined) return undefined;
  document.set("encryptionsalt", old.encryptionsalt);
  for (const [key, value] of Object.entries(old.config ?? {})) {
    if (isSecret(value) && present?.config?.[key] === undefined) document.setIn(["config", key], value);
  }
  return document.toString({ lineWidth: 0 });
};
