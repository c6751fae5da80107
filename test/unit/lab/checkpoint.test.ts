import { expect } from "chai";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { checkpointFile, keptState, restoreCheckpoint } from "../../../lab/checkpoint.ts";
import { labFolder } from "../../../lib/engine/lab-folder.ts";

describe("the state of a lab", () => {
  let root: string;
  const folder = (): ReturnType<typeof labFolder> => labFolder(root, "dev");
  const write = async (suffix: string, text: string): Promise<string> => {
    const file = `${await checkpointFile(folder())}${suffix}`;
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    return file;
  };

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "hearth-checkpoint-"));
    await writeFile(join(root, "Pulumi.yaml"), "name: hearth\nruntime: nodejs\n");
  });
  afterEach(() => rm(root, { recursive: true }));

  it("takes the previous state where the present one was cut off", async () => {
    const file = await write("", '{"version": 3, "checkp');
    await write(".bak", '{"version": 3}');
    expect(await restoreCheckpoint(folder())).to.equal(true);
    expect(await readFile(file, "utf8")).to.equal('{"version": 3}');
  });

  it("leaves a whole state as it is", async () => {
    const file = await write("", '{"version": 4}');
    await write(".bak", '{"version": 3}');
    expect(await restoreCheckpoint(folder())).to.equal(false);
    expect(await readFile(file, "utf8")).to.equal('{"version": 4}');
  });

  it("removes attributes that were cut off, and keeps whole ones", async () => {
    await write("", "{}");
    const [cut, whole] = [await write(".attrs", ""), await write(".bak.attrs", "{}")];
    await restoreCheckpoint(folder());
    expect(await readFile(cut, "utf8").catch(() => "gone")).to.equal("gone");
    expect(await readFile(whole, "utf8")).to.equal("{}");
  });

  it("does nothing where there is no state yet", async () => {
    expect(await restoreCheckpoint(folder())).to.equal(false);
  });

  it("says what to do where both states are damaged", async () => {
    await write("", "");
    await write(".bak", "");
    const message = await restoreCheckpoint(folder()).then(
      () => "",
      (error: unknown) => String(error),
    );
    expect(message).to.match(/is damaged: run `npm run lab -- reset dev`/);
  });

  it("is read as the engine wrote it", async () => {
    expect(await keptState(folder())).to.equal(undefined);
    await write("", '{"version":3,"checkpoint":{"stack":"dev","latest":null}}');
    expect(await keptState(folder())).to.deep.equal({});
    const latest = { resources: [{ urn: "a", type: "b" }], pending_operations: [{ type: "creating", resource: {} }] };
    await write("", JSON.stringify({ version: 3, checkpoint: { stack: "dev", latest } }));
    expect(await keptState(folder())).to.deep.equal(latest);
  });
});
