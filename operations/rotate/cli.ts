import { advise } from "../../infra/config/nearest.ts";
import { Problem } from "../../toolchain/problem.ts";
import { credentialsFor } from "../escrow/credentials.ts";
import type { Credentials } from "../escrow/write.ts";
import { HiddenLines } from "../../lib/terminal/hidden-lines.ts";
import { interruption } from "../../lib/terminal/interruption.ts";
import type { Call } from "../../lib/terminal/command.ts";
import type { Rotated, Rotation } from "./rotation.ts";
import { rotations } from "./rotations.ts";

type RotateCall = Call<{ kms?: boolean | undefined }>;

/**
 * Gives a stack another root secret; without the name of one it lists them.
 *
 * @param input source of a new value that the person gives
 */
export const rotate = async (call: RotateCall, input: NodeJS.ReadableStream = process.stdin): Promise<number> => {
  const [name] = call.args;
  if (name === undefined) return list(call);
  const rotation = rotations.find((each) => each.name === name);
  if (rotation === undefined) {
    const known = rotations.map((each) => each.name);
    throw new Problem(`${name} is no root secret that Hearth rotates: ${advise(name, known)}`);
  }
  return carryOut(rotation, call, input);
};

const list = ({ stack, print, answer }: RotateCall): number => {
  print(
    rotations
      .map(({ name, what, interrupts }) => `npx hearth rotate ${stack} ${name}\n  ${what}\n  ${interrupts}`)
      .join("\n\n"),
  );
  answer({ rotations: rotations.map(({ name, what, interrupts }) => ({ name, what, interrupts })) });
  return 0;
};

const carryOut = async (rotation: Rotation, call: RotateCall, input: NodeJS.ReadableStream): Promise<number> => {
  const { stack, values, identities, display, print, complain, open, answer } = call;
  const { name, what, interrupts, refusal } = rotation;
  if (refusal !== undefined) throw new Problem(refusal);
  print(`${what.charAt(0).toUpperCase()}${what.slice(1)}.\n${interrupts}`);
  if (!(await call.agreed(`Give ${stack} another one?`))) throw new Problem("Nothing was done");
  const target = await open();
  const signal = interruption(`The rotation was interrupted: npx hearth rotate ${stack} ${name} goes on with it`);
  const credentials = interruptible(await credentialsFor(target, identities, values.kms ?? true, display), signal);
  const readValue = (of: string) => lineOf(input, of, call);
  const { resumed, said, left, escrow } = await rotation.rotate({ target, credentials, signal, print, readValue });
  print([...(resumed ? ["Finished a rotation that an earlier run had begun"] : []), ...said].join("\n"));
  print(steps(left));
  const missing = escrow.copies.filter(({ problem }) => problem !== undefined);
  for (const { destination, problem } of missing)
    complain(`The escrow was not copied to ${destination}: ${problem ?? ""}`);
  answer({ stack, rotated: name, resumed, left, escrow: escrow.path, copies: escrow.copies });
  return missing.length > 0 ? 1 : 0;
};

/** Credentials whose next step does not begin once the person has interrupted the rotation. */
const interruptible = (credentials: Credentials, signal: AbortSignal): Credentials => ({
  ...credentials,
  live: (text) => {
    signal.throwIfAborted();
    credentials.live(text);
  },
});

/** What is left to do, as a numbered list. */
const steps = (left: Rotated["left"]): string =>
  left.length === 0
    ? ""
    : [
        "\nWhat is left to do:",
        ...left.map((step, index) => `  ${(index + 1).toString()}. ${step.replaceAll("\n", "\n     ")}`),
      ].join("\n");

/**
 * Reads a line of standard input, and shows it nowhere.
 *
 * @param name what it asks for
 * @throws Problem if there is no line, or an empty one
 */
export const lineOf = async (
  input: NodeJS.ReadableStream & { isTTY?: boolean },
  name: string,
  { ask, complain }: Pick<Call, "ask" | "complain">,
): Promise<string> => {
  if (ask !== undefined) complain(`${name}:`);
  const lines = new HiddenLines(input);
  try {
    const value = await lines.next();
    if (value) return value;
  } finally {
    lines.close();
  }
  throw new Problem(`There is no ${name}: give it as a line of standard input`);
};
