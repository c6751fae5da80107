import { access } from "node:fs/promises";
import { join } from "node:path";
import { moduleFolder } from "../../toolchain/modules.ts";
import { Toolchain } from "../../toolchain/toolchain.ts";

const root = join(import.meta.dirname, "..", "..");

/** Paths of the given programs, from the folder HEARTH_PROGRAMS if it has them all, else from the toolchain. */
export const labPrograms = async (...names: string[]): Promise<Record<string, string>> => {
  const folder = process.env.HEARTH_PROGRAMS;
  if (folder !== undefined) {
    const paths = Object.fromEntries(names.map((name) => [name, join(folder, name)]));
    const all = await Promise.allSettled(Object.values(paths).map((path) => access(path)));
    if (all.every(({ status }) => status === "fulfilled")) return paths;
  }
  return new Toolchain({ root }).ensure(names);
};

const modules: Record<string, { folder: string; module: string; below: string }> = {
  kwok: { folder: ".", module: "sigs.k8s.io/kwok", below: "" },
  "flux-operator": {
    folder: ".",
    module: "github.com/controlplaneio-fluxcd/flux-operator",
    below: "",
  },
  cilium: { folder: "toolchain/charts", module: "github.com/cilium/cilium", below: "install/kubernetes/cilium" },
};

/** Folders of the Go module cache that the lab reads: those of kwok, flux-operator and the Cilium chart. */
export const labData = async (): Promise<Record<string, string>> =>
  Object.fromEntries(
    await Promise.all(
      Object.entries(modules).map(async ([name, { folder, module, below }]) => [
        name,
        join(await moduleFolder(join(root, folder), module), below),
      ]),
    ),
  ) as Record<string, string>;
