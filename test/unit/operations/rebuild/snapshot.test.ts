import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { requireSnapshot } from "../../../../operations/rebuild/snapshot.ts";

describe("requireSnapshot", () => {
  let folder: string;

  const snapshot = (change: (content: Buffer) => Buffer = (content) => content): string => {
    const database = randomBytes(4096);
    const path = join(folder, "etcd.snapshot");
    writeFileSync(path, change(Buffer.concat([database, createHash("sha256").update(database).digest()])));
    return path;
  };

  const problem = (path: string): Promise<string> =>
    requireSnapshot(path).then(
      () => "",
      (error: unknown) => (error as Error).message,
    );

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "hearth-snapshot-"));
  });

  after(() => {
    rmSync(folder, { recursive: true });
  });

  it("takes a whole snapshot", async () => {
    expect(await problem(snapshot())).to.equal("");
  });

  it("refuses one that was cut off", async () => {
    expect(await problem(snapshot((content) => content.subarray(0, 3000)))).to.match(
      /is no whole snapshot.*: use another one/,
    );
  });

  it("refuses one of which a single bit was turned", async () => {
    const turned = (content: Buffer): Buffer => {
      content.writeUInt8(content.readUInt8(1000) ^ 1, 1000);
      return content;
    };
    expect(await problem(snapshot(turned))).to.match(/is no whole snapshot.*leave --etcd out/);
  });

  it("says that there is no such file", async () => {
    expect(await problem(join(folder, "absent"))).to.match(/cannot be read \(ENOENT\)/);
  });
});
