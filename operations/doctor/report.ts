import { count } from "../../infra/config/error.ts";
import { table } from "../../lib/terminal/display.ts";
import type { Finding } from "./finding.ts";

/** How long a finding may be in the table. */
const width = 90;

/** The findings as a table, and below it what to do. */
export const report = (stack: string, findings: readonly Finding[]): string => {
  const rows = findings.map(({ check, is, found }) => [is, check, shortened(found)]);
  const bad = findings.filter(({ is }) => is === "problem" || is === "warning");
  return [
    table(["", "check", "found"], rows),
    "",
    ...(bad.length > 0 ? ["What to do:", "", ...bad.flatMap(todo), ""] : []),
    verdict(stack, findings),
  ].join("\n");
};

/** A finding with its advice, as lines. */
export const todo = ({ check, is, found, advice }: Finding): string[] => [
  `  ${is}: ${check}: ${found}`,
  ...(advice === "" ? [] : [`    ${advice.replaceAll("\n", "\n    ")}`]),
];

const verdict = (stack: string, findings: readonly Finding[]): string => {
  const number = (is: Finding["is"]): number => findings.filter((each) => each.is === is).length;
  const said = [
    ...(number("problem") > 0 ? [count(number("problem"), "problem")] : ["no problem"]),
    ...(number("warning") > 0 ? [count(number("warning"), "warning")] : []),
    ...(number("not asked") > 0 ? [`${number("not asked").toString()} not asked`] : []),
  ];
  return `${stack} has ${said.join(", ")}`;
};

const shortened = (text: string): string => {
  const line = text.replaceAll(/\s*\n\s*/g, " ");
  return line.length > width ? `${line.slice(0, width - 1)}…` : line;
};
