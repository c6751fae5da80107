import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { Talosctl } from "../../../../lib/cluster/talosctl.ts";
import { messageOf } from "../../../support/failure.ts";

/** What etcd says of itself while it has no leader, or while a member catches up, as talosctl prints it. */
const passing = [
  "rpc error: code = Unknown desc = etcdserver: rpc not supported for learner",
  "rpc error: code = Unknown desc = etcdserver: no leader",
  "rpc error: code = Unknown desc = etcdserver: leader changed",
  "rpc error: code = Unknown desc = etcdserver: request timed out, possibly due to previous leader failure",
  "rpc error: code = Unavailable desc = connection error",
];

describe("talosctl", () => {
  let folder: string;

  /** A program that fails once with a message, and answers from then on. */
  const failingOnce = async (message: string): Promise<Talosctl> => {
    const program = join(folder, "talosctl");
    const tried = join(folder, "tried");
    await writeFile(
      program,
      `#!/bin/sh\necho >> "${tried}"\n[ "$(wc -l < "${tried}")" -gt 1 ] || { echo "${message}" >&2; exit 1; }\necho answer\n`,
    );
    await chmod(program, 0o700);
    return new Talosctl(program, { caCertificate: "ca", clientCertificate: "crt", clientKey: "key" }, 1);
  };

  const tries = async () => (await readFile(join(folder, "tried"), "utf8")).length;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "talosctl-"));
  });

  afterEach(() => rm(folder, { recursive: true }));

  for (const message of passing) {
    it(`asks again after "${message}"`, async () => {
      expect(await (await failingOnce(message)).run("10.0.0.1", ["etcd", "members"])).to.equal("answer");
      expect(await tries()).to.equal(2);
    });
  }

  it("does not ask again after what does not pass by itself", async () => {
    const talos = await failingOnce("rpc error: code = PermissionDenied desc = not authorized");
    expect(await messageOf(talos.run("10.0.0.1", ["etcd", "members"]))).to.contain("not authorized");
    expect(await tries()).to.equal(1);
  });
});
