import { Unanswered } from "../../lib/cluster/kubernetes.ts";
import type { Actions } from "../../lib/rollout/actions.ts";
import type { Pod } from "../../lib/rollout/drain.ts";
import type { Readings } from "../../lib/rollout/gates.ts";
import type { MachineReading } from "../../lib/rollout/read.ts";
import type { Changes, Running, TalosImage } from "../../lib/rollout/step.ts";

/** Thrown in place of a call that a killed run does not get to. */
export class Killed extends Error {}

interface FakeMachine extends MachineReading {
  role: "controlplane" | "worker";
  mark?: string | undefined;
  isCordoned: boolean;
  /** Looks until it answers again. */
  booting: number;
  pods: Pod[];
  /** Whether it still lacks the configuration for which it restarts. */
  isOutdated: boolean;
}

/** A cluster whose machines take a few looks to boot, and that notes how many were out of service at once. */
export class FakeCluster {
  readonly machines = new Map<string, FakeMachine>();
  kubernetes = { lowest: "v1.36.3", highest: "v1.36.3" };
  /** The most machines that did not answer, or were cordoned by a rollout, at once. */
  mostOut = 0;
  /** Calls in their order. */
  readonly calls: string[] = [];
  /** Calls until the run is killed. */
  untilKilled = Infinity;
  /** Pods that a budget keeps, with the reason. */
  readonly kept = new Map<string, string>();
  /** Image that a machine does not boot. */
  broken = "";
  /** Image that cannot be pulled. */
  missing = "";

  constructor(planes: number, workers: number) {
    const names = [
      ...Array.from({ length: planes }, (_, index) => `cp0${index + 1}`),
      ...Array.from({ length: workers }, (_, index) => `wk0${index + 1}`),
    ];
    for (const name of names) {
      const role = name.startsWith("cp") ? "controlplane" : "worker";
      const pods = [{ namespace: "apps", name: `pod-of-${name}`, claims: [] }];
      this.machines.set(name, {
        ...{
          role,
          version: "v1.13.8",
          schematic: "abc",
          boot: "1",
          isCordoned: false,
          booting: 0,
          pods,
          isOutdated: false,
        },
      });
    }
  }

  get running(): Running {
    const all = [...this.machines];
    return {
      machines: Object.fromEntries(all.map(([name, { version, schematic }]) => [name, { version, schematic }])),
      leader: "cp01",
      kubernetes: this.kubernetes,
      marked: all.flatMap(([name, { mark }]) => (mark === undefined ? [] : [name])),
    };
  }

  /** What a stack file asks for of it. */
  wants(version: string, kubernetes: string): Changes {
    const image: TalosImage = {
      version,
      schematic: "abc",
      installer: `factory.example/metal-installer/abc:${version}`,
    };
    const all = [...this.machines];
    return {
      machines: Object.fromEntries(all.map(([name, { role }]) => [name, { role, image }])),
      kubernetes,
      restarts: Object.fromEntries(
        all.flatMap(([name, { isOutdated }]) => (isOutdated ? [[name, ["machine.udev"]]] : [])),
      ),
      removed: {},
    };
  }

  readonly actions: Actions = {
    readings: () => this.call("readings", () => this.readings()),
    machine: (name) =>
      this.call(`machine ${name}`, () => {
        const { version, schematic, boot, booting } = this.at(name);
        if (booting > 0) throw new Error("connection refused");
        return { version, schematic, boot };
      }),
    kubernetes: () => this.call("kubernetes", () => this.kubernetes),
    takeOut: (name) =>
      this.call(`takeOut ${name}`, () => {
        const machine = this.at(name);
        machine.mark ??= machine.isCordoned ? "cordoned" : "schedulable";
        machine.isCordoned = true;
      }),
    putBack: (name) =>
      this.call(`putBack ${name}`, () => {
        const machine = this.at(name);
        machine.isCordoned = machine.mark === "cordoned";
        machine.mark = undefined;
      }),
    pods: (name) => this.call(`pods ${name}`, () => [...this.at(name).pods]),
    evict: (pod) =>
      this.call(`evict ${pod.name}`, () => {
        const why = this.kept.get(pod.name);
        if (why !== undefined) throw new Unanswered(429, why);
        for (const machine of this.machines.values())
          machine.pods = machine.pods.filter(({ name }) => name !== pod.name);
      }),
    attached: (name) => this.call(`attached ${name}`, () => []),
    pull: (name, { installer }) =>
      this.call(`pull ${name}`, () => {
        if (installer === this.missing) throw new Error(`${installer}: not found`);
      }),
    install: (name, { version, schematic, installer }) =>
      this.call(`install ${name}`, () => {
        if (installer === this.missing) throw new Error(`${installer}: not found`);
        this.reboot(name, installer === this.broken ? {} : { version, schematic });
      }),
    configure: (name) =>
      this.call(`configure ${name}`, () => {
        this.reboot(name, { isOutdated: false });
      }),
    upgradeKubernetes: (to) =>
      this.call("upgradeKubernetes", () => {
        this.kubernetes = { lowest: to, highest: to };
      }),
  };

  private at(name: string): FakeMachine {
    const machine = this.machines.get(name);
    if (!machine) throw new Error(`There is no machine ${name}`);
    return machine;
  }

  private reboot(name: string, change: Partial<FakeMachine>): void {
    const machine = this.at(name);
    Object.assign(machine, change, { boot: `${Number(machine.boot) + 1}`, booting: 3 });
  }

  /** Does what a call does, unless the run was killed before it. A killed run learns no answer, and gets to nothing more. */
  private async call<T>(name: string, work: () => T): Promise<T> {
    await Promise.resolve();
    this.dieIf(`before ${name}`);
    this.calls.push(name);
    for (const machine of this.machines.values()) machine.booting = Math.max(0, machine.booting - 1);
    const answer = work();
    const out = [...this.machines.values()].filter(({ booting, mark }) => booting > 0 || mark !== undefined);
    this.mostOut = Math.max(this.mostOut, out.length);
    this.dieIf(`after ${name}`);
    return answer;
  }

  private dieIf(where: string): void {
    this.untilKilled -= 1;
    if (this.untilKilled <= 0) throw new Killed(where);
  }

  private readings(): Readings {
    const all = [...this.machines];
    const planes = all.filter(([, { role }]) => role === "controlplane");
    const members = planes.map(([name]) => ({ name, isVoting: true }));
    const down = (booting: number) => (booting > 0 ? { problem: "connection refused" } : {});
    return {
      etcd: planes.map(([machine, { booting }]) => ({
        ...{ machine, id: machine, leader: "cp01", members, alarms: [], ...down(booting) },
      })),
      apis: planes.map(([machine, { booting }]) => ({ machine, ...down(booting) })),
      nodes: all.map(([name, { booting, isCordoned }]) => ({
        ...{ name, isReady: booting === 0, message: "kubelet stopped", isCordoned },
      })),
    };
  }
}
