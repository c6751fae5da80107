/** Patterns of key material, by name. Such text is secret wherever it appears. */
const materials: [name: string, pattern: RegExp][] = [
  ["a private key", /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
  // The same in base64, as Talos stores keys: "-----BEGIN" and "PRIVATE KEY" at each of the three offsets of base64.
  ["a private key", /\bLS0tLS1CRUdJTi[A-Za-z0-9+/]*(UFJJVkFURSBLRVk|BSSVZBVEUgS0VZ|QUklWQVRFIEtFW)/],
  ["an age identity", /AGE-SECRET-KEY-1[A-Z0-9]{20,}/],
  ["a GitHub token", /\b(gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,})/],
  ["a GitLab token", /\bglpat-[\w-]{20,}/],
  ["a Tailscale key", /\btskey-[a-z]+-\w{8,}/],
  ["an AWS access key", /\b(AKIA|ASIA)[A-Z0-9]{16}\b/],
  ["a Proxmox API token", /\b[\w.-]+@(pve|pam|pmx)![\w.-]+=[0-9a-f-]{36}\b/],
  ["a kubeconfig's key", /client-key-data: ?\S{20,}/],
  ["a Talos secret", /\b(secretboxEncryptionSecret|aescbcEncryptionSecret|bootstraptoken): ?\S{10,}/i],
  ["a JSON Web Token", /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}/],
  ["a URL with a password", /\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]+:[^\s/@]+@/],
  ["a URL with a token", /[?&](jointoken|token|api_?key|secret|password)=[^\s&]{4,}/i],
];

/** Names the first kind of key material in a text. */
export const materialIn = (text: string): string | undefined =>
  materials.find(([, pattern]) => pattern.test(text))?.[0];

/** How the names of secrets end, in lower case and without hyphens. */
const secretEnd =
  /(password|passwd|passphrase|privatekey|presharedkey|secretkey|secretaccesskey|authkey|apikey|token|secret)$/;

/** Whether a name is typical of a secret, such as `presharedKey` or `TS_AUTHKEY`. */
export const isSecretName = (name: string): boolean => {
  const plain = name.toLowerCase().replaceAll(/[_-]/g, "");
  return secretEnd.test(plain) || plain === "auth";
};

/** Whether a value refers to a secret elsewhere, or says that there is none. */
const isReference = (value: string): boolean => value === "" || /^[/.$<{]|^(true|false|none|null)$/i.test(value);

/** A line of a settings file, such as `PrivateKey = …`, `password: …` or `TS_AUTHKEY=…`. */
const setting = /^\s*(?:-\s+|export\s+)?["']?([\w.-]+)["']?\s*[:=]\s*["']?([^"'\s].*?)["']?,?\s*$/;

/**
 * Finds a secret in a value: by its form, by its name or, if the value is a whole file, by its lines.
 *
 * @param name the key of the value
 * @returns a description such as `a private key` or `the secret privateKey`, never the value; undefined if there is none
 */
export const secretIn = (name: string, value: string): string | undefined => {
  const material = materialIn(value);
  if (material !== undefined) return material;
  if (isSecretName(name) && !isReference(value)) return `the secret ${name}`;
  for (const line of value.split("\n")) {
    const [, key = "", set = ""] = setting.exec(line) ?? [];
    if (isSecretName(key) && !isReference(set)) return `the secret ${key}`;
  }
  return undefined;
};

/** A secret in plain data, and its path. */
export interface FoundSecret {
  path: (string | number)[];
  what: string;
}

/** Finds secrets in plain data. */
export const secretsIn = (value: unknown, path: (string | number)[] = []): FoundSecret[] => {
  if (typeof value === "string") {
    const what = secretIn(nameAt(path), value);
    return what === undefined ? [] : [{ path, what }];
  }
  if (Array.isArray(value)) return value.flatMap((each, index) => secretsIn(each, [...path, index]));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => secretsIn(each, [...path, key]));
};

/** The last key of a path. Items of a list have the list's name. */
const nameAt = (path: (string | number)[]): string => path.findLast((step) => typeof step === "string") ?? "";
