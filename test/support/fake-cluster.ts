import type { Role } from "../../components/talos/settings.ts";
import type { DiskKey } from "../../lib/cluster/disk-keys.ts";
import { Unanswered } from "../../lib/cluster/kubernetes.ts";
import type { Actions } from "../../lib/rollout/actions.ts";
import type { Pod } from "../../lib/rollout/drain.ts";
import type { EtcdView, Readings } from "../../lib/rollout/gates.ts";
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
  /** Whether it still lacks the configuration for which its API server restarts. */
  isServerOutdated?: boolean;
  /** Looks until its API server serves again. */
  serving?: number;
  /** How often its API server began. */
  starts?: number;
  /** Whether it is gone, and only its node is left. */
  isGone?: boolean;
  /** Looks until etcd counts it, once it answers: first it learns, then it votes. */
  joining?: number;
  /** Its disks, if a TPM opens them. */
  disks?: FakeDisks;
  /** Looks until its copies of the data are whole, once it is in service. */
  syncing?: number;
  /** Whether its firmware has SecureBoot on. */
  isSecureBoot?: boolean;
  /** Looks until a person has turned SecureBoot on or off, once it is wiped. */
  visiting?: number;
}

/** Encrypted disks: the slots of the configuration, and what firmware the keys in the volume are sealed to; `any` for one that none closes. */
interface FakeDisks {
  configured: number[];
  kept: Map<number, number | "any">;
  firmware: number;
  /** As they were opened at the last start. */
  opened: { slot: number; keys: string[]; failed: string[] };
}

const kindOf = (slot: number): DiskKey => (slot === 0 ? "tpm" : "nodeID");

/** Starts with encrypted disks, as Talos does. Returns undefined if none of the configuration's keys opens them. */
const openDisks = ({ configured, kept, firmware }: FakeDisks): FakeDisks["opened"] | undefined => {
  const opens = (slot: number): boolean => kept.get(slot) === "any" || kept.get(slot) === firmware;
  const slot = configured.find(opens);
  if (slot === undefined) return undefined;
  const failed = configured
    .filter((each) => kept.has(each) && !opens(each))
    .map((each) => `error updating key slot ${each} `);
  for (const each of configured) if (!kept.has(each)) kept.set(each, each === 0 ? firmware : "any");
  for (const each of [...kept.keys()]) if (!configured.includes(each)) kept.delete(each);
  return { slot, keys: configured.map(kindOf), failed };
};

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
  /** Ends what a killed run waits for. */
  death = new AbortController();
  /** Pods that a budget keeps, with the reason. */
  readonly kept = new Map<string, string>();
  /** Whether control planes take no pods. */
  isTainted = false;
  /** Image that a machine does not boot. */
  broken = "";
  /** Image that cannot be pulled. */
  missing = "";
  /** Machines that the stack file has, and those that the state has. */
  readonly desired = new Map<string, Role>();
  readonly recorded = new Set<string>();
  /** Machines whose present change destroys them. */
  readonly outdated = new Set<string>();
  /** Machines that the stack file wants SecureBoot for. */
  readonly secure = new Set<string>();
  /** Looks until a person comes to a machine that was wiped. */
  personComes = 3;
  /** The present names of machines that get another one, by the latter. */
  readonly renamed = new Map<string, string>();
  /** Members of etcd, and whether they vote. */
  readonly members = new Map<string, boolean>();
  leader = "cp01";
  /** The control plane that serves the VIP. */
  vip = "cp01";
  /** Release of Talos that new machines install. */
  private release = "v1.13.8";
  /** What must never be. */
  readonly violations: string[] = [];

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
      this.desired.set(name, role);
      this.recorded.add(name);
      if (role === "controlplane") this.members.set(name, true);
    }
  }

  /** Waits until everything has booted and joined. */
  settle(): void {
    for (let looks = 0; looks < 10; looks += 1) this.pass();
  }

  /** The machine burns. */
  lose(name: string): void {
    this.at(name).isGone = true;
  }

  /** The stack file gives a machine another name. */
  rename(from: string, to: string): void {
    this.desired.delete(from);
    this.desired.set(to, roleOf(to));
    this.renamed.set(to, from);
  }

  get running(): Running {
    const all = [...this.machines];
    const answering = all.filter(([name, { isGone }]) => isGone !== true && this.recorded.has(name));
    return {
      machines: Object.fromEntries(
        answering.map(([name, { version, schematic, role, isSecureBoot }]) => [
          name,
          { version, schematic, role, recorded: installer(version, isSecureBoot === true) },
        ]),
      ),
      leader: this.leader,
      members: [...this.members].map(([name, isVoting]) => ({ name, isVoting })),
      kubernetes: this.kubernetes,
      marked: all.flatMap(([name, { mark }]) => (mark === undefined ? [] : [name])),
    };
  }

  /** What a stack file asks for of it. */
  wants(version: string, kubernetes: string): Changes {
    this.release = version;
    const image = (name: string): TalosImage => ({
      version,
      schematic: "abc",
      installer: installer(version, this.secure.has(name)),
    });
    const all = [...this.machines];
    const [desired, recorded] = [[...this.desired.keys()], [...this.recorded]];
    return {
      machines: Object.fromEntries([...this.desired].map(([name, role]) => [name, { role, image: image(name) }])),
      renamed: Object.fromEntries([...this.renamed].filter(([, from]) => this.recorded.has(from))),
      created: desired.filter((name) => !this.recorded.has(name) && !this.renamed.has(name)),
      replaced: recorded.filter((name) => this.desired.has(name) && this.outdated.has(name)),
      isBootstrapped: false,
      kubernetes,
      restarts: Object.fromEntries(
        all.flatMap(([name, { isOutdated }]) => (isOutdated ? [[name, ["machine.udev"]]] : [])),
      ),
      apiServers: Object.fromEntries(
        all.flatMap(([name, { isServerOutdated }]) =>
          isServerOutdated === true ? [[name, ["cluster.apiServer.certSANs"]]] : [],
        ),
      ),
      removed: Object.fromEntries(
        recorded
          .filter((name) => !this.desired.has(name) && ![...this.renamed.values()].includes(name))
          .map((name) => [name, roleOf(name)]),
      ),
    };
  }

  readonly actions: Actions = {
    readings: (names) => this.call("readings", () => this.readings(names)),
    health: () => this.call("health", () => ({ problems: this.unhealthy(), mistakes: [], settles: 0 })),
    machine: (name) =>
      this.call(`machine ${name}`, () => {
        const { version, schematic, boot, booting, isGone } = this.at(name);
        if (booting > 0 || isGone) throw new Error("connection refused");
        return { version, schematic, boot };
      }),
    boot: (name) =>
      this.call(`boot ${name}`, () => {
        const machine = this.machines.get(name);
        if (machine?.isGone === false || (machine !== undefined && machine.isGone === undefined))
          return { state: "member", isSecureBoot: machine.isSecureBoot === true };
        if (machine === undefined) return { state: "blank", isSecureBoot: this.secure.has(name) };
        machine.visiting = Math.max(0, (machine.visiting ?? 0) - 1);
        if (machine.visiting === 0) machine.isSecureBoot = this.secure.has(name);
        return { state: "blank", isSecureBoot: machine.isSecureBoot === true };
      }),
    apiServerStart: (name) =>
      this.call(`apiServerStart ${name}`, () => {
        const { booting, isGone, serving = 0, starts = 0 } = this.at(name);
        if (booting > 0 || isGone || serving > 0) throw new Error("connection refused");
        return `${starts}`;
      }),
    kubernetes: (names) =>
      this.call("kubernetes", () => {
        this.requireThere(names);
        return this.kubernetes;
      }),
    takeOut: (name) =>
      this.call(`takeOut ${name}`, () => {
        const machine = this.machines.get(name);
        if (!machine) return;
        if (machine.mark === undefined && machine.isGone !== true) {
          for (const problem of this.unhealthy()) this.violations.push(`${name} was taken out of service: ${problem}`);
        }
        machine.mark ??= machine.isCordoned ? "cordoned" : "schedulable";
        machine.isCordoned = true;
      }),
    putBack: (name) =>
      this.call(`putBack ${name}`, () => {
        const machine = this.at(name);
        if (machine.booting > 0 && machine.mark !== undefined)
          this.violations.push(`${name} was put back before it was there`);
        machine.isCordoned = machine.mark === "cordoned";
        machine.mark = undefined;
      }),
    pods: (name) => this.call(`pods ${name}`, () => [...this.at(name).pods]),
    evict: (pod) =>
      this.call(`evict ${pod.name}`, () => {
        const why = this.kept.get(pod.name);
        if (why !== undefined) throw new Unanswered(429, why);
        for (const machine of this.machines.values())
          if (machine.pods.some(({ name }) => name === pod.name))
            Object.assign(machine, { pods: machine.pods.filter(({ name }) => name !== pod.name), syncing: 4 });
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
    configure: async (name) => {
      const from = this.renamed.get(name);
      if (from !== undefined && this.recorded.has(from))
        return this.call(`rename ${from}`, () => {
          this.takeName(from, name);
        });
      if (this.recorded.has(name) && !this.outdated.has(name))
        return this.call(`configure ${name}`, () => {
          const { isServerOutdated, isOutdated, starts = 0 } = this.at(name);
          if (isServerOutdated === true && !isOutdated) {
            this.requireNoVip(name, "restarted its API server");
            Object.assign(this.at(name), { isServerOutdated: false, serving: 3, starts: starts + 1 });
          } else this.reboot(name, { isOutdated: false, isServerOutdated: false });
        });
      if (this.recorded.has(name)) {
        await this.call(`destroy ${name}`, () => {
          this.destroy(name);
        });
        await this.call(`note ${name}`, () => this.recorded.delete(name));
      }
      await this.call(`create ${name}`, () => {
        this.create(name);
      });
    },
    disks: (name) =>
      this.call(`disks ${name}`, () => {
        const { booting, isGone, disks } = this.at(name);
        if (booting > 0 || isGone) throw new Error("connection refused");
        return {
          configured: (disks?.configured ?? []).map(kindOf),
          volumes: disks ? [{ name: "STATE", ...disks.opened }] : [],
          ...{ closed: [], foreign: [] },
        };
      }),
    giveDiskKeys: (name, keys) =>
      this.call(`giveDiskKeys ${name} ${keys.join()}`, () => {
        const { disks } = this.at(name);
        if (disks) disks.configured = keys.map((kind) => (kind === "tpm" ? 0 : 2)).sort();
      }),
    reboot: (name) =>
      this.call(`reboot ${name}`, () => {
        const from = this.renamed.get(name) ?? "";
        const isVoting = this.members.get(from);
        this.reboot(name, {});
        if (isVoting === undefined) return;
        this.members.delete(from);
        this.members.set(name, isVoting);
        if (this.leader === from) this.leader = name;
      }),
    wipe: (name) =>
      this.call(`wipe ${name}`, () => {
        this.destroy(name);
        Object.assign(this.at(name), { visiting: this.personComes });
      }),
    forget: (name) =>
      this.call(`forget ${name}`, () => {
        if (this.at(name).isGone !== true) this.violations.push(`${name} was forgotten while it ran`);
        this.recorded.delete(name);
      }),
    giveUpVips: (name) =>
      this.call(`giveUpVips ${name}`, () => {
        if (this.vip === name) this.vip = this.otherPlane(name) ?? name;
      }),
    forfeitLeadership: (name) =>
      this.call(`forfeitLeadership ${name}`, () => {
        if (this.leader === name) this.leader = [...this.members.keys()].find((other) => other !== name) ?? name;
      }),
    leaveEtcd: (name) =>
      this.call(`leaveEtcd ${name}`, () => {
        if (this.leader === name) this.violations.push(`${name} led etcd when it left`);
        this.requireNoVip(name, "left etcd");
        if (!this.members.delete(name)) throw new Error(`${name} is no member`);
      }),
    removeMember: (name) =>
      this.call(`removeMember ${name}`, () => {
        this.members.delete(name);
      }),
    remove: async (name, isLost) => {
      if (!isLost)
        await this.call(`destroy ${name}`, () => {
          this.destroy(name);
        });
      // The engine may be killed before it has noted what it did.
      await this.call(`note ${name}`, () => {
        this.recorded.delete(name);
      });
    },
    deleteNode: (name) =>
      this.call(`deleteNode ${name}`, () => {
        if (this.machines.get(name)?.isGone === false) this.violations.push(`${name} lost its node while it ran`);
        this.machines.delete(name);
      }),
    upgradeKubernetes: (to, names) =>
      this.call("upgradeKubernetes", () => {
        this.requireThere(names);
        this.kubernetes = { lowest: to, highest: to };
      }),
  };

  /** What the cluster lacks of its data. */
  private unhealthy(except?: string): string[] {
    return [...this.machines]
      .filter(([name]) => this.recorded.has(name) && name !== except)
      .filter(([, { isGone, syncing = 0 }]) => isGone === true || syncing > 0)
      .map(([name]) => `the copies on ${name} are not whole`);
  }

  /** A machine is about to stop. */
  private stop(name: string): void {
    for (const problem of this.unhealthy(name)) this.violations.push(`${name} stopped: ${problem}`);
  }

  private destroy(name: string): void {
    this.stop(name);
    if (this.members.has(name)) this.violations.push(`${name} was destroyed as a member of etcd`);
    Object.assign(this.machines.get(name) ?? {}, { isGone: true, pods: [] });
  }

  /** The machine goes on under another name. Its former node stays, as it was when it last reported. */
  private takeName(from: string, to: string): void {
    this.stop(from);
    this.requireNoVip(from, "got another name");
    const machine = this.at(from);
    if (machine.pods.length > 0) this.violations.push(`${from} had pods when it got another name`);
    this.machines.set(to, { ...machine, mark: undefined, isCordoned: false, booting: 3, syncing: 4 });
    Object.assign(machine, { isGone: true });
    this.recorded.delete(from);
    this.recorded.add(to);
  }

  private create(name: string): void {
    const before = this.machines.get(name);
    if (before?.isGone === true && (before.isSecureBoot ?? false) !== this.secure.has(name))
      this.violations.push(`${name} was configured with another SecureBoot`);
    this.machines.set(name, {
      ...{ role: roleOf(name), version: this.release, schematic: "abc", boot: "new", pods: [], isOutdated: false },
      ...{ isCordoned: before?.isCordoned ?? false, mark: before?.mark, booting: 3, joining: 3, syncing: 4 },
      isSecureBoot: this.secure.has(name),
    });
    this.recorded.add(name);
    this.outdated.delete(name);
  }

  /** A machine keeps its VIP while its API server restarts, and etcd keeps it for a member that is gone. */
  private requireNoVip(name: string, what: string): void {
    if (this.vip === name && this.otherPlane(name) !== undefined) this.violations.push(`${name} ${what} with the VIP`);
  }

  private otherPlane(name: string): string | undefined {
    const isUp = ({ role, booting, isGone }: FakeMachine): boolean =>
      role === "controlplane" && booting === 0 && isGone !== true;
    return [...this.machines].find(
      ([other, machine]) => other !== name && this.members.has(other) && isUp(machine),
    )?.[0];
  }

  /** A machine that is gone answers nothing. */
  private requireThere(names: readonly string[]): void {
    for (const name of names) if (this.at(name).isGone === true) throw new Error(`${name}: connection refused`);
  }

  private at(name: string): FakeMachine {
    const machine = this.machines.get(name);
    if (!machine) throw new Error(`There is no machine ${name}`);
    return machine;
  }

  /** Has a TPM open a machine's disks. */
  seal(name: string): void {
    const disks = { configured: [0], kept: new Map([[0, 0]]), firmware: 0 };
    this.at(name).disks = { ...disks, opened: { slot: 0, keys: ["tpm"], failed: [] } };
  }

  /** A person updates a machine's firmware, and starts it again. */
  updateFirmware(name: string): void {
    const { disks } = this.at(name);
    if (disks) disks.firmware += 1;
    this.reboot(name, {});
  }

  private reboot(name: string, change: Partial<FakeMachine>): void {
    this.stop(name);
    const machine = this.at(name);
    const opened = machine.disks && openDisks(machine.disks);
    if (machine.disks && !opened) this.violations.push(`${name} cannot open its disks`);
    if (machine.disks && opened) machine.disks.opened = opened;
    Object.assign(machine, change, { boot: `${Number(machine.boot) + 1}`, booting: 3, syncing: 4 });
  }

  /** Does what a call does, unless the run was killed before it. A killed run learns no answer, and gets to nothing more. */
  private async call<T>(name: string, work: () => T): Promise<T> {
    await Promise.resolve();
    this.dieIf(`before ${name}`);
    this.calls.push(name);
    this.pass();
    const answer = work();
    this.judge();
    this.dieIf(`after ${name}`);
    return answer;
  }

  /** Time goes on. */
  private pass(): void {
    for (const [name, machine] of this.machines) {
      machine.booting = Math.max(0, machine.booting - 1);
      machine.serving = Math.max(0, (machine.serving ?? 0) - 1);
      const isInService = machine.booting === 0 && machine.mark === undefined;
      if (isInService) machine.syncing = Math.max(0, (machine.syncing ?? 0) - 1);
      if (machine.booting > 0 || machine.isGone || machine.role !== "controlplane" || !machine.joining) continue;
      machine.joining -= 1;
      this.members.set(name, machine.joining === 0);
    }
  }

  private isUp(name: string): boolean {
    const machine = this.machines.get(name);
    return machine?.booting === 0 && machine.isGone !== true;
  }

  private get voters(): string[] {
    return [...this.members].filter(([, isVoting]) => isVoting).map(([name]) => name);
  }

  private get hasQuorum(): boolean {
    return this.voters.filter((name) => this.isUp(name)).length > this.voters.length / 2;
  }

  private judge(): void {
    const isUp = (name: string): boolean => this.isUp(name);
    const out = [...this.machines].filter(
      // A machine that joins was not in service before.
      ([name, { mark, joining }]) =>
        (this.recorded.has(name) || this.desired.has(name)) && (mark !== undefined || (!isUp(name) && !joining)),
    );
    this.mostOut = Math.max(this.mostOut, out.length);
    const voting = this.voters;
    if (!this.hasQuorum) this.violations.push(`etcd lost its quorum of ${voting.join()}`);
    const serving = [...this.machines].filter(([, machine]) => (machine.serving ?? 0) > 0);
    const silent = new Set(
      [...serving, ...out].filter(([, { role }]) => role === "controlplane").map(([name]) => name),
    );
    if (serving.length > 0 && silent.size > 1)
      this.violations.push(`the API servers of ${[...silent].join()} were gone together`);
    if (this.members.size - voting.length > 1) this.violations.push("two members learned at once");
    if (!this.members.has(this.leader)) this.leader = voting.find(isUp) ?? "";
  }

  /** Lets another run work with it, after one was killed. */
  revive(): void {
    this.untilKilled = Infinity;
    this.death = new AbortController();
  }

  private dieIf(where: string): void {
    this.untilKilled -= 1;
    if (this.untilKilled > 0) return;
    this.death.abort();
    throw new Killed(where);
  }

  /** What the members of etcd on some machines say. */
  etcd(names: readonly string[]): EtcdView[] {
    const members = [...this.members].map(([name, isVoting]) => ({ name, isVoting }));
    const leader = this.hasQuorum ? this.leader : undefined;
    return names
      .filter((name) => this.machines.get(name)?.role === "controlplane")
      .map((machine) => {
        if (!this.isUp(machine)) return { machine, problem: "connection refused", members: [], alarms: [] };
        if (!this.members.has(machine)) return { machine, problem: "etcd is not running", members: [], alarms: [] };
        return { machine, id: machine, leader, members, alarms: [] };
      });
  }

  private readings(names: readonly string[]): Readings {
    const all = [...this.machines];
    const planes = all.filter(([name, { role }]) => role === "controlplane" && names.includes(name));
    const down = ({ booting, isGone }: FakeMachine) =>
      booting > 0 || isGone === true ? { problem: "connection refused" } : {};
    return {
      etcd: this.etcd(names),
      apis: planes.map(([machine, fake]) => ({
        machine,
        ...((fake.serving ?? 0) > 0 && { problem: "connection refused" }),
        ...down(fake),
      })),
      nodes: all.map(([name, { boot, booting, isGone, isCordoned, joining, mark }]) => {
        // Kubernetes has not noticed yet that the machine before is gone.
        const isOld = booting > 0 && joining !== undefined;
        const isReady = isOld || (booting === 0 && isGone !== true);
        return {
          name,
          isReady,
          message: "kubelet stopped",
          isCordoned,
          mark,
          isTainted: this.isTainted && roleOf(name) === "controlplane",
          boot: isOld ? "old" : boot,
        };
      }),
    };
  }
}

const roleOf = (name: string): Role => (name.startsWith("cp") ? "controlplane" : "worker");

/** The installer of a machine of metal. */
const installer = (version: string, isSecureBoot: boolean): string =>
  `factory.example/metal-installer${isSecureBoot ? "-secureboot" : ""}/abc:${version}`;
