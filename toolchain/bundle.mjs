// Loads a TypeScript file of the project. What it imports from the project is compiled with it into one folder, once for each content of
// these files: to load hundreds of files one by one, each by way of a compiler, takes longer than most commands work. Packages are loaded
// as they are.
import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import module from "node:module";
import { dirname, extname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
// Not in node_modules, for Node.js maps no lines of what is there.
const cache = join(root, ".compiled");

/** What decides how files are compiled, beside their own content. */
const compiler = ["toolchain/bundle.mjs", "node_modules/esbuild/package.json"];

/** A program that runs may still have to load a part of what it was compiled to. In milliseconds. */
const longestRun = 24 * 60 * 60 * 1000;

/** Paths are compiled in, so a checkout that was moved or copied is another one. */
const keyOf = (contents) => {
  const hash = createHash("sha256").update(root);
  for (const [file, content] of [...contents].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`\0${file}\0${String(content.length)}\0`).update(content);
  }
  return hash.digest("hex").slice(0, 24);
};

const read = (files) => files.map((file) => [file, readFileSync(join(root, file))]);

const atomically = (path, text) => {
  const temporary = `${path}.${randomUUID()}`;
  writeFileSync(temporary, text);
  renameSync(temporary, path);
};

/** Compiles the entry into the folder, and returns the files that were compiled with their contents. */
const compile = async (entry, folder) => {
  const { build } = await import("esbuild");
  const contents = new Map();
  const sources = {
    name: "sources",
    setup(plugins) {
      // Node.js runs no TypeScript of a package, and this one is the project's own.
      plugins.onResolve({ filter: /^@pulumi\/talos$/ }, () => ({ path: join(root, "sdks/talos/index.ts") }));
      // Where an ES module imports them, Node.js reads each export, and so loads the hundreds of resources that they load when asked.
      plugins.onResolve({ filter: /^@pulumi\// }, ({ path, kind }) =>
        kind === "import-statement" ? { path, namespace: "required" } : { path, external: true },
      );
      plugins.onLoad({ filter: /./, namespace: "required" }, ({ path }) => ({
        contents: `module.exports = require(${JSON.stringify(path)});`,
      }));
      plugins.onLoad({ filter: /\.(ts|mjs|json)$/ }, ({ path }) => {
        const content = readFileSync(path);
        contents.set(relative(root, path), content);
        const text = content
          .toString()
          .replaceAll("import.meta.dirname", JSON.stringify(dirname(path)))
          .replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href));
        return { contents: text, loader: { ".ts": "ts", ".mjs": "js", ".json": "json" }[extname(path)] };
      });
    },
  };
  await build({
    absWorkingDir: root,
    entryPoints: { main: entry },
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    packages: "external",
    banner: {
      js: `import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);`,
    },
    sourcemap: true,
    // Names of classes and functions are part of messages.
    keepNames: true,
    logLevel: "silent",
    plugins: [sources],
  });
  return contents;
};

const sweep = (prefix) => {
  for (const name of readdirSync(cache)) {
    const path = join(cache, name);
    if (name.startsWith(prefix) && Date.now() - statSync(path).mtimeMs > longestRun) rmSync(path, { recursive: true });
  }
};

/** Returns the compiled form of a file of the project, given by its path from the root. */
const bundle = async (entry) => {
  const name = entry.replaceAll(/[/.]/g, "-");
  const list = join(cache, `${name}.json`);
  const compiled = (key) => join(cache, `${name}-${key}`, "main.mjs");
  try {
    const file = compiled(keyOf(read(JSON.parse(readFileSync(list, "utf8")))));
    if (existsSync(file)) return file;
  } catch {
    // Nothing was compiled yet, or a file is gone.
  }
  const folder = join(cache, `${name}-${randomUUID()}`);
  mkdirSync(folder, { recursive: true });
  const contents = await compile(entry, folder);
  for (const [file, content] of read(compiler)) contents.set(file, content);
  const file = compiled(keyOf(contents));
  try {
    renameSync(folder, dirname(file));
  } catch (error) {
    // Another process compiled the same.
    rmSync(folder, { recursive: true });
    if (!existsSync(file)) throw error;
  }
  atomically(list, JSON.stringify([...contents.keys()]));
  sweep(`${name}-`);
  return file;
};

/** What Pulumi's SDK loads to serialize functions, and to run engines: a third of the time that a program takes to start, and none here does it. */
const rarelyUsed = [
  "@npmcli/arborist",
  "@pulumi/pulumi/automation",
  "@pulumi/pulumi/typescript-shim.js",
  "normalize-package-data",
];

/** Has a module loaded once something of it is used. */
const deferLoading = (name) => {
  const require = module.createRequire(join(root, "node_modules/@pulumi/pulumi/package.json"));
  let path;
  try {
    path = require.resolve(name);
  } catch {
    return;
  }
  if (path in require.cache) return;
  let loaded;
  const get = (_target, property) => {
    // An import of TypeScript's reads all properties of what does not say this.
    if (property === "__esModule") return true;
    delete require.cache[path];
    return (loaded ??= require(path))[property];
  };
  require.cache[path] = Object.assign(new module.Module(path), { loaded: true, exports: new Proxy({}, { get }) });
};

/** Loads a file of the project, given by its path from the root, and returns its exports. */
export const load = async (entry) => {
  rarelyUsed.forEach(deferLoading);
  // Of packages no maps are read, where Node.js can tell the difference.
  (module.setSourceMapsSupport ?? process.setSourceMapsEnabled)(true, { nodeModules: false });
  module.enableCompileCache?.(join(root, "node_modules", ".cache", "node"));
  let file;
  try {
    file = await bundle(entry);
  } catch (error) {
    if (!["EROFS", "EACCES", "EPERM"].includes(error.code)) throw error;
    // The checkout may not be written to: each file is compiled while it is loaded.
    (await import("tsx/esm/api")).register();
    file = join(root, entry);
  }
  return import(pathToFileURL(file).href);
};
