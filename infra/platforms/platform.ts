import type { z } from "zod";

import type { ConfigurationProblem } from "../config/error.ts";
import type { clusterSchema } from "../config/cluster.ts";
import type { PoolKeys, PoolRoom } from "../config/pool-keys.ts";
import type { imagesSchema } from "../config/images.ts";
import type { CommonNode } from "../config/nodes.ts";
import type { Given, Question } from "./question.ts";

/** The input of a platform's checks: the parts of a stack's configuration that are valid on their own. */
export interface PlatformDraft<Node = CommonNode, Settings = unknown> {
  cluster?: z.output<typeof clusterSchema> | undefined;
  images?: z.output<typeof imagesSchema> | undefined;
  /** The platform's own nodes. */
  nodes: Record<string, Node>;
  /** The platform's group in the stack file. */
  settings: Settings | undefined;
  /** Whether no part was skipped as invalid, so that an absent part is absent in the file. */
  complete: boolean;
  /** Keys under `hearth:` of the secrets that are set. */
  secrets: readonly string[];
}

/** A claim to something that only one owner may have. */
export interface PlatformClaim {
  path: PropertyKey[];
  value: string;
  /** The text to show. @default the value */
  shown?: string;
  owner: string;
}

/** What an inventory shows of a machine on this platform only. */
export interface Placement {
  host: string;
  /** The host's name of the machine. */
  id: string;
  cores: number;
  /** MiB */
  memory: number;
}

/** Inputs of a resource, in the engine's form. */
export type Inputs = Record<string, unknown>;

/** What is known of a resource type that a platform creates machines with. */
export interface ResourceFacts {
  /** Whether it is a machine, which is named after its node. */
  isMachine?: boolean;
  /** The machine whose loss it shares: the one that it is named after or, for resources of hosts, any machine. */
  lostWith: "its machine" | "any machine";
  /** Returns the identifier of the resource to create, by which it is found if the state was lost. */
  identifier: (input: (key: string) => string) => string;
  /**
   * Property that shows whether a resource that was found is the expected one.
   */
  recognizedBy?: {
    property: string;
    /** The message about a resource that belongs to something else. */
    refuse: (found: { id: string; is: string; wanted: string }) => string;
  };
  /** Paths of the inputs whose change makes it another machine. */
  identity?: string[][];
  /** Returns the inputs that no other resource may share. */
  claims?: (inputs: Inputs, provider: Inputs) => { kind: string; value: string }[];
}

/** The restart that a change of a running machine needs. */
export interface MachineRestart {
  /** What has to happen. */
  what: string;
  /** The reason. */
  why: string;
  /** Whether the update itself restarts the machine. @default false */
  isAtOnce?: true;
}

/** The reason of a machine that moves and goes on running. */
export const anotherHost = "another host";

/** The dangers of a change to a platform's resources. */
export interface Dangers {
  /** Matches the resource types that are machines, including types that this program does not create. */
  machines: RegExp;
  /** Whether an update that removes these properties destroys a disk. */
  losesDisk: (type: string, removed: readonly string[]) => boolean;
  /** Returns the effect on a running machine if these properties change. */
  restarts: (type: string, properties: readonly string[], inputs: Inputs) => MachineRestart[];
}

/** A machine of a stack that is about to be written. */
export interface NewMachine {
  role: "controlplane" | "worker";
  address: string;
  /** Among all machines of the stack, control planes first, from 0. */
  position: number;
  hasWorkers: boolean;
}

/** What a new stack of it is asked for, and what its stack file says of it. */
export interface Setup<Settings = unknown> {
  /** Extensions of Talos that its machines need. */
  extensions: readonly string[];
  /** Secrets that every stack of it needs. Others go with keys that a new stack file does not have. */
  secrets: readonly string[];
  /** Disk that Talos is installed to, unless something else is said. */
  installDisk: string;
  /**
   * Questions beside those of all platforms.
   *
   * @param known what another stack of the project answers
   */
  questions: (known: Given) => Question[];
  /** What a stack of it answers to its questions. */
  answers(settings: Settings | undefined, hosts: readonly string[]): Record<string, string | undefined>;
  /** The hardware address that a machine may be given; absent where machines have theirs already. */
  mac?: (address: string) => string;
  /** What the group of its name says; undefined where there is none. */
  settings: (given: Given) => object | undefined;
  /** What a node says under its name; undefined where it says nothing. */
  node: (given: Given, machine: NewMachine) => object | undefined;
}

/** How a pool of a platform's machines is written, and what each of them has of its own. */
export interface PlatformPool {
  /** Schema of a pool. */
  readonly schema: z.ZodObject;
  /** What the pool has for its machines, beside addresses. */
  room(pool: PoolKeys): PoolRoom[];
  /**
   * Returns a node of the pool, with the keys that follow from its number.
   *
   * @param node the keys that all nodes of the pool share, and its address
   * @param index from 0
   */
  member(node: Record<string, unknown>, pool: PoolKeys, index: number): Record<string, unknown>;
}

/**
 * A kind of place where machines run. Everything that the project knows of a platform is in one folder, behind this interface.
 *
 * `makers.ts` creates the machines. It needs Pulumi's SDK, which a check of a stack file does not.
 */
export interface Platform<Node extends CommonNode = CommonNode, Settings = unknown> {
  /** The value of a node's key `platform`, and the name of the group with the settings that its machines share. */
  readonly name: string;
  /** What messages call a machine. @example "a virtual machine on Proxmox" */
  readonly machine: string;
  /** Schema of a node. */
  readonly node: z.ZodObject;
  /** Pools of its machines. Absent where each is written by itself. */
  readonly pool?: PlatformPool;
  /** Schema of the platform's group, if it has one. */
  readonly groups: z.ZodRawShape;
  /** Secrets under `hearth:`, with a description. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly resources: Readonly<Record<string, ResourceFacts>>;
  /** The dangers of a change. Undefined if no resource stands for a machine. */
  readonly dangers?: Dangers;
  readonly setup: Setup<Settings>;
  check(draft: PlatformDraft<Node, Settings>): ConfigurationProblem[];
  /** Returns the addresses that the platform uses, in addition to its nodes'. */
  addresses(settings: Settings | undefined): PlatformClaim[];
  /** Returns the values of a node that no other stack may use, by namespace. */
  claims(name: string, node: Node, settings: Settings | undefined): (PlatformClaim & { namespace: string })[];
  placement(node: Node): Placement | undefined;
}
