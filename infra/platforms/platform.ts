import type { z } from "zod";

import type { ConfigurationProblem } from "../config/error.ts";
import type { clusterSchema } from "../config/cluster.ts";
import type { imagesSchema } from "../config/images.ts";
import type { CommonNode } from "../config/nodes.ts";
import type { Given, Question } from "./question.ts";

/** What a platform's checks look at: the parts of a stack's configuration that are valid by themselves. */
export interface PlatformDraft<Node = CommonNode, Settings = unknown> {
  cluster?: z.output<typeof clusterSchema> | undefined;
  images?: z.output<typeof imagesSchema> | undefined;
  /** The platform's own nodes. */
  nodes: Record<string, Node>;
  /** What the group of the platform's name says. */
  settings: Settings | undefined;
  /** Whether nothing was left out, so that what is absent was not written. */
  complete: boolean;
}

/** Something that one owner only may have. */
export interface PlatformClaim {
  path: PropertyKey[];
  value: string;
  /** The value as it is shown, where that is another. */
  shown?: string;
  owner: string;
}

/** What an inventory tells of a machine beside what it tells of all. */
export interface Placement {
  host: string;
  /** What the host calls it. */
  id: string;
  cores: number;
  /** MiB */
  memory: number;
}

/** Inputs of a resource, as the engine has them. */
export type Inputs = Record<string, unknown>;

/** What is known of a type of resources that a platform makes machines with. */
export interface ResourceFacts {
  /** Whether it is a machine, named after its node. */
  isMachine?: boolean;
  /** It is lost with the machine that it is named after, or with any machine, as what hosts have. */
  lostWith: "its machine" | "any machine";
  /** The identifier of what a creation would make, by which it is found where the state was lost. */
  identifier: (input: (key: string) => string) => string;
  /**
   * Property that tells whether what was found is the same, and not somebody else's.
   */
  recognizedBy?: {
    property: string;
    /** What a person is told of somebody else's. */
    refuse: (found: { id: string; is: string; wanted: string }) => string;
  };
  /** Paths of the inputs by which a machine is another one than before. */
  identity?: string[][];
  /** What of its inputs nothing else may have. */
  claims?: (inputs: Inputs, provider: Inputs) => { kind: string; value: string }[];
}

/** What a running machine asks for when it changes. */
export interface MachineRestart {
  /** What has to happen. */
  what: string;
  /** Because of what. */
  why: string;
}

/** What a change of its resources endangers. */
export interface Dangers {
  /** Types of resources of which each is a machine, also those that this program does not make. */
  machines: RegExp;
  /** Whether an update that removes these properties destroys a disk. */
  losesDisk: (type: string, removed: readonly string[]) => boolean;
  /** What becomes of a running machine when these properties change. */
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

/**
 * A kind of place that machines are at. All that the project knows of one is behind this, and in one folder.
 *
 * How machines come to be is in `makers.ts`: it needs the engine, and whoever checks a stack file does not.
 */
export interface Platform<Node extends CommonNode = CommonNode, Settings = unknown> {
  /** What a node says under `platform`; also the group of the stack file that says what its machines have in common. */
  readonly name: string;
  /** What a machine of it is called. @example "a virtual machine on Proxmox" */
  readonly machine: string;
  /** Schema of a node of it. */
  readonly node: z.ZodObject;
  /** The group of its name, or none. */
  readonly groups: z.ZodRawShape;
  /** Secrets under `hearth:`, with what each is. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly resources: Readonly<Record<string, ResourceFacts>>;
  /** What a change endangers; nothing where no resource stands for a machine. */
  readonly dangers?: Dangers;
  readonly setup: Setup<Settings>;
  check(draft: PlatformDraft<Node, Settings>): ConfigurationProblem[];
  /** Addresses that it uses beside its nodes'. */
  addresses(settings: Settings | undefined): PlatformClaim[];
  /** What of a node no other stack may have, by namespace. */
  claims(name: string, node: Node, settings: Settings | undefined): (PlatformClaim & { namespace: string })[];
  placement(node: Node): Placement | undefined;
}
