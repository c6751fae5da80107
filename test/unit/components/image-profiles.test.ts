import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { expect } from "chai";

import { resourceTypes } from "../../../components/resource-types.ts";
import { expectId, ImageProfiles } from "../../../components/talos/image-profiles.ts";
import {
  publicFactory,
  schematicDocument,
  schematicId,
  type ImageProfile,
} from "../../../components/talos/schematic.ts";
import { messageOf } from "../../support/failure.ts";
import { run, type RunOptions } from "../../support/graph.ts";

const plain: ImageProfile = { extensions: [], kernelArguments: [] };
const agent: ImageProfile = { ...plain, extensions: ["siderolabs/qemu-guest-agent"] };

const register = (profiles: Record<string, ImageProfile>, options: RunOptions = {}) =>
  run(() => new ImageProfiles("images", { factory: publicFactory, profiles }), options);

describe("ImageProfiles", () => {
  it("registers the document of each profile", async () => {
    const graph = await register({ default: plain, agent });
    expect(graph.ofType(resourceTypes.schematic).map(({ inputs }) => inputs.schematic)).to.deep.equal([
      schematicDocument(plain),
      schematicDocument(agent),
    ]);
  });

  it("registers profiles that say the same once", async () => {
    const graph = await register({ default: agent, another: { ...agent } });
    graph.ofType(resourceTypes.schematic, { exactly: 1 });
  });

  it("is another resource for another document, because an update changes no ID", async () => {
    const names = async (profile: ImageProfile) =>
      (await register({ default: profile })).ofType(resourceTypes.schematic).map(({ name }) => name);
    expect(await names(plain)).not.to.deep.equal(await names(agent));
  });

  it("asks no factory for anything in a preview", async () => {
    const graph = await register(
      { default: plain },
      { preview: true, ids: { [resourceTypes.schematic]: () => "other" } },
    );
    graph.ofType(resourceTypes.schematic, { exactly: 1 });
  });

  describe("where the factory computes another ID", () => {
    const theirs = "owner: somebody\ncustomization: {}\n";
    let server: Server;
    let factory = "";
    const asked: string[] = [];

    before(async () => {
      server = createServer((request, response) => {
        asked.push(request.url ?? "");
        response.end(theirs);
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      factory = `http://127.0.0.1:${(server.address() as AddressInfo).port.toString()}`;
    });
    after(() => server.close());

    const message = (at: string) => messageOf(expectId(at, "default", agent, "f".repeat(64)));

    it("fails with both documents", async () => {
      expect(await message(factory))
        .to.contain("hearth:images.default")
        .and.to.contain(schematicId(agent));
      expect(await message(factory))
        .to.contain(schematicDocument(agent).trimEnd())
        .and.to.contain(theirs.trimEnd());
      expect(new Set(asked)).to.deep.equal(new Set([`/schematics/${"f".repeat(64)}`]));
    });

    it("says so where the factory does not tell its own", async () => {
      expect(await message("http://127.0.0.1:1"))
        .to.contain(schematicId(agent))
        .and.to.contain("does not answer");
    });
  });
});
