import { Problem } from "./problem.ts";

/** Returns the version of a module that a go.mod requires, for example `v3.6.6`. */
export const requiredVersion = (goMod: string, module: string): string => {
  for (const line of goMod.split("\n")) {
    const [path, version] = line
      .replace(/^\s*require\s/, "")
      .trim()
      .split(/\s+/);
    if (path === module && version?.startsWith("v") === true) return version;
  }
  throw new Problem(`go.mod does not require ${module}: add it with \`go get ${module}@VERSION\``);
};

/** Returns the oldest Go release that a go.mod allows, for example `1.26.0`. */
export const goDirective = (goMod: string): string => {
  const found = /^go (\d+\.\d+)(\.\d+)?$/m.exec(goMod);
  if (found === null) throw new Problem("go.mod has no go directive");
  return `${found[1] ?? ""}${found[2] ?? ".0"}`;
};
