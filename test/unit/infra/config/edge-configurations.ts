import type { Change } from "../../../support/changes.ts";
import type { BadConfiguration } from "./bad-configurations.ts";

const rule = (settings: object): Change => [
  "cloudflare/ingress",
  [{ hostname: "app.example.com", service: "http://app", ...settings }],
];
/** Mistakes in what of Cloudflare a stack uses, and what is none. */
export const badEdges: BadConfiguration[] = [
  {
    what: "rules and a webhook without a tunnel",
    stack: "dev",
    changes: [["cloudflare/tunnel", false]],
    problems: [
      [
        "cloudflare.ingress.0",
        "needs the cluster's own tunnel, and cloudflare.tunnel is false",
        "remove it, or write tunnel: true",
      ],
      [
        "cloudflare.webhook",
        "needs the cluster's own tunnel, and cloudflare.tunnel is false",
        "remove it, or write tunnel: true",
      ],
    ],
  },
  {
    what: "records alone, which is no mistake",
    stack: "prod",
    changes: [
      ["cloudflare/tunnel", false],
      ["cloudflare/ingress", []],
    ],
    problems: [],
    warnings: [],
  },
  {
    what: "a comment on a record that there is not",
    stack: "prod",
    changes: [rule({ publicRecord: false, comment: "App" })],
    problems: [["cloudflare.ingress.0.comment", "is of a record, and publicRecord is false", "remove either"]],
  },
  {
    what: "a record to import that there is not",
    stack: "prod",
    changes: [rule({ publicRecord: false, adopt: "0a1b2c3d4e5f60718293a4b5c6d7e8f9" })],
    problems: [["cloudflare.ingress.0.adopt", "is of a record, and publicRecord is false", "remove either"]],
  },
  {
    what: "a private name outside of the zone, which is no mistake",
    stack: "prod",
    changes: [rule({ publicRecord: false, hostname: "app.home.arpa" })],
    problems: [],
    warnings: [],
  },
  {
    what: "a record of one's own beside a private rule, which is no mistake",
    stack: "prod",
    changes: [
      rule({ publicRecord: false }),
      ["cloudflare/records", [{ name: "app", type: "A", content: "192.0.2.1" }]],
    ],
    problems: [],
    warnings: [],
  },
  {
    what: "a private IPv6 address behind Cloudflare's proxy",
    stack: "prod",
    changes: [["cloudflare/records", [{ name: "nas", type: "AAAA", content: "fd00::7", proxied: true }]]],
    problems: [
      [
        "cloudflare.records.0.proxied",
        "fd00::7 is a private address, which Cloudflare cannot reach",
        "remove proxied, or use a rule of a tunnel under ingress",
      ],
    ],
  },
  {
    what: "another domain than the zone",
    stack: "prod",
    changes: [["network/domain", "home.arpa"]],
    problems: [["network.domain", "home.arpa is not the zone example.com, whose names the cluster has", "remove it"]],
  },
  {
    what: "a domain that is none",
    stack: "prod",
    changes: [["network/domain", "home"]],
    problems: [["network.domain", "home is not a domain", "write one such as home.arpa"]],
  },
];
