import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "chai";

import { imageDigests } from "../../lib/tree/digest-list.ts";
import { renderTree } from "../../lib/tree/render.ts";
import { pendingFile, pendingImages, withoutDigest } from "../../lib/tree/rules/digests.ts";

const root = join(import.meta.dirname, "../..");

/** Images of the tree's files without a digest, of systems that are off too. */
const written = globSync("gitops/**/*.yaml", { cwd: root, exclude: ["**/*.sops.yaml"] }).flatMap((file) =>
  [
    ...readFileSync(join(root, file), "utf8").matchAll(/^\s*-?\s*image(?:Name)?: ([^\s@]+\/[^\s@]+:[^\s@]+)$/gm),
  ].flatMap(([, image]) => image ?? []),
);

/** Releases of all systems, as they are written. */
const releases = globSync("gitops/infrastructure/**/*.yaml", { cwd: root, exclude: ["**/*.sops.yaml"] }).flatMap(
  (file) =>
    [...readFileSync(join(root, file), "utf8").matchAll(/^kind: HelmRelease\nmetadata:\n {2}name: (\S+)$/gm)].flatMap(
      ([, name]) => name ?? [],
    ),
);

describe("the digests of images", function () {
  this.timeout(120_000);

  it("are there, or the list says why one is not yet, and says nothing that is no longer so", async () => {
    const pending = pendingImages(readFileSync(join(root, pendingFile), "utf8"));
    const clusters = await Promise.all(["dev", "prod"].map((stack) => renderTree(root, stack)));
    const rendered = withoutDigest(clusters.flatMap(({ objects }) => objects));
    const own = new Set([...written, ...rendered]);
    expect(Object.keys(pending)).to.include.members([...own]);
    const recorded = imageDigests.read(root);
    for (const [image, reason] of Object.entries(pending)) {
      expect(reason.length, image).to.be.greaterThan(10);
      if (own.has(image)) continue;
      // What the other lines are of is known with the charts alone: npx hearth check --charts.
      const release = /^of the release (\S+), /.exec(reason)?.[1] ?? "";
      expect(releases, image).to.include(release);
      expect(recorded, image).not.to.have.property(image);
    }
  });
});
