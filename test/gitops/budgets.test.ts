import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "chai";
import { isDeepStrictEqual } from "node:util";
import { parseAllDocuments } from "yaml";

import { at, treeObject, type TreeObject } from "../../infra/tree-objects.ts";

const root = join(import.meta.dirname, "../../gitops");

/** The tree's own manifests, by the folder that they are in. */
const manifests = (): (TreeObject & { folder: string })[] =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".yaml"))
    .flatMap(({ parentPath: folder, name }) =>
      parseAllDocuments(readFileSync(join(folder, name), "utf8"), { logLevel: "silent" }).map((document) => ({
        ...treeObject(document.toJS()),
        folder,
      })),
    );

describe("what runs in several copies", () => {
  const all = manifests();
  const several = all.filter(({ object }) => Number(at(object, "spec", "replicas")) > 1);

  it("is there", () => {
    expect(several.map(({ name }) => name)).to.include.members(["cloudflared", "oauth2-proxy"]);
  });

  for (const { kind, name, folder, object } of several) {
    it(`is never drained from a node all at once: ${kind} ${name}`, () => {
      const budgets = all.filter((each) => each.kind === "PodDisruptionBudget" && each.folder === folder);
      const selected = at(object, "spec", "selector");
      expect(budgets.some((budget) => isDeepStrictEqual(at(budget.object, "spec", "selector"), selected))).to.equal(
        true,
      );
    });
  }
});
