import { at, groupOf, listAt, textAt } from "../../../infra/tree-objects.ts";
import { called, everything, findingAt, type Rule, type Tree } from "./rule.ts";

/** The annotation by which a Service says why people may reach it without signing in. */
const annotation = "hearth.dev/past-sign-on";

/** Shorter ones say nothing. */
const shortestReason = 10;

/** Services that have single sign-on in front of them at the gateways, and that a tunnel leads to directly. */
export const pastSignOn: Rule = (tree) => {
  const guarded = new Set(
    everything(tree)
      .filter((each) => groupOf(each) === "gateway.networking.k8s.io" && each.kind === "HTTPRoute")
      .flatMap(({ object, namespace = "" }) =>
        listAt(object, "spec", "rules")
          .filter((rule) => listAt(rule, "filters").some((filter) => textAt(filter, "type") === "ExternalAuth"))
          .flatMap((rule) => listAt(rule, "backendRefs"))
          .map((backend) => `${textAt(backend, "namespace") ?? namespace}/${textAt(backend, "name") ?? ""}`),
      ),
  );
  return everything(tree)
    .filter(({ kind, namespace = "", name }) => kind === "Service" && guarded.has(`${namespace}/${name}`))
    .filter(({ object }) => {
      const reason = at(object, "metadata", "annotations", annotation);
      return typeof reason !== "string" || reason.length < shortestReason;
    })
    .flatMap((service) =>
      hostsOf(tree, `${service.name}.${service.namespace ?? ""}`).map((host) =>
        findingAt(tree, service, {
          message: `${called(service)} has single sign-on at the gateways, and the tunnel leads ${host} past them`,
          advice: `lead hearth:cloudflare.ingress to a gateway, or say why by the annotation ${annotation}`,
        }),
      ),
    );
};

/** Host names that tunnels lead to a Service, by its name and namespace. */
const hostsOf = ({ config: { cloudflare } }: Tree, service: string): string[] =>
  [...(cloudflare?.ingress ?? []), ...Object.values(cloudflare?.tunnels ?? {}).flatMap(({ ingress }) => ingress)]
    .filter((rule) => {
      const host = /^[a-z]+:\/\/([^:/]+)/.exec(rule.service)?.[1] ?? "";
      return host === service || host.startsWith(`${service}.svc`);
    })
    .map(({ hostname }) => hostname);
