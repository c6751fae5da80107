import semver from "semver";

import { resourceTypes } from "../../components/resource-types.ts";
import { nameOf } from "../../components/urn.ts";
import type { HearthConfig, NodeConfig } from "../../infra/config/index.ts";
import { talosClientOf } from "../../lib/cluster/access.ts";
import {
  macOf,
  maintenanceResources,
  physicalLinks,
  type Disk,
  type Link,
  type Resource,
} from "../../lib/cluster/hardware.ts";
import { machineState, type MachineState } from "../../lib/cluster/machine-state.ts";
import { reach } from "../../lib/cluster/reach.ts";
import { Talosctl } from "../../lib/cluster/talosctl.ts";
import { ofType } from "../../lib/engine/state.ts";
import { authorityOf } from "../../lib/recovery/examine.ts";
import { talosRelease } from "../../lib/rollout/read.ts";
import { Toolchain } from "../../toolchain/toolchain.ts";
import { selected } from "./disks.ts";
import type { Subject } from "./doctor.ts";
import { fine, known, listed, notAsked, problem, valueOf, warning, type Finding, type Known } from "./finding.ts";
import type { Surroundings } from "./surroundings.ts";

/** What a machine in maintenance mode tells of itself. */
export interface Hardware {
  disks: Known<Disk[]>;
  links: Known<Link[]>;
  secureBoot: Known<boolean>;
  /** Its Talos release. */
  release: Known<string>;
}

/** What is known of a machine. */
export interface MachineFacts {
  state: MachineState;
  /** Whether something else at the address accepts connections. */
  isTaken: boolean;
  /** In maintenance mode. */
  hardware?: Hardware;
  /** The Talos release of a member of the cluster. */
  release?: Known<string>;
}

/** What is known of all machines. */
export interface MachinesFacts {
  machines: Record<string, MachineFacts>;
  /** Names of the machines that the state has a configuration of; undefined if the state cannot be read. */
  configured: readonly string[] | undefined;
}

export const machinesFindings = (config: HearthConfig, { machines, configured }: MachinesFacts): Finding[] =>
  Object.entries(config.nodes).flatMap(([name, node]) => {
    const facts = machines[name];
    return facts ? machineFindings(config, { name, node, facts, configured }) : [];
  });

interface Machine {
  name: string;
  node: NodeConfig;
  facts: MachineFacts;
  configured: readonly string[] | undefined;
}

const machineFindings = (config: HearthConfig, machine: Machine): Finding[] => {
  const { name, node, facts, configured } = machine;
  const check = `machine ${name} at ${node.address}`;
  const isConfigured = configured?.includes(name);
  switch (facts.state) {
    case "member":
      return [
        fine(check, "runs as a machine of this cluster"),
        ...(facts.release ? [memberReleaseFinding(name, config.cluster, facts.release)] : []),
      ];
    case "blank":
      return [
        isConfigured
          ? problem(
              check,
              "is in maintenance mode, and the state has a configuration of it: it lost its disk, or another machine has its address",
              "npx hearth rebuild finds out what is lost",
            )
          : fine(check, "is in maintenance mode, and waits for a configuration"),
        ...hardwareFindings(config, machine),
      ];
    case "foreign":
      if (configured === undefined)
        return [notAsked(check, "runs Talos; whether it is this cluster's, only the state says")];
      return [
        problem(
          check,
          "runs Talos with the certificate of another cluster, or its clock is off",
          "give the node another address, or reset that machine: talosctl reset. If it is this cluster's, set its clock",
        ),
      ];
    case "silent":
      return [silentFinding(check, machine)];
  }
};

const silentFinding = (check: string, { node, facts: { isTaken }, configured, name }: Machine): Finding => {
  if (configured?.includes(name)) {
    return problem(
      check,
      isTaken
        ? "does not answer as Talos, and something else answers there"
        : "does not answer, and the state has a configuration of it",
      "look at its power, its network and the route from this computer; what does not answer is not lost",
    );
  }
  if (isTaken) {
    return problem(
      check,
      "something that is no Talos machine has the address",
      "give the node another address, or that device",
    );
  }
  return node.platform === "metal"
    ? warning(check, "nobody answers: a machine of metal has to wait there in maintenance mode", bootAdvice)
    : fine(check, "nobody answers, as before its machine is made");
};

const bootAdvice =
  "boot it from the ISO of its profile, and let the network's DHCP server give this address to its mac";

const hardwareFindings = (
  config: HearthConfig,
  { name, node, facts: { hardware } }: Pick<Machine, "name" | "node" | "facts">,
): Finding[] =>
  hardware
    ? [
        linkFinding(name, node, hardware.links),
        // A disk image counts as installed.
        ...(node.platform === "metal" ? [diskFinding(name, node, hardware.disks)] : []),
        ...secureBootFindings(config, name, node, hardware.secureBoot),
        ...tpmFindings(config, name, node),
        releaseFinding(name, config.cluster.contract, hardware.release),
      ]
    : [];

const linkFinding = (name: string, node: NodeConfig, links: Known<Link[]>): Finding => {
  const check = `machine ${name}'s links`;
  if ("why" in links) return notAsked(check, links.why);
  const physical = physicalLinks(links.value);
  const macs = physical.map(macOf);
  const wanted = [node.mac, ...(node.bond?.macs ?? [])];
  const missing = wanted.filter((mac) => !macs.includes(mac));
  if (missing.length === 0) {
    return fine(
      check,
      listed(physical.filter((_, index) => wanted.includes(macs[index] as never)).map((link) => link.name)),
    );
  }
  return problem(
    check,
    `no link has ${listed(missing)}; there are ${listed(macs) || "none"}`,
    `correct nodes.${name}.mac, or look whether another machine has its address`,
  );
};

const diskFinding = (name: string, { diskSelector, installDisk }: NodeConfig, disks: Known<Disk[]>): Finding => {
  const check = `machine ${name}'s install disk`;
  if ("why" in disks) return notAsked(check, disks.why);
  const usable = disks.value.filter(({ cdrom, readonly }) => cdrom !== true && readonly !== true);
  const all = listed(usable.map(described)) || "none";
  if (diskSelector === undefined) {
    return usable.some(({ dev_path: path }) => path === installDisk)
      ? fine(check, String(installDisk))
      : problem(check, `there is no ${String(installDisk)}; there are ${all}`, `correct nodes.${name}.installDisk`);
  }
  const [first, ...others] = selected(diskSelector, disks.value);
  if (first === undefined) {
    return problem(
      check,
      `nodes.${name}.diskSelector matches no disk; there are ${all}`,
      "select one of them, best by its serial or wwid",
    );
  }
  if (others.length > 0) {
    return warning(
      check,
      `nodes.${name}.diskSelector matches ${listed([first, ...others].map(described))}, and Talos takes the first that it finds`,
      "select one of them by its serial or wwid",
    );
  }
  return fine(check, described(first));
};

const described = ({ dev_path: path, size, model, serial }: Disk): string => {
  const facts = [`${Math.round(size / 1e9).toString()} GB`, model, serial && `serial ${serial}`].filter(Boolean);
  return `${path} (${facts.join(", ")})`;
};

const secureBootFindings = (
  { cluster }: HearthConfig,
  name: string,
  node: NodeConfig,
  secureBoot: Known<boolean>,
): Finding[] => {
  const check = `machine ${name}'s SecureBoot`;
  const isWanted = node.secureBoot ?? cluster.secureBoot;
  if ("why" in secureBoot) return isWanted ? [notAsked(check, secureBoot.why)] : [];
  if (isWanted && !secureBoot.value) {
    return [
      problem(
        check,
        "is off, and the stack file wants it: a machine that is installed without cannot get it by an upgrade",
        "put the firmware into setup mode, boot the SecureBoot ISO, and choose to enrol the keys in its boot menu",
      ),
    ];
  }
  return isWanted ? [fine(check, "is on")] : [];
};

/**
 * Talos has no resource that says whether there is a TPM: its PCRStatus is there without one, too.
 *
 * Source: siderolabs/talos v1.13.9, internal/app/machined/pkg/controllers/hardware/pcr_status.go.
 */
const tpmFindings = ({ cluster }: HearthConfig, name: string, node: NodeConfig): Finding[] =>
  (node.diskEncryption ?? cluster.diskEncryption) === "tpm"
    ? [
        notAsked(
          `machine ${name}'s TPM`,
          "Talos does not tell whether there is one, and the stack file keeps the disk's key in it",
          "look in the firmware that a TPM 2.0 is on, before the machine is installed: without one its disks cannot be opened",
        ),
      ]
    : [];

/** A member reads every configuration that the stack makes, unless it was taken below the contract. */
const memberReleaseFinding = (
  name: string,
  { contract, talos }: HearthConfig["cluster"],
  release: Known<string>,
): Finding => {
  const check = `machine ${name}'s Talos`;
  if ("why" in release) return notAsked(check, release.why);
  const runs = `runs ${release.value}`;
  if (minorNumber(release.value) < minorNumber(contract)) {
    return problem(
      check,
      `${runs}, which does not read a configuration of the contract ${contract}`,
      `take it to ${contract} or newer: talosctl upgrade, with an image of the machine's profile`,
    );
  }
  if (semver.gt(release.value, talos)) {
    return warning(
      check,
      `${runs}, and cluster.talos is ${talos}: a deployment keeps what somebody installed by hand`,
      `write ${release.value} as cluster.talos: if the profile of its image changes as well, a deployment takes it to ${talos}`,
    );
  }
  return fine(check, release.value === talos ? runs : `${runs}; the next deployment takes it to ${talos}`);
};

/** A machine reads a configuration of its own minor or an older one. */
const releaseFinding = (name: string, contract: string, release: Known<string>): Finding => {
  const check = `machine ${name}'s Talos`;
  if ("why" in release) return notAsked(check, release.why);
  return minorNumber(release.value) < minorNumber(contract)
    ? problem(
        check,
        `booted ${release.value}, which does not read a configuration of the contract ${contract}`,
        `boot an image of ${contract} or newer`,
      )
    : fine(check, `booted ${release.value}`);
};

const minorNumber = (version: string): number => {
  const [, major = "0", minor = "0"] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) * 1000 + Number(minor);
};

/** How long a member may take to tell its release, in milliseconds. */
const releaseTimeout = 6000;

/** Ports by which something that is no Talos machine may show itself. */
const otherPorts = [22, 80, 443, 445, 8006];

const lookAt = async (
  node: NodeConfig,
  authority: string,
  talosctl: Known<string>,
  releaseOf: (address: string) => Promise<Known<string>>,
): Promise<MachineFacts> => {
  const state = await machineState(node.address, authority);
  if (state === "member") return { state, isTaken: false, release: await releaseOf(node.address) };
  if (state === "blank") return { state, isTaken: false, hardware: await hardwareOf(node.address, talosctl) };
  if (state !== "silent") return { state, isTaken: false };
  const others = await Promise.all(otherPorts.map((port) => reach(node.address, port, 1500)));
  return { state, isTaken: others.includes("open") };
};

/** Asks a machine in maintenance mode, which answers anybody. */
const hardwareOf = async (address: string, talosctl: Known<string>): Promise<Hardware> => {
  const get = <T>(type: string): Promise<Known<Resource<T>[]>> =>
    known(async () => {
      if ("why" in talosctl) throw new Error(talosctl.why);
      return maintenanceResources<T>(talosctl.value, address, type);
    });
  const [disks, links, security, versions] = await Promise.all([
    get<Disk>("disks"),
    get<Omit<Link, "name">>("links"),
    get<{ secureBoot: boolean }>("securitystate"),
    get<{ version: string }>("version"),
  ]);
  return {
    disks: mapped(disks, (all) => all.map(({ spec }) => spec)),
    links: mapped(links, (all) => all.map(({ metadata, spec }) => ({ ...spec, name: metadata.id }))),
    secureBoot: first(security, ({ secureBoot }) => secureBoot),
    release: first(versions, ({ version }) => version),
  };
};

const mapped = <A, B>(read: Known<A>, change: (value: A) => B): Known<B> =>
  "why" in read ? read : { value: change(read.value) };

const first = <A, B>(read: Known<Resource<A>[]>, change: (value: A) => B): Known<B> => {
  if ("why" in read) return read;
  const [only] = read.value;
  return only ? { value: change(only.spec) } : { why: "the machine does not tell" };
};

const configuredIn = ({ state }: Surroundings): string[] | undefined => {
  if ("why" in state) return undefined;
  return state.value === undefined
    ? []
    : ofType(state.value, resourceTypes.machineConfiguration).map(({ urn }) => nameOf(urn));
};

/** The machines of the stack, by who answers at their addresses. */
export const machines: Subject = {
  name: "machines",
  examine: async (surroundings) => {
    const { config, target, state } = surroundings;
    const whole = valueOf(state);
    const authority = whole === undefined ? "" : authorityOf(whole);
    const talosctl = await known(async () => {
      const located = (await new Toolchain({ root: target.root }).locate(["talosctl"])).get("talosctl");
      if (!located) throw new Error("there is no talosctl: npx hearth tools all brings it");
      return located.path;
    });
    const releaseOf = (address: string): Promise<Known<string>> =>
      known(async () => {
        if ("why" in talosctl) throw new Error(talosctl.why);
        if (whole === undefined) throw new Error("the state cannot be read");
        return talosRelease(new Talosctl(talosctl.value, talosClientOf(whole)), address, releaseTimeout);
      });
    const looked = await Promise.all(
      Object.entries(config.nodes).map(
        async ([name, node]) => [name, await lookAt(node, authority, talosctl, releaseOf)] as const,
      ),
    );
    return machinesFindings(config, { machines: Object.fromEntries(looked), configured: configuredIn(surroundings) });
  },
};
