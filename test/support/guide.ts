import { readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");

/** A command of a guide, and what the guide says that it prints. */
export interface GuideCommand {
  command: string;
  /** Lines that it prints; `…` stands for any text, and on a line of its own for any lines. */
  printed: string[];
}

/** The text of a guide, by its name. */
export const guideText = (name: string): string => readFileSync(join(root, `docs/guides/${name}.md`), "utf8");

/** The section with a heading; the whole text without one. */
export const sectionOf = (text: string, heading: string): string => {
  const found = text.split(/^## /m).find((each) => each.startsWith(heading));
  if (found === undefined) throw new Error(`The guide has no section ${heading}`);
  return found;
};

/** The commands of all shell blocks of a text, in order. A line that begins with a space goes on with the one before. */
export const commandsOf = (text: string): GuideCommand[] =>
  [...text.matchAll(/^```(sh|console)\n(.*?)^```$/gms)].flatMap(([, kind, block = ""]) => {
    const lines = block.trimEnd().split("\n");
    if (kind === "sh") return lines.map((line) => ({ command: withoutRemark(line), printed: [] }));
    const commands: GuideCommand[] = [];
    for (const line of lines) {
      if (line.startsWith("$ ")) commands.push({ command: withoutRemark(line.slice(2)), printed: [] });
      else commands.at(-1)?.printed.push(line);
    }
    return commands;
  });

const withoutRemark = (line: string): string => line.replace(/ +# .*$/, "");

/** Whether an output has the lines that a guide says are printed, in their order. */
export const isPrinted = (printed: readonly string[], output: string): boolean => {
  if (printed.length === 0) return true;
  const lines = printed.map((line) => {
    if (line === "…") return "(?:.*\\n)*?";
    return `[^\\S\\n]*${line.split("…").map(escaped).join(".*")}[^\\S\\n]*\\n`;
  });
  return new RegExp(`(?:^|\\n)${lines.join("")}`).test(`${output.replaceAll("\r", "")}\n`);
};

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
