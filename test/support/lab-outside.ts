import { readFile } from "node:fs/promises";
import { request } from "node:https";

import { labFolder } from "../../lib/engine/lab-folder.ts";
import type { LabConfig } from "../../lab/lab-config.ts";
import { Simulators } from "../../lab/simulators.ts";
import type { Rule } from "./connector.ts";
import type { LabCheckout, Stack } from "./lab-checkout.ts";

/** A DNS record in the form of Cloudflare's API. */
export interface DnsRecord {
  id: string;
  name: string;
  type: string;
  content: string;
}

/** Queries the outside world of a lab, through the simulated APIs and with the lab's credentials. */
export class Outside {
  constructor(
    private readonly checkout: LabCheckout,
    private readonly stack: Stack,
  ) {}

  async records(): Promise<DnsRecord[]> {
    const { cloudflare } = await this.config();
    const [zone = ""] = Object.values(cloudflare.zones);
    return (await this.cloudflare(`/zones/${zone}/dns_records?per_page=100`)) as DnsRecord[];
  }

  /** The rules of the stack's only tunnel. */
  async rules(): Promise<Rule[]> {
    const { account } = (await this.config()).cloudflare;
    const tunnels = `/accounts/${account}/cfd_tunnel`;
    const found = (await this.cloudflare(`${tunnels}?is_deleted=false`)) as { id: string }[];
    const [tunnel] = found;
    if (!tunnel || found.length > 1) throw new Error(`There are ${found.length.toString()} tunnels`);
    const { config } = (await this.cloudflare(`${tunnels}/${tunnel.id}/configurations`)) as {
      config: { ingress: Rule[] };
    };
    return config.ingress;
  }

  /** Powers a virtual machine off without a shutdown. */
  async unplug(name: string): Promise<void> {
    const { proxmox } = await this.config();
    const state = await new Simulators(labFolder(this.checkout.path, this.stack), await this.config()).proxmox();
    const machine = state?.machines.find((each) => each.name === name);
    if (!machine) throw new Error(`There is no machine ${name}`);
    await this.ask(
      `https://${proxmox.address}/api2/json/nodes/${machine.node}/qemu/${machine.vmid.toString()}/status/stop`,
      `PVEAPIToken=${proxmox.token}`,
      "POST",
    );
  }

  /** Makes the stack's only tunnel have as many connections, as if its connectors had made or ended them. */
  async connect(connections: number): Promise<void> {
    const { account, address, token } = (await this.config()).cloudflare;
    const [tunnel] = (await this.cloudflare(`/accounts/${account}/cfd_tunnel?is_deleted=false`)) as { id: string }[];
    if (!tunnel) throw new Error("There is no tunnel");
    const body = JSON.stringify({ tunnel: tunnel.id, connections });
    await this.ask(`https://${address}/lab/connections`, `Bearer ${token}`, "POST", body);
  }

  private async cloudflare(path: string): Promise<unknown> {
    const { address, token } = (await this.config()).cloudflare;
    const answer = await this.ask(`https://${address}/client/v4${path}`, `Bearer ${token}`);
    return (JSON.parse(answer) as { result: unknown }).result;
  }

  private async config(): Promise<LabConfig> {
    return JSON.parse(await readFile(labFolder(this.checkout.path, this.stack).config, "utf8")) as LabConfig;
  }

  private async ask(url: string, authorization: string, method = "GET", body?: string): Promise<string> {
    const ca = await readFile(labFolder(this.checkout.path, this.stack).authority);
    return new Promise((resolve, reject) => {
      const sent = request(url, { ca, method, headers: { authorization }, timeout: 10_000 }, (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        answer.on("end", () => {
          if (answer.statusCode === 200 || answer.statusCode === 204) resolve(text);
          else reject(new Error(`${method} ${url}: ${String(answer.statusCode)} ${text}`));
        });
      });
      sent.on("timeout", () => sent.destroy(new Error(`${url} took more than 10 s to answer`)));
      sent.on("error", reject);
      sent.end(body);
    });
  }
}
