import { expect } from "chai";

import type { Adopter, Creation, Found } from "../../../../lib/recovery/adoption/adopter.ts";
import { cloudflareAdopters, ownEdge, strangersAt } from "../../../../lib/recovery/adoption/cloudflare.ts";
import { kubernetesAdopters } from "../../../../lib/recovery/adoption/kubernetes.ts";
import type { Properties } from "../../../../lib/recovery/adoption/properties.ts";
import { platformAdopters } from "../../../../lib/recovery/adoption/platforms.ts";
import { randomAdopters } from "../../../../lib/recovery/adoption/random.ts";

const { proxmoxve: proxmoxAdopters = {} } = platformAdopters();

/** A world in which some resources exist, by their identifiers, and which answers every function with the same results. */
const creation = (
  inputs: Properties,
  {
    there = {},
    results = [],
    name = "name",
  }: { there?: Record<string, Properties>; results?: Properties[]; name?: string },
): Creation => ({
  type: "",
  name,
  inputs,
  plan: () => Promise.resolve(inputs),
  read: (id, properties) => Promise.resolve(there[id] && { id, properties: { ...properties, ...there[id] } }),
  invoke: () => Promise.resolve({ results }),
});

const adopter = (adopters: Record<string, Adopter>, type: string): Adopter => {
  const found = Object.entries(adopters).find(([each]) => each.endsWith(type))?.[1];
  if (found === undefined) throw new Error(`No adopter of ${type}`);
  return found;
};

/** A configuration with one record. */
const edgeWith = (record: object) =>
  ({
    cluster: { name: "den-dev" },
    cloudflare: { account: "a", tunnels: {}, zone: { id: "z", name: "example.com" }, records: [record] },
  }) as unknown as Parameters<typeof ownEdge>[0];

const failure = (found: Promise<Found | undefined>): Promise<string> =>
  found.then(
    () => "",
    (error: unknown) => (error as Error).message,
  );

describe("taking over", () => {
  const vm = { vmId: 2011, name: "den-dev-cp01" };
  const machine = adopter(proxmoxAdopters, ":VmLegacy");

  it("finds a virtual machine by its number and its name", async () => {
    const found = await machine(creation(vm, { there: { "2011": { name: "den-dev-cp01", started: true } } }));
    expect(found).to.deep.include({ id: "2011" });
    expect(await machine(creation(vm, {}))).to.equal(undefined);
  });

  it("leaves somebody else's virtual machine alone", async () => {
    expect(await failure(machine(creation(vm, { there: { "2011": { name: "nas" } } })))).to.match(
      /another machine under the number 2011: nas.*Give nodes\.den-dev-cp01\.proxmox another vmId/,
    );
  });

  it("finds an image by its datastore, content and file", async () => {
    const image = { datastoreId: "local", contentType: "import", fileName: "talos.qcow2" };
    const id = "local:import/talos.qcow2";
    expect(await adopter(proxmoxAdopters, ":File")(creation(image, { there: { [id]: {} } }))).to.deep.include({ id });
  });

  const tunnel = { accountId: "a", name: "den-dev" };

  it("finds a tunnel by its whole name", async () => {
    const world = {
      results: [
        { id: "1", name: "den-dev-old" },
        { id: "2", name: "den-dev" },
      ],
      there: { "1": {}, "2": {} },
    };
    expect(await adopter(cloudflareAdopters(), ":ZeroTrustTunnelCloudflared")(creation(tunnel, world))).to.deep.include(
      {
        id: "2",
      },
    );
  });

  it("does not choose between two tunnels of a name", async () => {
    const world = {
      results: [
        { id: "1", name: "den-dev" },
        { id: "2", name: "den-dev" },
      ],
    };
    const found = adopter(cloudflareAdopters(), ":ZeroTrustTunnelCloudflared")(creation(tunnel, world));
    expect(await failure(found)).to.contain("Cloudflare has 2 tunnels of the name den-dev: remove those");
  });

  describe("a record", () => {
    const lostTunnel = "0a1b2c3d-0000-4000-8000-000000000001";
    const others = "0a1b2c3d-0000-4000-8000-000000000002";
    const leading = (tunnelId: string) => `${tunnelId}.cfargotunnel.com`;
    const own = {
      account: "a",
      tunnels: ["den-dev"],
      records: ownEdge(edgeWith({ type: "A", name: "two", content: "192.0.2.1" })).records,
    };

    const tunnels = [
      { id: lostTunnel, name: "den-dev" },
      { id: others, name: "other" },
    ];

    /** Takes a record over where Cloudflare has the ones given, and tunnels: one that the stack had, and another's. */
    const adopt = (wanted: Properties, there: Properties[]): Promise<Found | undefined> => {
      const numbered = there.map((each, index): Properties => ({ ...wanted, id: String(index), ...each }));
      const world = creation(wanted, { there: { "0": {}, "1": {} } });
      const invoke = (token: string) => Promise.resolve({ results: token.includes("DnsRecords") ? numbered : tunnels });
      return adopter(cloudflareAdopters(own), ":DnsRecord")({ ...world, invoke });
    };

    const txt = { zoneId: "z", name: "example.com", type: "TXT", content: "b" };
    const cname = {
      zoneId: "z",
      name: "www.example.com",
      type: "CNAME",
      content: leading("0a1b2c3d-0000-4000-8000-00000000000f"),
    };

    it("is the one of several that says the same, quoted or not", async () => {
      expect(await adopt(txt, [{ content: '"a"' }, { content: '"b"' }])).to.deep.include({ id: "1" });
      const service = {
        zoneId: "z",
        name: "_s._tcp.example.com",
        type: "SRV",
        data: { port: 1, target: "a.example.com" },
      };
      const other = { data: { port: 2, target: "a.example.com" } };
      expect(await adopt(service, [other, { data: { ...service.data, weight: 0 } }])).to.deep.include({ id: "1" });
    });

    it("is made beside others that say something else, and overwrites none", async () => {
      expect(await adopt(txt, [{ content: '"a"' }])).to.equal(undefined);
    });

    it("is taken over where it leads to a tunnel that this stack lost", async () => {
      expect(await adopt(cname, [{ content: leading(lostTunnel) }])).to.deep.include({ id: "0" });
    });

    it("is not overwritten where it leads elsewhere, as a failover does: both are shown", async () => {
      for (const content of ["failover.example.net", leading(others)]) {
        expect(await failure(adopt(cname, [{ content }])))
          .to.contain(`CNAME record of the name www.example.com: it says ${content}`)
          .and.to.contain(`this stack wants ${cname.content}`);
      }
      const address = { zoneId: "z", name: "nas.example.com", type: "A", content: "192.0.2.7" };
      expect(await failure(adopt(address, [{ content: "198.51.100.1" }]))).to.contain("it says 198.51.100.1");
    });

    it("is known before anything begins where it leads elsewhere, whatever kind of record it is", async () => {
      const wanted = [
        { type: "CNAME", name: "www.example.com" },
        { type: "A", name: "nas.example.com", content: "192.0.2.7" },
        { type: "TXT", name: "example.com", content: "b" },
      ];
      const strangers = (...found: Properties[]) =>
        strangersAt(() => Promise.resolve({ results: tunnels }), found, wanted, own);
      expect(
        await strangers(
          { type: "CNAME", name: "www.example.com", content: leading(lostTunnel) },
          { type: "A", name: "nas.example.com", content: "192.0.2.7" },
          { type: "A", name: "nas.example.com", content: "192.0.2.8" },
          { type: "TXT", name: "example.com", content: '"a"' },
          { type: "A", name: "other.example.com", content: "192.0.2.9" },
        ),
      ).to.deep.equal([]);
      const [failover, moved, ...others] = await strangers(
        { type: "A", name: "www.example.com", content: "198.51.100.1" },
        { type: "A", name: "nas.example.com", content: "198.51.100.2" },
      );
      expect(failover)
        .to.contain("another A record of the name www.example.com: it says 198.51.100.1")
        .and.contain("wants its own tunnel");
      expect(moved).to.contain("it says 198.51.100.2, and this stack wants 192.0.2.7");
      expect(others).to.deep.equal([]);
    });

    it("has others of its name beside it where the stack wants several", async () => {
      const second = { zoneId: "z", name: "two.example.com", type: "A", content: "192.0.2.2" };
      expect(await adopt(second, [{ content: "192.0.2.1" }])).to.equal(undefined);
    });
  });

  const created = { metadata: { namespace: "flux-system", name: "sops-age" }, stringData: { key: "value" } };
  const live = (value: string, manager = "pulumi-kubernetes-1a2b") => ({
    "flux-system/sops-age": {
      metadata: { managedFields: [{ manager: "kubectl" }, { manager }] },
      data: { key: Buffer.from(value).toString("base64") },
    },
  });

  it("takes a Secret over that says the same, as its owner", async () => {
    const found = await adopter(kubernetesAdopters, ":Secret")(creation(created, { there: live("value") }));
    expect(found?.properties.__fieldManager).to.equal("pulumi-kubernetes-1a2b");
  });

  it("has a Secret applied anew that says something else, as one from an older snapshot does", async () => {
    expect(await adopter(kubernetesAdopters, ":Secret")(creation(created, { there: live("older") }))).to.equal(
      undefined,
    );
  });

  it("makes a password of the escrow what the program would have drawn", async () => {
    const roots = {
      contract: "v1.13",
      talosSecrets: { certs: { os: { crt: "" } } },
      passwords: { "age-seed": "drawn" },
    };
    const adopt = adopter(randomAdopters(roots), ":RandomPassword");
    const world = { there: { drawn: { result: "drawn", special: true } }, name: "age-seed" };
    expect(await adopt(creation({ length: 64, special: false }, world))).to.deep.equal({
      id: "none",
      properties: { result: "drawn", length: 64, special: false },
    });
    expect(await adopt(creation({}, { name: "another" }))).to.equal(undefined);
  });
});
