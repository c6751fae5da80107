import { readFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { join } from "node:path";

import { accepts, eventually, labFolder, type LabProcess, startLab } from "./lab-process.ts";

/** The simulated account's contents, and the token that may change them. */
export const cloudflareAccount = {
  account: "0123456789abcdef0123456789abcdef",
  zone: "fedcba9876543210fedcba9876543210",
  zoneName: "example.com",
  token: "hearthLabTestTokenOf40Characters_-012345",
  permissions: ["Account.Cloudflare Tunnel:Edit", "Zone.DNS:Edit", "Zone.Zone:Read"],
};

/** An answer's headers, by lower-case name. */
type Headers = Record<string, string | string[] | undefined>;

/** An answer of the API. */
export interface Answer {
  status: number;
  headers: Headers;
  success: boolean;
  errors: { code: number; message: string; error_chain?: { code: number; message: string }[] }[];
  result: unknown;
  result_info?: { page: number; per_page: number; count: number; total_count: number; total_pages: number };
}

/** An answer's result as an object. */
export const object = ({ result }: Answer): Record<string, unknown> => result as Record<string, unknown>;

/** An answer's result as a list of objects. */
export const list = ({ result }: Answer): Record<string, unknown>[] => result as Record<string, unknown>[];

/** Differences from a usual request. */
export interface Unusual {
  token?: string;
  /** Headers in place of the usual ones. */
  headers?: Record<string, string>;
  /** A raw body in place of JSON. */
  raw?: string;
}

/** A running simulator of Cloudflare's API. */
export interface Cloudflare {
  address: string;
  dir: string;
  /** Path of the CA certificate that signed the simulator's own. */
  authority: string;
  /** Calls the API. The path is below /client/v4. */
  call: (method: string, path: string, body?: unknown, unusual?: Unusual) => Promise<Answer>;
  /** Calls the lab's own endpoints. */
  lab: (method: string, path: string, body?: unknown) => Promise<{ status: number; text: string }>;
  /** Ends the simulator with a signal and starts it again. */
  restart: (signal: NodeJS.Signals) => Promise<void>;
  output: () => string;
  stop: () => Promise<void>;
}

/** Starts the simulator at the given address. `settings` override the defaults. */
export const startCloudflare = async (address: string, settings: Record<string, unknown> = {}): Promise<Cloudflare> => {
  const { account, zone, zoneName, token, permissions } = cloudflareAccount;
  const folder = await labFolder({
    cloudflare: { address, token, permissions, account, zones: { [zoneName]: zone }, ...settings },
  });
  const authority = join(folder.dir, "ca", "ca.crt");
  let running: LabProcess;
  let output = "";
  const start = async (): Promise<void> => {
    running = await startLab("cloudflare", folder.config);
    await eventually("Cloudflare's API listens", () => accepts(address));
  };
  await start();
  const agent = new Agent({ ca: await readFile(authority), servername: "api.cloudflare.com", keepAlive: false });
  const send = (method: string, path: string, headers: Record<string, string>, body?: string) =>
    new Promise<{ status: number; headers: Headers; text: string }>((resolve, reject) => {
      const [host = "", port] = address.split(":");
      const sent = request({ agent, host, port, method, path, headers }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        response.on("end", () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
        });
        response.on("error", reject);
      });
      sent.on("error", reject);
      sent.end(body);
    });
  return {
    address,
    dir: folder.dir,
    authority,
    call: async (method, path, body, unusual = {}) => {
      const headers = unusual.headers ?? {
        authorization: `Bearer ${unusual.token ?? token}`,
        "content-type": "application/json",
      };
      const payload = unusual.raw ?? (body === undefined ? undefined : JSON.stringify(body));
      const { text, ...answer } = await send(method, `/client/v4${path}`, headers, payload);
      return { ...answer, ...(JSON.parse(text) as Omit<Answer, "status" | "headers">) };
    },
    lab: async (method, path, body) => {
      const { status, text } = await send(method, path, {}, body === undefined ? undefined : JSON.stringify(body));
      return { status, text };
    },
    restart: async (signal) => {
      running.process.kill(signal);
      await running.ended;
      output += running.output();
      await start();
    },
    output: () => output + running.output(),
    stop: async () => {
      await running.stop();
      agent.destroy();
      await folder.remove();
    },
  };
};
