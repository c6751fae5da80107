import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { expect } from "chai";

const folder = join(import.meta.dirname, "..", "snapshots");

/**
 * Expects a text to equal a committed file.
 *
 * With UPDATE_SNAPSHOTS=1 the file is written instead, for review in the diff.
 */
export const expectSnapshot = (name: string, text: string): void => {
  const file = join(folder, name);
  if (process.env.UPDATE_SNAPSHOTS === "1") {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  expect(text).to.equal(readFileSync(file, "utf8"));
};
