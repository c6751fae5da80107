import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { askProgram } from "../../../../lib/tree/program.ts";
import { failureOf } from "../../../support/failure.ts";

describe("a tree that is not there", () => {
  const { TMPDIR } = process.env;
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "hearth-program-"));
    process.env.TMPDIR = folder;
  });

  afterEach(async () => {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
    await rm(folder, { recursive: true });
  });

  it("is named by the program that should render it, which leaves nothing behind", async () => {
    const request = { checkout: join(folder, "nowhere"), root: { spec: { path: "./gitops/clusters/dev" } } };
    expect((await failureOf(askProgram("render", { ...request, patches: [], created: [] }))).message).to.contain(
      "nowhere/gitops",
    );
    expect(await readdir(folder)).to.deep.equal([]);
  });
});
