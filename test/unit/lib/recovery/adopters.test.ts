import { expect } from "chai";

import type { Adopter, Creation, Found } from "../../../../lib/recovery/adoption/adopter.ts";
import { cloudflareAdopters } from "../../../../lib/recovery/adoption/cloudflare.ts";
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
    expect(await adopter(cloudflareAdopters, ":ZeroTrustTunnelCloudflared")(creation(tunnel, world))).to.deep.include({
      id: "2",
    });
  });

  it("does not choose between two tunnels of a name", async () => {
    const world = {
      results: [
        { id: "1", name: "den-dev" },
        { id: "2", name: "den-dev" },
      ],
    };
    const found = adopter(cloudflareAdopters, ":ZeroTrustTunnelCloudflared")(creation(tunnel, world));
    expect(await failure(found)).to.contain("Cloudflare has 2 tunnels of the name den-dev: remove those");
  });

  it("finds the one of several records that says the same, and a single one whatever it says", async () => {
    const record = { zoneId: "z", name: "example.com", type: "TXT", content: "b" };
    const same = { name: "example.com", type: "TXT" };
    const both = [
      { ...same, id: "1", content: "a" },
      { ...same, id: "2", content: "b" },
    ];
    const adopt = adopter(cloudflareAdopters, ":DnsRecord");
    expect(await adopt(creation(record, { results: both, there: { "2": {} } }))).to.deep.include({ id: "2" });
    expect(await adopt(creation(record, { results: both.slice(0, 1), there: { "1": {} } }))).to.deep.include({
      id: "1",
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
