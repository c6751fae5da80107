import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { projects } from "../../toolchain/projects.ts";
import { ToolCache } from "../../toolchain/cache.ts";
import { requiredVersion } from "../../toolchain/gomod.ts";
import { withLock } from "../../toolchain/lock.ts";
import { moduleFolders } from "../../toolchain/modules.ts";
import { askProgram } from "./program.ts";

const root = join(import.meta.dirname, "../..");
const charts = join(root, "toolchain/charts");

const kubernetes = "k8s.io/kubernetes";
const operator = "github.com/controlplaneio-fluxcd/flux-operator";

/** What decides what the schemas are, beside the versions of Kubernetes and of Flux's operator. */
const pins = [
  "toolchain/charts/go.mod",
  "toolchain/charts/go.sum",
  "toolchain/tree/schemas.go",
  "toolchain/tree/openapi.go",
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
  await withLock(cache.lock(`schemas-${key}`), async () => {
    if (await cache.has("schemas", key)) return;
    const sources = await schemaSources(flux);
    await cache.work(async (work) => {
      await askProgram("index", { ...sources, out: join(work, "schemas") });
      await cache.add("schemas", key, work);
    });
  });
  return file;
};

const contentKey = async (flux: string): Promise<string> => {
  const hash = createHash("sha256").update(flux).update(JSON.stringify(projects));
  const goMod = await readFile(join(root, "go.mod"), "utf8");
  for (const module of [kubernetes, operator]) hash.update(requiredVersion(goMod, module));
  for (const pin of pins) hash.update(await readFile(join(root, pin)));
  return hash.digest("hex").slice(0, 32);
};

/** Folders and files that schemas are read from, by project. */
const schemaSources = async (flux: string) => {
  const [kubernetesFolder = "", operatorFolder = ""] = await moduleFolders(root, [kubernetes, operator]);
  const folders = await definitionFiles(projects.map(({ name }) => name));
  return {
    kubernetes: { name: "kubernetes", paths: [join(kubernetesFolder, "api/openapi-spec/v3")] },
    projects: [
      {
        name: "flux",
        paths: [join(operatorFolder, "config/crd/bases"), join(operatorFolder, "config/data/flux", flux)],
      },
      ...[...folders].map(([name, paths]) => ({ name, paths })),
    ],
  };
};

/** Folders and files of CustomResourceDefinitions of the projects named, downloaded where they are missing. */
export const definitionFiles = async (names: readonly string[]): Promise<Map<string, string[]>> => {
  const wanted = projects.filter(({ name }) => names.includes(name));
  const folders = await moduleFolders(
    charts,
    wanted.map(({ module }) => module),
  );
  return new Map(
    wanted.map(({ name, definitions }, index) => [name, definitions.map((path) => join(folders[index] ?? "", path))]),
  );
};
