import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { projects } from "../../toolchain/projects.ts";
import { ToolCache } from "../../toolchain/cache.ts";
import { withLock } from "../../toolchain/lock.ts";
import { moduleFolder, moduleFolders } from "../../toolchain/modules.ts";
import { askProgram } from "./program.ts";

const toolchain = join(import.meta.dirname, "../../toolchain");

/** The modules' pins, which decide what the schemas are. */
const pins = [
  "charts/go.mod",
  "charts/go.sum",
  "kubernetes/go.mod",
  "flux-operator/go.mod",
  "tree/schemas.go",
  "tree/openapi.go",
];

/**
 * The file of all schemas, written where it is missing: Kubernetes', Flux's and those of every project that has a Go module.
 *
 * @param flux release of Flux. @example "v2.9.4"
 */
export const schemaFile = async (flux: string, cache = new ToolCache()): Promise<string> => {
  const key = await contentKey(flux);
  const file = cache.program("schemas", key);
  if (await cache.has("schemas", key)) return file;
  await cache.prepare();
  await withLock(cache.lock("schemas", key), async () => {
    if (await cache.has("schemas", key)) return;
    const sources = await schemaSources(flux);
    await cache.add("schemas", key, (work) => askProgram("index", { ...sources, out: join(work, "bin", "schemas") }));
  });
  return file;
};

const contentKey = async (flux: string): Promise<string> => {
  const hash = createHash("sha256").update(flux).update(JSON.stringify(projects));
  for (const pin of pins) hash.update(await readFile(join(toolchain, pin)));
  return hash.digest("hex").slice(0, 32);
};

/** Folders and files that schemas are read from, by project. */
const schemaSources = async (flux: string) => {
  const kubernetes = await moduleFolder(join(toolchain, "kubernetes"), "k8s.io/kubernetes");
  const operator = await moduleFolder(
    join(toolchain, "flux-operator"),
    "github.com/controlplaneio-fluxcd/flux-operator",
  );
  const folders = await definitionFiles(projects.map(({ name }) => name));
  return {
    kubernetes: { name: "kubernetes", paths: [join(kubernetes, "api/openapi-spec/v3")] },
    projects: [
      { name: "flux", paths: [join(operator, "config/crd/bases"), join(operator, "config/data/flux", flux)] },
      ...[...folders].map(([name, paths]) => ({ name, paths })),
    ],
  };
};

/** Folders and files of CustomResourceDefinitions of the projects named, downloaded where they are missing. */
export const definitionFiles = async (names: readonly string[]): Promise<Map<string, string[]>> => {
  const wanted = projects.filter(({ name }) => names.includes(name));
  const folders = await moduleFolders(
    join(toolchain, "charts"),
    wanted.map(({ module }) => module),
  );
  return new Map(
    wanted.map(({ name, definitions }, index) => [name, definitions.map((path) => join(folders[index] ?? "", path))]),
  );
};
