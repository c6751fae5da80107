import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { AwsClient } from "aws4fetch";

import { awsCredentials } from "./aws.ts";
import { eventually } from "./lab-process.ts";
import { tool } from "./tools.ts";

/** A real S3 service on a loopback address, with its buckets in a folder. */
export interface S3 {
  endpoint: string;
  /** Folder of the buckets. */
  data: string;
  put: (bucket: string, key: string, content: string) => Promise<void>;
  stop: () => Promise<void>;
}

/** Starts Versity's gateway at host:port, with the given buckets. */
export const startS3 = async (address: string, ...buckets: string[]): Promise<S3> => {
  const folder = await mkdtemp(join(tmpdir(), "hearth-s3-"));
  const [data, meta] = [join(folder, "data"), join(folder, "meta")];
  await Promise.all([data, meta].map((path) => mkdir(path)));
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret } = awsCredentials;
  const gateway: ChildProcess = spawn(
    await tool("versitygw"),
    ["--port", address, "--quiet", "posix", "--sidecar", meta, data],
    { env: { ROOT_ACCESS_KEY: id, ROOT_SECRET_KEY: secret }, stdio: "ignore" },
  );
  const endpoint = `http://${address}`;
  const client = new AwsClient({
    accessKeyId: id,
    secretAccessKey: secret,
    service: "s3",
    region: "us-east-1",
    retries: 0,
  });
  for (const bucket of buckets) {
    await eventually(`there is the bucket ${bucket}`, async () => {
      const { ok } = await client.fetch(`${endpoint}/${bucket}`, { method: "PUT" });
      return ok;
    });
  }
  return {
    endpoint,
    data,
    put: async (bucket, key, body) => {
      const { ok, status } = await client.fetch(`${endpoint}/${bucket}/${key}`, { method: "PUT", body });
      if (!ok) throw new Error(`The S3 service refuses ${key}: ${status}`);
    },
    stop: async () => {
      if (gateway.exitCode === null) {
        gateway.kill();
        await once(gateway, "exit");
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
};
