import { readFile } from "node:fs/promises";
import { request } from "node:http";

import type { Process } from "./processes.ts";

/** An ingress rule as Cloudflare's API has it. */
export interface Rule {
  hostname?: string;
  path?: string;
  service: string;
}

/** What came to a tunnel's host name from the world. */
export interface Request {
  hostname: string;
  path: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

/**
 * Passes a request on as a tunnel's connector does in a pod of the lab: to the service of the first rule that matches, by the
 * cluster's own network. Gives the status that comes back.
 *
 * @param pods processes of the lab's pods, any of which tells where their network's proxy is
 */
export const connector =
  (rules: readonly Rule[], pods: readonly Process[]) =>
  async (what: Request): Promise<number> => {
    const { service } = rules.find((rule) => matches(rule, what)) ?? { service: "no rule" };
    const [, status] = /^http_status:(\d+)$/.exec(service) ?? [];
    if (status !== undefined) return Number(status);
    if (!service.startsWith("http://")) throw new Error(`${what.hostname}${what.path} leads to ${service}`);
    const proxy = new URL(await proxyOf(pods));
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          host: proxy.hostname,
          port: proxy.port,
          method: what.method ?? "GET",
          path: service.replace(/\/$/, "") + what.path,
          headers: { host: new URL(service).host, ...what.headers },
          timeout: 20_000,
        },
        (answer) => {
          answer.resume().on("end", () => {
            resolve(answer.statusCode ?? 0);
          });
        },
      );
      sent.on("timeout", () => sent.destroy(new Error(`${service} took more than 20 s to answer`)));
      sent.on("error", reject);
      sent.end(what.body);
    });
  };

/** Source: Cloudflare's documentation, "Ingress rules": the host name with a wildcard, and the path as a regular expression. */
const matches = ({ hostname = "", path = "" }: Rule, what: Request): boolean =>
  (hostname === "" ||
    hostname === what.hostname ||
    (hostname.startsWith("*.") && what.hostname.endsWith(hostname.slice(1)))) &&
  new RegExp(path).test(what.path);

const proxyOf = async (pods: readonly Process[]): Promise<string> => {
  for (const { pid } of pods) {
    const environment = await readFile(`/proc/${pid.toString()}/environ`, "utf8").catch(() => "");
    const [, proxy] = /(?:^|\0)HTTP_PROXY=(http:[^\0]+)/i.exec(environment) ?? [];
    if (proxy !== undefined) return proxy;
  }
  throw new Error("No process of a pod has a proxy");
};
