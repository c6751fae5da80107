import { appendFile, mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { Answers } from "../../../../lib/tree/answers.ts";
import { failureOf } from "../../../support/failure.ts";

describe("answers by the content of what was read", () => {
  let folder: string;
  let program: string;
  let kept: string;
  let asked: number;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "hearth-answers-"));
    program = join(folder, "program");
    kept = join(folder, "kept");
    asked = 0;
    await writeFile(program, "one release");
  });

  afterEach(() => rm(folder, { recursive: true }));

  /** Asks about a tree as another process would, and returns the number of the run that answered. */
  const ask = (
    tree: string,
    { request = {}, answer = "", answers = new Answers(kept), during = () => Promise.resolve() } = {},
  ): Promise<string> =>
    answers.of(
      { program, subcommand: "render", request: { checkout: tree, ...request }, reads: { [tree]: tree } },
      async () => {
        asked += 1;
        await during();
        return `${answer}${asked.toString()}`;
      },
    );

  const tree = async (name: string, files: Record<string, string> = { "a.yaml": "a", "sub/b.yaml": "b" }) => {
    const path = join(folder, name);
    for (const [file, text] of Object.entries(files)) {
      await mkdir(join(path, file, ".."), { recursive: true });
      await writeFile(join(path, file), text);
    }
    return path;
  };

  it("are given again for the same tree, wherever it is", async () => {
    expect(await ask(await tree("one"))).to.equal("1");
    expect(await ask(await tree("one"))).to.equal("1");
    expect(await ask(await tree("two"))).to.equal("1");
  });

  const changes: Record<string, (path: string) => Promise<unknown>> = {
    "a file's content": (path) => writeFile(join(path, "sub/b.yaml"), "c"),
    "a file's name": (path) => tree("one", { "sub/c.yaml": "b" }).then(() => rm(join(path, "sub/b.yaml"))),
    "a file that is new": (path) => writeFile(join(path, "sub/c.yaml"), ""),
    "a file that is gone": (path) => rm(join(path, "a.yaml")),
    "an empty folder": (path) => mkdir(join(path, "empty")),
    "the program": () => writeFile(program, "two release"),
  };
  for (const [what, change] of Object.entries(changes)) {
    it(`are asked for again after a change of ${what}`, async () => {
      const path = await tree("one");
      const answers = new Answers(kept);
      expect(await ask(path, { answers })).to.equal("1");
      await change(path);
      expect(await ask(path, { answers })).to.equal("2");
      expect(await ask(path)).to.equal("2");
    });
  }

  it("are asked for again for another request", async () => {
    const path = await tree("one");
    expect(await ask(path)).to.equal("1");
    expect(await ask(path, { request: { kinds: ["v1/Pod"] } })).to.equal("2");
  });

  it("tell where a text ends and the next begins", async () => {
    expect(await ask(await tree("one", { a: "bc", d: "" }))).to.equal("1");
    expect(await ask(await tree("two", { ab: "c", d: "" }))).to.equal("2");
    expect(await ask(await tree("three", { a: "b", cd: "" }))).to.equal("3");
  });

  it("are not kept where it failed", async () => {
    const path = await tree("one");
    const during = () => Promise.reject(new Error("no"));
    expect(await failureOf(ask(path, { during }))).to.have.property("message", "no");
    expect(await ask(path)).to.equal("2");
  });

  it("are not kept of a tree that changed meanwhile", async () => {
    const path = await tree("one");
    expect(await ask(path, { during: () => appendFile(join(path, "a.yaml"), "b") })).to.equal("1");
    expect(await ask(path)).to.equal("2");
    expect(await ask(await tree("two"))).to.equal("3");
  });

  it("are not kept of a tree with a link, whose content may be elsewhere", async () => {
    const path = await tree("one");
    await symlink(join(folder, "program"), join(path, "link"));
    expect(await ask(path)).to.equal("1");
    expect(await ask(path)).to.equal("2");
  });

  it("are not kept where they say where the tree is", async () => {
    const path = await tree("one");
    expect(await ask(path, { answer: `${path}/a.yaml is wrong ` })).to.match(/ 1$/);
    expect(await ask(path, { answer: `${path}/a.yaml is wrong ` })).to.match(/ 2$/);
  });

  it("do not grow without end: what nobody asked for longest makes way", async () => {
    const answers = new Answers(kept, 3);
    const names = ["one", "two", "three"];
    for (const name of names) await ask(await tree(name, { name }), { answers });
    const past = new Date(2020, 1, 1);
    for (const file of await readdir(kept)) await utimes(join(kept, file), past, past);
    for (const name of ["one", "three"]) await ask(join(folder, name), { answers });
    expect(await ask(await tree("four", { name: "four" }), { answers })).to.equal("4");
    expect(await readdir(kept)).to.have.length(3);
    expect(await ask(join(folder, "one"), { answers })).to.equal("1");
    expect(await ask(join(folder, "two"), { answers })).to.equal("5");
  });
});
