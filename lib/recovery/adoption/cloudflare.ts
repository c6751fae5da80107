import { resourceTypes } from "../../../components/resource-types.ts";
import { Problem } from "../../../toolchain/problem.ts";
import { revealed } from "../../engine/value.ts";
import { refresh, type Adopter, type Adopters, type Creation } from "./adopter.ts";
import { text, type Properties } from "./properties.ts";

const list = async (creation: Creation, token: string, args: Properties): Promise<Properties[]> =>
  (revealed((await creation.invoke(token, args)).results) ?? []) as Properties[];

/** Reads the only one of several; none is none. */
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
  const token = "cloudflare:index/getZeroTrustTunnelCloudflareds:getZeroTrustTunnelCloudflareds";
  const found = await list(creation, token, { accountId, name, isDeleted: false });
  return only(
    creation,
    found.filter((each) => text(each, "name") === name),
    `tunnels of the name ${name}`,
  );
};

/** Rules of a tunnel that has none yet are made, which is all the same to Cloudflare. */
const tunnelConfiguration: Adopter = async (creation) => {
  const found = await refresh(creation, text(creation.inputs, "tunnelId"));
  return found !== undefined && revealed(found.properties.config) ? found : undefined;
};

/** A record is known by its name and type and, where there may be several, by what it says. */
const dnsRecord: Adopter = async (creation) => {
  const [zoneId, name, type] = ["zoneId", "name", "type"].map((key) => text(creation.inputs, key));
  const content = text(creation.inputs, "content");
  const token = "cloudflare:index/getDnsRecords:getDnsRecords";
  const found = (await list(creation, token, { zoneId, name: { exact: name }, type })).filter(
    (each) => text(each, "name") === name && text(each, "type") === type,
  );
  const same = found.filter((each) => text(each, "content") === content);
  return only(creation, found.length > 1 ? same : found, `${type} records of the name ${name}`);
};

/** How Cloudflare's resources are found. */
export const cloudflareAdopters: Adopters = {
  [resourceTypes.tunnel]: tunnel,
  [resourceTypes.tunnelConfig]: tunnelConfiguration,
  [resourceTypes.dnsRecord]: dnsRecord,
};
