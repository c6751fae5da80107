import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "chai";
import { parse } from "yaml";

import { kernelSection } from "../../../../components/talos/documents/kernel.ts";
import { parseConfig } from "../../../../infra/config/index.ts";
import { changed } from "../../../support/changes.ts";

const guide = readFileSync(join(import.meta.dirname, "../../../../docs/guides/volumes.md"), "utf8");

describe("the guide to volumes", () => {
  it("shows an image profile that the configuration takes, and machines load LINSTOR's modules with", () => {
    const [, block = ""] = /```yaml\n(hearth:images:\n[\s\S]*?)```/.exec(guide) ?? [];
    const { storage } = (parse(block) as Record<string, Record<string, unknown>>)["hearth:images"] ?? {};
    const { images } = parseConfig(
      "dev",
      changed("dev", ["images/storage", storage], ["nodes/den-dev-wk01/image", "storage"]),
    );
    expect(images.storage?.extensions).to.include.members(["siderolabs/drbd", "siderolabs/iscsi-tools"]);
    expect(kernelSection(images.storage?.kernelModules ?? [], {})).to.deep.include({
      kernel: {
        modules: [
          { name: "drbd", parameters: ["usermode_helper=disabled"] },
          { name: "drbd_transport_tcp" },
          { name: "dm-thin-pool" },
        ],
      },
    });
  });
});
