import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { expect } from "chai";
import { execa } from "execa";

const root = join(import.meta.dirname, "../..");
const program = join(root, "node_modules", ".bin", "depcruise");
const folders = ["operations/deploy", "lab", "policy", "lib", "infra", "components", "sdks", "toolchain", "test"];

/** What each may import, from the design. A command and the lab stand side by side. */
const below: Record<string, string[]> = {
  "operations/deploy": ["policy", "lib", "infra", "components", "sdks", "toolchain"],
  lab: ["policy", "lib", "infra", "components", "sdks", "toolchain"],
  policy: ["lib", "infra", "components", "sdks", "toolchain"],
  lib: ["infra", "components", "sdks", "toolchain"],
  infra: ["components", "sdks", "toolchain"],
  components: ["sdks"],
  sdks: [],
  toolchain: [],
};

/** Each layer with a folder that it may not import. */
const forbidden = Object.entries(below).flatMap(([from, allowed]) =>
  folders.filter((to) => to !== from && !allowed.includes(to)).map((to) => [from, to] as const),
);

const target = (folder: string): string => `${folder}/target.ts`;
const up = (folder: string): string => "../".repeat(folder.split("/").length);

/** Looks at the layers of a project that has only these files. */
const check = async (files: Record<string, string>): Promise<{ passed: boolean; output: string }> => {
  const folder = await mkdtemp(join(tmpdir(), "hearth-layers-"));
  try {
    const all = { ...Object.fromEntries(folders.map((each) => [target(each), "export const it = 1;\n"])), ...files };
    for (const [path, text] of Object.entries(all)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    const tops = [...new Set(folders.map((each) => each.split("/")[0] ?? ""))];
    const { exitCode, stdout, stderr } = await execa(
      program,
      ["--config", join(root, ".dependency-cruiser.cjs"), "--output-type", "err", ...tops],
      { cwd: folder, reject: false },
    );
    return { passed: exitCode === 0, output: `${stdout}\n${stderr}` };
  } finally {
    await rm(folder, { recursive: true });
  }
};

describe("the check of layers", () => {
  it("passes imports that point down", async () => {
    const down = (from: string, allowed: string[]): string =>
      allowed.map((to, index) => `export { it as it${index} } from "${up(from)}${target(to)}";\n`).join("");
    const files = Object.fromEntries(
      Object.entries(below).map(([from, allowed]) => [`${from}/down.ts`, down(from, allowed)]),
    );
    const rehearsal = `export { it } from "../../${target("lab")}";\n`;
    expect(
      await check({ ...files, "operations/rehearse/rehearse.ts": rehearsal, "operations/try/try.ts": rehearsal }),
    ).to.include({
      passed: true,
    });
  });

  it("names both files of an import in each forbidden direction", async () => {
    const importerOf = (from: string, to: string): string => `${from}/imports-${to.replace("/", "-")}.ts`;
    const { passed, output } = await check(
      Object.fromEntries(
        forbidden.map(([from, to]) => [importerOf(from, to), `export { it } from "${up(from)}${target(to)}";\n`]),
      ),
    );
    expect(passed).to.equal(false);
    expect(forbidden).to.have.length.greaterThan(30);
    for (const [from, to] of forbidden) expect(output).to.include(`${importerOf(from, to)} → ${target(to)}`);
  });

  it("refuses an import of a type alone, and one that happens later", async () => {
    const { passed, output } = await check({
      "lib/type.ts": `import type { it } from "../${target("lab")}";\nexport type It = typeof it;\n`,
      "lib/later.ts": `export const later = () => import("../${target("lab")}");\n`,
    });
    expect(passed).to.equal(false);
    expect(output)
      .to.include(`lib/type.ts → ${target("lab")}`)
      .and.include(`lib/later.ts → ${target("lab")}`);
  });

  it("refuses a way around by a file or a folder that is in no layer", async () => {
    const { passed, output } = await check({
      "bridge.ts": `export { it } from "./${target("operations")}";\n`,
      "extras/bridge.ts": `export { it } from "../${target("operations")}";\n`,
      "lib/by-file.ts": `export { it } from "../bridge.ts";\n`,
      "lib/by-folder.ts": `export { it } from "../extras/bridge.ts";\n`,
    });
    expect(passed).to.equal(false);
    expect(output).to.include("lib/by-file.ts → bridge.ts").and.include("lib/by-folder.ts → extras/bridge.ts");
  });

  it("refuses a circle of types", async () => {
    const { passed, output } = await check({
      "lib/one.ts": `import type { Two } from "./two.ts";\nexport interface One { two: Two }\n`,
      "lib/two.ts": `import type { One } from "./one.ts";\nexport interface Two { one: One }\n`,
    });
    expect(passed).to.equal(false);
    expect(output).to.match(/no-circle: lib\/(one|two)\.ts/);
    expect(output).to.include("lib/one.ts").and.include("lib/two.ts");
  });
});
