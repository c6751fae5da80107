import { readFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { join } from "node:path";

import { accepts, eventually, labFolder, type LabProcess, startLab } from "./lab-process.ts";

/** The token that the simulated cluster accepts. */
export const proxmoxToken = "hearth@pve!test=7f3d1f0e-8d7c-4f6c-9a50-0c8f3c5b2a11";

/** An answer of the simulated API. */
export interface Answer {
  status: number;
  /** The reason in the status line, where Proxmox puts its message. */
  reason: string;
  data: unknown;
  message?: string;
  errors?: Record<string, string>;
}

/** The simulator's own count of what it holds. */
export interface Holdings {
  vms: number;
  images: number;
  disks: number;
  ha: number;
  pools: number;
  machines: { name: string; status: string; reachable: boolean; address?: string; problem?: string }[];
}

/** Parameters of a request. */
export type Parameters = Record<string, string | number>;

/** A running simulator of a Proxmox VE cluster. fake-machine.mjs stands in for its machines. */
export interface Proxmox {
  address: string;
  dir: string;
  /** Calls the API. The path is below /api2/json. */
  call: (method: string, path: string, parameters?: Parameters, token?: string) => Promise<Answer>;
  /** Calls the API, expects success and returns the data. */
  data: (method: string, path: string, parameters?: Parameters) => Promise<unknown>;
  /** Calls the API and waits for the task that it starts. Returns the task's exit status, "OK" on success. */
  task: (method: string, path: string, parameters?: Parameters) => Promise<string>;
  holdings: () => Promise<Holdings>;
  /** Makes coming requests fail. */
  fault: (fault: object) => Promise<void>;
  /** Ends the simulator with a signal and starts it again. */
  restart: (signal: NodeJS.Signals) => Promise<void>;
  /** Reads a file below the lab's folder. */
  read: (...path: string[]) => Promise<string>;
  stop: () => Promise<void>;
}

/** Starts a cluster of two hosts at the given address. `settings` override the defaults. */
export const startProxmox = async (address: string, settings: Record<string, unknown> = {}): Promise<Proxmox> => {
  const folder = await labFolder({
    programs: { machine: new URL("./fake-machine.mjs", import.meta.url).pathname },
    proxmox: {
      address,
      token: proxmoxToken,
      nodes: ["pve1", "pve2"],
      datastores: { local: ["iso", "import", "snippets"], "local-lvm": ["images", "rootdir"] },
      bridges: ["vmbr0"],
      cpus: 8,
      memoryMiB: 16384,
      ...settings,
    },
  });
  let running: LabProcess;
  const start = async (): Promise<void> => {
    running = await startLab("proxmox", folder.config);
    await eventually("Proxmox listens", () => accepts(address));
  };
  await start();
  const agent = new Agent({ ca: await readFile(join(folder.dir, "ca", "ca.crt")), keepAlive: false });
  const send = (method: string, path: string, headers: Record<string, string>, body = "") =>
    new Promise<{ status: number; reason: string; text: string }>((resolve, reject) => {
      const [host = "", port] = address.split(":");
      const sent = request({ agent, host, port, method, path, headers }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        response.on("end", () => {
          resolve({ status: response.statusCode ?? 0, reason: response.statusMessage ?? "", text });
        });
        response.on("error", reject);
      });
      sent.on("error", reject);
      sent.end(body);
    });

  const call: Proxmox["call"] = async (method, path, parameters = {}, token = proxmoxToken) => {
    const encoded = new URLSearchParams(
      Object.entries(parameters).map(([name, value]): [string, string] => [name, String(value)]),
    ).toString();
    const inQuery = method === "GET" || method === "DELETE";
    const { status, reason, text } = await send(
      method,
      `/api2/json${path}${inQuery && encoded !== "" ? `?${encoded}` : ""}`,
      {
        ...(token === "" ? {} : { authorization: `PVEAPIToken=${token}` }),
        ...(inQuery ? {} : { "content-type": "application/x-www-form-urlencoded" }),
      },
      inQuery ? "" : encoded,
    );
    return { status, reason, data: null, ...(text === "" ? {} : (JSON.parse(text) as Partial<Answer>)) };
  };
  const data: Proxmox["data"] = async (method, path, parameters) => {
    const answer = await call(method, path, parameters);
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${answer.reason}`);
    return answer.data;
  };
  return {
    address,
    dir: folder.dir,
    call,
    data,
    task: async (method, path, parameters) => {
      const upid = (await data(method, path, parameters)) as string;
      const node = upid.split(":")[1] ?? "";
      return eventually(`${upid} ends`, async () => {
        const status = await data("GET", `/nodes/${node}/tasks/${encodeURIComponent(upid)}/status`);
        return (status as { exitstatus?: string }).exitstatus;
      });
    },
    holdings: async () => JSON.parse((await send("GET", "/lab/state", {})).text) as Holdings,
    fault: async (fault) => {
      const { status, text } = await send("POST", "/lab/faults", {}, JSON.stringify(fault));
      if (status !== 204) throw new Error(text);
    },
    restart: async (signal) => {
      running.process.kill(signal);
      await running.ended;
      await start();
    },
    read: (...path) => readFile(join(folder.dir, ...path), "utf8"),
    stop: async () => {
      await running.stop();
      agent.destroy();
      await folder.remove();
    },
  };
};
