import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { chartDigests, updatedDigests } from "../../../../lib/tree/digest-list.ts";

const [one, two] = [`sha256:${"1".repeat(64)}`, `sha256:${"2".repeat(64)}`];

describe("a list of digests", () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), "hearth-digests-"))));
  afterEach(() => rm(folder, { recursive: true }));

  it("are read as they were written, in order, and are none without the file", async () => {
    expect(chartDigests.read(folder)).to.deep.equal({});
    await chartDigests.write(folder, { "oci://b/web:1.0.0": two, "https://a/web:1.0.0": one });
    expect(chartDigests.read(folder)).to.deep.equal({ "https://a/web:1.0.0": one, "oci://b/web:1.0.0": two });
    expect(await readFile(join(folder, chartDigests.file), "utf8")).to.match(/^# (.|\n)+https:(.|\n)+oci:/);
  });

  it("are refused where one is none", async () => {
    await mkdir(join(folder, "gitops"));
    await writeFile(join(folder, chartDigests.file), "oci://b/web:1.0.0: sha256:12\n");
    expect(() => chartDigests.read(folder)).to.throw("gitops/chart-digests.yaml: oci://b/web:1.0.0 is no digest");
  });

  it("come in for charts without one; a recorded one is never replaced", () => {
    const found = [{ key: "a", digest: two }, { key: "b", digest: two }, { key: "c" }];
    expect(updatedDigests({ a: one, c: one }, found, true)).to.deep.equal({ a: one, b: two, c: one });
  });

  it("go with their chart, unless only some stacks were asked", () => {
    expect(updatedDigests({ gone: one }, [], true)).to.deep.equal({});
    expect(updatedDigests({ gone: one }, [], false)).to.deep.equal({ gone: one });
  });
});
