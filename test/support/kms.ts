import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

import { awsCredentials } from "./aws.ts";

/** A key management service with those parts of the AWS KMS API that SOPS uses. */
export interface Kms {
  endpoint: string;
  /** The environment in which SOPS finds the service and its credentials. */
  env: Record<string, string>;
  /** Names of the operations that it has answered. */
  calls: string[];
  stop: () => void;
}

const region = "eu-central-1";

/**
 * Starts a service that holds one key. It verifies each request's signature, and decrypts only what it encrypted with
 * this key.
 *
 * Source: AWS KMS API reference, Encrypt and Decrypt; AWS Signature Version 4.
 */
export const startKms = async (arn: string): Promise<Kms> => {
  const key = randomBytes(32);
  const calls: string[] = [];
  const answer = (operation: string, body: Record<string, string>): [number, object] => {
    // The ciphertext names its key.
    const isTold = operation === "Decrypt" && body.KeyId === undefined;
    if (body.KeyId !== arn && !isTold)
      return [400, { __type: "NotFoundException", message: `Key ${body.KeyId ?? ""} does not exist` }];
    if (operation === "Encrypt") {
      const iv = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(Buffer.from(arn));
      const text = Buffer.concat([cipher.update(Buffer.from(body.Plaintext ?? "", "base64")), cipher.final()]);
      const blob = Buffer.concat([iv, cipher.getAuthTag(), text]).toString("base64");
      return [200, { CiphertextBlob: blob, KeyId: arn, EncryptionAlgorithm: "SYMMETRIC_DEFAULT" }];
    }
    if (operation === "Decrypt") {
      const blob = Buffer.from(body.CiphertextBlob ?? "", "base64");
      try {
        const decipher = createDecipheriv("aes-256-gcm", key, blob.subarray(0, 12)).setAAD(Buffer.from(arn));
        decipher.setAuthTag(blob.subarray(12, 28));
        const text = Buffer.concat([decipher.update(blob.subarray(28)), decipher.final()]).toString("base64");
        return [200, { Plaintext: text, KeyId: arn, EncryptionAlgorithm: "SYMMETRIC_DEFAULT" }];
      } catch {
        return [400, { __type: "InvalidCiphertextException" }];
      }
    }
    return [400, { __type: "UnknownOperationException" }];
  };
  const server = createServer((request, response) => {
    void (async () => {
      const body = await bodyOf(request);
      const operation = String(request.headers["x-amz-target"]).replace("TrentService.", "");
      calls.push(operation);
      const [status, content] = isSigned(request, body)
        ? answer(operation, JSON.parse(body) as Record<string, string>)
        : [400, { __type: "InvalidSignatureException", message: "The request signature does not match" }];
      response.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(content));
    })();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    endpoint,
    env: {
      AWS_ENDPOINT_URL_KMS: endpoint,
      ...awsCredentials,
      AWS_EC2_METADATA_DISABLED: "true",
    },
    calls,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
};

/** Whether a request has a valid signature. Source: AWS Signature Version 4, calculating a signature. */
const isSigned = (request: IncomingMessage, body: string): boolean => {
  const [, day, signed = "", signature] =
    new RegExp(
      `^AWS4-HMAC-SHA256 Credential=${awsCredentials.AWS_ACCESS_KEY_ID}/(\\d{8})/${region}/kms/aws4_request, ?SignedHeaders=([^,]+), ?Signature=(\\w+)$`,
    ).exec(request.headers.authorization ?? "") ?? [];
  if (day === undefined) return false;
  const headers = signed.split(";").map((name) => `${name}:${String(request.headers[name]).trim()}\n`);
  const canonical = [request.method, request.url, "", headers.join(""), signed, sha256(body)].join("\n");
  const scope = `${day}/${region}/kms/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", request.headers["x-amz-date"], scope, sha256(canonical)].join("\n");
  const key = [day, region, "kms", "aws4_request"].reduce<string | Buffer>(
    hmac,
    `AWS4${awsCredentials.AWS_SECRET_ACCESS_KEY}`,
  );
  return hmac(key, toSign).toString("hex") === signature;
};

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
