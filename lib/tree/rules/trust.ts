import { at, listAt, textAt } from "../../../infra/tree-objects.ts";
import { called, everything, findingAt, type Rule, type Tree, type TreeObject } from "./rule.ts";

/** Where programs are told who signs people in. */
const issuerUrl = /(?:oidc-issuer-url=|"(?:token_url|api_url|issuer|issuerUrl|issuerURL)":")https:\/\/([^/"\\]+)/g;

/** Where programs are told which further authorities they trust. Source: Go's crypto/x509, oauth2-proxy v7.15 and Grafana. */
const trusted = /(?:"SSL_CERT_(?:DIR|FILE)"(?:,"value")?:"|--provider-ca-file=|"tls_client_ca":")([^"]+)/g;

/** What vouches for a host. */
interface Vouching {
  host: string;
  issuer: string;
  isStaging: boolean;
}

/**
 * Programs that ask a host by its name whose certificate they do not trust: it is of a staging issuer, or of an authority of the cluster's own
 * that they are not given. They end as they start, refuse everybody, or say that nothing answers.
 */
export const trust: Rule = (tree) => {
  const hosts = untrusted(tree);
  if (hosts.length === 0) return [];
  return everything(tree).flatMap((object) => {
    if (isGiven(object)) return [];
    return asksOf(object, hosts).map(({ host, what, by }) =>
      findingAt(tree, object, {
        message:
          `${called(object)} ${what} ${host}, whose certificate is of ` +
          (by.isStaging ? "a staging issuer" : `the issuer ${by.issuer}, an authority of the cluster's own`) +
          ", which it does not trust",
        advice: by.isStaging
          ? "set cluster_issuer to letsencrypt-production in the cluster's environment.yaml"
          : "give it the authority, as components/internal-authority does, or leave it out: docs/guides/routes.md",
      }),
    );
  });
};

interface Ask {
  host: string;
  what: string;
  by: Vouching;
}

const asksOf = ({ object }: TreeObject, hosts: readonly Vouching[]): Ask[] => {
  const text = JSON.stringify(object);
  const named = [...new Set([...text.matchAll(issuerUrl)].map(([, host = ""]) => host))];
  const signsIn = named.flatMap((host): Ask[] => {
    const by = hosts.find((each) => covers(each.host, host));
    return by === undefined ? [] : [{ host, what: "signs people in at", by }];
  });
  const [first] = hosts;
  // Source: home-operations/gatus-sidecar v0.5.1, README.
  const probes = first !== undefined && text.includes('"--auto-httproute"');
  return probes ? [...signsIn, { host: first.host, what: "probes", by: first }] : signsIn;
};

/** Whether it is given an authority, from a file that it mounts. */
const isGiven = ({ object }: TreeObject): boolean => {
  const text = JSON.stringify(object);
  const mounts = [...text.matchAll(/"mountPath":"([^"]+)"/g)].map(([, path = ""]) => path);
  return [...text.matchAll(trusted)].some(([, file = ""]) =>
    mounts.some((path) => file === path || file.startsWith(`${path}/`)),
  );
};

/** Host names of listeners whose certificates no image of a program trusts. */
const untrusted = (tree: Tree): Vouching[] => {
  const all = everything(tree);
  const issuers = all.flatMap(({ kind, name, object }): Omit<Vouching, "host">[] => {
    if (kind !== "ClusterIssuer") return [];
    const isStaging = textAt(object, "spec", "acme", "server")?.includes("staging") ?? false;
    const isOwn = ["ca", "selfSigned"].some((type) => at(object, "spec", type) !== undefined);
    return isStaging || isOwn ? [{ issuer: name, isStaging }] : [];
  });
  return all.flatMap(({ kind, object }) => {
    const named = textAt(object, "metadata", "annotations", "cert-manager.io/cluster-issuer");
    const issuer = issuers.find((each) => kind === "Gateway" && each.issuer === named);
    if (issuer === undefined) return [];
    return listAt(object, "spec", "listeners").flatMap((listener) => {
      const host = textAt(listener, "hostname");
      return host === undefined ? [] : [{ ...issuer, host }];
    });
  });
};

const covers = (pattern: string, host: string): boolean =>
  pattern === host || (pattern.startsWith("*.") && host.endsWith(pattern.slice(1)));
