import type { Command, Flags, Group } from "./command.ts";
import { commonFlags } from "./flags.ts";
import { takesStack } from "./forms.ts";

/** The groups in the order in which they are shown, with what each is for. */
export const groups: Readonly<Record<Group, string>> = {
  look: "changes nothing",
  change: "changes a stack, or what it is made of",
  protect: "keeps what nothing can make again",
  recover: "brings back what is lost",
  contribute: "for people who work on Hearth, and for pipelines",
};

/** All commands, as `npx hearth --help` shows them. */
export const overview = (commands: readonly Command[]): string => {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    "Usage: npx hearth COMMAND STACK [FLAG…]",
    ...Object.entries(groups).flatMap(([group, what]) => [
      "",
      `${group}: ${what}`,
      ...commands
        .filter((command) => command.group === group)
        .map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    ]),
    "",
    "npx hearth COMMAND --help says what a command takes. npm run lab runs a stack without hardware.",
  ].join("\n");
};

/** One command, as its `--help` shows it. */
export const help = async (command: Command): Promise<string> => {
  const { name, summary, details, json } = command;
  const forms = Object.entries(command.forms);
  const flags = flagRows(shownFlags(command, await command.flags()));
  return [
    ...forms.map(([form], index) => `${index === 0 ? "Usage:" : "      "} npx hearth ${name} ${form}`.trimEnd()),
    "",
    `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`,
    ...(forms.length > 1 ? ["", ...columns(forms)] : []),
    ...(details === undefined ? [] : ["", details]),
    "",
    ...columns(flags),
    ...(json === undefined ? [] : ["", `With --json: ${json}.`]),
  ].join("\n");
};

/** The commands, in Markdown. */
export const commandsPage = (commands: readonly Command[]): string =>
  [
    "# Commands",
    "",
    "<!-- Written from operations/commands.ts; change it there. -->",
    "",
    "`npx hearth COMMAND STACK [FLAG…]`, from anywhere in a checkout: a fresh clone installs what it needs first. `npx hearth COMMAND --help`",
    "tells the flags. Every command takes `--lab`, `--identity FILE`, `--backend URL`, `--yes`, `--json` and `--help`, so that a script may give them to all;",
    "a relative path is one from the checkout's root.",
    "",
    "| command | does |",
    "| --- | --- |",
    ...Object.keys(groups).flatMap((group) =>
      commands
        .filter((command) => command.group === group)
        .flatMap(({ name, forms, summary }) => {
          const all = Object.entries(forms);
          return all.map(([form, what]) =>
            row(`\`npx hearth ${`${name} ${form}`.trimEnd()}\``, all.length > 1 ? what : summary),
          );
        }),
    ),
    "",
  ].join("\n");

const row = (...cells: string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll("|", String.raw`\|`)).join(" | ")} |`;

/** A command's own flags, and the common ones that matter to it. */
const shownFlags = ({ forms, uses, json }: Command, own: Flags): Flags => {
  const { lab, identity, backend, yes, json: answer, help: self } = commonFlags;
  return {
    ...own,
    ...(uses.includes("identity") && { identity }),
    ...(uses.includes("backend") && { backend }),
    ...(uses.includes("yes") && { yes }),
    ...((uses.includes("lab") || Object.keys(forms).some(takesStack)) && { lab }),
    ...(json !== undefined && { json: answer }),
    help: self,
  };
};

const flagRows = (flags: Flags): [string, string][] =>
  Object.entries(flags).map(([name, { type, value = "TEXT", default: on, short, what }]) => [
    `--${on ? "no-" : ""}${name}${type === "string" ? ` ${value}` : ""}${short === undefined ? "" : `, -${short}`}`,
    what,
  ]);

const columns = (rows: readonly (readonly [string, string])[]): string[] => {
  const width = Math.max(...rows.map(([first]) => first.length));
  return rows.map(
    ([first, second]) => `  ${first.padEnd(width)}  ${second.replaceAll("\n", `\n${" ".repeat(width + 4)}`)}`,
  );
};
