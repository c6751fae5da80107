import {
  Metadata,
  Server,
  ServerCredentials,
  status,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServiceError,
} from "@grpc/grpc-js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import provider from "@pulumi/pulumi/proto/provider_pb.js";

import { nameOf, typesOf } from "../../../components/urn.ts";
import { resourceTypes } from "../../../components/resource-types.ts";
import type { Adopters, Creation, Found } from "./adopter.ts";
import { messageLimits, Plugin, type PulumiProgram } from "./plugin.ts";
import { invokeBy, toStruct } from "./invoke.ts";
import { known, type Properties } from "./properties.ts";
import { messageOf } from "../../../toolchain/problem.ts";

export interface ProxyOptions {
  /** The package's name. */
  name: string;
  adopters: Adopters;
  /** How plugins are started. */
  pulumi: PulumiProgram;
  /** Refuse every change outside of the state. */
  adoptOnly: boolean;
  /** Called for each resource that was found and therefore not created. */
  onAdopted?: (type: string, name: string) => void;
}

type Raw = Buffer;
type Handler = (call: ServerUnaryCall<Raw, Raw>, reply: sendUnaryData<Raw>) => void;

/** Methods that change something outside of the state, except for creations. */
const changing = ["update", "delete"];

/**
 * Stands between Pulumi's engine and a plugin, and answers a creation with what exists already.
 *
 * The engine attaches to it by PULUMI_DEBUG_PROVIDERS. All other calls pass through as they are, so the state that the engine
 * writes is what it would have written had it created everything itself.
 */
export class AdoptingProxy {
  private readonly server = new Server(messageLimits);
  /** Each connection of the engine is a provider with a configuration of its own, and gets a plugin of its own. */
  private readonly plugins = new Map<string, Promise<Plugin>>();

  private constructor(private readonly options: ProxyOptions) {}

  /** Starts the proxy, and returns it with its port. */
  static async start(options: ProxyOptions): Promise<{ proxy: AdoptingProxy; port: number }> {
    const proxy = new AdoptingProxy(options);
    const { definition, handlers } = proxy.service();
    proxy.server.addService(definition, handlers);
    const port = await new Promise<number>((resolve, reject) => {
      proxy.server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
        if (error) reject(error);
        else resolve(bound);
      });
    });
    return { proxy, port };
  }

  async stop(): Promise<void> {
    this.server.forceShutdown();
    const started = await Promise.allSettled([...this.plugins.values()]);
    await Promise.all(started.flatMap((plugin) => (plugin.status === "fulfilled" ? [plugin.value.stop()] : [])));
  }

  /** The plugin's service, its messages left as they are. */
  private service() {
    const raw = (value: Raw): Raw => value;
    const methods = Object.entries(ResourceProviderService as unknown as Record<string, { path: string }>);
    const definition = Object.fromEntries(
      methods.map(([name, method]) => [
        name,
        {
          ...method,
          requestStream: false,
          responseStream: false,
          requestSerialize: raw,
          requestDeserialize: raw,
          responseSerialize: raw,
          responseDeserialize: raw,
        },
      ]),
    );
    const handlers = Object.fromEntries(methods.map(([name, { path }]) => [name, this.handler(name, path)]));
    return { definition, handlers };
  }

  private handler(name: string, path: string): Handler {
    const answer = async (call: ServerUnaryCall<Raw, Raw>): Promise<Raw> => {
      // There is nothing that a plugin started here would have to be told.
      if (name === "attach") return Buffer.alloc(0);
      if (name === "handshake") this.begin(call);
      if (name === "create") return this.create(call);
      if (this.options.adoptOnly && changing.includes(name)) throw refusal(`${name} is not part of taking over`);
      return this.forward(call, path.split("/").at(-1) ?? "", call.request);
    };
    return (call, reply) => {
      answer(call).then(
        (response) => {
          reply(null, response);
        },
        (error: unknown) => {
          reply(asServiceError(error), null);
        },
      );
    };
  }

  private begin(call: ServerUnaryCall<Raw, Raw>): void {
    const engine = provider.ProviderHandshakeRequest.deserializeBinary(call.request).getEngineAddress();
    const { pulumi, name } = this.options;
    const started = Plugin.start(pulumi, name, engine);
    // Later calls fail with this reason.
    started.catch(() => undefined);
    this.plugins.set(call.getPeer(), started);
  }

  private async forward(call: ServerUnaryCall<Raw, Raw>, method: string, request: Raw): Promise<Raw> {
    const plugin = await this.plugins.get(call.getPeer());
    if (plugin === undefined) throw new Error(`The engine did not greet the plugin ${this.options.name} first`);
    return plugin.call(method, request, (asked) => {
      call.on("cancelled", () => {
        asked.cancel();
      });
    });
  }

  private async create(call: ServerUnaryCall<Raw, Raw>): Promise<Raw> {
    const request = provider.CreateRequest.deserializeBinary(call.request);
    const type = typesOf(request.getUrn()).at(-1) ?? "";
    const adopter = this.options.adopters[type];
    if (!request.getPreview()) {
      const found = await adopter?.(this.creation(call, request, type));
      if (found !== undefined) {
        this.options.onAdopted?.(type, nameOf(request.getUrn()));
        return created(found);
      }
      if (this.options.adoptOnly && !harmless.has(type)) {
        throw refusal(
          `${type} is not there as the configuration says, and a takeover creates and changes nothing: ` +
            "look at it by hand, or rebuild with --restart --case all to have it made",
        );
      }
    }
    return this.forward(call, "Create", call.request);
  }

  private creation(
    call: ServerUnaryCall<Raw, Raw>,
    request: InstanceType<typeof provider.CreateRequest>,
    type: string,
  ): Creation {
    const inputs = (request.getProperties()?.toJavaScript() ?? {}) as Properties;
    return {
      type,
      name: nameOf(request.getUrn()),
      inputs,
      plan: async () => {
        const asked = provider.CreateRequest.deserializeBinary(call.request).setPreview(true);
        const answer = await this.forward(call, "Create", Buffer.from(asked.serializeBinary()));
        const planned = provider.CreateResponse.deserializeBinary(answer).getProperties()?.toJavaScript() ?? {};
        return known(planned);
      },
      read: async (id, properties) => {
        const asked = new provider.ReadRequest()
          .setId(id)
          .setUrn(request.getUrn())
          .setName(request.getName())
          .setType(request.getType());
        // Without what is known of it, a read is an import.
        if (properties) asked.setProperties(toStruct(properties)).setInputs(toStruct(inputs));
        const answer = provider.ReadResponse.deserializeBinary(
          await this.forward(call, "Read", Buffer.from(asked.serializeBinary())),
        );
        if (answer.getId() === "") return undefined;
        return { id: answer.getId(), properties: answer.getProperties()?.toJavaScript() ?? {} };
      },
      invoke: invokeBy((asked) => this.forward(call, "Invoke", asked)),
    };
  }
}

/**
 * Creations that change nothing. A kubeconfig is only issued. The Image Factory names a schematic by its content and keeps it for
 * ever, so to register one again has no effect.
 */
const harmless = new Set([resourceTypes.kubeconfig, resourceTypes.schematic]);

const created = ({ id, properties }: Found): Raw =>
  Buffer.from(new provider.CreateResponse().setId(id).setProperties(toStruct(properties)).serializeBinary());

/** A change that a takeover refuses. */
const refusal = (details: string): ServiceError =>
  Object.assign(new Error(details), { code: status.FAILED_PRECONDITION, details, metadata: new Metadata() });

/** What the engine is told of a failure: a plugin's own word, with its details, or the message of what went wrong here. */
const asServiceError = (error: unknown): Partial<ServiceError> => {
  if (typeof error === "object" && error !== null && "code" in error && typeof error.code === "number") {
    return error as Partial<ServiceError>;
  }
  return { code: status.UNKNOWN, details: messageOf(error) };
};
