import type { ConfigurationProblem } from "../error.ts";
import { collisions } from "./collisions.ts";
import type { Check } from "./index.ts";

const within = (hostname: string, zone: string): boolean => hostname === zone || hostname.endsWith(`.${zone}`);

const hostnamesInZone: Check = ({ cloudflare }) =>
  cloudflare
    ? cloudflare.ingress.flatMap(({ hostname }, index): ConfigurationProblem[] =>
        within(hostname, cloudflare.zone.name)
          ? []
          : [
              {
                path: ["cloudflare", "ingress", index, "hostname"],
                problem: `${hostname} is outside the zone ${cloudflare.zone.name}, so it would have no record`,
                advice: `use a name that ends with .${cloudflare.zone.name}`,
              },
            ],
      )
    : [];

const hostnamesOnce: Check = ({ cloudflare }) =>
  collisions(
    (cloudflare?.ingress ?? []).map(({ hostname }, index) => ({
      path: ["cloudflare", "ingress", index, "hostname"],
      value: hostname,
      owner: `that of ingress rule ${index}`,
      advice: "remove one of them: only the first would ever answer",
    })),
  );

export const edgeChecks: Check[] = [hostnamesInZone, hostnamesOnce];
