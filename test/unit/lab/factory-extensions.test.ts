import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { talosReleases } from "../../../components/talos/releases/index.ts";

describe("the lab's Image Factory", () => {
  it("has the extensions that the program knows, of each release", async () => {
    for (const { minor, extensions } of talosReleases) {
      const file = new URL(`../../../lab/internal/factory/extensions/${minor}.txt`, import.meta.url);
      expect((await readFile(file, "utf8")).trim().split("\n"), minor).to.have.members([...extensions]);
    }
  });
});
