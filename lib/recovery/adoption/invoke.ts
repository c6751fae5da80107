import provider from "@pulumi/pulumi/proto/provider_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";

import type { Properties } from "./properties.ts";

/** Calls a function of a plugin. */
export type Invoke = (token: string, args: Properties) => Promise<Properties>;

/** Properties as a message of the engine's protocol. */
export const toStruct = (properties: Properties) =>
  struct.Struct.fromJavaScript(properties as Parameters<typeof struct.Struct.fromJavaScript>[0]);

/**
 * Calls a function of a plugin by its method `Invoke`.
 *
 * @param send sends a message to that method, and returns the answer
 * @throws Error with the reason where the function refuses its arguments
 */
export const invokeBy =
  (send: (request: Buffer) => Promise<Buffer>): Invoke =>
  async (token, args) => {
    const request = new provider.InvokeRequest().setTok(token).setArgs(toStruct(args));
    const answer = provider.InvokeResponse.deserializeBinary(await send(Buffer.from(request.serializeBinary())));
    const [failure] = answer.getFailuresList();
    if (failure) throw new Error(`${token}: ${failure.getReason()}`);
    return answer.getReturn()?.toJavaScript() ?? {};
  };
