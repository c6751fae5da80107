import type * as cloudflare from "@pulumi/cloudflare";

type OriginRequest = cloudflare.types.input.ZeroTrustTunnelCloudflaredConfigConfigIngressOriginRequest;

/** How the connector speaks to a service; what is left out is as Cloudflare has it by default. */
export type OriginSettings = Partial<
  Record<Exclude<keyof OriginRequest, "access">, string | number | boolean | undefined>
>;

/** What a tunnel answers for. */
export interface IngressRule {
  /** A host name, or a wildcard for its subdomains. */
  hostname: string;
  /** Regular expression of the paths that the rule is for. */
  path?: string | undefined;
  /** URL that the connector reaches, such as `http://welcome.apps.svc.cluster.local:80`. */
  service: string;
  originRequest?: OriginSettings | undefined;
  /** Of the host name's record. */
  comment?: string | undefined;
  /** Identifier of the host name's record, where it exists already. */
  adopt?: string | undefined;
}

/** An ingress rule as Cloudflare has it. */
export interface CloudflareIngress {
  hostname?: string;
  path?: string;
  service: string;
  originRequest?: OriginRequest;
}

/**
 * The rules of a tunnel as Cloudflare has them, the last of which answers 404 to everything else, as Cloudflare demands.
 *
 * Cloudflare takes the first that matches, so a wildcard goes behind the host names that it would hide, and a rule without
 * a path behind those of the same host name with one. Otherwise the order stays.
 */
export const ingressOf = (rules: IngressRule[]): CloudflareIngress[] => [
  ...rules.toSorted((a, b) => generality(a) - generality(b)).map(ruleOf),
  { service: "http_status:404" },
];

/** Wildcards for many subdomains come after those for few. */
const generality = ({ hostname, path }: IngressRule): number => {
  const breadth = hostname.startsWith("*.") ? 1000 - hostname.split(".").length : 0;
  return breadth * 2 + (path === undefined ? 1 : 0);
};

const ruleOf = ({ hostname, path, service, originRequest }: IngressRule): CloudflareIngress => ({
  hostname,
  ...(path !== undefined && { path }),
  service,
  ...(originRequest && Object.keys(originRequest).length > 0 && { originRequest: originRequest as OriginRequest }),
});
