import { structuredPatch } from "diff";

/** Lines around a change that are shown with it. */
const context = 2;

/**
 * Returns the lines in which two YAML texts differ, in the form of Markdown's `diff` blocks.
 *
 * The keys that lead to a group of changes stand above it, since the lines alone do not show where they are.
 */
export const yamlDiff = (before: string, after: string): string[] => {
  if (before === after) return [];
  const { hunks } = structuredPatch("", "", before, after, undefined, undefined, { context });
  const [oldLines, newLines] = [before.split("\n"), after.split("\n")];
  return hunks.flatMap(({ lines, oldStart, newStart }) => {
    const first = lines.findIndex((line) => line.startsWith("+") || line.startsWith("-"));
    const lead = lines.slice(0, Math.max(first, 0)).length;
    const where = lines[first]?.startsWith("-")
      ? ancestors(oldLines, oldStart - 1 + lead)
      : ancestors(newLines, newStart - 1 + lead);
    const kept = lines.filter((line) => line !== "\\ No newline at end of file");
    return [`@@ ${where === "" ? "document" : where} @@`, ...kept];
  });
};

/** The keys under which a line of a YAML text stands, and which document it is in. */
export const ancestors = (lines: readonly string[], index: number): string => {
  const keys: string[] = [];
  let indent = indentOf(lines[index] ?? "");
  let above = index - 1;
  for (; above >= 0 && lines[above] !== "---"; above -= 1) {
    const line = lines[above] ?? "";
    const key = /^\s*(?:- )?([^\s:#][^:]*):\s*(?:[|>].*)?$/.exec(line)?.[1];
    if (key === undefined || indentOf(line) >= indent) continue;
    keys.unshift(key.replaceAll(/^"|"$/g, ""));
    indent = indentOf(line);
  }
  const document = documentName(lines, above + 1);
  return [...(document === undefined ? [] : [document]), ...keys].join(" › ");
};

/** Kind and name of the document that begins at a line, if it has a kind. */
const documentName = (lines: readonly string[], start: number): string | undefined => {
  const field = (name: string): string | undefined => {
    for (let i = start; i < lines.length && lines[i] !== "---"; i += 1) {
      const line = lines[i] ?? "";
      if (line.startsWith(`${name}: `)) return line.slice(name.length + 2);
    }
    return undefined;
  };
  const kind = field("kind");
  const name = field("name");
  return kind === undefined ? undefined : [kind, ...(name === undefined ? [] : [name])].join(" ");
};

const indentOf = (line: string): number => {
  const spaces = line.length - line.trimStart().length;
  return line.trimStart().startsWith("- ") ? spaces + 1 : spaces;
};
