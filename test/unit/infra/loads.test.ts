import { join } from "node:path";

import { expect } from "chai";
import { execa } from "execa";

const root = join(import.meta.dirname, "../../..");

describe("the program", () => {
  it("is loaded by Node.js itself, which leaves types out and translates nothing", async () => {
    const { exitCode, stderr } = await execa(
      join(root, "node_modules/.bin/node"),
      ["--input-type=module", "--eval", `await import(${JSON.stringify(join(root, "infra/program.ts"))})`],
      { reject: false },
    );
    expect(exitCode, stderr).to.equal(0);
  }).timeout(30_000);
});
