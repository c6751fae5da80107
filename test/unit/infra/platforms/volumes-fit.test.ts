import { expect } from "chai";
import fc from "fast-check";

import { examineConfig } from "../../../../infra/config/index.ts";
import { changed } from "../../../support/changes.ts";

/** Whether volumes fit a disk if they are created one after the other, EPHEMERAL first. All in GiB. */
const fits = (disk: number, ephemeral: { min: number; max: number }, volumes: number[]): boolean => {
  const taken = Math.min(ephemeral.max, disk);
  return Math.max(ephemeral.min, 2) <= disk && volumes.reduce((left, size) => left - size, disk - taken) >= 0;
};

describe("the volumes of a virtual machine", () => {
  it("are accepted if and only if its disk holds them", () => {
    const size = fc.integer({ min: 2, max: 120 });
    fc.assert(
      fc.property(
        fc.integer({ min: 10, max: 200 }),
        size,
        size,
        fc.array(size, { maxLength: 3 }),
        (disk, a, b, sizes) => {
          const ephemeral = { min: Math.min(a, b), max: Math.max(a, b) };
          const raw = changed(
            "dev",
            ["nodes/den-dev-wk01/proxmox/disk", disk],
            ["nodes/den-dev-wk01/ephemeral", { minSize: `${ephemeral.min}GiB`, maxSize: `${ephemeral.max}GiB` }],
            [
              "nodes/den-dev-wk01/volumes",
              Object.fromEntries(
                sizes.map((each, index) => [`v${index}`, { disk: "system_disk", minSize: `${each}GiB` }]),
              ),
            ],
          );
          expect(examineConfig(raw).problems.length === 0).to.equal(fits(disk, ephemeral, sizes));
        },
      ),
      { numRuns: 100 },
    );
  });
});
