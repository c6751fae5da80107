import { expect } from "chai";

import { readyServices, routedServices } from "../../../../operations/try/routes.ts";

describe("the Services of routes", () => {
  it("are those that rules lead to, in the route's namespace unless they say another, each once", () => {
    const route = (
      namespace: string,
      ...backendRefs: { name: string; namespace?: string; kind?: string; group?: string }[]
    ) => ({
      metadata: { name: "r", namespace },
      spec: { rules: [{ backendRefs }, {}] },
    });
    expect(
      routedServices([
        route("a", { name: "web" }, { name: "web" }, { name: "shared", namespace: "b" }),
        route("b", { name: "shared" }, { name: "x", kind: "Bucket", group: "example.com" }),
        { metadata: { name: "redirect", namespace: "c" } },
      ]),
    ).to.deep.equal(["a/web", "b/shared"]);
  });

  it("are those that gateways ask whether somebody has signed in, too", () => {
    const backendRef = { name: "oauth2-proxy", namespace: "oauth2-proxy" };
    const rules = [{ backendRefs: [{ name: "web" }], filters: [{ externalAuth: { backendRef } }, {}] }];
    expect(routedServices([{ metadata: { name: "r", namespace: "a" }, spec: { rules } }])).to.deep.equal([
      "a/web",
      "oauth2-proxy/oauth2-proxy",
    ]);
  });

  it("are ready on the nodes that have a ready pod of them", () => {
    const slice = (service: string, ...endpoints: { ready?: boolean; nodeName: string }[]) => ({
      metadata: { namespace: "a", labels: { "kubernetes.io/service-name": service } },
      endpoints: endpoints.map(({ nodeName, ...conditions }) => ({ nodeName, conditions })),
    });
    const found = readyServices([
      slice("web", { ready: true, nodeName: "one" }, { nodeName: "two" }, { ready: false, nodeName: "three" }),
      slice("web", { ready: true, nodeName: "one" }),
      slice("gone", { ready: false, nodeName: "one" }),
      { metadata: { namespace: "a" }, endpoints: null },
      { ...slice("empty"), endpoints: null },
    ]);
    expect([...found].map(([name, nodes]) => [name, [...nodes]])).to.deep.equal([["a/web", ["one", "two"]]]);
  });
});
