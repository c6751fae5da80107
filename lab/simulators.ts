import { readFile } from "node:fs/promises";
import { request } from "node:https";
import type { LabFolder } from "./folder.ts";
import type { LabConfig } from "./lab-config.ts";

/** What the Cloudflare simulator holds. */
export interface CloudflareState {
  tunnels: number;
  records: number;
  tunnelNames: string[];
  /** As `CNAME welcome.dev.example.com`. */
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

/** Asks the simulators what they hold. */
export class Simulators {
  constructor(
    private readonly folder: LabFolder,
    private readonly lab: LabConfig,
  ) {}

  /** Undefined where the stack has no Cloudflare. */
  cloudflare(): Promise<CloudflareState | undefined> {
    return this.state(this.lab.cloudflare.address);
  }

  /** Undefined where the stack has no Proxmox. */
  proxmox(): Promise<ProxmoxState | undefined> {
    return this.state(this.lab.proxmox.address);
  }

  private async state<T>(address: string): Promise<T | undefined> {
    if (address === "") return undefined;
    const ca = await readFile(this.folder.authority);
    return new Promise((resolve, reject) => {
      const asked = request(`https://${address}/lab/state`, { ca, timeout: 5000 }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", reject);
        answer.on("end", () => {
          resolve(JSON.parse(Buffer.concat(chunks).toString()) as T);
        });
      });
      asked.on("timeout", () => asked.destroy(new Error(`${address} took more than 5 s to answer`)));
      asked.on("error", reject);
      asked.end();
    });
  }
}
