import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

const { inMemory } = createRequire(import.meta.url)("../support/temporary.cjs") as {
  inMemory: (memory: string, run?: (program: string) => void) => { TMPDIR?: string };
};

describe("temporary files of the tests", () => {
  let memory: string;
  let folder: string;

  beforeEach(async () => {
    memory = await mkdtemp(join(tmpdir(), "hearth-memory-"));
    folder = join(memory, `hearth-tests-${String(userInfo().uid)}`);
  });

  afterEach(() => rm(memory, { recursive: true }));

  it("are in a folder that only the user can look into", async () => {
    expect(inMemory(memory)).to.deep.equal({ TMPDIR: folder });
    expect((await stat(folder)).mode & 0o777).to.equal(0o700);
    expect(inMemory(memory)).to.deep.equal({ TMPDIR: folder });
  });

  it("are where the system has them if there is no such folder, or something else has its name", async () => {
    expect(inMemory(join(memory, "nowhere"))).to.deep.equal({});
    await writeFile(folder, "");
    expect(inMemory(memory)).to.deep.equal({});
  });

  it("are where the system has them if no program runs there", () => {
    const ran: string[] = [];
    const refuse = (program: string): never => {
      ran.push(program);
      throw new Error("spawnSync EACCES");
    };
    expect(inMemory(memory, refuse)).to.deep.equal({});
    expect(ran).to.deep.equal([join(folder, `probe-${String(process.pid)}`)]);
  });
});
