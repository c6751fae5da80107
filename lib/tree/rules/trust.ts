import { listAt, textAt } from "../../../infra/tree-objects.ts";
import { called, everything, findingAt, type Rule, type Tree } from "./rule.ts";

/** Where programs are told who signs people in. */
const issuerUrl = /(?:oidc-issuer-url=|"(?:token_url|api_url|issuer|issuerUrl|issuerURL)":")https:\/\/([^/"\\]+)/g;

/**
 * Programs that sign people in at a host whose certificate nobody trusts, because the issuer is a staging one. They end as they start, or refuse
 * everybody.
 */
export const trust: Rule = (tree) => {
  const hosts = untrusted(tree);
  if (hosts.length === 0) return [];
  return everything(tree).flatMap((object) => {
    const asked = [...JSON.stringify(object.object).matchAll(issuerUrl)].map(([, host = ""]) => host);
    return [...new Set(asked)]
      .filter((host) => hosts.some((pattern) => covers(pattern, host)))
      .map((host) =>
        findingAt(tree, object, {
          message: `${called(object)} signs people in at ${host}, whose certificate is of a staging issuer, which it does not trust`,
          advice: "set cluster_issuer to letsencrypt-production in the cluster's environment.yaml",
        }),
      );
  });
};

/** Host names of listeners whose certificates come from a staging issuer. */
const untrusted = (tree: Tree): string[] => {
  const all = everything(tree);
  const staging = all
    .filter(
      ({ kind, object }) => kind === "ClusterIssuer" && textAt(object, "spec", "acme", "server")?.includes("staging"),
    )
    .map(({ name }) => name);
  return all
    .filter(
      ({ kind, object }) =>
        kind === "Gateway" &&
        staging.includes(textAt(object, "metadata", "annotations", "cert-manager.io/cluster-issuer") ?? ""),
    )
    .flatMap(({ object }) => listAt(object, "spec", "listeners").map((each) => textAt(each, "hostname") ?? ""));
};

const covers = (pattern: string, host: string): boolean =>
  pattern === host || (pattern.startsWith("*.") && host.endsWith(pattern.slice(1)));
