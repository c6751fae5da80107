import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Variables of a process; undefined where one is unset. */
type Variables = Readonly<Record<string, string | undefined>>;

/** Where plugins look for the system's certificates. The first file counts. Source: Go 1.26, crypto/x509/root_linux.go. */
const files = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/tls/cacert.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/** All of them count, beside the file. */
const folders = ["/etc/ssl/certs", "/etc/pki/tls/certs"];

/**
 * The file of certificates that plugins trust, in PEM: that of SSL_CERT_FILE, or else the system's.
 *
 * Source: Go 1.26, crypto/x509/root_unix.go, loadSystemRoots.
 *
 * @returns undefined if there is none
 */
export const authoritiesFor = async ({ SSL_CERT_FILE: file }: Variables): Promise<string | undefined> => {
  for (const path of file ? [file] : files) {
    const text = await readFile(path, "utf8").catch(() => undefined);
    if (text !== undefined) return text;
  }
  return undefined;
};

/** Everything that plugins trust, in PEM: the file, and what is in the folders of SSL_CERT_DIR, or else the system's. */
export const allAuthoritiesFor = async (environment: Variables): Promise<string> => {
  const inFolders = await Promise.all(foldersOf(environment).map(contentOf));
  return [(await authoritiesFor(environment)) ?? "", ...inFolders.flat()].join("\n");
};

/** The variable by which plugins trust what is in the folder of a file, too. */
export const trusting = (file: string, environment: Variables): Record<"SSL_CERT_DIR", string> => ({
  SSL_CERT_DIR: [...new Set([...foldersOf(environment), dirname(file)])].join(":"),
});

const foldersOf = ({ SSL_CERT_DIR: named }: Variables): string[] => (named ? named.split(":") : folders);

const contentOf = async (folder: string): Promise<string[]> => {
  const names = await readdir(folder).catch(() => []);
  return Promise.all(names.map((name) => readFile(join(folder, name), "utf8").catch(() => "")));
};
