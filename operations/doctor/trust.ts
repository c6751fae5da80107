import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { connect } from "node:tls";

import type { Environment } from "../../lib/engine/pulumi.ts";
import { codeOf } from "../../toolchain/problem.ts";

/** How a server's certificate looks. */
export type Trust =
  | { is: "trusted"; until: string }
  | {
      is: "untrusted";
      /** OpenSSL's or Node's name of the reason. */
      code: string;
      /** SHA-256. */
      fingerprint: string;
      issuer: string;
      until: string;
    }
  | { is: "silent"; why: string };

/** How long a handshake may take, in milliseconds. */
const handshakeTimeout = 4000;

/** The system's certificates, where the plugins' language looks for them. Source: Go 1.26, crypto/x509/root_linux.go. */
const bundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/tls/cacert.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/**
 * The authorities that the stack's plugins trust beside the well-known ones, in PEM: the file in SSL_CERT_FILE, or the system's.
 */
export const authoritiesFor = async (environment: Environment): Promise<string | undefined> => {
  const { SSL_CERT_FILE: file } = { ...process.env, ...environment };
  for (const path of file ? [file] : bundles) {
    const text = await readFile(path, "utf8").catch(() => undefined);
    if (text !== undefined) return text;
  }
  return undefined;
};

/**
 * Looks at a server's certificate without sending anything.
 *
 * @param url of the server
 * @param authorities certificates to trust, PEM
 */
export const trustOf = (url: string, authorities: readonly string[]): Promise<Trust> =>
  new Promise((resolve) => {
    const { hostname, port } = new URL(url);
    const socket = connect({
      host: hostname,
      port: port === "" ? 443 : Number(port),
      ...(isIP(hostname) === 0 && { servername: hostname }),
      ca: [...authorities],
      rejectUnauthorized: false,
      timeout: handshakeTimeout,
    });
    const answer = (trust: Trust): void => {
      socket.destroy();
      resolve(trust);
    };
    socket.once("secureConnect", () => {
      const { fingerprint256, issuer, valid_to: until } = socket.getPeerCertificate();
      const error: unknown = socket.authorizationError;
      const code = codeOf(error) ?? String(error);
      answer(
        socket.authorized
          ? { is: "trusted", until }
          : { is: "untrusted", code, fingerprint: fingerprint256, issuer: String(issuer.CN ?? "nobody"), until },
      );
    });
    socket.once("timeout", () => {
      answer({ is: "silent", why: `does not answer in ${(handshakeTimeout / 1000).toString()} s` });
    });
    socket.once("error", (error: Error) => {
      answer({ is: "silent", why: codeOf(error) ?? error.message });
    });
  });
