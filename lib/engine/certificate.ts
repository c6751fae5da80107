import { isIP } from "node:net";
import { connect } from "node:tls";

import { codeOf } from "../../toolchain/problem.ts";

/** How a server's certificate looks. */
export type Trust =
  | { is: "trusted"; until: string }
  | {
      is: "untrusted";
      /** OpenSSL's or Node's name of the reason. */
      code: string;
      /** SHA-256 in upper case, with colons. */
      fingerprint: string;
      issuer: string;
      until: string;
    }
  | { is: "silent"; why: string };

/** How long a handshake may take, in milliseconds. */
const handshakeTimeout = 4000;

interface Handshake {
  /** Why the certificate is not trusted: OpenSSL's or Node's name. */
  refusal: string | undefined;
  fingerprint: string;
  issuer: string;
  until: string;
  /** PEM. */
  certificate: string;
}

/**
 * Looks at a server's certificate without sending anything.
 *
 * @param url of the server
 * @param authorities certificates to trust, PEM. As plugins do, it takes the server's own among them, too. Source: Go 1.26,
 *   crypto/x509/verify.go, Certificate.Verify
 */
export const trustOf = async (url: string, authorities: readonly string[]): Promise<Trust> => {
  const found = await handshake(url, authorities);
  if ("why" in found) return { is: "silent", why: found.why };
  const { refusal, fingerprint, issuer, until } = found;
  return refusal === undefined
    ? { is: "trusted", until }
    : { is: "untrusted", code: refusal, fingerprint, issuer, until };
};

/** The certificate that a server presents, trusted or not; undefined if it does not answer. Nothing is sent. */
export const presentedBy = async (url: string): Promise<{ fingerprint: string; certificate: string } | undefined> => {
  const found = await handshake(url, []);
  return "why" in found ? undefined : { fingerprint: found.fingerprint, certificate: found.certificate };
};

const handshake = (url: string, authorities: readonly string[]): Promise<Handshake | { why: string }> =>
  new Promise((resolve) => {
    const { hostname, port } = new URL(url);
    const socket = connect({
      host: hostname,
      port: port === "" ? 443 : Number(port),
      ...(isIP(hostname) === 0 && { servername: hostname }),
      ca: [...authorities],
      allowPartialTrustChain: true,
      rejectUnauthorized: false,
      timeout: handshakeTimeout,
    });
    const answer = (found: Handshake | { why: string }): void => {
      socket.destroy();
      resolve(found);
    };
    socket.once("secureConnect", () => {
      const { fingerprint256: fingerprint, issuer, valid_to: until, raw } = socket.getPeerCertificate();
      const error: unknown = socket.authorizationError;
      answer({
        refusal: socket.authorized ? undefined : (codeOf(error) ?? String(error)),
        fingerprint,
        issuer: String(issuer.CN ?? "nobody"),
        until,
        certificate: pemOf(raw),
      });
    });
    socket.once("timeout", () => {
      answer({ why: `does not answer in ${(handshakeTimeout / 1000).toString()} s` });
    });
    socket.once("error", (error: Error) => {
      answer({ why: codeOf(error) ?? error.message });
    });
  });

const pemOf = (raw: Buffer): string =>
  [
    "-----BEGIN CERTIFICATE-----",
    ...(raw.toString("base64").match(/.{1,64}/g) ?? []),
    "-----END CERTIFICATE-----",
    "",
  ].join("\n");
