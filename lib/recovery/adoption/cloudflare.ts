import { resourceTypes } from "../../../components/resource-types.ts";
import { fullName } from "../../../components/cloudflare/names.ts";
import type { HearthConfig } from "../../../infra/config/index.ts";
import { Problem } from "../../../toolchain/problem.ts";
import { revealed } from "../../engine/value.ts";
import { refresh, type Adopter, type Adopters, type Creation } from "./adopter.ts";
import type { Invoke } from "./invoke.ts";
import { text, type Properties } from "./properties.ts";

const listBy =
  (token: string) =>
  async (invoke: Invoke, args: Properties): Promise<Properties[]> =>
    (revealed((await invoke(token, args)).results) ?? []) as Properties[];

/** Lists the tunnels of an account. Without `isDeleted: false` deleted tunnels are among them. */
export const tunnelsAt = listBy("cloudflare:index/getZeroTrustTunnelCloudflareds:getZeroTrustTunnelCloudflareds");

/** Lists the DNS records of a zone. */
export const recordsAt = listBy("cloudflare:index/getDnsRecords:getDnsRecords");

/** Reads the only match; undefined if there is none. @throws Problem for several matches */
const only = async (creation: Creation, found: Properties[], what: string): Promise<ReturnType<Adopter>> => {
  const [first, ...others] = found;
  if (first === undefined) return undefined;
  if (others.length > 0) {
    throw new Problem(`Cloudflare has ${found.length} ${what}: remove those that are not this stack's`);
  }
  return refresh(creation, text(first, "id"));
};

const tunnel: Adopter = async (creation) => {
  const [accountId, name] = [text(creation.inputs, "accountId"), text(creation.inputs, "name")];
  const found = await tunnelsAt(creation.invoke, { accountId, name, isDeleted: false });
  return only(
    creation,
    found.filter((each) => text(each, "name") === name),
    `tunnels of the name ${name}`,
  );
};

/** If a tunnel has no rules yet, they are created; Cloudflare treats that as an update. */
const tunnelConfiguration: Adopter = async (creation) => {
  const found = await refresh(creation, text(creation.inputs, "tunnelId"));
  return found !== undefined && revealed(found.properties.config) ? found : undefined;
};

/** The tunnels and records at Cloudflare that belong to this stack. */
export interface OwnEdge {
  account: string;
  /** Names of its tunnels. */
  tunnels: readonly string[];
  /** Its configured records, by `recordSays`. */
  records: readonly string[];
}

/** A record's type, name and content. Cloudflare ignores case and a final dot in names, and keeps the content of TXT in quotes. */
const recordSays = (record: Properties): string => {
  const [type, name, content] = ["type", "name", "content"].map((key) => text(record, key));
  const bare = (host: string): string => host.replace(/\.$/, "").toLowerCase();
  if (content === undefined || content === "") return JSON.stringify([type, bare(name ?? ""), parts(record)]);
  const said = type === "TXT" ? content.replaceAll(/^"|"$|" "/g, "") : bare(content);
  return JSON.stringify([type, bare(name ?? ""), said]);
};

/** The structured data of a record; Cloudflare may add parts to it. */
const parts = (record: Properties): string[] =>
  Object.entries((revealed(record.data) ?? {}) as Properties).map(([key, value]) => `${key} ${String(value)}`);

const saysTheSame = (found: Properties, wanted: Properties): boolean => {
  if (text(wanted, "content") !== "") return recordSays(found) === recordSays(wanted);
  const has = parts(found);
  return parts(wanted).every((part) => has.includes(part));
};

/** Types of record that lead a name's visitors somewhere: with other content, such a record belongs to somebody else, or is a failover. */
const directing = new Set(["A", "AAAA", "CNAME"]);

/** Whether a record leads to a tunnel of this stack, or to one that it had and lost. */
const isOwn = async (invoke: Invoke, found: Properties, own: OwnEdge): Promise<boolean> => {
  if (own.records.includes(recordSays(found))) return true;
  const [, tunnelId] = /^([0-9a-f-]{36})\.cfargotunnel\.com\.?$/i.exec(text(found, "content")) ?? [];
  if (tunnelId === undefined) return false;
  const tunnels = await tunnelsAt(invoke, { accountId: own.account });
  return tunnels.some((each) => text(each, "id") === tunnelId && own.tunnels.includes(text(each, "name")));
};

/**
 * A record is known by its name, type and content. A record that leads elsewhere than to this stack is not overwritten: somebody may
 * have set it while the stack was down.
 */
const dnsRecord =
  (own: OwnEdge): Adopter =>
  async (creation) => {
    const { inputs } = creation;
    const [zoneId, name = "", type = ""] = ["zoneId", "name", "type"].map((key) => text(inputs, key));
    const found = (await recordsAt(creation.invoke, { zoneId, name: { exact: name }, type })).filter(
      (each) => text(each, "name") === name && text(each, "type") === type,
    );
    const same = found.find((each) => saysTheSame(each, inputs));
    if (same) return refresh(creation, text(same, "id"));
    if (!directing.has(type)) return undefined;
    for (const each of found) {
      if (!(await isOwn(creation.invoke, each, own))) throw new Problem(leadsElsewhere(each, inputs));
    }
    // A name has one CNAME record. It may have several of other types, which are adopted one by one.
    const [first] = found;
    return first && type === "CNAME" ? refresh(creation, text(first, "id")) : undefined;
  };

/** A record that leads somewhere. Without content it leads to a tunnel of the stack. */
export interface Directing {
  type: string;
  name: string;
  content?: string | undefined;
}

/**
 * What stands at the stack's names and leads elsewhere, so that a rebuild without a state would stop there.
 *
 * @param found all records of the zone
 */
export const strangersAt = async (
  invoke: Invoke,
  found: readonly Properties[],
  wanted: readonly Directing[],
  own: OwnEdge,
): Promise<string[]> => {
  const problems: string[] = [];
  for (const record of wanted.filter(({ type }) => directing.has(type))) {
    const there = found.filter(
      (each) => text(each, "name").toLowerCase() === record.name && directing.has(text(each, "type")),
    );
    if (there.some((each) => recordSays(each) === recordSays({ ...record }))) continue;
    for (const each of there) {
      if (!(await isOwn(invoke, each, own))) problems.push(leadsElsewhere(each, { ...record }));
    }
  }
  return problems;
};

const leadsElsewhere = (found: Properties, wanted: Properties): string =>
  `Cloudflare has another ${text(found, "type")} record of the name ${text(found, "name")}: it says ${text(found, "content")}, and this ` +
  `stack wants ${text(wanted, "content") || "its own tunnel"}. It is left as it is: where it is a failover or is no longer wanted, ` +
  "remove it at Cloudflare and run this again; where it is to stay, take the name out of the stack file";

/** How Cloudflare's resources are found. */
export const cloudflareAdopters = (own: OwnEdge = { account: "", tunnels: [], records: [] }): Adopters => ({
  [resourceTypes.tunnel]: tunnel,
  [resourceTypes.tunnelConfig]: tunnelConfiguration,
  [resourceTypes.dnsRecord]: dnsRecord(own),
});

/** What of Cloudflare a configuration says is its own. */
export const ownEdge = ({ cluster, cloudflare }: Pick<HearthConfig, "cluster" | "cloudflare">): OwnEdge => ({
  account: cloudflare?.account ?? "",
  tunnels: [cluster.name, ...Object.keys(cloudflare?.tunnels ?? {})],
  records: (cloudflare?.records ?? []).map((each) =>
    recordSays({ ...each, name: fullName(each.name, cloudflare?.zone.name ?? "") }),
  ),
});
