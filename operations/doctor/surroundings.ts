import { readFile } from "node:fs/promises";

import { ConfigurationError, type HearthConfig } from "../../infra/config/index.ts";
import type { ConfigurationProblem } from "../../infra/config/error.ts";
import { examineStackFile, parseStackFile } from "../../infra/config/stack-file.ts";
import { ofType, type State } from "../../lib/engine/state.ts";
import type { Target } from "../../lib/engine/target.ts";
import { configuredSecrets } from "../escrow/collect.ts";
import { knownWithin, type Known } from "./finding.ts";
import { Internet } from "./internet.ts";

/** What every reader starts from: the stack's configuration, its secrets and its state. */
export interface Surroundings {
  target: Target;
  config: HearthConfig;
  /** What keeps the stack file from being deployed. */
  undeployable: ConfigurationProblem[];
  /** The number of resources that the backend has of the stack; undefined if the backend does not know the stack. */
  size: Known<number | undefined>;
  /** The state, with its secrets; undefined if the stack was never deployed. */
  state: Known<State | undefined>;
  /** Secrets of the stack file in plain, by their key under `hearth:`. */
  secrets: Known<Record<string, string>>;
  internet: Internet;
  /** Files with age identities. */
  identities: string[];
}

/**
 * Reads what every reader starts from.
 *
 * @throws ConfigurationError if the stack file is not valid: nothing else can be looked at then
 */
export const surroundingsOf = async (target: Target, identities: string[]): Promise<Surroundings> => {
  const { config, problems, undeployable } = examineStackFile(parseStackFile(await readFile(target.stackFile, "utf8")));
  if (!config) throw new ConfigurationError(target.stack, problems);
  const { engine } = target;
  const deadline = Date.now() + engineTimeout;
  const soon: Soon = (read) => knownWithin(deadline - Date.now(), read);
  const [[size, state], secrets, internet] = await Promise.all([
    soon(() => engine.size()).then(async (found) => [found, await stateOf(target, found, soon)] as const),
    soon(() => configuredSecrets(target)),
    Internet.of(target.environment),
  ]);
  return { target, config, undeployable, size, state, secrets, internet, identities };
};

/** How long the engine may take for all that is read from the state's backend, in milliseconds. */
const engineTimeout = 8000;

type Soon = <T>(read: () => Promise<T>) => Promise<Known<T>>;

const stateOf = async (
  { engine }: Target,
  size: Known<number | undefined>,
  soon: Soon,
): Promise<Known<State | undefined>> => {
  if ("why" in size) return size;
  return (size.value ?? 0) === 0 ? { value: undefined } : soon(() => engine.state());
};

/** What a check says that needs the state, where there is none; undefined where there is one. */
export const withoutState = (state: Known<State | undefined>): string | undefined => {
  if ("why" in state) return `the state cannot be read: ${state.why}`;
  return state.value === undefined ? "the stack was never deployed" : undefined;
};

/** The resources of a type that the state has, by their ID; none without a state. */
export const idsIn = (state: Known<State | undefined>, type: string): string[] => {
  if ("why" in state || state.value === undefined) return [];
  return ofType(state.value, type).flatMap(({ id }) => id ?? []);
};

/** A secret of the stack file; undefined if it has none of this key. */
export const secretOf = (secrets: Known<Record<string, string>>, key: string): Known<string | undefined> =>
  "why" in secrets ? secrets : { value: secrets.value[key] };
