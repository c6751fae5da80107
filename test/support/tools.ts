import { join } from "node:path";
import { Toolchain } from "../../toolchain/toolchain.ts";

const root = join(import.meta.dirname, "../..");
const found = new Map<string, Promise<string>>();

const find = async (name: string): Promise<string> => {
  const path = (await new Toolchain({ root }).ensure([name]))[name];
  if (path === undefined) throw new Error(`the tool manager gave no path for ${name}`);
  return path;
};

/** Path of a program of the toolchain, which is built if it is missing, once per test run. */
export const tool = (name: string): Promise<string> => {
  const known = found.get(name) ?? find(name);
  found.set(name, known);
  return known;
};
