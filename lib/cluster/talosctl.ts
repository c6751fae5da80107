import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { ClientConfiguration } from "@pulumi/talos";
import { execa } from "execa";
import { parse, stringify } from "yaml";

import { Problem } from "../../toolchain/problem.ts";
import { withPrivateFolder } from "../secrets/private-folder.ts";
import { withSecretsBundle, type Roots } from "../secrets/roots.ts";
import { maintenanceResources, type Resource } from "./hardware.ts";

/**
 * Failures that pass by themselves: the machine boots, installs itself, or has not started etcd's service, its member
 * still catches up, or etcd elects a leader. Talos hands etcd's errors on with the code Unknown.
 * Source: etcd v3.6, api/v3rpc/rpctypes/error.go.
 */
const passing = new RegExp(
  [
    "Unavailable|DeadlineExceeded|FailedPrecondition|not ready for recovery|not available yet|connection refused|EOF",
    "etcdserver: (rpc not supported for learner|no leader|not leader|leader changed|request timed out)",
  ].join("|"),
  "i",
);

/** How long a machine may take until it can be talked to, in milliseconds: it may have to install itself first. */
const defaultTimeout = 10 * 60_000;

/** talosctl with an administrator's certificate, for one call at a time. */
export class Talosctl {
  constructor(
    /** The program. */
    private readonly program: string,
    private readonly client: ClientConfiguration,
    /** Waits between tries, in milliseconds. */
    private readonly pause = 2000,
  ) {}

  /** Certificate of the authority that the cluster's machines have theirs from, PEM. */
  get authority(): string {
    return Buffer.from(this.client.caCertificate, "base64").toString();
  }

  /** Asks a machine in maintenance mode for all resources of a type. */
  waiting<T>(node: string, type: string): Promise<Resource<T>[]> {
    return maintenanceResources<T>(this.program, node, type);
  }

  /** Runs a command against a machine, and repeats it after temporary failures. Returns its output. */
  async run(node: string, args: string[], timeout = defaultTimeout): Promise<string> {
    const deadline = Date.now() + timeout;
    for (;;) {
      const { exitCode, stdout, stderr } = await this.call(node, args);
      if (exitCode === 0) return stdout;
      if (!passing.test(stderr) || Date.now() > deadline) throw new Problem(failure(node, args, stderr));
      await sleep(this.pause);
    }
  }

  /** Runs a command against a machine once, with a timeout in milliseconds. Returns its output. */
  async once(node: string, args: string[], limit?: number): Promise<string> {
    const { exitCode, stdout, stderr } = await this.call(node, args, limit);
    if (exitCode !== 0) throw new Problem(failure(node, args, stderr));
    return stdout;
  }

  /** Runs a command against a machine once. The certificate is in a file of its own for as long as that takes. */
  private call(node: string, args: string[], limit?: number) {
    return withPrivateFolder(async (folder) => {
      const file = join(folder, "talosconfig");
      await writeFile(file, talosconfig(node, this.client), { mode: 0o600 });
      return execa(this.program, ["--talosconfig", file, "--nodes", node, "--endpoints", node, ...args], {
        reject: false,
        stdin: "ignore",
        ...(limit !== undefined && { timeout: limit }),
      });
    });
  }
}

interface Talosconfig {
  context: string;
  contexts: Record<string, { ca: string; crt: string; key: string }>;
}

/** An administrator's certificate, made of a cluster's root secrets. */
export const clientOfSecrets = (
  program: string,
  roots: Roots,
  { name, endpoint }: { name: string; endpoint: string },
): Promise<ClientConfiguration> =>
  withSecretsBundle(roots, async (secrets) => {
    const args = ["--with-secrets", secrets, "--output-types", "talosconfig", "--output", "-"];
    const { stdout } = await execa(program, ["gen", "config", name, endpoint, ...args]);
    return clientIn(stdout);
  });

/** The administrator's certificate that a talosconfig holds. */
export const clientIn = (talosconfig: string): ClientConfiguration => {
  const { context, contexts } = parse(talosconfig) as Talosconfig;
  const own = contexts[context];
  if (own === undefined) throw new Problem("The talosconfig lacks the context that it names");
  return { caCertificate: own.ca, clientCertificate: own.crt, clientKey: own.key };
};

/** A member of etcd. */
export interface EtcdMember {
  id: string;
  name: string;
  /** Whether it has caught up, and so counts for the quorum. */
  isVoting: boolean;
}

/** Members of etcd, of the table that talosctl prints: NODE, ID, HOSTNAME, PEER URLS, CLIENT URLS, LEARNER. */
export const etcdMembers = (table: string): EtcdMember[] =>
  table
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .flatMap((columns) => {
      const [, id, name] = columns;
      return id !== undefined && name !== undefined ? [{ id, name, isVoting: columns.at(-1) === "false" }] : [];
    });

/** How a member of etcd sees itself. */
export interface EtcdStatus {
  id: string;
  /** The leader's identifier; undefined where it knows none. */
  leader: string | undefined;
}

/**
 * The status of a member, of the table that talosctl prints. Columns are three spaces apart, and sizes contain one.
 * Source: siderolabs/talos v1.13.9, cmd/talosctl/cmd/talos/etcd.go.
 */
export const etcdStatus = (table: string): EtcdStatus | undefined => {
  const [headings = [], cells = []] = table.split("\n").map((line) => line.trim().split(/\s{2,}/));
  const cell = (heading: string): string | undefined => cells[headings.indexOf(heading)];
  const [id, leader = ""] = [cell("MEMBER"), cell("LEADER")];
  return id === undefined ? undefined : { id, leader: /^0*$/.test(leader) ? undefined : leader };
};

/** The alarms of etcd, of the table that talosctl prints where there are any: NODE, MEMBER, ALARM. */
export const etcdAlarms = (table: string): string[] =>
  table
    .split("\n")
    .slice(1)
    .flatMap((line) => line.trim().split(/\s+/)[2] ?? []);

/** A talosconfig for one machine. */
export const talosconfig = (node: string, client: ClientConfiguration): string =>
  stringify({
    context: "hearth",
    contexts: {
      hearth: {
        endpoints: [node],
        nodes: [node],
        ca: client.caCertificate,
        crt: client.clientCertificate,
        key: client.clientKey,
      },
    },
  });

const failure = (node: string, args: string[], stderr: string): string => {
  const reason = stderr
    .trim()
    .split("\n")
    .map((line) => line.replace(/^error: /, "").trim())
    .filter((line) => line !== "")
    .at(-1);
  return `talosctl ${args[0] ?? ""} on ${node} failed: ${reason ?? "it said nothing"}`;
};
