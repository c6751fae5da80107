import { groupOf, listAt, textAt } from "../../../infra/tree-objects.ts";
import { called, everything, findingAt, type Rule, type Tree } from "./rule.ts";

/**
 * Host names that external-dns publishes behind Cloudflare, and that no certificate there covers. Its own covers the zone and one level below.
 *
 * Source: Cloudflare, Universal SSL, limitations; infra/config/checks/edge.ts holds the tunnel's rules to the same.
 */
export const publicNames: Rule = (tree) => {
  const zone = tree.config.cloudflare?.zone;
  const gateway = publishedGateway(tree);
  if (zone === undefined || gateway === undefined) return [];
  const covered = [zone.name, `*.${zone.name}`, ...zone.certificates];
  const isCovered = (host: string): boolean =>
    covered.some((name) => name === host || (name.startsWith("*.") && host.replace(/^[^.]+/, "*") === name));
  return everything(tree)
    .filter((each) => groupOf(each) === "gateway.networking.k8s.io" && each.kind === "HTTPRoute")
    .filter(({ object }) => listAt(object, "spec", "parentRefs").some((parent) => textAt(parent, "name") === gateway))
    .flatMap((route) =>
      listAt(route.object, "spec", "hostnames")
        .filter((host): host is string => typeof host === "string")
        .filter((host) => host.endsWith(`.${zone.name}`) && !isCovered(host))
        .map((host) =>
          findingAt(tree, route, {
            message: `${called(route)}: ${host} is published, and no certificate of Cloudflare covers it, so browsers refuse it`,
            advice: `use a name one level below ${zone.name}, do not attach it to ${gateway}, or order a certificate and name it in cloudflare.zone.certificates`,
          }),
        ),
    );
};

/** The gateway whose routes external-dns publishes through Cloudflare's proxies. */
const publishedGateway = (tree: Tree): string | undefined => {
  const release = tree.objects.find(({ kind, name }) => kind === "HelmRelease" && name === "external-dns");
  const given = listAt(release?.object, "spec", "values", "extraArgs");
  if (!given.includes("--cloudflare-proxied")) return undefined;
  return given.map((each) => /^--gateway-name=(.+)$/.exec(String(each))?.[1]).find((name) => name !== undefined);
};
