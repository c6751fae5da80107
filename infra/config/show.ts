/** Patterns of keys, passwords and tokens, which may be in the wrong field and may not be shown. */
const secretive = [
  /AGE-SECRET-KEY-/i,
  /PRIVATE KEY/,
  // A Proxmox API token with its secret.
  /![\w-]+=[\w-]{8,}/,
  // Longer than any identifier that people choose, and without the separators of names, paths and addresses.
  /[A-Za-z0-9+_=-]{33,}/,
];

/** Longer values are not shown. */
const longest = 60;

/**
 * Returns a value as a message may show it, or undefined if it may not be shown.
 *
 * A person may paste a token into the wrong key. Whatever looks like a secret is therefore never shown, nor is a URL's password.
 */
export const show = (value: unknown): string | undefined => {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value !== "string" || value === "") return undefined;
  const harmless = value.replace(/\/\/[^/@\s]*:[^/@\s]*@/, "//…@");
  if (harmless.length > longest || harmless.includes("\n")) return undefined;
  return secretive.some((pattern) => pattern.test(harmless)) ? undefined : harmless;
};
