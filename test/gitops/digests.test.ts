import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "chai";

import { renderTree } from "../../lib/tree/render.ts";
import { pendingFile, pendingImages, withoutDigest } from "../../lib/tree/rules/digests.ts";

const root = join(import.meta.dirname, "../..");

/** Images of the tree's files without a digest, of systems that are off too. */
const written = globSync("gitops/**/*.yaml", { cwd: root, exclude: ["**/*.sops.yaml"] }).flatMap((file) =>
  [
    ...readFileSync(join(root, file), "utf8").matchAll(/^\s*-?\s*image(?:Name)?: ([^\s@]+\/[^\s@]+:[^\s@]+)$/gm),
  ].flatMap(([, image]) => image ?? []),
);

describe("the digests of images", function () {
  this.timeout(120_000);

  it("are there, or the list says why one is not yet, and says nothing that is no longer so", async () => {
    const pending = pendingImages(readFileSync(join(root, pendingFile), "utf8"));
    const clusters = await Promise.all(["dev", "prod"].map((stack) => renderTree(root, stack)));
    const rendered = withoutDigest(clusters.flatMap(({ objects }) => objects));
    expect(Object.keys(pending)).to.have.members([...new Set([...written, ...rendered])]);
    for (const [image, reason] of Object.entries(pending)) expect(reason.length, image).to.be.greaterThan(10);
  });
});
