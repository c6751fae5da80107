import { z } from "zod";

import { isQuotedInPairs } from "../../components/cloudflare/content.ts";
import { says } from "./error.ts";
import { hex32, name } from "./values.ts";

export const domain = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;

/** A host name that rules may match: a full name, or one whose first label is a wildcard. */
const hostname = z
  .string()
  .refine(
    (value) => domain.test(value.replace(/^\*\./, "")),
    says("is not a host name", "write one such as app.example.com or *.example.com"),
  );

/** Where the connector sends requests. Source: Cloudflare, "Supported protocols" of published applications. */
const service = z
  .string()
  .regex(
    /^((https?|tcp|ssh|rdp|smb|unix|unix\+tls):\/?\/?\S+|http_status:\d{3}|hello_world|bastion|socks-proxy)$/,
    says("is not a service", "write one such as http://welcome.apps.svc.cluster.local:80 or http_status:404"),
  );

const seconds = z.int(says("is not a number of seconds", "write a whole number")).nonnegative();

/** How the connector reaches a service. Source: Cloudflare, "Origin configuration parameters". */
const originRequest = z.strictObject({
  /** Path in the connector's container of the certificate authorities that verify the service's certificate. */
  caPool: z.string().optional(),
  /** Seconds that a connection may take to be established. */
  connectTimeout: seconds.optional(),
  /** Send requests without chunked encoding, for services that do not support it. */
  disableChunkedEncoding: z.boolean().optional(),
  /** Use HTTP/2 to the service. */
  http2Origin: z.boolean().optional(),
  /** Value of the Host header for the service. */
  httpHostHeader: z.string().optional(),
  /** Number of idle connections to keep. */
  keepAliveConnections: z.int().positive().optional(),
  /** Seconds until an idle connection is closed. */
  keepAliveTimeout: seconds.optional(),
  /** Use the requested host name as the TLS server name. */
  matchSnItoHost: z.boolean().optional(),
  /** Do not try IPv4 and IPv6 at the same time. */
  noHappyEyeballs: z.boolean().optional(),
  /** Accept any certificate of the service. */
  noTlsVerify: z.boolean().optional(),
  /** Host name that the service's certificate has to be valid for. */
  originServerName: z.string().optional(),
  /** Seconds between probes of a connection. */
  tcpKeepAlive: seconds.optional(),
  /** Seconds that the TLS handshake may take. */
  tlsTimeout: seconds.optional(),
});

/**
 * Cloudflare's identifier of an existing, equal record, which is imported. Without it Cloudflare refuses to create the record. The
 * identifier saves previews a search, and selects one of several records. It has no effect on a record that the stack already
 * has.
 */
const adopt = hex32.optional();

const isAscii = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);

const comment = z
  .string()
  .max(100, says("is longer than the 100 characters that every plan has", "shorten it"))
  .optional();

const ingress = z.array(
  z.strictObject({
    /** Host name of the requests: a full name, or one whose first label is a wildcard. @example "app.example.com" */
    hostname,
    /** Regular expression that the request's path has to match. @default every path */
    path: z.string().optional(),
    /** URL of the service that answers. @example "http://welcome.apps.svc.cluster.local:80" */
    service,
    /** How the connector reaches the service. */
    originRequest: originRequest.optional(),
    /**
     * Whether the host name gets a public DNS record. Without one, only clients of Cloudflare's private network reach it, or what
     * another record leads to the tunnel.
     *
     * @default true
     */
    publicRecord: z.boolean().default(true),
    /** Comment of the DNS record. */
    comment,
    /** Identifier of an existing record to import. */
    adopt,
  }),
);

/** Record types whose content is one string. */
const simpleTypes = ["A", "AAAA", "CNAME", "MX", "NS", "PTR", "TXT"] as const;
/** Record types whose content has fields. */
const structuredTypes = ["CAA", "HTTPS", "SRV", "SSHFP", "SVCB", "TLSA", "URI"] as const;

const recordCommon = {
  /** Relative to the zone, or the full name. `@` is the zone itself, and `*` matches names without a record of their own. */
  name: z
    .string()
    .min(1, { error: says("is empty", "write @ for the zone itself"), abort: true })
    .refine(isAscii, { error: says("has letters that DNS stores as Punycode", "write its xn--… form"), abort: true })
    .regex(
      /^(@|(\*|[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?)$/i,
      says("is not the name of a record", "write one such as www, www.example.com, @ or *"),
    ),
  /** Seconds that resolvers may cache the record. 1 lets Cloudflare choose. @default 1 */
  ttl: z
    .int(says("is not a number of seconds", "write 60 to 86400, or 1 for automatic"))
    .refine((value) => value === 1 || (value >= 60 && value <= 86_400), {
      error: says("is not a time that Cloudflare takes", "write 60 to 86400 seconds, or 1 for automatic"),
    })
    .default(1),
  /** Comment of the record at Cloudflare. */
  comment,
  /** Identifier of an existing record to import. */
  adopt,
};

const record = z
  .union([
    z.strictObject({
      ...recordCommon,
      /** Record type. */
      type: z.enum(simpleTypes),
      /** Content of the record. A text is split and put into quotes as DNS wants it. @example "192.0.2.10" */
      content: z.string().min(1, says("is empty", "write what the record says")),
      /** Whether clients reach the content through Cloudflare. Only for A, AAAA and CNAME. @default false */
      proxied: z.boolean().default(false),
      /** Priority of an MX record. The lowest is tried first. */
      priority: z.int().min(0).max(65_535).optional(),
    }),
    z.strictObject({
      ...recordCommon,
      /** Record type. */
      type: z.enum(structuredTypes),
      /** The record's fields, as Cloudflare's API names them. */
      data: z.record(z.string(), z.union([z.string(), z.number()])),
      /** Priority of a URI record. */
      priority: z.int().min(0).max(65_535).optional(),
    }),
  ])
  .superRefine((value, context) => {
    for (const { path, message } of recordProblems(value)) context.addIssue({ code: "custom", path: [path], message });
  });

interface RecordFacts {
  type: string;
  ttl: number;
  content?: string;
  proxied?: boolean;
  priority?: number | undefined;
}

/** A single dot as an MX declares that the domain receives no mail (RFC 7505). */
const namesHost = (type: string, content: string): boolean =>
  (type === "MX" && content === ".") ||
  (/^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z0-9-]*\.?$/i.test(content) && content.length <= 254);

/** Checks how the parts of a record fit together. */
const recordProblems = ({ type, ttl, content, proxied, priority }: RecordFacts) => [
  ...(proxied && !["A", "AAAA", "CNAME"].includes(type)
    ? [{ path: "proxied", message: says(`cannot be for a record of type ${type}`, "remove it") }]
    : []),
  ...(proxied && ttl !== 1
    ? [{ path: "ttl", message: says("cannot be for a proxied record", "remove it, or write 1") }]
    : []),
  ...(["CNAME", "MX", "NS", "PTR"].includes(type) && content !== undefined && !namesHost(type, content)
    ? [
        {
          path: "content",
          message: z.ipv4().safeParse(content).success
            ? says(`is an address, and a record of type ${type} names a host`, "write the host's name, or type: A")
            : says("is not a host name", "write one such as host.example.com"),
        },
      ]
    : []),
  ...(type === "TXT" && content !== undefined && !isQuotedInPairs(content)
    ? [{ path: "content", message: says("has a quote without its other one", "write the text without quotes") }]
    : []),
  ...(type === "MX" && priority === undefined
    ? [{ path: "priority", message: says("is missing", "add it, such as 10") }]
    : []),
  ...(type === "A" && !z.ipv4().safeParse(content).success
    ? [{ path: "content", message: says("is not an IPv4 address", "write one such as 192.0.2.10") }]
    : []),
  ...(type === "AAAA" && !z.ipv6().safeParse(content).success
    ? [{ path: "content", message: says("is not an IPv6 address", "write one such as 2001:db8::10") }]
    : []),
];

export const cloudflareSchema = z.strictObject({
  /** Identifier of the account. */
  account: hex32,
  /** The zone that hostnames and records are in. */
  zone: z.strictObject({
    /** Identifier of the zone. */
    id: hex32,
    /** Domain of the zone. @example "example.com" */
    name: z.string().regex(domain, says("is not a domain", "write one such as example.com")),
    /**
     * Names that advanced or custom certificates of the zone cover. Cloudflare's own covers the domain and one level below it.
     *
     * @example ["*.dev.example.com"]
     */
    certificates: z.array(hostname).default([]),
  }),
  /** Whether the cluster has a tunnel of its own. Without one, Cloudflare has only its records and those of `tunnels`. @default true */
  tunnel: z.boolean().default(true),
  /** Rules of the cluster's own tunnel. The first match is used. Each hostname also gets a proxied record. */
  ingress: ingress.default([]),
  /** Additional tunnels by name, for connectors of other clusters or hosts. */
  tunnels: z
    .record(
      name,
      z.strictObject({
        /** Rules of the tunnel. The first match is used. */
        ingress,
      }),
    )
    .default({}),
  /** Host name that receives push notifications of the repository, which make Flux reconcile at once. */
  webhook: z.string().regex(domain, says("is not a host name", "write one such as flux.example.com")).optional(),
  /** Records in addition to those of the tunnels' hostnames. */
  records: z.array(record).default([]),
});

export type RecordConfig = z.output<typeof record>;
