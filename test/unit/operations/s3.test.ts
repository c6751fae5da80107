import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { expect } from "chai";

import { s3Destination } from "../../../operations/destinations/s3.ts";

describe("a bucket with object lock", () => {
  let server: Server;
  let endpoint = "";
  const kept = new Map<string, Buffer>();

  before(async () => {
    // As Amazon S3: it takes no object to retain whose sender does not say what it should be.
    server = createServer((request, response) => {
      void (async () => {
        const body = Buffer.concat(await request.toArray());
        const digest = createHash("md5").update(body).digest("base64");
        const isKept = request.headers["content-md5"] === digest;
        if (isKept) kept.set(request.url ?? "", body);
        response.writeHead(isKept ? 200 : 400).end(isKept ? "" : "<Code>InvalidRequest</Code>");
      })();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close());

  it("takes what is written to it", async () => {
    const destination = s3Destination(
      { bucket: "den", prefix: "hearth", region: "us-east-1", endpoint },
      { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret" },
    );
    await destination.write("dev/state/a.json.age", Buffer.from("content"));
    expect(kept.get("/den/hearth/dev/state/a.json.age")?.toString()).to.equal("content");
  });
});
