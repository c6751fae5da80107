import { expect } from "chai";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildArguments, programName } from "../../toolchain/build.ts";
import { goDirective, requiredVersion } from "../../toolchain/gomod.ts";
import { tools } from "../../toolchain/tools.ts";

const goMod = `module m

go 1.26

require example.com/single v0.1.0

require (
	example.com/tool v1.2.3 // indirect
	example.com/tool/v2 v2.0.0-20260101000000-abcdef012345
)
`;

describe("requiredVersion", () => {
  it("reads a version from a block, and not that of a longer path", () => {
    expect(requiredVersion(goMod, "example.com/tool")).to.equal("v1.2.3");
  });

  it("reads a version from a line of its own", () => {
    expect(requiredVersion(goMod, "example.com/single")).to.equal("v0.1.0");
  });

  it("says what to add where the module is missing", () => {
    expect(() => requiredVersion(goMod, "example.com/none")).to.throw(/go get example\.com\/none@VERSION/);
  });
});

describe("goDirective", () => {
  it("completes a version without a patch", () => {
    expect(goDirective(goMod)).to.equal("1.26.0");
    expect(goDirective("go 1.26.6\n")).to.equal("1.26.6");
  });
});

describe("the table of tools", () => {
  const root = join(import.meta.dirname, "../..");
  const goModOf = (folder: string): string => readFileSync(join(root, folder, "go.mod"), "utf8");

  for (const tool of tools) {
    it(`pins ${tool.name} in a module that requires its version`, () => {
      const args = buildArguments([tool], goModOf(tool.module), "out");
      expect(args.at(-1)).to.equal(tool.package);
      if (tool.linker !== undefined) expect(args.join(" ")).to.match(/-X \S+=v?\d/);
    });
  }

  it("gives Kubernetes programs their version", () => {
    const tool = tools.find(({ name }) => name === "kube-apiserver");
    const version = requiredVersion(goModOf("."), "k8s.io/kubernetes");
    const flags = tool?.linker?.(version) ?? [];
    expect(flags).to.include(`-X k8s.io/component-base/version.gitVersion=${version}`);
    expect(flags).to.include("-X k8s.io/component-base/version.gitMajor=1");
  });

  it("gives each tool of a module a program of its own", () => {
    for (const module of new Set(tools.map((tool) => tool.module))) {
      const names = tools.filter((tool) => tool.module === module).map((tool) => programName(tool.package));
      expect(new Set(names).size, module).to.equal(names.length);
    }
  });

  it("has each name once", () => {
    const names = tools.map(({ name }) => name);
    expect(new Set(names).size).to.equal(names.length);
  });
});
