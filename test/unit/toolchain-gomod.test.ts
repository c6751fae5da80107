import { expect } from "chai";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildArguments } from "../../toolchain/build.ts";
import { Budget } from "../../toolchain/budget.ts";
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
      const args = buildArguments(tool, goModOf(tool.folder));
      expect(args.at(-1)).to.equal(tool.package);
      if (tool.linker !== undefined) expect(args.join(" ")).to.match(/-X \S+=v?\d/);
    });
  }

  it("gives Kubernetes programs their version", () => {
    const tool = tools.find(({ name }) => name === "kube-apiserver");
    const version = requiredVersion(goModOf("toolchain/kubernetes"), "k8s.io/kubernetes");
    const flags = tool?.linker?.(version) ?? [];
    expect(flags).to.include(`-X k8s.io/component-base/version.gitVersion=${version}`);
    expect(flags).to.include("-X k8s.io/component-base/version.gitMajor=1");
  });

  it("has each name once", () => {
    const names = tools.map(({ name }) => name);
    expect(new Set(names).size).to.equal(names.length);
  });
});

describe("Budget", () => {
  const gate = (): { promise: Promise<void>; open: () => void } => {
    let open = (): void => undefined;
    const promise = new Promise<void>((resolve) => (open = resolve));
    return { promise, open };
  };
  /** Starts works of the sizes given and says which of them run before any ends. */
  const started = async (
    limit: { slots: number; memory: number },
    shares: [memory: number, alone: string][],
  ): Promise<number[]> => {
    const budget = new Budget(limit);
    const { promise, open } = gate();
    const begun: number[] = [];
    const all = shares.map(([memory, alone], index) =>
      budget.run({ memory, alone }, () => {
        begun.push(index);
        return promise;
      }),
    );
    await new Promise(setImmediate);
    const first = [...begun];
    open();
    await Promise.all(all);
    expect(begun).to.have.length(shares.length);
    return first;
  };

  it("runs no more at a time than there are slots", async () => {
    expect(
      await started({ slots: 2, memory: 100 }, [
        [1, "a"],
        [1, "b"],
        [1, "c"],
      ]),
    ).to.deep.equal([0, 1]);
  });

  it("runs no more at a time than memory allows, and lets a small one pass", async () => {
    expect(
      await started({ slots: 3, memory: 8 }, [
        [6, "a"],
        [4, "b"],
        [2, "c"],
      ]),
    ).to.deep.equal([0, 2]);
  });

  it("runs works of the same name one after the other", async () => {
    expect(
      await started({ slots: 3, memory: 100 }, [
        [1, "a"],
        [1, "a"],
        [1, "b"],
      ]),
    ).to.deep.equal([0, 2]);
  });

  it("runs a work that is larger than everything, alone", async () => {
    expect(
      await started({ slots: 3, memory: 2 }, [
        [9, "a"],
        [1, "b"],
      ]),
    ).to.deep.equal([0]);
  });
});
