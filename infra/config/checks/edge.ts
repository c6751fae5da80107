import { fullName, within } from "../../../components/cloudflare/names.ts";
import type { ConfigurationProblem } from "../error.ts";
import { collisions } from "./collisions.ts";
import type { Check, Draft } from "./index.ts";

interface Named {
  path: PropertyKey[];
  hostname: string;
}

/** Every ingress rule, with where it stands. */
const rules = ({ cloudflare }: Draft) => [
  ...(cloudflare?.ingress ?? []).map((rule, index) => ({ rule, path: ["cloudflare", "ingress", index] })),
  ...Object.entries(cloudflare?.tunnels ?? {}).flatMap(([name, { ingress }]) =>
    ingress.map((rule, index) => ({ rule, path: ["cloudflare", "tunnels", name, "ingress", index] })),
  ),
];

/** Every host name that is to lead to a tunnel. */
const hostnames = (draft: Draft): Named[] => [
  ...rules(draft).map(({ rule, path }) => ({ path: [...path, "hostname"], hostname: rule.hostname })),
  ...(draft.gitops?.webhook ? [{ path: ["gitops", "webhook"], hostname: draft.gitops.webhook }] : []),
];

const hostnamesInZone: Check = (draft) => {
  const zone = draft.cloudflare?.zone.name;
  if (zone === undefined) return [];
  return hostnames(draft)
    .filter(({ hostname }) => !within(hostname, zone))
    .map(({ path, hostname }) => ({
      path,
      problem: `${hostname} is outside the zone ${zone}, so it would have no record`,
      advice: `use a name that ends with .${zone}`,
    }));
};

const rulesOnce: Check = (draft) =>
  collisions(
    rules(draft).map(({ rule, path }) => ({
      path: [...path, "hostname"].map(String),
      value: [rule.hostname, rule.path ?? ""].join(""),
      owner: `that of ${path.slice(1).join(".")}`,
      advice: "remove one of them: only the first would ever answer",
    })),
  );

/** One host name leads to one tunnel. */
const hostnamesOfOneTunnel: Check = (draft) => {
  const first = new Map<string, string>();
  return rules(draft).flatMap(({ rule, path }): ConfigurationProblem[] => {
    const tunnel = path.slice(1, -2).join(".") || "the cluster's own tunnel";
    const other = first.get(rule.hostname) ?? tunnel;
    first.set(rule.hostname, other);
    if (other === tunnel) return [];
    return [
      {
        path: [...path, "hostname"],
        problem: `${rule.hostname} leads to ${other} already`,
        advice: "let one tunnel answer for it, by rules with paths where needed",
      },
    ];
  });
};

const recordsInZone: Check = ({ cloudflare }) =>
  (cloudflare?.records ?? []).flatMap(({ name }, index): ConfigurationProblem[] =>
    name === "@" || !name.endsWith(".") || within(name.replace(/\.$/, ""), cloudflare?.zone.name ?? "")
      ? []
      : [
          {
            path: ["cloudflare", "records", index, "name"],
            problem: `${name} is outside the zone ${cloudflare?.zone.name ?? ""}`,
            advice: "write it relative to the zone, such as www, or @ for the zone itself",
          },
        ],
  );

/** Where a name has a CNAME it has no other record. Source: RFC 1034, section 3.6.2. */
const aliasesStandAlone: Check = ({ cloudflare, gitops }) => {
  if (!cloudflare) return [];
  const { zone, records, ingress, tunnels } = cloudflare;
  const all = [...ingress, ...Object.values(tunnels).flatMap((tunnel) => tunnel.ingress)];
  const tunnelled = new Set([...all.map(({ hostname }) => hostname), ...(gitops?.webhook ? [gitops.webhook] : [])]);
  const full = records.map(({ name }) => fullName(name, zone.name));
  return records.flatMap(({ type, name }, index): ConfigurationProblem[] => {
    const host = full[index] ?? name;
    const other = records.findIndex(
      (each, at) => at !== index && full[at] === host && (type === "CNAME" || each.type === "CNAME"),
    );
    const conflicts = ["A", "AAAA", "CNAME"].includes(type);
    if (tunnelled.has(host) && conflicts) {
      return [
        {
          path: ["cloudflare", "records", index, "name"],
          problem: `${name} is a tunnel's hostname, which has a record already`,
          advice: "remove this record, or the ingress rule",
        },
      ];
    }
    if (other === -1 || other > index) return [];
    return [
      {
        path: ["cloudflare", "records", index, "name"],
        problem: `${name} is also that of records.${other}, and a CNAME stands alone`,
        advice: "remove one of them",
      },
    ];
  });
};

const webhookNeedsTunnel: Check = ({ gitops, cloudflare, complete }) =>
  complete && gitops?.webhook && !cloudflare
    ? [
        {
          path: ["gitops", "webhook"],
          problem: `${gitops.webhook} is reached through a tunnel, and there is none`,
          advice: "add the key cloudflare, or remove this one: Flux then looks for changes at its interval",
        },
      ]
    : [];

export const edgeChecks: Check[] = [
  hostnamesInZone,
  rulesOnce,
  hostnamesOfOneTunnel,
  recordsInZone,
  aliasesStandAlone,
  webhookNeedsTunnel,
];
