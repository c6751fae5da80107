import type { HearthConfig } from "../infra/config/index.ts";
import type { ChartRelease } from "../components/helm/install-once.ts";
import type { ConfigurationProblem } from "../infra/config/error.ts";
import type { Inputs, Resource } from "./resource.ts";

/** A resource in the stack's state. Its secrets are encrypted. */
export interface Recorded {
  urn: string;
  type: string;
  inputs: Inputs;
  outputs: Inputs;
  protect: boolean;
  /** Paths of inputs that the program does not change after creation. */
  ignoreChanges: string[];
}

/** Everything that policies know besides the resources of the run. */
export interface Surroundings {
  /** Name of the stack. */
  stack: string;
  /** The validated stack file. */
  config: HearthConfig;
  /** Cilium's release in the GitOps tree. */
  cilium: Pick<ChartRelease, "version" | "values">;
  /** Conflicts with the other stacks of the checkout. */
  collisions: ConfigurationProblem[];
  /** The stack's resources before the run. Empty for a new stack. */
  recorded: Recorded[];
  /** The problem of the escrow's file, if there is one. */
  escrow: { path: string; problem: string; advice?: string | undefined } | undefined;
  /** Whether a rollout is planned, whose plan judges etcd's quorum for each of its steps. @default false */
  isPlanned?: boolean;
}

/** A stack during a run of the engine: its surroundings, and the resources registered so far. */
export class Stack {
  /** Resources by URN, in the order of registration. */
  readonly seen = new Map<string, Resource>();
  private readonly before: Map<string, Recorded>;

  constructor(readonly surroundings: Surroundings) {
    this.before = new Map(surroundings.recorded.map((resource) => [resource.urn, resource]));
  }

  /** Records a resource. A later registration replaces an earlier one. */
  see(resource: Resource): void {
    this.seen.set(resource.urn, resource);
  }

  /** Returns the resources that were registered before a given one. */
  earlier({ urn }: Resource): Resource[] {
    const all = [...this.seen.values()];
    const index = all.findIndex((each) => each.urn === urn);
    return index === -1 ? all : all.slice(0, index);
  }

  /** Returns a resource's entry in the state. */
  recorded(urn: string): Recorded | undefined {
    return this.before.get(urn);
  }

  /** Whether people depend on the stack. */
  get isProduction(): boolean {
    const { policy, cluster } = this.surroundings.config;
    return policy.production ?? cluster.name.endsWith("-prod");
  }
}
