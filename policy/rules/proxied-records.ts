import { resourceTypes } from "../../components/resource-types.ts";
import type { Rule } from "../rule.ts";

/** Record types that Cloudflare can proxy. */
const proxiable = ["A", "AAAA", "CNAME"];

/** Addresses that are not reachable from the Internet. Source: RFC 1918, RFC 4193, RFC 4291, RFC 6598. */
const private4 =
  /^(10\.|127\.|169\.254\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/;
const private6 = /^(f[cd]|fe[89ab]|::1$)/i;

const isPrivate = (type: unknown, content: string): boolean =>
  (type === "A" && private4.test(content)) || (type === "AAAA" && private6.test(content));

/** Requires Cloudflare's proxy, so that records do not reveal the home's address. */
export const proxiedRecords: Rule = {
  name: "proxied-records",
  description: "Public records use Cloudflare's proxy.",
  check: ({ type, inputs }) => {
    if (type !== resourceTypes.dnsRecord) return [];
    const { name, content, proxied } = inputs;
    if (!proxiable.includes(String(inputs.type)) || proxied === true) return [];
    // An unknown content is a tunnel's name, or is checked in the update.
    if (typeof content !== "string" || isPrivate(inputs.type, content)) return [];
    return [
      {
        problem: `the record ${String(inputs.type)} ${String(name)} shows ${content} to everyone`,
        advice: "set proxied: true, or publish it by an ingress rule of the tunnel",
        subject: String(name),
      },
    ];
  },
};
