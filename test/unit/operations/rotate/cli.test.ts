import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";

import { expect } from "chai";

import { commands } from "../../../../operations/commands.ts";
import { lineOf } from "../../../../operations/rotate/cli.ts";
import { rotations } from "../../../../operations/rotate/rotations.ts";
import { messageOf } from "../../../support/failure.ts";
import { hearth } from "../../../support/hearth.ts";

const root = join(import.meta.dirname, "../../../..");

describe("npx hearth rotate", () => {
  it("lists every rotation with what it interrupts, without opening the stack", async () => {
    const { exitCode, stdout } = await hearth(root, ["rotate", "dev"]);
    expect(exitCode).to.equal(0);
    for (const { name, what, interrupts } of rotations)
      expect(stdout).to.contain(`npx hearth rotate dev ${name}\n  ${what}\n  ${interrupts}`);
  });

  it("names each in its help, and in the guide", () => {
    const { details = "" } = commands.find(({ name }) => name === "rotate") ?? {};
    const guide = readFileSync(join(root, "docs/guides/somebody-else-has-it.md"), "utf8");
    expect([...details.matchAll(/^ {2}([a-z-]+) {2}/gm)].map(([, name]) => name)).to.deep.equal(
      rotations.map(({ name }) => name),
    );
    for (const { name } of rotations) expect(guide, name).to.contain(`rotate dev ${name}`);
  });

  it("says what it interrupts, and does nothing unless somebody agrees", async () => {
    const { exitCode, stdout, stderr } = await hearth(root, ["rotate", "dev", "age"], ["n"]);
    expect([exitCode, stderr]).to.deep.equal([1, "Nothing was done"]);
    expect(stdout).to.contain("Flux cannot decrypt");
    expect((await hearth(root, ["rotate", "dev", "age"])).stderr).to.contain("say so with --yes");
  });

  it("refuses what Talos does not allow before it asks, and names the nearest for a mistyped one", async () => {
    const { exitCode, stderr } = await hearth(root, ["rotate", "dev", "etcd-authority", "--yes"]);
    expect(exitCode).to.equal(1);
    expect(stderr).to.contain("somebody-else-has-it.md");
    expect((await hearth(root, ["rotate", "dev", "deploy-kye"])).stderr).to.contain("write deploy-key");
  });
});

describe("a new value that a person gives", () => {
  /** Reads it from what is typed at a terminal, which echoes unless it is in raw mode; gives what was seen there too. */
  const typed = async (keys: string): Promise<{ value: string; modes: boolean[]; seen: string[] }> => {
    const modes: boolean[] = [];
    const seen: string[] = [];
    const setRawMode = (mode: boolean) => modes.push(mode);
    const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode });
    const session = { ask: () => Promise.resolve(""), complain: (text: string) => void seen.push(text) };
    const value = messageOf(lineOf(input, "new token", session).then((each) => Promise.reject(new Error(each))));
    input.write(keys);
    return { value: await value, modes, seen };
  };

  it("is read at a terminal without its echo, which comes back after it", async () => {
    expect(await typed("s3cret\r")).to.deep.equal({ value: "s3cret", modes: [true, false], seen: ["new token:"] });
  });

  it("is missed where the person interrupts or types nothing, and the echo comes back too", async () => {
    for (const keys of ["s3c\u0003", "\r"]) {
      const { value, modes } = await typed(keys);
      expect(value).to.contain("There is no new token");
      expect(modes).to.deep.equal([true, false]);
    }
  });

  it("is a line of a pipe", async () => {
    const input = new PassThrough();
    input.end("s3cret\nmore\n");
    expect(await lineOf(input, "new token", { complain: () => undefined })).to.equal("s3cret");
  });
});
