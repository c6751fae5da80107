import { createHash } from "node:crypto";

import * as cloudflare from "@pulumi/cloudflare";
import * as pulumi from "@pulumi/pulumi";

import { fullName } from "./names.ts";

/** A zone of Cloudflare's DNS. */
export interface Zone {
  id: string;
  name: string;
}

/** What a record says, whatever its type. */
export interface RecordSpec {
  /** Relative to the zone or in full; `@` is the zone, and `*` stands for what has no record of its own. */
  name: string;
  type: string;
  /** Seconds; 1 lets Cloudflare choose. */
  ttl: number;
  content?: pulumi.Input<string>;
  /** The parts of a record whose content is more than a string, in Cloudflare's words. */
  data?: Record<string, string | number>;
  proxied?: boolean;
  priority?: number | undefined;
  comment?: string | undefined;
  /** Identifier of an existing record to take over, which has to be the same. */
  adopt?: string | undefined;
}

/** DNS records beside those of tunnels. */
export class Records extends pulumi.ComponentResource {
  constructor(
    name: string,
    { zone, records }: { zone: Zone; records: (RecordSpec & { content?: string })[] },
    opts: pulumi.ComponentResourceOptions,
  ) {
    super("hearth:cloudflare:Records", name, {}, opts);
    for (const record of records) dnsRecord(recordKey(record, zone), zone, record, this);
    this.registerOutputs({});
  }
}

/** Registers a record, or takes over the one that it is said to be. */
export const dnsRecord = (
  name: string,
  zone: Zone,
  { name: host, adopt, data, priority, comment, ...spec }: RecordSpec,
  parent: pulumi.Resource,
): cloudflare.DnsRecord =>
  new cloudflare.DnsRecord(
    name,
    {
      ...spec,
      zoneId: zone.id,
      name: fullName(host, zone.name),
      ...(data && { data }),
      ...(priority !== undefined && { priority }),
      ...(comment !== undefined && { comment }),
    },
    { parent, ...(adopt !== undefined && { import: `${zone.id}/${adopt}` }) },
  );

/**
 * What tells a record from the others of a stack: its name and type and, where a name may have several of the type, a digest
 * of what it says. So adding or removing one leaves the others alone, and a changed one is made before the old one goes.
 */
export const recordKey = (record: RecordSpec & { content?: string }, zone: Zone): string => {
  const { type, content, data } = record;
  const name = `${fullName(record.name, zone.name)}/${type}`;
  if (type === "CNAME") return name;
  const said = JSON.stringify([content, data && Object.entries(data).sort()]);
  return `${name}/${createHash("sha256").update(said).digest("hex").slice(0, 8)}`;
};
