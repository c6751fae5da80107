import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "chai";
import { parse } from "yaml";

import { renderCluster, type RenderedObject } from "../../lib/tree/render.ts";

const root = join(import.meta.dirname, "../..");
const security = join(root, "gitops/infrastructure/security");

interface Route {
  spec: { hostnames: string[]; rules: { filters?: { type: string; externalAuth?: { backendRef: Reference } }[] }[] };
}

interface Reference {
  name: string;
  namespace?: string;
}

interface Grant {
  spec: { from: { kind: string; namespace: string }[]; to: { name: string }[] };
}

interface Realm {
  clients: { clientId: string; redirectUris: string[] }[];
}

const asks = ({ kind, object }: RenderedObject): boolean =>
  kind === "HTTPRoute" &&
  (object as Route).spec.rules.some(({ filters = [] }) => filters.some(({ type }) => type === "ExternalAuth"));

describe("single sign-on", function () {
  this.timeout(120_000);

  for (const stack of ["dev", "prod"]) {
    describe(`in ${stack}`, () => {
      let objects: RenderedObject[];

      before(async () => {
        objects = await renderCluster(root, stack);
      });

      it("is asked for by routes on every one of their rules", () => {
        const asking = objects.filter(asks);
        expect(asking).not.to.have.lengthOf(0);
        for (const { object, name } of asking) {
          for (const { filters = [] } of (object as Route).spec.rules) {
            expect(
              filters.map(({ type }) => type),
              name,
            ).to.include("ExternalAuth");
          }
        }
      });

      it("is granted to every namespace that asks, and to no other", () => {
        const asking = new Set(objects.filter(asks).map(({ namespace }) => namespace));
        const granted = objects
          .filter(({ kind, namespace }) => kind === "ReferenceGrant" && namespace === "oauth2-proxy")
          .flatMap(({ object }) => (object as Grant).spec.from.map((from) => from.namespace));
        expect(granted).to.have.members([...asking]);
      });
    });
  }

  it("has its callbacks in the realm for every host name that asks", async () => {
    const { clients } = parse(readFileSync(join(security, "keycloak/config/realm.yaml"), "utf8")) as Realm;
    const callbacks = clients.find(({ clientId }) => clientId === "oauth2-proxy")?.redirectUris ?? [];
    const hosts = (await renderCluster(root, "prod"))
      .filter(asks)
      .flatMap(({ object }) => (object as Route).spec.hostnames);
    const domain = /^https:\/\/[^.]+\.\$\{apps_domain\}\/oauth2\/callback$/;
    expect(hosts).not.to.have.lengthOf(0);
    for (const callback of callbacks) expect(callback).to.match(domain);
    expect(callbacks.map((callback) => callback.replace(/^https:\/\/([^.]+)\..*$/, "$1"))).to.include.members(
      hosts.map((host) => host.split(".")[0] ?? ""),
    );
  });
});
