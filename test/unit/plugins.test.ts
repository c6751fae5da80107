import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { expect } from "chai";
import { parse } from "yaml";

import { githubPlugin } from "../../components/gitops/github.ts";
import { requiredVersion } from "../../toolchain/gomod.ts";
import { tools } from "../../toolchain/tools.ts";

const root = join(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");

interface Package {
  pulumi?: { resource?: boolean; name?: string; version?: string; server?: string };
}

const packageAt = (path: string): Package => JSON.parse(read(join(path, "package.json"))) as Package;

/** Cells of the table, by the plugin's name. */
const rows = read("docs/plugins.md")
  .split("\n")
  .filter((line) => /^\| [a-z]+ +\|/.test(line) && !line.startsWith("| plugin "))
  .map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
  .map(([name = "", brought = "", wraps = "", tried = "", how = ""]) => ({ name, brought, wraps, tried, how }));

/** The folders of all packages that are installed, of those that this platform has. */
const folders = Object.keys((JSON.parse(read("package-lock.json")) as { packages: object }).packages).filter(
  (path) => path.startsWith("node_modules/") && existsSync(join(root, path, "package.json")),
);

describe("the table of plugins", () => {
  it("has what `pulumi install` brings, and nothing else: the plugins of all installed packages", () => {
    const brought = folders
      .map((path) => packageAt(path).pulumi)
      .flatMap((pulumi) => (pulumi?.resource === true ? [`${pulumi.name ?? ""} ${pulumi.version ?? ""}`] : []));
    const listed = rows
      .filter(({ name }) => name !== "github")
      .map(({ name, brought: version }) => `${name} ${version}`);
    expect(listed).to.have.members(brought);
  });

  it("has GitHub's, which the engine brings where a stack uses it", () => {
    expect(rows.find(({ name }) => name === "github")?.brought).to.match(new RegExp(`^${githubPlugin.version},`));
  });

  for (const { name, tried, wraps } of rows.filter((row) => row.name !== "github")) {
    it(`says which ${name} was tried here`, () => {
      const tool = tools.find((each) => each.name === `pulumi-resource-${name}`);
      if (!tool) throw new Error(`no tool is the plugin ${name}`);
      if (tool.source === "lab/plugins") return void expect(tried).to.equal("a stand-in");
      const pinned = requiredVersion(read("go.mod"), tool.versionOf ?? "");
      const linked = tool.linker?.(pinned).join(" ");
      if (linked !== undefined) return void expect(linked).to.match(new RegExp(`=${tried.replaceAll(".", "\\.")}$`));
      expect(tried).to.equal(pinned);
      expect(wraps).to.contain(tool.versionOf?.replace("github.com/", ""));
    });
  }
});

describe("the README", () => {
  const row = (name: string) => rows.find((each) => each.name === name) ?? { brought: "", tried: "", wraps: "" };

  it("says which plugins of the lab are older than their SDKs, and by how much", () => {
    const [kubernetes, talos] = [row("kubernetes"), row("talos")];
    const readme = read("README.md").replace(/\s+/g, " ");
    expect(readme).to.contain(`kubernetes is ${kubernetes.tried} and not ${kubernetes.brought}`);
    const wrapped = talos.wraps.split(" ").at(-1) ?? "";
    expect(readme).to.contain(`talos wraps ${talos.tried} and not ${wrapped}`);
    expect(row("proxmoxve").wraps).to.contain(row("proxmoxve").tried);
  });
});

describe("pulumi install", () => {
  /**
   * The language host looks for packages below the program's folder, which is that of `main` in Pulumi.yaml. Source: pulumi v3.259.0,
   * pkg/engine/project.go (getPwdMain) and sdk/nodejs/cmd/pulumi-language-nodejs/main.go (getPackagesFromDir).
   */
  it("finds the packages below the folder that the program starts in", () => {
    const { main } = parse(read("Pulumi.yaml")) as { main?: string };
    const folder = main === undefined ? root : dirname(join(root, main));
    expect(existsSync(join(folder, "node_modules/@pulumi/pulumi/package.json")), folder).to.equal(true);
    const { main: entry } = JSON.parse(read("package.json")) as { main: string };
    expect(existsSync(join(root, entry)), entry).to.equal(true);
  });

  /** Source: pulumiverse/pulumi-talos v0.8.0, sdk/nodejs/package.json and provider/resources.go. */
  it("takes the Talos plugin from where the published package does", () => {
    const { version, pulumi } = JSON.parse(read("sdks/talos/package.json")) as Package & { version: string };
    expect(pulumi).to.deep.equal({
      resource: true,
      name: "talos",
      version,
      server: "github://api.github.com/pulumiverse",
    });
  });
});
