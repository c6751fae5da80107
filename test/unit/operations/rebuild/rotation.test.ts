import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { requireNoRotation } from "../../../../operations/rebuild/rotation.ts";
import { messageOf } from "../../../support/failure.ts";

describe("a rotation that is not finished", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "hearth-rotation-"));
  });

  afterEach(() => rm(folder, { recursive: true }));

  const check = async (settings: string): Promise<void> => {
    const stackFile = join(folder, "Pulumi.dev.yaml");
    await writeFile(stackFile, `config:\n  hearth:cluster: { name: den-dev }\n${settings}`);
    return requireNoRotation({ stack: "dev", stackFile });
  };

  it("stops a rebuild, which names the command that finishes it and nothing of its secret", async () => {
    const message = await messageOf(check("  hearth-rotation:os:\n    secure: v1:secret\n"));
    expect(message).to.contain("npx hearth rotate dev talos-authority").and.not.to.contain("v1:secret");
    expect(await messageOf(check("  hearth-rotation:k8s: { secure: v1:a }\n"))).to.contain("dev kubernetes-authority");
  });

  it("is none in any other stack file", async () => {
    await check("  hearth:proxmoxToken: { secure: v1:a }\n");
  });
});
