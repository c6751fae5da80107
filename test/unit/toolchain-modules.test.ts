import { expect } from "chai";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { rootModule, tools } from "../../toolchain/tools.ts";

const root = join(import.meta.dirname, "../..");

/** The versions that a go.mod requires, by module. */
const requirements = (folder: string): Map<string, string> => {
  const found = readFileSync(join(root, folder, "go.mod"), "utf8").matchAll(
    /^(?:require )?\t?(\S+\.\S+) (v\S+)(?: \/\/.*)?$/gm,
  );
  return new Map([...found].map(([, module = "", version = ""]) => [module, version]));
};

/** What a module of its own has to have in another version than the root: the reason why it is one. */
const differs: Readonly<Record<string, readonly string[]>> = {
  "toolchain/actionlint": ["go.yaml.in/yaml/v4"],
  "toolchain/etcdutl": ["github.com/olekukonko/tablewriter"],
  "toolchain/pulumi-language-nodejs": ["github.com/pulumi/pulumi/sdk/v3"],
  "toolchain/volsync": ["github.com/quic-go/quic-go"],
};

describe("modules of their own", () => {
  const shared = requirements(rootModule);

  it("have the root's versions but for what parts them, so that nothing is compiled twice", () => {
    for (const [module, parted] of Object.entries(differs)) {
      const common = [...requirements(module).keys()].filter((each) => shared.has(each) && !parted.includes(each));
      expect(common, module).not.to.have.lengthOf(0);
      for (const required of common) {
        expect(requirements(module).get(required), `${module}: ${required}`).to.equal(shared.get(required));
      }
    }
  });

  it("differ from the root in what parts them, or they could join it", () => {
    for (const [module, parted] of Object.entries(differs)) {
      for (const required of parted)
        expect(requirements(module).get(required), module).not.to.equal(shared.get(required));
    }
  });

  it("are known to this test, or are for programs that an update does not need", () => {
    const modules = new Set(tools.map(({ module }) => module).filter((module) => module !== rootModule));
    const others = ["toolchain/promql", "toolchain/staticcheck", "toolchain/talosctl"];
    expect([...modules]).to.have.members([...Object.keys(differs), ...others]);
  });
});
