import type { Target } from "../engine/target.ts";
import type { Display } from "./display.ts";
import type { Session } from "./session.ts";

/** When a person needs a command. */
export type Group = "look" | "change" | "protect" | "recover" | "contribute";

/** A flag of a command. */
export interface Flag {
  type: "boolean" | "string";
  /** Whether it may be given more than once. */
  multiple?: true;
  /** Whether it is on unless `--no-NAME` is given. */
  default?: true;
  short?: string;
  /** What stands for its value in the help, as `FILE`. */
  value?: string;
  what: string;
}

export type Flags = Readonly<Record<string, Flag>>;

type ValueOf<F extends Flag> = F extends { multiple: true }
  ? string[]
  : F extends { type: "string" }
    ? string
    : boolean;

/** What flags were given, by name. */
export type Values<F extends Flags> = { [Name in keyof F]?: ValueOf<F[Name]> | undefined };

/** One run of a command, with what all commands share read already. */
export interface Call<V = object> extends Session {
  /** What was given beside STACK and flags. */
  args: string[];
  /** The command's own flags. */
  values: V;
  /** The named stack; empty if the command takes none, or if it is optional and was not given. */
  stack: string;
  /** The stacks that were named, for a command that takes several. */
  stacks: string[];
  /** Whether `--lab` was given. A stack may be the lab's without it: ask what `open` gives. */
  isLab: boolean;
  /** Files with age identities. */
  identities: string[];
  /** The state's backend, where the person named it. */
  backend: string | undefined;
  display: Display;
  /** Opens the stack: the lab's with `--lab`. */
  open: () => Promise<Target>;
  /** Asks the person whether to continue, unless `--yes` was given. */
  agreed: (question: string) => Promise<boolean>;
  /** Prints the answer for a script; without `--json` this has no effect. */
  answer: (value: unknown) => void;
}

/** Carries a command out, and gives its exit code. */
export type Handler<V = object> = (call: Call<V>) => number | Promise<number>;

/** A flag that every command takes. */
export type CommonFlag = "lab" | "identity" | "yes" | "backend";

/** What is known of a command before its code is loaded. */
export interface Command {
  name: string;
  group: Group;
  /** What it does, in a line. */
  summary: string;
  /**
   * What follows its name, and what each form does where there are several. A word in lower case is typed as it stands, `[…]` may be
   * left out, and `NAME…` repeats.
   */
  forms: Readonly<Record<string, string>>;
  /** What else its help says. */
  details?: string;
  flags: () => Flags | Promise<Flags>;
  /** Common flags that affect it, beside `--help`. `--lab` does if it takes a stack. */
  uses: readonly CommonFlag[];
  /** What `--json` gives; undefined where there is nothing for a script but the exit code. */
  json?: string;
  /** Loads its code, which the others do without. */
  load: () => Promise<Handler<never>>;
}

/** A command as the table has it; the handler has to take the flags that are declared. */
export const command = <const F extends Flags>({
  flags,
  uses = [],
  load,
  ...rest
}: Omit<Command, "flags" | "uses" | "load"> & {
  flags?: F | (() => Promise<F>);
  uses?: readonly CommonFlag[];
  load: () => Promise<Handler<Values<F>>>;
}): Command => ({
  ...rest,
  flags: typeof flags === "function" ? flags : () => flags ?? {},
  uses,
  load,
});
