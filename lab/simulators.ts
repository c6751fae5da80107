import { readFile } from "node:fs/promises";
import { request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { Problem } from "../toolchain/problem.ts";
import type { LabFolder } from "../lib/engine/lab-folder.ts";
import type { LabConfig } from "./lab-config.ts";

/** What the Cloudflare simulator holds. */
export interface CloudflareState {
  tunnels: number;
  records: number;
  tunnelNames: string[];
  /** For example `CNAME welcome-dev.example.com`. */
  recordNames: string[];
}

/** What the Proxmox simulator holds. */
export interface ProxmoxState {
  vms: number;
  images: number;
  disks: number;
  ha: number;
  pools: number;
  machines: { name: string; node: string; vmid: number; status: string; reachable: boolean; address?: string }[];
}

/** How long a virtual machine may take to disappear, in milliseconds. */
const burnTimeout = 60_000;

/** Queries what the simulators hold, and makes them lose it. */
export class Simulators {
  constructor(
    private readonly folder: LabFolder,
    private readonly lab: LabConfig,
  ) {}

  /** Undefined if the stack has no Cloudflare. */
  cloudflare(): Promise<CloudflareState | undefined> {
    return this.state(this.lab.cloudflare.address);
  }

  /** Undefined if the stack has no Proxmox. */
  proxmox(): Promise<ProxmoxState | undefined> {
    return this.state(this.lab.proxmox.address);
  }

  /** Destroys virtual machines with their disks, as a fire would. The Proxmox API keeps running. */
  async burn(machines: readonly { name: string; node: string; vmid: number; status: string }[]): Promise<void> {
    for (const { name, node, vmid, status } of machines) {
      const path = `/api2/json/nodes/${node}/qemu/${vmid.toString()}`;
      if (status !== "stopped") await this.proxmoxCall("POST", `${path}/status/stop`);
      const deadline = Date.now() + burnTimeout;
      while (!(await this.proxmoxTry("DELETE", `${path}?purge=1`))) {
        if (Date.now() > deadline) throw new Problem(`Proxmox does not delete ${name}: see the log of proxmox`);
        await sleep(200);
      }
      while ((await this.proxmox())?.machines.some((machine) => machine.vmid === vmid) === true) await sleep(100);
    }
  }

  /** Injects a fault into coming requests. lab/internal/faults/faults.go documents the fields. */
  async injectFault(simulator: "proxmox" | "cloudflare", fault: Record<string, unknown>): Promise<void> {
    const { status, body } = await this.ask(
      this.lab[simulator].address,
      "POST",
      "/lab/faults",
      {},
      JSON.stringify(fault),
    );
    if (status >= 300) throw new Problem(`The ${simulator} simulator refuses the fault: ${body}`);
  }

  /** Clears the faults that have not happened yet. */
  async clearFaults(): Promise<void> {
    const { proxmox, cloudflare } = this.lab;
    for (const { address } of [proxmox, cloudflare])
      if (address !== "") await this.ask(address, "DELETE", "/lab/faults");
  }

  private async proxmoxTry(method: string, path: string): Promise<boolean> {
    const headers = { Authorization: `PVEAPIToken=${this.lab.proxmox.token}` };
    return (await this.ask(this.lab.proxmox.address, method, path, headers)).status < 300;
  }

  private async proxmoxCall(method: string, path: string): Promise<void> {
    if (!(await this.proxmoxTry(method, path))) throw new Problem(`The simulated Proxmox refuses ${method} ${path}`);
  }

  private async state<T>(address: string): Promise<T | undefined> {
    if (address === "") return undefined;
    return JSON.parse((await this.ask(address, "GET", "/lab/state")).body) as T;
  }

  private async ask(
    address: string,
    method: string,
    path: string,
    headers: Record<string, string> = {},
    content?: string,
  ): Promise<{ status: number; body: string }> {
    const ca = await readFile(this.folder.authority);
    return new Promise((resolve, reject) => {
      const asked = request(`https://${address}${path}`, { method, headers, ca, timeout: 5000 }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", reject);
        answer.on("end", () => {
          resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
        });
      });
      asked.on("timeout", () => asked.destroy(new Error(`${address} took more than 5 s to answer`)));
      asked.on("error", reject);
      asked.end(content);
    });
  }
}
