/** Inline text that Markdown shows verbatim. */
export const code = (text: string): string => {
  const line = text.replaceAll(/\s+/g, " ").trim();
  const ticks = "`".repeat(longestRun(line) + 1);
  const pad = line.startsWith("`") || line.endsWith("`") ? " " : "";
  return `${ticks}${pad}${line}${pad}${ticks}`;
};

/** Lines that Markdown shows verbatim, highlighted as a language. */
export const block = (language: string, lines: readonly string[]): string[] => {
  const fence = "`".repeat(Math.max(3, longestRun(lines.join("\n")) + 1));
  return [`${fence}${language}`, ...lines, fence];
};

/** A part that is folded until the reader opens it. */
export const folded = (summary: string, lines: readonly string[]): string[] => [
  `<details><summary>${escaped(summary)}</summary>`,
  "",
  ...lines,
  "",
  "</details>",
];

/** Escapes all markup in a text. */
export const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll(/\s+/g, " ");

/** Rows under their headings. */
export const table = (headings: readonly string[], rows: readonly (readonly string[])[]): string[] =>
  [headings, headings.map(() => "---"), ...rows].map(
    (row) => `| ${row.map((cell) => cell.replaceAll("|", String.raw`\|`)).join(" | ")} |`,
  );

const longestRun = (text: string): number => Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
