import { expect } from "chai";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { stateFile, storedState } from "../../../../lib/engine/stored-state.ts";

describe("a state that a folder keeps", () => {
  let root: string;
  let file: string;
  const latest = { resources: [{ urn: "a", type: "b" }] };
  const read = (backend: string | undefined) => storedState(root, "dev", { PULUMI_BACKEND_URL: backend });
  const write = (name: string, content: unknown): Promise<void> => writeFile(name, JSON.stringify(content));

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "hearth state-"));
    await writeFile(join(root, "Pulumi.yaml"), "name: hearth\nruntime: nodejs\n");
    file = await stateFile(join(root, "state"), root, "dev");
    await mkdir(dirname(file), { recursive: true });
    await write(file, { version: 3, checkpoint: { stack: "organization/hearth/dev", latest } });
  });
  afterEach(() => rm(root, { recursive: true }));

  it("is read without the engine, whatever else the backend's address says", async () => {
    const state = { version: 3, deployment: latest };
    expect(await read(`file://${root}/state`)).to.deep.equal(state);
    expect(await read(`file://${root.replaceAll(" ", "%20")}/state?metadata=skip`)).to.deep.equal(state);
    await write(file, { version: 4, features: ["hooks"], checkpoint: { stack: "organization/hearth/dev", latest } });
    expect(await read(`file://${root}/state`)).to.deep.equal({ ...state, version: 4 });
    await write(file, { version: 3, checkpoint: { stack: "organization/hearth/dev" } });
    expect(await read(`file://${root}/state`)).to.deep.equal({ version: 3, deployment: {} });
  });

  it("is left to the engine where it is elsewhere", async () => {
    for (const backend of [
      undefined,
      "",
      "s3://state",
      "https://api.example.com",
      "file://~/state",
      "file://./state",
    ]) {
      expect(await read(backend), String(backend)).to.equal(undefined);
    }
    expect(await storedState(root, "prod", { PULUMI_BACKEND_URL: `file://${root}/state` })).to.equal(undefined);
  });

  it("is left to the engine where it is compressed, cut off, or of another format", async () => {
    const backend = `file://${root}/state`;
    for (const form of ["gz", "zst"]) {
      await writeFile(`${file}.${form}`, "");
      expect(await read(backend), form).to.equal(undefined);
      await rm(`${file}.${form}`);
    }
    expect(await read(backend)).not.to.equal(undefined);
    await write(file, { version: 5, checkpoint: { latest } });
    expect(await read(backend)).to.equal(undefined);
    await writeFile(file, '{"version": 3, "checkp');
    expect(await read(backend)).to.equal(undefined);
  });
});
