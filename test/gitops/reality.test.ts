import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "chai";
import { parse } from "yaml";

import { at, listAt, textAt } from "../../infra/tree-objects.ts";
import { renderTree, type RenderedCluster } from "../../lib/tree/render.ts";
import { configOf } from "../support/doctor.ts";

const root = join(import.meta.dirname, "../..");
const read = (file: string): unknown => parse(readFileSync(join(root, "gitops", file), "utf8"));

/** What only the programs themselves would tell, and nothing here runs them. */
describe("what the tree tells programs that nothing here runs", function () {
  this.timeout(120_000);

  for (const stack of ["dev", "prod"] as const) {
    describe(`in ${stack}`, () => {
      let objects: RenderedCluster["objects"];
      let kustomizations: RenderedCluster["kustomizations"];
      const named = (kind: string, name: string): unknown =>
        objects.find((each) => each.kind === kind && each.name === name)?.object;

      before(async () => ({ objects, kustomizations } = await renderTree(root, stack)));

      it("has the LAN's DNS answer with gateways of the LAN alone, as k8s_gateway appends every class that it does not filter", () => {
        const shown = listAt(named("HelmRelease", "k8s-gateway"), "spec", "values", "filters", "gatewayClasses");
        expect(shown).to.include(textAt(named("Gateway", "internal"), "spec", "gatewayClassName"));
        const external = textAt(named("Gateway", "external"), "spec", "gatewayClassName") ?? "";
        expect(shown).not.to.include(external);
        expect(textAt(named("GatewayClass", external), "spec", "controllerName")).to.equal(
          "io.cilium/gateway-controller",
        );
      });

      it("mutes the warnings of Ceph that it asks for itself, so that others are seen", () => {
        const ceph = named("CephCluster", "rook-ceph");
        const muted = Object.keys(at(ceph, "spec", "healthCheck", "muteHealthWarning") as object);
        const sizes = objects.flatMap(({ kind, object }) =>
          kind === "CephBlockPool" ? [at(object, "spec", "replicated", "size")] : [],
        );
        expect(muted.includes("POOL_NO_REDUNDANCY")).to.equal(sizes.includes(1));
        const isWeak = at(ceph, "spec", "security", "cephx", "csi", "keyType") === "aes";
        expect(muted.includes("AUTH_INSECURE_CLIENT_KEY_TYPE")).to.equal(isWeak);
      });

      it("lets volumes begin empty until the day of this installation, which is in no file of the tree", () => {
        const days = objects.flatMap(({ kind, object }) =>
          kind === "ReplicationDestination" ? [at(object, "metadata", "annotations", "hearth.dev/empty-until")] : [],
        );
        expect([...new Set(days)]).to.deep.equal([configOf(stack).gitops.emptyUntil]);
      });

      it("lets single sign-on wait for the realm that it asks for", () => {
        const waiting = kustomizations.find(({ name }) => name === "flux-system/oauth2-proxy");
        const waited = listAt(waiting?.object, "spec", "dependsOn").map((each) => textAt(each, "name"));
        expect(waited).to.include("keycloak-realm");
      });
    });
  }

  it("runs no shell in the image of KSOPS, which has none", () => {
    const [plugin] = listAt(read("argocd/values.yaml"), "argoCd", "values", "repoServer", "initContainers");
    expect(textAt(plugin, "image")).to.contain("ksops:v4.5");
    expect(listAt(plugin, "command")[0]).to.equal("/usr/local/bin/ksops");
  });

  it("has a subject in every token, by the scope `basic`, and keeps groups that people made", () => {
    const realm = read("infrastructure/security/keycloak/config/realm.yaml");
    for (const client of listAt(realm, "clients")) {
      expect(listAt(client, "defaultClientScopes"), textAt(client, "clientId")).to.include("basic");
    }
    const job = read("infrastructure/security/keycloak/config/job.yaml");
    expect(listAt(job, "spec", "template", "spec", "containers", 0, "env")).to.deep.include({
      name: "IMPORT_MANAGED_SUBGROUP",
      value: "no-delete",
    });
  });
});
