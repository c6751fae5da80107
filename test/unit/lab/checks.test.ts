import { expect } from "chai";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unreadyNodes } from "../../../lab/checks.ts";
import { Lab } from "../../../lab/lab.ts";
import { labFolder } from "../../../lib/engine/lab-folder.ts";
import { parse, stringify } from "yaml";

describe("a lab that is up", () => {
  const node = (name: string, isReady = true) => ({ name, isReady, version: "v1.36.0", address: "127.0.0.1" });

  it("has every machine of the stack file as a node, and all are Ready", () => {
    expect(unreadyNodes(["cp01", "wk01"], [node("cp01"), node("wk01")])).to.deep.equal([]);
    expect(unreadyNodes(["cp01", "wk01"], [node("cp01", false)])).to.deep.equal([
      "machine wk01 is no node yet",
      "node cp01 is not Ready",
    ]);
    expect(unreadyNodes(["cp01"], [])).to.deep.equal(["machine cp01 is no node yet"]);
  });

  it("may have further nodes, which are Ready too", () => {
    expect(unreadyNodes(["cp01"], [node("cp01"), node("gone")])).to.deep.equal([]);
    expect(unreadyNodes(["cp01"], [node("cp01"), node("gone", false)])).to.deep.equal(["node gone is not Ready"]);
  });

  it("counts the machines of pools, and finds them by their address", async () => {
    const root = await mkdtemp(join(tmpdir(), "hearth-machines-"));
    try {
      const { config } = parse(await readFile("Pulumi.dev.yaml", "utf8")) as { config: object };
      const pool = {
        ...{ platform: "proxmox", role: "worker", image: "standard", count: 2, addresses: "10.20.0.31-10.20.0.40" },
        proxmox: { hosts: ["pve1"], vmIds: "2031-2040", cores: 2, memory: 4096, disk: 40 },
      };
      await writeFile(
        join(root, "Pulumi.dev.yaml"),
        stringify({ config: { ...config, "hearth:pools": { "den-dev-gw": pool } } }),
      );
      const lab = await Lab.open(labFolder(root, "dev"));
      expect(lab.machines).to.include.members(["den-dev-cp01", "den-dev-gw01", "den-dev-gw02"]);
      expect(lab.nodeAt("127.20.0.32")).to.equal("den-dev-gw02");
    } finally {
      await rm(root, { recursive: true });
    }
  });
});
