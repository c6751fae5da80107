import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

import ts from "typescript";

export interface PassedOptions {
  /** The project's root, with its tsconfig.json. */
  root: string;
  /** The file that keeps the keys. */
  store: string;
  /** Files that decide for each file whether it passes, such as the rules. Paths are relative to the root. */
  common: readonly string[];
  /** Number of keys that are kept. Those of other branches stay until then. @default 8,000 */
  most?: number;
}

/** Checks files, and returns those that passed. */
type Check = (files: string[]) => Promise<readonly string[]>;

/**
 * Has files checked that did not pass yet, by a check whose verdict on a file depends on what it imports too, as that of rules that know
 * types does. ESLint's own cache looks at the file alone.
 *
 * A file's key is a hash of its content, of every file of the project that it imports, directly or by others, for its types alone too, of
 * ambient declarations, of the common files, and of Node.js's version. The keys of files that passed are kept, and nothing else.
 */
export class Passed {
  constructor(private readonly options: PassedOptions) {}

  /** Checks those of the files that have no key of one that passed. Paths are relative to the root. */
  async check(files: readonly string[], check: Check): Promise<void> {
    const kept = this.kept();
    const keys = this.keys(files);
    const unknown = files.filter((file) => !kept.includes(keys.get(file) ?? ""));
    const passed = unknown.length > 0 ? await check(unknown) : [];
    // What was edited meanwhile may have been read before or after.
    const now = passed.length > 0 ? this.keys(files) : keys;
    const unchanged = files.filter((file) => now.get(file) === keys.get(file));
    const good = unchanged.filter((file) => passed.includes(file) || !unknown.includes(file));
    this.keep(new Set([...good.map((file) => keys.get(file) ?? ""), ...kept]));
  }

  private kept(): string[] {
    try {
      return JSON.parse(readFileSync(this.options.store, "utf8")) as string[];
    } catch {
      return [];
    }
  }

  private keep(keys: ReadonlySet<string>): void {
    const { store, most = 8_000 } = this.options;
    const next = `${store}.${process.pid.toString()}`;
    mkdirSync(dirname(store), { recursive: true });
    writeFileSync(next, JSON.stringify([...keys].slice(0, most)));
    renameSync(next, store);
  }

  private keys(files: readonly string[]): Map<string, string> {
    const sources = new Sources(this.options.root);
    const ambient = files.filter((file) => sources.isAmbient(file));
    const common = [...this.options.common, ...sources.closure(ambient)].map((file) => sources.digest(file));
    return new Map(
      files.map((file) => {
        const read = [...sources.closure([file])].sort().map((each) => sources.digest(each));
        return [file, hashOf([process.version, ...common, file, ...read].join("\n"))];
      }),
    );
  }
}

/** The files of a project as they are now, each read once, by their paths from the root. */
class Sources {
  private readonly root: string;
  private readonly compiler: ts.CompilerOptions;
  private readonly resolutions: ts.ModuleResolutionCache;
  private readonly texts = new Map<string, string>();
  private readonly digests = new Map<string, string>();
  private readonly imports = new Map<string, readonly string[]>();

  constructor(root: string) {
    this.root = realpathSync(root);
    const read = ts.readConfigFile(join(this.root, "tsconfig.json"), (path) => ts.sys.readFile(path));
    const host = { ...ts.sys, readDirectory: () => [] };
    this.compiler = ts.parseJsonConfigFileContent(read.config, host, this.root).options;
    this.resolutions = ts.createModuleResolutionCache(this.root, (name) => name, this.compiler);
  }

  /** Whether what a file declares holds in others that do not import it. */
  isAmbient(file: string): boolean {
    return file.endsWith(".d.ts") || /\bdeclare\s+(?:global|module)\b/.test(this.text(file));
  }

  /** The files, with all that they import of the project. */
  closure(files: readonly string[]): Set<string> {
    const reached = new Set(files);
    for (const file of reached) for (const each of this.importsOf(file)) reached.add(each);
    return reached;
  }

  digest(file: string): string {
    const digest = this.digests.get(file) ?? `${file} ${hashOf(this.text(file))}`;
    this.digests.set(file, digest);
    return digest;
  }

  private importsOf(file: string): readonly string[] {
    const known = this.imports.get(file);
    if (known !== undefined) return known;
    const { importedFiles, referencedFiles } = ts.preProcessFile(this.text(file), true, true);
    const imports = [
      ...importedFiles.map(({ fileName }) => this.resolve(fileName, join(this.root, file))),
      ...referencedFiles.map(({ fileName }) => join(dirname(file), fileName)),
    ].filter((each) => each !== undefined);
    this.imports.set(file, imports);
    return imports;
  }

  /** The file of the project that an import means. package-lock.json decides about what is in node_modules. */
  private resolve(name: string, from: string): string | undefined {
    const { resolvedModule } = ts.resolveModuleName(name, from, this.compiler, ts.sys, this.resolutions);
    const path = resolvedModule?.resolvedFileName ?? (name.startsWith(".") ? join(dirname(from), name) : undefined);
    const file = path === undefined ? "" : relative(this.root, path);
    return file.startsWith("..") || file.includes("node_modules/") || file === "" ? undefined : file;
  }

  private text(file: string): string {
    const path = join(this.root, file);
    const text = this.texts.get(file) ?? (existsSync(path) ? readFileSync(path, "utf8") : "");
    this.texts.set(file, text);
    return text;
  }
}

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 32);
