import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** How a stand-in takes conditional writes: as Amazon S3 does, not at all with an error, or not at all without one. */
export type Conditions = "held" | "refused" | "ignored";

export interface S3Objects {
  endpoint: string;
  /** Content of objects by their path. */
  objects: Map<string, string>;
  stop: () => void;
}

/**
 * A stand-in for the objects of S3, with its conditional writes.
 * Source: Amazon S3 API reference, PutObject: 412 PreconditionFailed; 404 NoSuchKey for If-Match without an object.
 */
export const startS3Objects = async (conditions: Conditions = "held"): Promise<S3Objects> => {
  const objects = new Map<string, string>();
  const etagOf = (text: string): string => `"${createHash("md5").update(text).digest("hex")}"`;
  const server = createServer((request, response) => {
    void (async () => {
      const path = request.url ?? "";
      const answer = (status: number, code = ""): unknown =>
        response.writeHead(status).end(code && `<Error><Code>${code}</Code></Error>`);
      const body = Buffer.concat(await request.toArray()).toString();
      // Nothing is awaited from here on: S3 compares and writes at once.
      const now = objects.get(path);
      if (request.method === "GET") {
        if (now === undefined) return answer(404, "NoSuchKey");
        return response.writeHead(200, { etag: etagOf(now) }).end(now);
      }
      const { "if-none-match": none, "if-match": match } = request.headers;
      if (conditions === "refused" && (none ?? match) !== undefined) return answer(501, "NotImplemented");
      if (conditions === "held") {
        if (none === "*" && now !== undefined) return answer(412, "PreconditionFailed");
        if (match !== undefined && now === undefined) return answer(404, "NoSuchKey");
        if (match !== undefined && now !== undefined && match !== etagOf(now)) return answer(412, "PreconditionFailed");
      }
      objects.set(path, body);
      return answer(200);
    })();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port.toString()}`,
    objects,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
};
