import { createHash } from "node:crypto";

import * as cloudflare from "@pulumi/cloudflare";
import * as pulumi from "@pulumi/pulumi";

import { storedContent } from "./content.ts";
import { fullName } from "./names.ts";

/** A zone of Cloudflare's DNS. */
export interface Zone {
  id: string;
  name: string;
}

/** A DNS record of any type. */
export interface RecordSpec {
  /** Relative to the zone, or the full name. `@` is the zone, and `*` matches names without a record of their own. */
  name: string;
  type: string;
  /** Seconds; 1 lets Cloudflare choose. */
  ttl: number;
  content?: pulumi.Input<string>;
  /** The fields of a record whose content is more than a string, as Cloudflare's API names them. */
  data?: Record<string, string | number>;
  proxied?: boolean;
  priority?: number | undefined;
  comment?: string | undefined;
  /** Identifier of an existing record to import. It has to be equal to this one. */
  adopt?: string | undefined;
}

/** DNS records that do not belong to a tunnel. */
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

/** Registers a record, or imports the one that `adopt` identifies. */
export const dnsRecord = (
  name: string,
  zone: Zone,
  { name: host, adopt, content, data, priority, comment, ...spec }: RecordSpec,
  parent: pulumi.Resource,
): cloudflare.DnsRecord =>
  new cloudflare.DnsRecord(
    name,
    {
      ...spec,
      zoneId: zone.id,
      name: fullName(host, zone.name),
      ...(content !== undefined && {
        content: typeof content === "string" ? storedContent(spec.type, content) : content,
      }),
      ...(data && { data }),
      ...(priority !== undefined && { priority }),
      ...(comment !== undefined && { comment }),
    },
    { parent, ...(adopt !== undefined && { import: `${zone.id}/${adopt}` }) },
  );

/**
 * Returns the resource name of a record: its name and type and, for types of which a name may have several, a digest of its
 * content. Adding or removing a record therefore does not affect the others, and a changed record is created before the old
 * one is deleted.
 */
export const recordKey = (record: RecordSpec & { content?: string }, zone: Zone): string => {
  const { type, content, data } = record;
  const name = `${fullName(record.name, zone.name)}/${type}`;
  if (type === "CNAME") return name;
  const payload = JSON.stringify([content, data && Object.entries(data).sort()]);
  return `${name}/${createHash("sha256").update(payload).digest("hex").slice(0, 8)}`;
};
