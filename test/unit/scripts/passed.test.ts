import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { expect } from "chai";
import { ESLint } from "eslint";
import tseslint from "typescript-eslint";

import { Passed, type PassedOptions } from "../../../scripts/passed.ts";

describe("files that passed", () => {
  let root: string;

  beforeEach(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), "hearth-passed-")));
    await write({
      "package.json": '{ "type": "module" }',
      "tsconfig.json":
        '{ "compilerOptions": { "module": "NodeNext", "strict": true, "noEmit": true, "allowImportingTsExtensions": true, "types": [] }, "include": ["*.ts", "lib"] }',
      rules: "strict",
      "lib/types.ts": "export interface Answer { text: string }\n",
      "lib/ask.ts": 'import type { Answer } from "./types.ts";\nexport const ask = (): Answer => ({ text: "" });\n',
      "main.ts": 'import { ask } from "./lib/ask.ts";\nask();\n',
      "other.ts": "export const other = 1;\n",
    });
  });

  afterEach(() => rm(root, { recursive: true }));

  const write = async (files: Record<string, string>): Promise<void> => {
    for (const [file, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, file)), { recursive: true });
      await writeFile(join(root, file), text);
    }
  };

  const all = ["lib/ask.ts", "lib/types.ts", "main.ts", "other.ts"];

  /** Checks files as another process would, and returns those that were looked at. */
  const checked = async (
    files: readonly string[] = all,
    { fail = "", during = () => Promise.resolve(), ...options }: CheckOptions = {},
  ): Promise<string[]> => {
    const looked: string[] = [];
    const passed = new Passed({ root, store: join(root, "cache/passed.json"), common: ["rules"], ...options });
    await passed.check(files, async (unknown) => {
      looked.push(...unknown);
      await during();
      return unknown.filter((file) => file !== fail);
    });
    return looked;
  };
  type CheckOptions = Partial<PassedOptions> & { fail?: string; during?: () => Promise<void> };

  it("are not checked again", async () => {
    expect(await checked()).to.deep.equal(all);
    expect(await checked()).to.deep.equal([]);
  });

  it("are checked again once they change, or what they import does, by others and for its types alone too", async () => {
    await checked();
    await write({ "other.ts": "export const other = 2;\n" });
    expect(await checked()).to.deep.equal(["other.ts"]);
    await write({ "lib/ask.ts": "export const ask = () => 1;\n" });
    expect(await checked()).to.deep.equal(["lib/ask.ts", "main.ts"]);
    await write({ "lib/ask.ts": 'export type Two = import("./types.ts").Answer;\nexport const ask = () => 1;\n' });
    await checked();
    await write({ "lib/types.ts": "export interface Answer { text: number }\n" });
    expect(await checked()).to.deep.equal(["lib/ask.ts", "lib/types.ts", "main.ts"]);
  });

  it("are checked again where files import each other", async () => {
    await write({ "lib/types.ts": 'import { ask } from "./ask.ts";\nexport type Answer = typeof ask;\n' });
    await checked();
    await write({ "lib/types.ts": 'import { ask } from "./ask.ts";\nexport type Answer = ReturnType<typeof ask>;\n' });
    expect(await checked()).to.deep.equal(["lib/ask.ts", "lib/types.ts", "main.ts"]);
  });

  it("are checked again once a file that they import is there, or is another", async () => {
    await write({ "main.ts": 'import { ask } from "./lib/later.js";\nask();\n' });
    await checked();
    await write({ "lib/later.ts": "export const ask = () => 1;\n" });
    expect(await checked()).to.deep.equal(["main.ts"]);
    await write({ "lib/later.js": "export const ask = () => 1;\n" });
    expect(await checked()).to.deep.equal([]);
  });

  it("are checked again where they import a package of the project's own, by its link", async () => {
    await write({
      "sdk/package.json": '{ "name": "sdk", "type": "module", "exports": "./index.ts" }',
      "sdk/index.ts": "export const sdk = 1;\n",
      "main.ts": 'import { sdk } from "sdk";\nsdk.toString();\n',
    });
    await mkdir(join(root, "node_modules"));
    await symlink("../sdk", join(root, "node_modules/sdk"));
    await checked();
    await write({ "sdk/index.ts": "export const sdk = 2;\n" });
    expect(await checked()).to.deep.equal(["main.ts"]);
  });

  it("are all checked again once the rules change, or what is declared for all of them", async () => {
    await checked();
    await write({ rules: "stricter" });
    expect(await checked()).to.deep.equal(all);
    await write({ "lib/all.d.ts": "declare const everywhere: string;\n" });
    const files = ["lib/all.d.ts", ...all];
    expect(await checked(files)).to.deep.equal(files);
    await write({ "lib/all.d.ts": "declare const everywhere: number;\n" });
    expect(await checked(files)).to.deep.equal(files);
    await write({ "other.ts": "declare global { const other: 1 }\nexport {};\n" });
    expect(await checked(files)).to.deep.equal(files);
  });

  it("are those that did not fail", async () => {
    expect(await checked(all, { fail: "main.ts" })).to.deep.equal(all);
    expect(await checked(all, { fail: "main.ts" })).to.deep.equal(["main.ts"]);
    expect(await checked()).to.deep.equal(["main.ts"]);
    expect(await checked()).to.deep.equal([]);
  });

  it("are not those that changed meanwhile, nor those that import them", async () => {
    const text = await readFile(join(root, "lib/ask.ts"), "utf8");
    await checked(all, { during: () => write({ "lib/ask.ts": "export const ask = () => 1;\n" }) });
    expect(await checked()).to.deep.equal(["lib/ask.ts", "main.ts"]);
    await write({ "lib/ask.ts": text });
    expect(await checked()).to.deep.equal(["lib/ask.ts", "main.ts"]);
  });

  it("stay known while another branch is looked at, up to a number of keys", async () => {
    await checked();
    await write({ "other.ts": "export const other = 2;\n" });
    await checked();
    await write({ "other.ts": "export const other = 1;\n" });
    expect(await checked()).to.deep.equal([]);
    await write({ "other.ts": "export const other = 3;\n" });
    await checked(all, { most: 4 });
    await write({ "other.ts": "export const other = 1;\n" });
    expect(await checked()).to.deep.equal(["other.ts"]);
  });

  it("are none where the list of them cannot be read", async () => {
    await checked();
    await write({ "cache/passed.json": "[" });
    expect(await checked()).to.deep.equal(all);
  });

  it("are not found wrong by rules that know types, until a type elsewhere changes", async function () {
    this.timeout(120_000);
    const found: string[] = [];
    const lint = async (files: string[]): Promise<string[]> => {
      const eslint = new ESLint({
        cwd: root,
        overrideConfigFile: true,
        overrideConfig: {
          files: ["**/*.ts"],
          plugins: { "@typescript-eslint": tseslint.plugin as unknown as ESLint.Plugin },
          languageOptions: {
            parser: tseslint.parser,
            // Files are linted more than once, which no CI expects of a process.
            parserOptions: { projectService: true, tsconfigRootDir: root, disallowAutomaticSingleRunInference: true },
          },
          rules: { "@typescript-eslint/no-floating-promises": "error" },
        },
      });
      const results: ESLint.LintResult[] = [];
      for (const file of files) results.push(...(await eslint.lintFiles([file])));
      found.push(...results.flatMap(({ messages }) => messages.map(({ ruleId }) => ruleId ?? "")));
      return results
        .filter(({ messages }) => messages.length === 0)
        .map(({ filePath }) => filePath.slice(root.length + 1));
    };
    const options = { root, store: join(root, "cache/lint.json"), common: ["rules"] };
    await new Passed(options).check(all, lint);
    expect(found).to.deep.equal([]);
    await write({ "lib/ask.ts": "export const ask = (): Promise<number> => Promise.resolve(1);\n" });
    for (let times = 1; times <= 2; times += 1) {
      await new Passed(options).check(all, lint);
      expect(found).to.deep.equal(Array(times).fill("@typescript-eslint/no-floating-promises"));
    }
  });
});
