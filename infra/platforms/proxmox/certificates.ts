import { createHash, X509Certificate } from "node:crypto";

import { z } from "zod";

import { says } from "../../config/error.ts";

const block = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** The certificates of a PEM text, in their order. @throws Error if one cannot be parsed */
export const certificatesIn = (pem: string): X509Certificate[] =>
  [...pem.matchAll(block)].map(([each]) => new X509Certificate(each));

/** SHA-256 of each certificate of a PEM text. It parses none, for a system has hundreds. */
export const fingerprintsIn = (pem: string): string[] =>
  [...pem.matchAll(block)].map(([each]) =>
    (
      createHash("sha256")
        .update(Buffer.from(each.replaceAll(/-----.*?-----|\s/g, ""), "base64"))
        .digest("hex")
        .match(/../g) ?? []
    )
      .join(":")
      .toUpperCase(),
  );

const areCertificates = (pem: string): boolean => {
  try {
    return certificatesIn(pem).length > 0;
  } catch {
    return false;
  }
};

/** One certificate or several, in PEM. */
export const certificates = z
  .string()
  .refine(
    areCertificates,
    says("is not a certificate", "paste all lines of /etc/pve/pve-root-ca.pem of a host, beginning with -----BEGIN"),
  );

/** SHA-256 of a certificate in upper case, with colons. */
export const fingerprint = z
  .string()
  .regex(
    /^([0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2}$/,
    says(
      "is not the SHA-256 of a certificate",
      "copy it from pvenode cert info: 32 pairs of digits with colons between",
    ),
  )
  .transform((value) => value.toUpperCase());
