import { createHash } from "node:crypto";

import * as pulumi from "@pulumi/pulumi";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks.js";

import "../../toolchain/untraced.mjs";
import { resourceTypes } from "../../components/resource-types.ts";
import { secretSignature, signatureKey } from "./wire.ts";

/** A resource as the program registered it. */
export interface Registered {
  urn: string;
  type: string;
  name: string;
  custom: boolean;
  parent: string;
  provider: string;
  protect: boolean;
  /** Whether a destroy only removes the resource from the state. */
  retainOnDelete: boolean;
  /** URN of the resource whose deletion deletes this one too. */
  deletedWith: string;
  /** Identifier of the existing resource to import. */
  importId: string;
  dependsOn: string[];
  ignoreChanges: string[];
  /** Names under which the state may have it. */
  aliases: string[];
  /** Inputs without their secret marks. */
  inputs: Record<string, unknown>;
  /** Paths of the inputs that were marked secret. */
  secretPaths: string[];
}

/** A call of a provider's function. */
export interface Called {
  token: string;
  inputs: Record<string, unknown>;
}

/** The resources and calls of a program. */
export class Graph {
  readonly resources: Registered[] = [];
  readonly calls: Called[] = [];

  /** The resources of a type. With `exactly`, throws if their number differs. */
  ofType(type: string, { exactly }: { exactly?: number } = {}): Registered[] {
    const found = this.resources.filter((resource) => resource.type === type);
    if (exactly !== undefined && found.length !== exactly) {
      throw new Error(`Expected ${exactly} of ${type}, found ${found.map(({ name }) => name).join(", ") || "none"}`);
    }
    return found;
  }

  urnsOf(type: string): string[] {
    return this.ofType(type).map(({ urn }) => urn);
  }
}

/** Outputs that a provider would compute, by resource type. */
export type Computed = Record<string, (inputs: Record<string, unknown>, name: string) => Record<string, unknown>>;

export interface RunOptions {
  preview?: boolean;
  resources?: Computed;
  /** Identifiers that a provider would assign, by resource type. */
  ids?: Record<string, (inputs: Record<string, unknown>) => string>;
  functions?: Record<string, (inputs: Record<string, unknown>) => Record<string, unknown>>;
}

/** The Image Factory identifies a schematic by the digest of its document. */
const given: RunOptions["ids"] & object = {
  [resourceTypes.schematic]: ({ schematic }) => createHash("sha256").update(String(schematic)).digest("hex"),
};

/** Runs a program against mocks and records what it registers. Throws if the program fails. */
export const run = async (program: () => unknown, options: RunOptions = {}): Promise<Graph> => {
  const graph = new Graph();
  const mocks: pulumi.runtime.Mocks = {
    newResource: ({ type, name, inputs }) => {
      const plain = strip(inputs) as Record<string, unknown>;
      const id = options.ids?.[type]?.(plain) ?? given[type]?.(plain) ?? `${name}-id`;
      return { id, state: { ...plain, ...options.resources?.[type]?.(plain, name) } };
    },
    call: ({ token, inputs }) => {
      const plain = strip(inputs) as Record<string, unknown>;
      graph.calls.push({ token, inputs: plain });
      return options.functions?.[token]?.(plain) ?? {};
    },
  };
  await pulumi.runtime.setMocks(mocks, "hearth", "test", options.preview ?? false, "organization");
  pulumi.runtime.setMockOptions(new Recorder(mocks, graph), "hearth", "test", options.preview ?? false, "organization");
  await pulumi.runtime.runInPulumiStack(() => Promise.resolve(program()).then(() => undefined));
  await pulumi.runtime.disconnect();
  return graph;
};

/** The recorded parts of the SDK's RegisterResourceRequest, whose generated type has no declarations. */
interface RegisterRequest {
  getType: () => string;
  getName: () => string;
  getCustom: () => boolean;
  getParent: () => string;
  getProvider: () => string;
  getProtect: () => boolean;
  getRetainondelete: () => boolean;
  getDeletedwith: () => string;
  getImportid: () => string;
  getDependenciesList: () => string[];
  getIgnorechangesList: () => string[];
  getAliasurnsList: () => string[];
  getAliasesList: () => { getSpec: () => { getName: () => string } | undefined }[];
  getObject: () => { toJavaScript: () => Record<string, unknown> } | undefined;
}

type Callback = (error: Error | null, response?: { getUrn: () => string }) => void;

class Recorder extends MockMonitor {
  constructor(
    mocks: pulumi.runtime.Mocks,
    private readonly graph: Graph,
  ) {
    super(mocks);
  }

  override async registerResource(req: RegisterRequest, callback: Callback): Promise<void> {
    const raw = req.getObject()?.toJavaScript() ?? {};
    const record = (urn: string) =>
      this.graph.resources.push({
        urn,
        type: req.getType(),
        name: req.getName(),
        custom: req.getCustom(),
        parent: req.getParent(),
        provider: req.getProvider(),
        protect: req.getProtect(),
        retainOnDelete: req.getRetainondelete(),
        deletedWith: req.getDeletedwith(),
        importId: req.getImportid(),
        dependsOn: req.getDependenciesList(),
        ignoreChanges: req.getIgnorechangesList(),
        aliases: [
          ...req.getAliasurnsList().map((urn) => urn.split("::").at(-1) ?? ""),
          ...req.getAliasesList().flatMap((alias) => alias.getSpec()?.getName() ?? []),
        ],
        inputs: strip(raw) as Record<string, unknown>,
        secretPaths: secretPaths(raw),
      });
    const recorded: Callback = (error, response) => {
      if (response) record(response.getUrn());
      callback(error, response);
    };
    await super.registerResource(req, recorded);
  }
}

const isSecret = (value: object): value is { value: unknown } =>
  (value as Record<string, unknown>)[signatureKey] === secretSignature;

const strip = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(strip);
  if (typeof value !== "object" || value === null) return value;
  if (isSecret(value)) return strip(value.value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, strip(inner)]));
};

const secretPaths = (value: unknown, path = ""): string[] => {
  if (typeof value !== "object" || value === null) return [];
  if (isSecret(value)) return [path];
  return Object.entries(value).flatMap(([key, inner]) => secretPaths(inner, path ? `${path}.${key}` : key));
};
