import { readFile } from "node:fs/promises";
import { rootCertificates } from "node:tls";

import { EnvHttpProxyAgent, request } from "undici";

import { resourceTypes } from "../../components/resource-types.ts";
import { ofType } from "../../lib/engine/state.ts";
import type { Target } from "../../lib/engine/target.ts";
import { messageOf, Problem } from "../../toolchain/problem.ts";
import { exchangeSecret, providersWith } from "./given-secret.ts";
import { commitStep, type Rotation } from "./rotation.ts";

/**
 * The token by which the stack manages its tunnels and records.
 *
 * Cloudflare rolls a token only for one that may write API tokens, which this one should not. Rolling would also end the old one before
 * the new one is stored. Source: Cloudflare's API, PUT /user/tokens/{token_id}/value.
 */
export const cloudflareToken: Rotation = {
  name: "cloudflare-token",
  what: "the API token of Cloudflare",
  interrupts:
    "Nothing: the tunnel's connectors use another secret. Make the new token beside the old one first; it is read from standard input.",
  rotate: async (surroundings) => {
    const { target } = surroundings;
    const { cloudflare } = await target.config();
    if (!cloudflare)
      throw new Problem(`${target.stack} does not use Cloudflare: its stack file has no hearth:cloudflare`);
    const [tunnel] = ofType(await target.engine.state(), resourceTypes.tunnel);
    const api = await CloudflareApi.of(target);
    try {
      let oldId: string | undefined;
      const { resumed, escrow } = await exchangeSecret(surroundings, {
        rotation: "cloudflare-token",
        key: "cloudflareToken",
        name: "Cloudflare token",
        carriers: (state) => providersWith(state, "pulumi:providers:cloudflare", "apiToken"),
        attempt: async (token, old) => {
          await requireRights(api.with(token), {
            account: cloudflare.account,
            zone: cloudflare.zone.id,
            tunnel: tunnel?.id,
          });
          if (old !== undefined) oldId = await idOf(api.with(old), cloudflare.account);
          return [];
        },
      });
      return {
        resumed,
        said: [`${target.stack} has another Cloudflare token, which may edit its tunnels and records`],
        left: [
          ...commitStep(target, escrow, `Pulumi.${target.stack}.yaml`),
          `delete the old token at Cloudflare, My Profile or Manage Account, API Tokens${oldId === undefined ? "" : `: its ID is ${oldId}`}`,
        ],
        escrow,
      };
    } finally {
      await api.close();
    }
  },
};

/** Sends a request with a token, and gives the status and the body. */
export type AskCloudflare = (
  method: "GET" | "PATCH",
  path: string,
) => Promise<{ status: number; body: { result?: unknown } }>;

const address = "https://api.cloudflare.com/client/v4";

/** Cloudflare's API as the stack reaches it. In the lab it is the simulated internet's. */
class CloudflareApi {
  private constructor(private readonly agent: EnvHttpProxyAgent) {}

  static async of({ environment }: Target): Promise<CloudflareApi> {
    const env = { ...process.env, ...environment };
    const ca = env.SSL_CERT_FILE && [...rootCertificates, await readFile(env.SSL_CERT_FILE, "utf8")];
    return new CloudflareApi(
      new EnvHttpProxyAgent({
        httpsProxy: env.https_proxy ?? env.HTTPS_PROXY ?? "",
        httpProxy: env.http_proxy ?? env.HTTP_PROXY ?? "",
        noProxy: env.no_proxy ?? env.NO_PROXY ?? "",
        ...(ca && { connect: { ca }, requestTls: { ca } }),
        headersTimeout: 20_000,
      }),
    );
  }

  with(token: string): AskCloudflare {
    return async (method, path) => {
      const answer = await request(`${address}${path}`, {
        method,
        dispatcher: this.agent,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        ...(method === "PATCH" && { body: "{}" }),
      });
      const text = await answer.body.text();
      return { status: answer.statusCode, body: parsed(text) };
    };
  }

  close(): Promise<void> {
    return this.agent.destroy();
  }
}

const parsed = (text: string): { result?: unknown } => {
  try {
    return JSON.parse(text) as { result?: unknown };
  } catch {
    return {};
  }
};

/** A request that answers whether a token has a right. */
interface Attempt {
  right: string;
  method: "GET" | "PATCH";
  path: string;
}

const tunnelEdit = (account: string, tunnel: string): Attempt => ({
  right: "Cloudflare Tunnel: Edit",
  method: "GET",
  path: `/accounts/${account}/cfd_tunnel/${tunnel}/token`,
});

/**
 * Requires that a token may edit tunnels of the account and records of the zone, and changes neither: only who may edit a tunnel may read
 * its token, and a record that does not exist is looked for only after the permission. Source: Cloudflare's API, the accepted
 * permissions of GET /accounts/{account_id}/cfd_tunnel/{tunnel_id}/token and PATCH /zones/{zone_id}/dns_records/{dns_record_id}.
 */
export const requireRights = async (
  ask: AskCloudflare,
  { account, zone, tunnel }: { account: string; zone: string; tunnel: string | undefined },
): Promise<void> => {
  const nothing = "0".repeat(32);
  const tries: Attempt[] = [
    { right: "Cloudflare Tunnel: Read", method: "GET", path: `/accounts/${account}/cfd_tunnel?per_page=1` },
    ...(tunnel === undefined ? [] : [tunnelEdit(account, tunnel)]),
    { right: "DNS: Read", method: "GET", path: `/zones/${zone}/dns_records?per_page=1` },
    { right: "DNS: Edit", method: "PATCH", path: `/zones/${zone}/dns_records/${nothing}` },
  ];
  const lacking: string[] = [];
  for (const { right, method, path } of tries) {
    const { status } = await ask(method, path).catch((error: unknown) => {
      throw new Problem(`Cloudflare does not answer: ${messageOf(error)}`);
    });
    if (status === 429 || status >= 500)
      throw new Problem(`Cloudflare answers ${status.toString()}: run this again when it is well`);
    // Of a record that does not exist Cloudflare says so, with 400 or 404.
    const isAllowed = method === "PATCH" ? status === 400 || status === 404 : status === 200;
    if (!isAllowed) lacking.push(right);
  }
  if (lacking.length === tries.length) throw new Problem("Cloudflare refuses the new token: look whether it is whole");
  if (lacking.length > 0)
    throw new Problem(`The new Cloudflare token lacks ${lacking.join(" and ")}: give it that, and run this again`);
};

/** A token's own ID, of a user's token or an account's; undefined if it was revoked. */
const idOf = async (ask: AskCloudflare, account: string): Promise<string | undefined> => {
  for (const path of ["/user/tokens/verify", `/accounts/${account}/tokens/verify`]) {
    const answer = await ask("GET", path).catch(() => undefined);
    const { id } = (answer?.body.result ?? {}) as { id?: string };
    if (id !== undefined) return id;
  }
  return undefined;
};
