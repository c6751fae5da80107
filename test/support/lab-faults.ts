import { readFile, rm, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

import { execa } from "execa";

import type { LabConfig } from "../../lab/lab-config.ts";
import { Simulators } from "../../lab/simulators.ts";
import { machineState } from "../../lib/cluster/machine-state.ts";
import { labFolder } from "../../lib/engine/lab-folder.ts";
import type { LabCheckout } from "./lab-checkout.ts";
import { eventually } from "./lab-process.ts";

/** A fault of a running lab. */
export interface Fault {
  /** The machine or the service that has it. */
  of: string;
  kind: "frozen" | "slow" | "off" | "rebooting" | "clock" | "etcd" | "api" | "service";
  begin: () => Promise<void>;
  end: () => Promise<void>;
}

export interface Vm {
  name: string;
  address: string;
  id: string;
}

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile, and whoever started it starts another one.
  }
};

/** Makes the faults of a lab whose machines are all on Proxmox's host pve1. */
export class LabFaults {
  private constructor(
    private readonly checkout: LabCheckout,
    private readonly config: LabConfig,
    private readonly simulators: Simulators,
  ) {}

  static async of(checkout: LabCheckout): Promise<LabFaults> {
    const folder = labFolder(checkout.path, "dev");
    const config = JSON.parse(await readFile(folder.config, "utf8")) as LabConfig;
    return new LabFaults(checkout, config, new Simulators(folder, config));
  }

  /** The process of a machine, or one that it has started. */
  private async process({ name }: Vm, child?: string): Promise<number> {
    const { stdout } = await execa("ps", ["-A", "-o", "pid=,ppid=,args="]);
    const rows = stdout.split("\n").flatMap((line) => {
      const [, pid, parent, args = ""] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
      return pid === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), args }];
    });
    const machine = rows.find(
      ({ args }) => args.includes(` machine --config ${this.checkout.path}/`) && args.includes(`/${name}/`),
    );
    const found =
      child === undefined
        ? machine
        : rows.find(({ parent, args }) => parent === machine?.pid && args.includes(`/bin/${child} `));
    if (found === undefined) throw new Error(`${child ?? "the machine"} of ${name} does not run`);
    return found.pid;
  }

  /** It is there and does not answer, as a machine that swaps, or one behind a firewall that drops. */
  frozen(vm: Vm): Fault {
    let pid = 0;
    return {
      ...{ of: vm.name, kind: "frozen" },
      begin: async () => {
        signal((pid = await this.process(vm)), "SIGSTOP");
      },
      end: () => {
        signal(pid, "SIGCONT");
        return Promise.resolve();
      },
    };
  }

  /** It answers now and then. */
  slow(vm: Vm): Fault {
    let [pid, timer]: [number, NodeJS.Timeout | undefined] = [0, undefined];
    return {
      ...{ of: vm.name, kind: "slow" },
      begin: async () => {
        pid = await this.process(vm);
        timer = setInterval(() => {
          signal(pid, "SIGSTOP");
          setTimeout(() => {
            signal(pid, "SIGCONT");
          }, 1200);
        }, 1600);
      },
      end: async () => {
        clearInterval(timer);
        await sleep(1300);
        signal(pid, "SIGCONT");
      },
    };
  }

  /** A program of it stands still: half of the machine is up. */
  stuck(vm: Vm, program: "etcd" | "kube-apiserver"): Fault {
    let pid = 0;
    return {
      ...{ of: vm.name, kind: program === "etcd" ? "etcd" : "api" },
      begin: async () => {
        signal((pid = await this.process(vm, program)), "SIGSTOP");
      },
      end: () => {
        signal(pid, "SIGCONT");
        return Promise.resolve();
      },
    };
  }

  /** etcd dies, and is started again. */
  crashed(vm: Vm): Fault {
    return {
      ...{ of: vm.name, kind: "etcd" },
      begin: async () => {
        signal(await this.process(vm, "etcd"), "SIGKILL");
      },
      end: () => Promise.resolve(),
    };
  }

  /** Its power is off, and its disks are there. */
  off(vm: Vm): Fault {
    return {
      ...{ of: vm.name, kind: "off" },
      begin: async () => {
        await this.proxmox("POST", `/nodes/pve1/qemu/${vm.id}/status/stop`);
        await eventually(`${vm.name} is off`, async () => (await machineState(vm.address, "")) === "silent", 60);
      },
      end: () => this.proxmox("POST", `/nodes/pve1/qemu/${vm.id}/status/start`),
    };
  }

  rebooting(vm: Vm): Fault {
    return {
      ...{ of: vm.name, kind: "rebooting" },
      begin: () => this.reboot(vm),
      end: () => Promise.resolve(),
    };
  }

  /** Its clock is off, so that its certificate is not valid yet or no longer. */
  clock(vm: Vm, off: string): Fault {
    const file = this.checkout.file(".lab/dev/machines", vm.name, "clock");
    const answers = (state: string) =>
      eventually(
        `${vm.name} is ${state}`,
        async () => (await machineState(vm.address, await this.authority())) === state,
        60,
      );
    return {
      ...{ of: vm.name, kind: "clock" },
      begin: async () => {
        await writeFile(file, off);
        await this.reboot(vm);
        await answers("foreign");
      },
      end: async () => {
        await rm(file);
        // Its own certificate keeps talosctl out, so its power is turned off and on.
        const power = this.off(vm);
        await power.begin();
        await power.end();
        await answers("member");
      },
    };
  }

  /** Proxmox's or Cloudflare's API does not answer, or answers with an error. */
  service(of: "proxmox" | "cloudflare", how: "drops" | "fails" | "refuses" | "is slow"): Fault {
    const fault = {
      drops: { drop: "before" },
      fails: { status: 500, message: "internal error" },
      refuses: { status: 401, message: "authentication failure" },
      "is slow": { delayMs: 3000 },
    }[how];
    return {
      ...{ name: `${of} ${how}`, of, kind: "service" },
      begin: () =>
        this.simulators.injectFault(of, { path: of === "proxmox" ? "^/api2" : "^/client", times: -1, ...fault }),
      end: () => this.simulators.clearFaults(),
    };
  }

  private async authority(): Promise<string> {
    const { stdout } = await this.checkout.shell(`sed -n 's/^ *ca: //p' "$TALOSCONFIG" | base64 -d`);
    return String(stdout);
  }

  private async reboot({ address }: Vm): Promise<void> {
    const { exitCode, all } = await this.checkout.shell(`talosctl -n ${address} -e ${address} reboot --wait=false`);
    if (exitCode !== 0) throw new Error(String(all));
  }

  private async proxmox(method: string, path: string): Promise<void> {
    const { address, token } = this.config.proxmox;
    const { exitCode, all } = await this.checkout.shell(
      `curl --silent --show-error --fail --cacert .lab/dev/ca/ca.crt --header 'Authorization: PVEAPIToken=${token}' ` +
        `--request ${method} https://${address}/api2/json${path}`,
    );
    if (exitCode !== 0) throw new Error(String(all));
  }
}
