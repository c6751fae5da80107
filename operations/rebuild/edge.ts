import provider from "@pulumi/pulumi/proto/provider_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";

import { fullName } from "../../components/cloudflare/names.ts";
import type { HearthConfig } from "../../infra/config/index.ts";
import { messageOf, Problem } from "../../toolchain/problem.ts";
import { ownEdge, recordsAt, strangersAt, tunnelsAt, type Directing } from "../../lib/recovery/adoption/cloudflare.ts";
import { invokeBy } from "../../lib/recovery/adoption/invoke.ts";
import { Plugin, type PulumiProgram } from "../../lib/recovery/adoption/plugin.ts";
import type { Situation } from "../../lib/recovery/plan.ts";

type Cloudflare = NonNullable<HearthConfig["cloudflare"]>;

/** The tunnels and records that a configuration requires, by their names at Cloudflare. */
export const wantedOfEdge = (cluster: string, edge: Cloudflare): { tunnels: string[]; records: Directing[] } => {
  const rules = [...edge.ingress, ...Object.values(edge.tunnels).flatMap(({ ingress }) => ingress)].filter(
    ({ publicRecord }) => publicRecord,
  );
  const names = [...(edge.webhook ? [edge.webhook] : []), ...rules.map(({ hostname }) => hostname)];
  const named = (name: string): string => fullName(name, edge.zone.name);
  return {
    tunnels: [...(edge.tunnel ? [cluster] : []), ...Object.keys(edge.tunnels)],
    records: [
      ...names.map((name) => ({ type: "CNAME", name: named(name) })),
      ...edge.records.map((record) => ({
        type: record.type,
        name: named(record.name),
        ...("content" in record && { content: record.content }),
      })),
    ],
  };
};

/**
 * Asks Cloudflare which of a stack's tunnels and records exist, through the functions of the plugin that also creates them.
 *
 * @param isTakingOver whether a new state has to take over what exists
 * @throws Problem if Cloudflare refuses the token, or has a record that a takeover would stop at, so that this is known before the
 *   rebuild begins
 */
export const lookAtEdge = async (
  config: Pick<HearthConfig, "cluster" | "cloudflare">,
  { token, isTakingOver }: { token: string; isTakingOver: boolean },
  pulumi: PulumiProgram,
): Promise<Situation["edge"]> => {
  const { cluster, cloudflare: edge } = config;
  if (!edge) return undefined;
  // Nothing listens at this address. The plugin also returns what it would report to an engine.
  const plugin = await Plugin.start(pulumi, "cloudflare", "127.0.0.1:9");
  try {
    await configure(plugin, token);
    const invoke = invokeBy((request) => plugin.call("Invoke", request));
    const tunnels = await tunnelsAt(invoke, { accountId: edge.account, isDeleted: false });
    const records = await recordsAt(invoke, { zoneId: edge.zone.id });
    const has = [
      ...tunnels.map(({ name }) => `tunnel ${String(name)}`),
      ...records.map(({ type, name }) => `${String(type)} ${String(name)}`),
    ];
    const wanted = wantedOfEdge(cluster.name, edge);
    const strangers = isTakingOver ? await strangersAt(invoke, records, wanted.records, ownEdge(config)) : [];
    if (strangers.length > 0) throw new Problem(strangers.join("\n"));
    const named = wanted.records.map(({ type, name }) => `${type} ${name}`);
    const all = [...wanted.tunnels.map((name) => `tunnel ${name}`), ...new Set(named)];
    return { there: all.filter((each) => has.includes(each)), missing: all.filter((each) => !has.includes(each)) };
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw refusedBy(messageOf(error));
  } finally {
    await plugin.stop();
  }
};

const configure = async (plugin: Plugin, apiToken: string): Promise<void> => {
  const request = new provider.ConfigureRequest()
    .setArgs(struct.Struct.fromJavaScript({ apiToken }))
    .setAcceptsecrets(true);
  request.getVariablesMap().set("cloudflare:config:apiToken", apiToken);
  await plugin.call("Configure", Buffer.from(request.serializeBinary()));
};

const refusedBy = (message: string): Problem => {
  const isAboutToken = /\b40[013]\b|authenticat|token|permission/i.test(message);
  return new Problem(
    isAboutToken
      ? "Cloudflare refuses the token of the stack, or it was revoked: make one that may edit the tunnels of the account and the " +
          "DNS of the zone, set it by pulumi config set --secret hearth:cloudflareToken, and run the rebuild again"
      : `Cloudflare does not answer (${message.split("\n")[0] ?? ""}): run the rebuild again when it does`,
  );
};
