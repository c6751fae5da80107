import { resourceTypes } from "../../components/resource-types.ts";
import { tunnelSecrets } from "../escrow/collect.ts";
import { isConnector, ownerOf } from "../destroy/connectors.ts";
import { kubernetesOf } from "../../lib/cluster/access.ts";
import type { State, StateResource } from "../../lib/engine/state.ts";
import { ofType } from "../../lib/engine/state.ts";
import { revealed } from "../../lib/engine/value.ts";
import type { Target } from "../../lib/engine/target.ts";
import { Problem } from "../../toolchain/problem.ts";
import { clusterSecretsIn, redraw, type Carrier, type DrawnSecret } from "./drawn.ts";
import { commitStep, type Rotation } from "./rotation.ts";

/** The secrets of the stack's Cloudflare tunnels, which connectors authenticate with. */
export const tunnelSecret: Rotation = {
  name: "tunnel-secret",
  what: "the secret of each Cloudflare tunnel, by which its connectors join it",
  interrupts:
    "Connectors keep their connections; one that starts anew joins only with the new token, which the cluster gets within a minute.",
  rotate: async (surroundings) => {
    const { target } = surroundings;
    const { cloudflare } = await target.config();
    if (!cloudflare) throw new Problem(`${target.stack} has no tunnel: its stack file has no hearth:cloudflare`);
    const { resumed, before, escrow } = await redraw(surroundings, tunnelSecretOfAll);
    const connectors = await giveConnectors(target);
    return {
      resumed,
      said: [`Each tunnel of ${target.stack} has another secret: ${tunnelIds(before).join(", ")}`],
      left: [
        ...commitStep(target, escrow),
        ...connectors.map(
          ({ namespace, name }) =>
            `kubectl --namespace ${namespace} rollout restart deployment/${name}   joins with the new token`,
        ),
        "end the connections that were made with the old token, for they last until their connector ends: Cloudflare's\n" +
          `dashboard, Networks, Tunnels, or cloudflared tunnel cleanup ${tunnelIds(before).join(" ")}`,
      ],
      escrow,
    };
  },
};

const tunnelIds = (state: State): string[] => ofType(state, resourceTypes.tunnel).map(({ id }) => id ?? "");

/** Has Flux render the connectors' Secrets anew. */
const giveConnectors = async ({ engine }: Target): Promise<{ namespace: string; name: string }[]> => {
  const kubernetes = await kubernetesOf(engine);
  const connectors = (await kubernetes.list("/apis/apps/v1/deployments")).filter(isConnector);
  const owners = connectors.flatMap(({ metadata }) => ownerOf(metadata.labels ?? {}) ?? []);
  for (const owner of new Set(owners))
    await kubernetes.annotate(owner, "reconcile.fluxcd.io/requestedAt", new Date().toISOString());
  return connectors.map(({ metadata: { namespace = "", name } }) => ({ namespace, name }));
};

/** The passwords that belong to tunnels: each is beside its tunnel, in the same component. */
const tunnelPasswords = (state: State): StateResource[] => {
  const parents = new Set(ofType(state, resourceTypes.tunnel).map(({ parent }) => parent));
  return ofType(state, resourceTypes.password).filter(({ parent }) => parent !== undefined && parents.has(parent));
};

export const tunnelSecretOfAll: DrawnSecret = {
  name: "tunnel secret",
  passwords: tunnelPasswords,
  carriers: (state): Carrier[] => {
    const drawn = tunnelSecrets(state);
    const tokens = new Set(Object.values(drawn).map(({ secret }) => secret));
    return [
      ...ofType(state, resourceTypes.tunnel).map(({ urn, inputs }) => ({
        urn,
        isCurrent: tokens.has(String((revealed(inputs) as { tunnelSecret?: unknown }).tunnelSecret)),
      })),
      ...clusterSecretsIn(state).flatMap(({ urn, data }) => {
        const held = Object.entries(data).filter(([key]) => /^tunnel_token(_|$)/.test(key));
        return held.length === 0 ? [] : [{ urn, isCurrent: held.every(([, token]) => tokens.has(secretOf(token))) }];
      }),
    ];
  },
};

/** The secret in a connector's token. Source: components/cloudflare/connector-token.ts. */
const secretOf = (token: string): string => {
  try {
    return String((JSON.parse(Buffer.from(token, "base64").toString()) as { s?: unknown }).s);
  } catch {
    return "";
  }
};
