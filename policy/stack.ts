import type { HearthConfig } from "../infra/config/index.ts";
import type { ChartRelease } from "../components/helm/install-once.ts";
import type { ConfigurationProblem } from "../infra/config/error.ts";
import type { Inputs, Resource } from "./resource.ts";

/** A resource as the stack's state has it. Its secrets are ciphertext. */
export interface Recorded {
  urn: string;
  type: string;
  inputs: Inputs;
  outputs: Inputs;
  protect: boolean;
  /** Paths of inputs that the program leaves alone once it is made. */
  ignoreChanges: string[];
}

/** What surrounds the resources of a run. */
export interface Surroundings {
  /** Name of the stack. */
  stack: string;
  /** What the stack file says. */
  config: HearthConfig;
  /** Cilium's release, as the tree has it. */
  cilium: Pick<ChartRelease, "version" | "values">;
  /** What the stack takes from others that are configured beside it. */
  collisions: ConfigurationProblem[];
  /** The stack's resources before the run; none where it is new. */
  recorded: Recorded[];
  /** What is wrong with the escrow's file, where something is. */
  escrow: { path: string; problem: string; advice?: string | undefined } | undefined;
}

/** A stack while the engine runs: what surrounds it, and the resources that it was told of so far. */
export class Stack {
  /** By URN, in the order in which they came. */
  readonly seen = new Map<string, Resource>();
  private readonly before: Map<string, Recorded>;

  constructor(readonly surroundings: Surroundings) {
    this.before = new Map(surroundings.recorded.map((resource) => [resource.urn, resource]));
  }

  /** Notes a resource; a second time it takes the place of the first. */
  see(resource: Resource): void {
    this.seen.set(resource.urn, resource);
  }

  /** The resources that came before one. */
  earlier({ urn }: Resource): Resource[] {
    const all = [...this.seen.values()];
    const index = all.findIndex((each) => each.urn === urn);
    return index === -1 ? all : all.slice(0, index);
  }

  /** What the state has of a resource. */
  recorded(urn: string): Recorded | undefined {
    return this.before.get(urn);
  }

  /** Whether people depend on it. */
  get isProduction(): boolean {
    const { policy, cluster } = this.surroundings.config;
    return policy.production ?? cluster.name.endsWith("-prod");
  }
}
