import { parseArgs } from "node:util";

import { advise } from "../../infra/config/nearest.ts";
import { Problem } from "../../toolchain/problem.ts";
import type { Flags } from "./command.ts";

/** The flags that mean the same with every command, and that every command takes. */
export const commonFlags = {
  lab: {
    type: "boolean",
    what: "the lab's stack; as well where the shell has evaluated `npm run lab -- env`",
  },
  identity: {
    type: "string",
    multiple: true,
    value: "FILE",
    what: "a file with an age identity, beside those that SOPS finds by itself; as often as needed",
  },
  backend: {
    type: "string",
    value: "URL",
    what: "where the stack's state is kept, if that is not what its escrow says",
  },
  yes: { type: "boolean", short: "y", what: "do not ask" },
  json: { type: "boolean", what: "print the answer as JSON, and everything else on standard error" },
  help: { type: "boolean", short: "h", what: "say this" },
} as const satisfies Flags;

/** What a person gave a command. */
export interface Given {
  positionals: string[];
  common: {
    lab: boolean;
    identity: string[];
    backend: string | undefined;
    yes: boolean;
    json: boolean;
    help: boolean;
  };
  values: Record<string, unknown>;
}

/**
 * Reads what follows a command's name: flags of its own, flags of all commands, and the rest.
 *
 * @throws Problem that names the nearest flag, for an unknown flag
 */
export const readFlags = (command: string, args: string[], own: Flags): Given => {
  const flags: Flags = { ...own, ...commonFlags };
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, { type, multiple, default: on, short }]) => [
      name,
      { type, ...(multiple && { multiple }), ...(on && { default: on }), ...(short !== undefined && { short }) },
    ]),
  );
  const parsed = (() => {
    try {
      return parseArgs({ args, options, allowPositionals: true, allowNegative: true });
    } catch (error) {
      throw refused(command, error, Object.keys(flags));
    }
  })();
  const { lab, identity, backend, yes, json, help, ...values } = parsed.values;
  return {
    positionals: parsed.positionals,
    common: {
      lab: lab === true,
      identity: Array.isArray(identity) ? identity.map(String) : [],
      backend: typeof backend === "string" ? backend : undefined,
      yes: yes === true,
      json: json === true,
      help: help === true,
    },
    values,
  };
};

const refused = (command: string, error: unknown, known: string[]): unknown => {
  if (!(error instanceof Error)) return error;
  const help = `npx hearth ${command} --help lists what it takes`;
  const [, unknown] = /^Unknown option '(-\S+?)'/.exec(error.message) ?? [];
  if (unknown === undefined) return new Problem(`${error.message.split("\n")[0] ?? ""}\n${help}`);
  const flags = known.map((name) => `--${name}`);
  return new Problem(`${command} has no flag ${unknown}: ${advise(unknown, flags)}\n${help}`);
};
