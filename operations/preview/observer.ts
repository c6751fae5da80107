import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  Server,
  ServerCredentials,
  type handleUnaryCall,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import analyzer from "@pulumi/pulumi/proto/analyzer_pb.js";

import type { ResourceState } from "./changes.ts";
import { readValues, type Values } from "../../lib/engine/value.ts";

/** Name of the observer in the engine's events. */
export const observerName = "hearth-preview";

/** What the observer received in a run. */
export interface Observed {
  /** Inputs and expected outputs by URN. Outputs are empty if the run did not get that far. */
  resources: Map<string, ResourceState>;
  /** The configuration's secrets in the clear, by key. */
  secrets: Map<string, string>;
}

/**
 * Takes part in a run of the engine as an analyzer, as policy packs do, and reports no violations.
 *
 * The engine masks every secret in its output, so the output does not show whether a key changed or where in a machine's
 * configuration. Only analyzers receive secrets, over a local connection. The observer keeps them in memory.
 */
export class Observer implements AsyncDisposable {
  readonly observed: Observed = { resources: new Map(), secrets: new Map() };

  private constructor(
    private readonly server: Server,
    private readonly folder: string,
  ) {}

  static async start(): Promise<Observer> {
    const folder = await mkdtemp(join(tmpdir(), "hearth-preview-"));
    const server = new Server({ "grpc.max_receive_message_length": -1 });
    const observer = new Observer(server, folder);
    server.addService(service, observer.handlers());
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
        if (error) reject(error);
        else resolve(bound);
      });
    });
    await writeFile(observer.pack, script(port));
    await chmod(observer.pack, 0o700);
    return observer;
  }

  /** Value of the engine's flag `--policy-pack`. */
  get pack(): string {
    return join(this.folder, observerName);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.forceShutdown();
    await rm(this.folder, { recursive: true, force: true });
  }

  private handlers(): UntypedServiceImplementation {
    const { resources, secrets } = this.observed;
    const answer =
      <T>(take: (request: T) => void, response: Uint8Array = new Uint8Array()): handleUnaryCall<T, Uint8Array> =>
      ({ request }, callback) => {
        take(request);
        callback(null, response);
      };
    const stateOf = (urn: string): ResourceState => {
      const state = resources.get(urn) ?? { inputs: {}, outputs: {} };
      resources.set(urn, state);
      return state;
    };
    return {
      configureStack: answer<analyzer.AnalyzerStackConfigureRequest>((request) => {
        const configuration = request.getConfigMap();
        for (const key of request.getConfigSecretKeysList()) secrets.set(key, configuration.get(key) ?? "");
      }),
      getAnalyzerInfo: answer(() => undefined, info()),
      getPluginInfo: answer(() => undefined),
      configure: answer(() => undefined),
      analyze: answer<analyzer.AnalyzeRequest>((request) => {
        stateOf(request.getUrn()).inputs = propertiesOf(request);
      }),
      analyzeStack: answer<analyzer.AnalyzeStackRequest>((request) => {
        for (const resource of request.getResourcesList()) stateOf(resource.getUrn()).outputs = propertiesOf(resource);
      }),
    };
  }
}

/** The engine starts a pack as a program, reads a port from its output and connects to it. */
const script = (port: number): string => `#!/bin/sh\necho ${port}\nwhile kill -0 $PPID 2>/dev/null; do sleep 1; done\n`;

const propertiesOf = (message: { getProperties: analyzer.AnalyzeRequest["getProperties"] }): Values =>
  readValues(message.getProperties()?.toJavaScript());

const info = (): Uint8Array => {
  const message = new analyzer.AnalyzerInfo();
  message.setName(observerName);
  message.setDisplayname(observerName);
  return message.serializeBinary();
};

const method = (name: string, requestDeserialize: (bytes: Uint8Array) => unknown) => ({
  path: `/pulumirpc.Analyzer/${name}`,
  requestStream: false,
  responseStream: false,
  requestSerialize: () => Buffer.alloc(0),
  requestDeserialize,
  responseSerialize: (bytes: Uint8Array) => Buffer.from(bytes),
  responseDeserialize: () => undefined,
});

/**
 * The calls that the engine makes to an analyzer. An empty message has no bytes.
 *
 * Source: pulumi/pulumi, proto/pulumi/analyzer.proto.
 */
const service: ServiceDefinition = {
  configureStack: method("ConfigureStack", (bytes) => analyzer.AnalyzerStackConfigureRequest.deserializeBinary(bytes)),
  getAnalyzerInfo: method("GetAnalyzerInfo", () => ({})),
  getPluginInfo: method("GetPluginInfo", () => ({})),
  configure: method("Configure", () => ({})),
  analyze: method("Analyze", (bytes) => analyzer.AnalyzeRequest.deserializeBinary(bytes)),
  analyzeStack: method("AnalyzeStack", (bytes) => analyzer.AnalyzeStackRequest.deserializeBinary(bytes)),
};
