import type * as cloudflare from "@pulumi/cloudflare";

type OriginRequest = cloudflare.types.input.ZeroTrustTunnelCloudflaredConfigConfigIngressOriginRequest;

/** How the connector reaches a service. A setting that is not given keeps Cloudflare's default. */
export type OriginSettings = Partial<
  Record<Exclude<keyof OriginRequest, "access">, string | number | boolean | undefined>
>;

/** Sends requests for a host name to a service. */
export interface IngressRule {
  /** A host name, or a wildcard for its subdomains. */
  hostname: string;
  /** Regular expression that the request's path has to match. */
  path?: string | undefined;
  /** URL that the connector reaches, such as `http://welcome.apps.svc.cluster.local:80`. */
  service: string;
  originRequest?: OriginSettings | undefined;
  /** Whether the host name gets a public DNS record. @default true */
  publicRecord?: boolean;
  /** Comment of the host name's DNS record. */
  comment?: string | undefined;
  /** Identifier of an existing DNS record of the host name, which is imported. */
  adopt?: string | undefined;
}

/** An ingress rule in the form of Cloudflare's API. */
export interface CloudflareIngress {
  hostname?: string;
  path?: string;
  service: string;
  originRequest?: OriginRequest;
}

/**
 * Renders a tunnel's rules for Cloudflare. The last one answers 404 to all other requests, as Cloudflare demands.
 *
 * Cloudflare uses the first rule that matches. Wildcards are therefore moved behind the host names that they would hide,
 * and a rule without a path behind the rules of the same host name that have one. The order is otherwise kept.
 */
export const ingressOf = (rules: IngressRule[]): CloudflareIngress[] => [
  ...rules.toSorted((a, b) => generality(a) - generality(b)).map(ruleOf),
  { service: "http_status:404" },
];

/** Sorts wildcards that cover many subdomains after those that cover few. */
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
