import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { expect } from "chai";

import { schematicDocument, schematicId } from "../../../../components/talos/schematic.ts";
import type { HearthConfig } from "../../../../infra/config/index.ts";
import { firstBoots, type FirstBoot } from "../../../../operations/boot/images.ts";
import { register } from "../../../../operations/boot/register.ts";
import { bootText } from "../../../../operations/boot/text.ts";
import { Internet } from "../../../../operations/doctor/internet.ts";
import { configOf } from "../../../support/doctor.ts";

const prod = (change: (config: HearthConfig) => void = () => undefined): HearthConfig => {
  const config = configOf("prod");
  change(config);
  return config;
};

const first = (config: HearthConfig): FirstBoot => {
  const [boot] = firstBoots(config, "prod");
  if (boot === undefined) throw new Error("prod boots nothing");
  return boot;
};

describe("what machines of metal boot", () => {
  it("is one ISO for all of a profile and firmware", () => {
    const config = prod();
    const boots = firstBoots(config, "prod");
    const metal = Object.entries(config.nodes).filter(([, { platform }]) => platform === "metal");
    expect(boots.flatMap(({ machines }) => machines.map(({ name }) => name))).to.have.members(
      metal.map(([name]) => name),
    );
    for (const { iso, schematic, isSecureBoot } of boots) {
      expect(iso).to.equal(
        `${config.imageFactory}/image/${schematic}/${config.cluster.talos}/metal-amd64${isSecureBoot ? "-secureboot" : ""}.iso`,
      );
    }
    expect(new Set(boots.map(({ iso }) => iso)).size).to.equal(boots.length);
  });

  it("differs where one machine has another firmware or processor", () => {
    const config = prod(({ nodes, images }) => {
      const [a, b] = Object.values(nodes);
      if (!a || !b) throw new Error("prod has one machine");
      a.secureBoot = !(a.secureBoot ?? false);
      images.arm = { ...images[b.image], architecture: "arm64" } as never;
      b.image = "arm";
    });
    const files = firstBoots(config, "prod").map(({ iso }) => iso.split("/").at(-1));
    expect(new Set(files).size).to.equal(files.length);
    expect(files.filter((file) => file?.startsWith("metal-arm64"))).to.have.length(1);
  });

  it("is refused for a node that is not there, and for a virtual machine", () => {
    expect(() => firstBoots(prod(), "prod", "nobody")).to.throw(/^Pulumi\.prod\.yaml has no node nobody: it has /);
    const [name = ""] = Object.keys(configOf("dev").nodes);
    expect(() => firstBoots(configOf("dev"), "dev", name)).to.throw(
      `${name} is a virtual machine, which deploy makes and boots by itself: there is nothing to boot it from`,
    );
  });

  it("is told with the address that each machine needs", () => {
    const boot = first(prod());
    const text = bootText([boot], "prod");
    for (const { mac, address } of boot.machines) expect(text).to.contain(`${mac}  ${address}`);
    expect(text).to.contain(boot.iso);
    expect(text).to.contain(`https://pxe.factory.talos.dev/pxe/${boot.schematic}/`);
    expect(text.includes("Enroll Secure Boot keys: auto")).to.equal(boot.isSecureBoot);
    expect(bootText([{ ...boot, isSecureBoot: !boot.isSecureBoot }], "prod").includes("setup mode")).to.equal(
      !boot.isSecureBoot,
    );
  });

  describe("in a network without DHCP", () => {
    const one = (change: (node: HearthConfig["nodes"][string]) => void = () => undefined) => {
      const config = prod(({ nodes }) => {
        for (const node of Object.values(nodes)) {
          delete node.vlan;
          delete node.bond;
          change(node);
        }
      });
      return { config, boots: () => firstBoots(config, "prod", undefined, true) };
    };

    it("is an image for each machine, with its address on the link that has its hardware address", () => {
      const { config, boots } = one();
      const all = boots();
      expect(all.map(({ machines }) => machines.map(({ name }) => name))).to.deep.equal(
        Object.keys(config.nodes).map((name) => [name]),
      );
      for (const { document, machines, schematic } of all) {
        const [{ name, address, mac } = { name: "", address: "", mac: "" }] = machines;
        const [subnet, gateway] = [config.network.subnet, config.network.gateway];
        expect(subnet.endsWith("/24")).to.equal(true);
        const link = `enx${mac.toLowerCase().replaceAll(":", "")}`;
        const nameservers = config.network.nameservers.slice(0, 2).join(":");
        expect(document.kernelArguments).to.deep.equal([
          ...(config.images[config.nodes[name]?.image ?? ""]?.kernelArguments ?? []),
          `ip=${address}::${gateway}:255.255.255.0::${link}:off:${nameservers}`,
        ]);
        expect(schematic).to.equal(schematicId(document));
      }
      expect(bootText(all, "prod")).to.contain("needs no DHCP").and.not.to.contain("reserve");
    });

    it("is refused where an address on the first link is not enough, or DHCP stays", () => {
      expect(one((node) => (node.vlan = 100)).boots).to.throw(/^nodes\.den-prod-cp01\.vlan: .*reserve its address/);
      expect(one((node) => (node.bond = { mode: "802.3ad", macs: [] } as never)).boots).to.throw(
        /^nodes\.den-prod-cp01\.bond: .*reserve its address/,
      );
      expect(one((node) => (node.dhcp = true)).boots).to.throw(/^nodes\.den-prod-cp01\.dhcp .*leave --static out/);
    });
  });

  it("is not told over the network by a factory of one's own, which may have no PXE", () => {
    expect(
      bootText([first(prod((config) => void (config.imageFactory = "https://factory.example.com")))], "prod"),
    ).to.not.contain("Network:");
  });
});

describe("the profile of what machines boot", () => {
  const undo: (() => unknown)[] = [];
  afterEach(() => {
    for (const step of undo.splice(0).reverse()) step();
  });

  const posted: string[] = [];

  /** A factory that answers as it is told. */
  const factory = async (answer: (body: string) => { status: number; text: string }): Promise<string> => {
    posted.length = 0;
    const server = createServer((request, response) => {
      let body = "";
      request.on("data", (part: Buffer) => (body += part.toString()));
      request.on("end", () => {
        posted.push(`${request.method ?? ""} ${request.url ?? ""} ${body}`);
        const { status, text } = answer(body);
        response.writeHead(status).end(text);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    undo.push(() => server.close());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port.toString()}`;
  };

  const internet = async (): Promise<Internet> => {
    const made = await Internet.of({});
    undo.push(() => void made.close());
    return made;
  };

  it("is registered", async () => {
    const boot = first(prod());
    const url = await factory(() => ({ status: 201, text: JSON.stringify({ id: schematicId(boot.document) }) }));
    await register(await internet(), url, boot);
    expect(posted).to.deep.equal([`POST /schematics ${schematicDocument(boot.document)}`]);
  });

  const faults: [string, { status: number; text: string }, RegExp][] = [
    [
      "refuses it",
      { status: 400, text: "yaml: unknown field\n" },
      /^hearth:images\.\w+: the Image Factory refuses it with 400: yaml: unknown field$/,
    ],
    [
      "knows it by another ID",
      { status: 201, text: '{"id":"abc"}' },
      /calls it abc, and Hearth computed [0-9a-f]{64}\. Use a release/,
    ],
  ];
  for (const [what, answer, message] of faults) {
    it(`ends with an error where the factory ${what}`, async () => {
      const url = await factory(() => answer);
      const error = await register(await internet(), url, first(prod())).catch((thrown: unknown) => thrown);
      expect((error as Error).message).to.match(message);
    });
  }

  it("ends with an error where nobody answers", async () => {
    const error = await register(await internet(), "http://127.0.0.1:9", first(prod())).catch(
      (thrown: unknown) => thrown,
    );
    expect((error as Error).message).to.match(
      /^hearth:imageFactory http:\/\/127\.0\.0\.1:9 does not answer: .*ECONNREFUSED/,
    );
  });
});
