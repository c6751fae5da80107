import { readFile } from "node:fs/promises";
import { request } from "node:http";

import type { Process } from "./processes.ts";

/** An ingress rule in the form of Cloudflare's API. */
export interface Rule {
  hostname?: string;
  path?: string;
  service: string;
}

/** A request from the Internet to a host name of a tunnel. */
export interface Request {
  hostname: string;
  path: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

/**
 * Forwards a request as a tunnel's connector does in a pod of the lab: to the service of the first matching rule,
 * through the cluster's network. Returns the status of the response.
 *
 * @param pods processes of the lab's pods, any of which names the proxy of their network
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

/**
 * Matches the host name, which may have a wildcard, and the path, a regular expression. Source: Cloudflare's
 * documentation, "Ingress rules".
 */
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
