import { createPublicKey, sign, type KeyObject } from "node:crypto";

/** Who a certificate is for. Kubernetes reads the common name as the user and the organizations as groups. */
export interface Subject {
  commonName: string;
  organizations: string[];
}

/**
 * A request for a certificate in PEM, signed by the key that the certificate is for.
 *
 * Source: RFC 2986; the algorithm is ecdsa-with-SHA256 of RFC 5758.
 *
 * @param key a private key of the curve P-256
 */
export const certificateRequest = (subject: Subject, key: KeyObject): string => {
  const info = sequence(
    Buffer.from([0x02, 0x01, 0x00]),
    nameOf(subject),
    createPublicKey(key).export({ type: "spki", format: "der" }),
    // No attributes.
    Buffer.from([0xa0, 0x00]),
  );
  const request = sequence(info, sequence(ecdsaWithSha256), bits(sign("sha256", info, key)));
  const lines = request.toString("base64").replaceAll(/.{64}/g, "$&\n").trimEnd();
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines}\n-----END CERTIFICATE REQUEST-----\n`;
};

/** Object identifiers, encoded: 1.2.840.10045.4.3.2, 2.5.4.3 and 2.5.4.10. */
const ecdsaWithSha256 = Buffer.from("06082a8648ce3d040302", "hex");
const commonNameId = Buffer.from("0603550403", "hex");
const organizationId = Buffer.from("060355040a", "hex");

const nameOf = ({ commonName, organizations }: Subject): Buffer =>
  sequence(...organizations.map((each) => attribute(organizationId, each)), attribute(commonNameId, commonName));

const attribute = (id: Buffer, value: string): Buffer => element(0x31, sequence(id, element(0x0c, Buffer.from(value))));

const bits = (value: Buffer): Buffer => element(0x03, Buffer.concat([Buffer.from([0]), value]));

const sequence = (...parts: Buffer[]): Buffer => element(0x30, Buffer.concat(parts));

/** An element of DER: its tag, its length and its content. */
const element = (tag: number, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from([tag, ...lengthOf(content.length)]), content]);

const lengthOf = (length: number): number[] =>
  length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
