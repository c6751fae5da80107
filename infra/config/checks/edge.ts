import { storedContent } from "../../../components/cloudflare/content.ts";
import { fullName, within } from "../../../components/cloudflare/names.ts";
import type { RecordConfig } from "../cloudflare.ts";
import type { ConfigurationProblem } from "../error.ts";
import { isPrivate } from "../ipv4.ts";
import { isPrivate as isPrivate6 } from "../ipv6.ts";
import type { HearthConfig } from "../schema.ts";
import { collisions } from "./collisions.ts";
import type { Check } from "./check.ts";

type Cloudflare = NonNullable<HearthConfig["cloudflare"]>;
type Rule = Cloudflare["ingress"][number];

/** The rules of one tunnel, and their path. */
interface RuleList {
  path: PropertyKey[];
  rules: Rule[];
}

/** The rules of all tunnels. */
export const ruleLists = ({ ingress, tunnels }: Cloudflare): RuleList[] => [
  { path: ["cloudflare", "ingress"], rules: ingress },
  ...Object.entries(tunnels).map(([name, { ingress: rules }]) => ({
    path: ["cloudflare", "tunnels", name, "ingress"],
    rules,
  })),
];

const hostnamesInZone: Check = ({ cloudflare }) => {
  if (!cloudflare) return [];
  const zone = cloudflare.zone.name;
  const named = [
    ...ruleLists(cloudflare).flatMap(({ path, rules }) =>
      rules.flatMap(({ hostname, publicRecord }, index) =>
        publicRecord ? [{ path: [...path, index, "hostname"], hostname }] : [],
      ),
    ),
    ...(cloudflare.webhook ? [{ path: ["cloudflare", "webhook"], hostname: cloudflare.webhook }] : []),
  ];
  return named
    .filter(({ hostname }) => !within(hostname, zone))
    .map(({ path, hostname }) => ({
      path,
      problem: `${hostname} is outside the zone ${zone}, so it would have no record`,
      advice: `use a name that ends with .${zone}`,
    }));
};

/** Only Flux has receivers. */
const webhookIsHeard: Check = ({ cloudflare, gitops }) =>
  cloudflare?.webhook && gitops && gitops.engine !== "flux"
    ? [
        {
          path: ["cloudflare", "webhook"],
          problem: `${cloudflare.webhook} is not heard, for ${gitops.engine} keeps the cluster at its repository`,
          advice: "remove it, or set gitops.engine to flux",
          warning: true,
        },
      ]
    : [];

/** The first rule that matches is used, so a later rule for the same requests never is. */
const rulesAreReached: Check = ({ cloudflare }) =>
  cloudflare
    ? ruleLists(cloudflare).flatMap(({ path, rules }) =>
        rules.flatMap((rule, index): ConfigurationProblem[] => {
          const earlier = rules.slice(0, index).findIndex((other) => covers(other, rule));
          if (earlier === -1) return [];
          return [
            {
              path: [...path, index],
              problem: `${rule.hostname}${rule.path ?? ""} is never reached, for rule ${earlier} answers for it`,
              advice: "remove one of them, or put this one first",
            },
          ];
        }),
      )
    : [];

const covers = (earlier: Rule, later: Rule): boolean =>
  (earlier.path === undefined || earlier.path === later.path) &&
  (earlier.hostname === later.hostname ||
    (earlier.hostname.startsWith("*.") && later.hostname.endsWith(earlier.hostname.slice(1))));

/** A hostname's record points to one tunnel. */
const hostnamesOfOneTunnel: Check = ({ cloudflare }) => {
  if (!cloudflare) return [];
  const advice = "a record leads to one tunnel only: remove one of them";
  const lists = ruleLists(cloudflare).map(({ path, rules }) =>
    rules
      .map(({ hostname }, index) => ({
        path: [...path, index, "hostname"],
        value: hostname,
        owner: `at ${path.join(".")}`,
        advice,
      }))
      .filter(({ value }, index, all) => all.findIndex((other) => other.value === value) === index),
  );
  const webhook = cloudflare.webhook
    ? [
        {
          path: ["cloudflare", "webhook"],
          value: cloudflare.webhook,
          owner: "the webhook's",
          advice: "give the webhook a name of its own",
        },
      ]
    : [];
  return collisions([...lists.flat(), ...webhook]);
};

const isOfHost = (type: string): boolean => ["A", "AAAA", "CNAME"].includes(type);

/** Source: RFC 1034, 3.6.2: a name with a CNAME has no other records. */
const recordsGoTogether: Check = ({ cloudflare }) => {
  if (!cloudflare) return [];
  const zone = cloudflare.zone.name;
  const tunnelled = new Set(
    ruleLists(cloudflare).flatMap(({ rules }) =>
      rules.flatMap(({ hostname, publicRecord }) => (publicRecord ? [hostname] : [])),
    ),
  );
  return cloudflare.records.flatMap((record, index): ConfigurationProblem[] => {
    const name = fullName(record.name, zone);
    const path = ["cloudflare", "records", index, "name"];
    const earlier = cloudflare.records.slice(0, index).filter((other) => fullName(other.name, zone) === name);
    if (tunnelled.has(name) && isOfHost(record.type)) {
      return [
        {
          path,
          problem: `${name} has a record that leads to a tunnel`,
          advice: "remove this record or the ingress rule",
        },
      ];
    }
    if (record.type === "CNAME" && storedContent("CNAME", record.content) === name) {
      return [
        {
          path: ["cloudflare", "records", index, "content"],
          problem: `${name} is the record's own name`,
          advice: "write the name of another host",
        },
      ];
    }
    if (earlier.some((other) => same(other, record))) {
      return [{ path, problem: `${name} has this ${record.type} record already`, advice: "remove one of them" }];
    }
    // Cloudflare flattens the zone's own CNAME to addresses, so other records may stand beside it.
    const together = name === zone ? earlier.filter(({ type }) => isOfHost(type) && isOfHost(record.type)) : earlier;
    if (together.some(({ type }) => (type === "CNAME") !== (record.type === "CNAME"))) {
      return [
        {
          path,
          problem: `${name} has a CNAME, and beside that there can be no other record`,
          advice: "use another name for one of them",
        },
      ];
    }
    return [];
  });
};

const same = (a: RecordConfig, b: RecordConfig): boolean =>
  a.type === b.type &&
  (a.type === "CNAME" ||
    ("content" in a && "content" in b
      ? storedContent(a.type, a.content) === storedContent(b.type, b.content)
      : JSON.stringify(a) === JSON.stringify(b)));

/** A name that clients reach at Cloudflare, which has to have a certificate for it. */
const proxiedNames = (cloudflare: Cloudflare): { path: PropertyKey[]; name: string }[] => [
  ...ruleLists(cloudflare).flatMap(({ path, rules }) =>
    rules.flatMap(({ hostname, publicRecord }, index) =>
      publicRecord ? [{ path: [...path, index, "hostname"], name: hostname }] : [],
    ),
  ),
  ...(cloudflare.webhook ? [{ path: ["cloudflare", "webhook"], name: cloudflare.webhook }] : []),
  ...cloudflare.records.flatMap((record, index) =>
    "proxied" in record && record.proxied
      ? [{ path: ["cloudflare", "records", index, "name"], name: fullName(record.name, cloudflare.zone.name) }]
      : [],
  ),
];

/**
 * Universal SSL covers the zone and one level below it. A wildcard covers one level too.
 *
 * Source: Cloudflare, "Limitations of Universal SSL".
 */
const certificatesCover: Check = ({ cloudflare }) => {
  if (!cloudflare) return [];
  const { name: zone, certificates } = cloudflare.zone;
  const covered = [zone, `*.${zone}`, ...certificates];
  return proxiedNames(cloudflare)
    .filter(({ name }) => within(name, zone))
    .filter(({ name }) => !covered.some((each) => each === name || each === name.replace(/^[^.]+/, "*")))
    .map(({ path, name }) => {
      const [first = "", ...between] = name.slice(0, -zone.length - 1).split(".");
      const level = `*.${name.replace(/^[^.]+\./, "")}`;
      const flat = first === "*" ? "" : `use ${[first, ...between].join("-")}.${zone}, or `;
      return {
        path,
        problem: `${name} is more than one level below ${zone}, and Cloudflare's own certificate covers one`,
        advice: `${flat}order a certificate for ${level} and name it in cloudflare.zone.certificates`,
        warning: true,
      };
    });
};

/** Certificates are for names of the zone. */
const certificatesOfZone: Check = ({ cloudflare }) =>
  (cloudflare?.zone.certificates ?? [])
    .map((certificate, index) => ({ certificate, index }))
    .filter(({ certificate }) => !within(certificate.replace(/^\*\./, ""), cloudflare?.zone.name ?? ""))
    .map(({ certificate, index }) => ({
      path: ["cloudflare", "zone", "certificates", index],
      problem: `${certificate} is outside the zone ${cloudflare?.zone.name ?? ""}`,
      advice: `write one such as *.dev.${cloudflare?.zone.name ?? ""}`,
    }));

/** Source: Cloudflare, "Error 1002": a proxied record may not lead to a private address. */
const proxiedIsPublic: Check = ({ cloudflare }) =>
  (cloudflare?.records ?? []).flatMap((record, index): ConfigurationProblem[] =>
    "proxied" in record && record.proxied && isPrivateHost(record)
      ? [
          {
            path: ["cloudflare", "records", index, "proxied"],
            problem: `${record.content} is a private address, which Cloudflare cannot reach`,
            advice: "remove proxied, or use a rule of a tunnel under ingress",
          },
        ]
      : [],
  );

const isPrivateHost = ({ type, content }: { type: string; content: string }): boolean =>
  (type === "A" && isPrivate(content)) || (type === "AAAA" && isPrivate6(content));

const domainIsTheZone: Check = ({ network, cloudflare }) =>
  network?.domain !== undefined && cloudflare && network.domain !== cloudflare.zone.name
    ? [
        {
          path: ["network", "domain"],
          problem: `${network.domain} is not the zone ${cloudflare.zone.name}, whose names the cluster has`,
          advice: "remove it",
        },
      ]
    : [];

/** Without a tunnel nothing leads into the cluster. */
const tunnelIsThere: Check = ({ cloudflare }) => {
  if (!cloudflare || cloudflare.tunnel) return [];
  const advice = "remove it, or write tunnel: true";
  const problem = "needs the cluster's own tunnel, and cloudflare.tunnel is false";
  return [
    ...cloudflare.ingress.map((_, index) => ({ path: ["cloudflare", "ingress", index], problem, advice })),
    ...(cloudflare.webhook === undefined ? [] : [{ path: ["cloudflare", "webhook"], problem, advice }]),
  ];
};

/** A record that there is not has no comment, and nothing to import. */
const privateRulesHaveNoRecord: Check = ({ cloudflare }) =>
  (cloudflare ? ruleLists(cloudflare) : []).flatMap(({ path, rules }) =>
    rules.flatMap(({ publicRecord, ...rule }, index) =>
      (["comment", "adopt"] as const)
        .filter((key) => !publicRecord && rule[key] !== undefined)
        .map((key) => ({
          path: [...path, index, key],
          problem: "is of a record, and publicRecord is false",
          advice: "remove either",
        })),
    ),
  );

const tunnelNames: Check = ({ cluster, cloudflare }) =>
  cluster && cloudflare && cluster.name in cloudflare.tunnels
    ? [
        {
          path: ["cloudflare", "tunnels", cluster.name],
          problem: "is the name of the cluster's own tunnel",
          advice: "move its rules to cloudflare.ingress, or use another name",
        },
      ]
    : [];

export const edgeChecks: Check[] = [
  hostnamesInZone,
  webhookIsHeard,
  rulesAreReached,
  hostnamesOfOneTunnel,
  recordsGoTogether,
  certificatesCover,
  certificatesOfZone,
  proxiedIsPublic,
  tunnelNames,
  tunnelIsThere,
  domainIsTheZone,
  privateRulesHaveNoRecord,
];
