import { createHash } from "node:crypto";

import { AwsClient } from "aws4fetch";

import { Problem } from "../../toolchain/problem.ts";
import type { Destination } from "./destination.ts";
import { s3Lease } from "./s3-lease.ts";

export interface S3PlaceArgs {
  bucket: string;
  /** Prefix of the keys of all files, without slashes at its ends. */
  prefix: string;
  region: string;
  /** URL of a service other than Amazon's. */
  endpoint?: string | undefined;
}

/**
 * A bucket of Amazon S3 or of a compatible service, with the credentials of AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and,
 * if set, AWS_SESSION_TOKEN.
 */
export const s3Destination = (
  { bucket, prefix, region, endpoint = `https://s3.${region}.amazonaws.com` }: S3PlaceArgs,
  env: NodeJS.ProcessEnv = process.env,
): Destination => {
  const name = `s3://${[bucket, prefix].filter(Boolean).join("/")}`;
  const key = (path: string): string => [prefix, path].filter(Boolean).join("/");
  const request = async (path: string, init: RequestInit = {}, taken: readonly number[] = [404]): Promise<Response> => {
    const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: sessionToken } = env;
    if (!id || !secret) {
      throw new Problem(`${name} needs credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`);
    }
    const client = new AwsClient({
      accessKeyId: id,
      secretAccessKey: secret,
      service: "s3",
      region,
      retries: 3,
      ...(sessionToken && { sessionToken }),
    });
    const url = `${endpoint.replace(/\/$/, "")}/${bucket}${path}`;
    const answer = await client.fetch(url, init).catch((error: unknown) => {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
      throw new Problem(`${name} does not answer (${cause}): look at its endpoint and at the network`);
    });
    if (answer.ok || taken.includes(answer.status)) return answer;
    const code = /<Code>(\w+)<\/Code>/.exec(await answer.text())?.[1] ?? "";
    throw new Problem(`${name} answers ${answer.status} ${code}`.trimEnd() + adviceFor(answer.status));
  };
  /** @param taken statuses that are no error here */
  const put = async (
    path: string,
    content: Uint8Array,
    { headers = {}, taken = [] }: { headers?: Record<string, string>; taken?: readonly number[] } = {},
  ): Promise<{ status: number }> => {
    const init = {
      method: "PUT",
      body: Buffer.from(content),
      // A bucket with object lock demands it. Source: Amazon S3 API reference, PutObject, Content-MD5.
      headers: { ...headers, "content-md5": createHash("md5").update(content).digest("base64") },
    };
    const { status } = await request(`/${encoded(key(path))}`, init, [404, ...taken]);
    if (status === 404 && !taken.includes(404))
      throw new Problem(`There is no bucket ${bucket}: make it, or correct hearth:escrow`);
    return { status };
  };
  const objects = {
    read: async (path: string) => {
      const answer = await request(`/${encoded(key(path))}`);
      if (answer.status === 404) return undefined;
      return { text: await answer.text(), etag: answer.headers.get("etag") ?? "" };
    },
    // 404: the object of If-Match is gone. 409: another write was under way. 412: the condition does not hold. 501: no conditions.
    write: (path: string, text: string, headers: Record<string, string>) =>
      put(path, Buffer.from(text), { headers, taken: [...("if-match" in headers ? [404] : []), 409, 412, 501] }),
  };
  return {
    name,
    takesBackups: true,
    write: async (path, content) => {
      await put(path, content);
    },
    read: async (path) => {
      const answer = await request(`/${encoded(key(path))}`);
      return answer.status === 404 ? undefined : new Uint8Array(await answer.arrayBuffer());
    },
    list: async (folder) => {
      const within = `${key(folder)}/`;
      const names: string[] = [];
      for (let token: string | undefined = ""; token !== undefined;) {
        const query: URLSearchParams = new URLSearchParams({
          "list-type": "2",
          prefix: within,
          ...(token && { "continuation-token": token }),
        });
        const page: string = await (await request(`?${query.toString()}`)).text();
        names.push(...[...page.matchAll(/<Key>([^<]+)<\/Key>/g)].map(([, found = ""]) => found.slice(within.length)));
        token = /<NextContinuationToken>([^<]+)</.exec(page)?.[1];
      }
      return names.sort();
    },
    lease: (path) => s3Lease({ name, ...objects }, path),
  };
};

const encoded = (key: string): string => key.split("/").map(encodeURIComponent).join("/");

const adviceFor = (status: number): string =>
  status === 403 || status === 401
    ? ": look at the credentials and at what they may do there"
    : ": run this again later";
