import { z } from "zod";

import { says } from "./error.ts";
import { hex32, name } from "./values.ts";

const domain = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;

/** A host name that rules may match: a full name, or a wildcard as its first label. */
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

/** How the connector speaks to a service. Source: Cloudflare, "Origin configuration parameters". */
const originRequest = z.strictObject({
  /** Path of the authorities that the service's certificate is checked by, in the connector's container. */
  caPool: z.string().optional(),
  /** Seconds until a connection has to stand. */
  connectTimeout: seconds.optional(),
  /** Send requests as a whole, for services that know no chunks. */
  disableChunkedEncoding: z.boolean().optional(),
  /** Speak HTTP/2 to the service. */
  http2Origin: z.boolean().optional(),
  /** What the header Host says to the service. */
  httpHostHeader: z.string().optional(),
  /** Idle connections to keep. */
  keepAliveConnections: z.int().positive().optional(),
  /** Seconds until an idle connection is closed. */
  keepAliveTimeout: seconds.optional(),
  /** Ask for the certificate of the requested host name. */
  matchSnItoHost: z.boolean().optional(),
  /** Do not try IPv4 and IPv6 at once. */
  noHappyEyeballs: z.boolean().optional(),
  /** Take any certificate of the service. */
  noTlsVerify: z.boolean().optional(),
  /** Host name that the service's certificate has to be for. */
  originServerName: z.string().optional(),
  /** Seconds between probes of a connection. */
  tcpKeepAlive: seconds.optional(),
  /** Seconds until TLS has to stand. */
  tlsTimeout: seconds.optional(),
});

/**
 * Cloudflare's identifier of a record that exists and is the same, to be taken over. Without it, Cloudflare refuses to make
 * what exists. An identifier keeps previews from having to look for one, and says which of several is meant. On a record that
 * the stack has already, it means nothing.
 */
const adopt = hex32.optional();

const comment = z
  .string()
  .max(100, says("is longer than the 100 characters that every plan has", "shorten it"))
  .optional();

const ingress = z.array(
  z.strictObject({
    /** What is asked for: a full name, or a wildcard as its first label. @example "app.example.com" */
    hostname,
    /** Regular expression of the paths that the rule is for. @default every path */
    path: z.string().optional(),
    /** What answers. @example "http://welcome.apps.svc.cluster.local:80" */
    service,
    /** How the connector speaks to the service. */
    originRequest: originRequest.optional(),
    /** Of the record. */
    comment,
    /** Identifier of a record that exists and is taken over. */
    adopt,
  }),
);

/** Types of record whose content is one string. */
const simpleTypes = ["A", "AAAA", "CNAME", "MX", "NS", "PTR", "TXT"] as const;
/** Types of record whose content has parts. */
const structuredTypes = ["CAA", "HTTPS", "SRV", "SSHFP", "SVCB", "TLSA", "URI"] as const;

const recordCommon = {
  /** Relative to the zone, or in full. `@` is the zone itself, `*` what has no record of its own. */
  name: z.string().min(1, says("is empty", "write @ for the zone itself")),
  /** Seconds that resolvers may keep it. 1 lets Cloudflare choose. @default 1 */
  ttl: z
    .int(says("is not a number of seconds", "write 60 to 86400, or 1 for automatic"))
    .refine((value) => value === 1 || (value >= 60 && value <= 86_400), {
      error: says("is not a time that Cloudflare takes", "write 60 to 86400 seconds, or 1 for automatic"),
    })
    .default(1),
  /** What people see beside it at Cloudflare. */
  comment,
  /** Identifier of a record that exists and is taken over. */
  adopt,
};

const record = z
  .union([
    z.strictObject({
      ...recordCommon,
      /** Kind of record. */
      type: z.enum(simpleTypes),
      /** What it says. @example "192.0.2.10" */
      content: z.string().min(1, says("is empty", "write what the record says")),
      /** Whether Cloudflare stands between clients and the content. Only for A, AAAA and CNAME. @default false */
      proxied: z.boolean().default(false),
      /** Of an MX record. The lowest is tried first. */
      priority: z.int().min(0).max(65_535).optional(),
    }),
    z.strictObject({
      ...recordCommon,
      /** Kind of record. */
      type: z.enum(structuredTypes),
      /** The record's parts, in Cloudflare's words. */
      data: z.record(z.string(), z.union([z.string(), z.number()])),
      /** Of a URI record. */
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

/** What is wrong with how the parts of a record go together. */
const recordProblems = ({ type, ttl, content, proxied, priority }: RecordFacts) => [
  ...(proxied && !["A", "AAAA", "CNAME"].includes(type)
    ? [{ path: "proxied", message: says(`cannot be for a record of type ${type}`, "remove it") }]
    : []),
  ...(proxied && ttl !== 1
    ? [{ path: "ttl", message: says("cannot be for a proxied record", "remove it, or write 1") }]
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
    /** Its domain. @example "example.com" */
    name: z.string().regex(domain, says("is not a domain", "write one such as example.com")),
  }),
  /** What the cluster's own tunnel answers for, first match first. Each hostname also gets a proxied record. */
  ingress: ingress.default([]),
  /** Tunnels beside the cluster's own, by name, for connectors of other clusters or hosts. */
  tunnels: z
    .record(
      name,
      z.strictObject({
        /** What the tunnel answers for, first match first. */
        ingress,
      }),
    )
    .default({}),
  /** Host name at which a push to the repository tells Flux to reconcile at once. */
  webhook: z.string().regex(domain, says("is not a host name", "write one such as flux.example.com")).optional(),
  /** Records beside those of the tunnels' hostnames. */
  records: z.array(record).default([]),
});

export type RecordConfig = z.output<typeof record>;
