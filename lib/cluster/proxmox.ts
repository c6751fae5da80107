import { request } from "node:https";

import type { ProxmoxSettings } from "../../infra/platforms/proxmox/settings.ts";
import { proxmoxAuthorities } from "../engine/proxmox-trust.ts";
import type { Environment } from "../engine/pulumi.ts";
import type { Target } from "../engine/target.ts";
import { messageOf } from "../../toolchain/problem.ts";

/** What Proxmox reports about a virtual machine. */
export type VirtualMachine =
  /** No virtual machine has this number, on any host. */
  | { is: "absent" }
  | { is: "there"; status: string; host: string }
  /** Proxmox does not answer, or the token lacks the right to see the machine. */
  | { is: "unknown"; why: string };

/** An answer of Proxmox's API: the status with the reason of the status line, and the data. */
export interface ProxmoxAnswer {
  status: number;
  reason: string;
  data: unknown;
}

/** Requests a path below /api2/json from Proxmox's API. */
export type AskProxmox = (path: string) => Promise<ProxmoxAnswer>;

interface Listed {
  vmid?: number;
  node?: string;
  status?: string;
}

/**
 * Asks whether a virtual machine exists, on any host.
 *
 * The list alone does not prove its absence, because a token sees only what it has rights to. So the function asks the host too,
 * which checks rights before it looks for the machine.
 * Source: pve-manager, PVE/API2/Cluster.pm; qemu-server, PVE/API2/Qemu.pm; 8.4.
 */
export const virtualMachine = async (ask: AskProxmox, host: string, vmId: number): Promise<VirtualMachine> => {
  try {
    const list = await ask("/cluster/resources?type=vm");
    if (list.status !== 200) return { is: "unknown", why: refusal(list) };
    const listed = (list.data as Listed[] | undefined) ?? [];
    const found = listed.find(({ vmid }) => Number(vmid) === vmId);
    if (found) return { is: "there", status: found.status ?? "unknown", host: found.node ?? host };
    const there = await ask(`/nodes/${encodeURIComponent(host)}/qemu/${vmId.toString()}/status/current`);
    if (there.status === 200) return { is: "there", status: "unknown", host };
    if (there.status === 500 && /configuration file .* does not exist/i.test(there.reason)) return { is: "absent" };
    return { is: "unknown", why: refusal(there) };
  } catch (error) {
    return { is: "unknown", why: messageOf(error) };
  }
};

const refusal = ({ status, reason }: ProxmoxAnswer): string => `answers ${status.toString()} ${reason}`.trim();

/** Timeout for an answer of Proxmox, in milliseconds. */
const answerTimeout = 10_000;

/** Where Proxmox's API is, and whom to believe that it is Proxmox. */
export interface ProxmoxServer {
  endpoint: string;
  insecure: boolean;
  /** Certificates to trust, PEM: of authorities, or the server's own. */
  authorities: readonly string[];
}

/**
 * The API of a stack's Proxmox.
 *
 * @param environment of the stack's engine
 * @throws Problem if it has another certificate than the stack file says
 */
export const proxmoxServer = async (settings: ProxmoxSettings, environment: Environment): Promise<ProxmoxServer> => ({
  endpoint: settings.endpoint,
  insecure: settings.insecure,
  authorities: await proxmoxAuthorities(settings, environment),
});

export interface ProxmoxAccess extends ProxmoxServer {
  token: string;
}

/** Asks the real API. */
export const askProxmox =
  ({ token, ...server }: ProxmoxAccess): AskProxmox =>
  (path) =>
    send(server, path, { method: "GET", headers: { Authorization: `PVEAPIToken=${token}` } });

/**
 * Asks the API of a stack's Proxmox. A stack that signs in with a password has no token, and without one Proxmox proves nothing.
 *
 * @param token defaults to that of the configuration
 */
export const askProxmoxOf = async (
  settings: ProxmoxSettings,
  { engine, environment }: Pick<Target, "engine" | "environment">,
  token?: string,
): Promise<AskProxmox> =>
  askProxmox({
    ...(await proxmoxServer(settings, environment)),
    token: token ?? (await engine.secret("proxmoxToken")),
  });

/** Signs in with a user's password, as the provider does. Source: bpg/terraform-provider-proxmox v0.111.1, proxmox/api/user_auth.go. */
export const signIn = (server: ProxmoxServer, username: string, password: string): Promise<ProxmoxAnswer> =>
  send(server, "/access/ticket", {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ username, password }).toString(),
  });

interface ProxmoxRequest {
  method: "GET" | "POST";
  headers: Record<string, string>;
  body?: string;
}

const send = (
  { endpoint, insecure, authorities }: ProxmoxServer,
  path: string,
  { method, headers, body = "" }: ProxmoxRequest,
): Promise<ProxmoxAnswer> =>
  new Promise((resolve, reject) => {
    const asked = request(
      new URL(`/api2/json${path}`, endpoint),
      {
        method,
        headers,
        rejectUnauthorized: !insecure,
        timeout: answerTimeout,
        ca: [...authorities],
        allowPartialTrustChain: true,
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", reject);
        answer.on("end", () => {
          const content = parsed(Buffer.concat(chunks).toString());
          const reason = answer.statusMessage ?? "";
          const said = content?.message ?? "";
          resolve({ status: answer.statusCode ?? 0, reason: `${reason} ${said}`.trim(), data: content?.data });
        });
      },
    );
    asked.on("timeout", () => asked.destroy(new Error(`takes more than ${(answerTimeout / 1000).toString()} s`)));
    asked.on("error", reject);
    asked.end(body);
  });

const parsed = (text: string): { data?: unknown; message?: string } | undefined => {
  try {
    return JSON.parse(text) as { data?: unknown; message?: string };
  } catch {
    return undefined;
  }
};
