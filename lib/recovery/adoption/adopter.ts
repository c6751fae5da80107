import type { Invoke } from "./invoke.ts";
import type { Properties } from "./properties.ts";

/** A resource as its plugin knows it. */
export interface Found {
  id: string;
  properties: Properties;
}

/** A resource that the engine asks a plugin to create, and questions to the plugin about it. None of them changes anything. */
export interface Creation {
  type: string;
  name: string;
  inputs: Properties;
  /** The resource's planned properties, without those that are known only after its creation. */
  plan: () => Promise<Properties>;
  /** Reads a resource by its identifier; undefined where there is none. Without properties it is an import. */
  read: (id: string, properties?: Properties) => Promise<Found | undefined>;
  /** Calls a function of the plugin. */
  invoke: Invoke;
}

/** Finds what a creation would make, where it exists already; undefined where it does not. */
export type Adopter = (creation: Creation) => Promise<Found | undefined>;

/** Finds resources of several types. */
export type Adopters = Record<string, Adopter>;

/** Reads a resource of a Terraform provider, which looks for its identifier among its properties. */
export const refresh = async (creation: Creation, id: string): Promise<Found | undefined> =>
  creation.read(id, { ...(await creation.plan()), id });
