import { createHmac } from "node:crypto";

/** A line of known_hosts that names a host's key. */
export interface KnownHost {
  /** Number of the line, from 1. */
  line: number;
  /** Patterns of hosts, or one host that is hashed. */
  hosts: string;
  type: string;
  /** Base64 of the key. */
  key: string;
}

/**
 * Reads the lines of known_hosts. Empty lines, comments and revoked keys are skipped, and lines that are not of the format have an
 * empty key.
 *
 * Source: OpenSSH, sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT".
 */
export const knownHostsOf = (text: string): KnownHost[] =>
  text.split("\n").flatMap((line, index) => {
    const words = line.trim().split(/\s+/);
    if (line.trim() === "" || line.trim().startsWith("#") || words[0] === "@revoked") return [];
    const [hosts = "", type = "", key = ""] = words[0] === "@cert-authority" ? words.slice(1) : words;
    return [{ line: index + 1, hosts, type, key }];
  });

/** The name of a server in known_hosts: with its port unless that is 22. */
export const knownHostName = (url: string): string => {
  const { hostname, port } = new URL(url);
  const host = hostname.toLowerCase();
  return port === "" || port === "22" ? host : `[${host}]:${port}`;
};

/** Whether a line is about a server, by a name as {@link knownHostName} gives it. */
export const isAbout = ({ hosts }: KnownHost, name: string): boolean => {
  const [, salt, hash] = /^\|1\|([^|]+)\|([^|]+)$/.exec(hosts) ?? [];
  if (salt !== undefined) {
    return createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest("base64") === hash;
  }
  const patterns = hosts.toLowerCase().split(",");
  const matches = (pattern: string) => patternOf(pattern).test(name);
  return (
    patterns.some((pattern) => !pattern.startsWith("!") && matches(pattern)) &&
    !patterns.some((pattern) => pattern.startsWith("!") && matches(pattern.slice(1)))
  );
};

/** In a pattern `*` stands for any text, and `?` for one character. */
const patternOf = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .replaceAll(/[\\^$.+()[\]{}|]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".")}$`,
  );

/** Whether a key is whole: it begins with the name of its type. Source: RFC 4253, 6.6. */
export const isWhole = ({ type, key }: KnownHost): boolean => {
  const bytes = Buffer.from(key, "base64");
  if (bytes.length <= 4 + type.length || type === "") return false;
  const length = bytes.readUInt32BE(0);
  return bytes.subarray(4, 4 + length).toString() === type && hasAllParts(bytes);
};

/** A key is a row of parts, each with its length before it. */
const hasAllParts = (bytes: Buffer): boolean => {
  let offset = 0;
  while (offset + 4 <= bytes.length) offset += 4 + bytes.readUInt32BE(offset);
  return offset === bytes.length;
};
