/** What a value may not be shown by: a key, a password or a token that stands where it should not. */
const secretive = [
  /AGE-SECRET-KEY-/i,
  /PRIVATE KEY/,
  // A Proxmox token with its secret.
  /![\w-]+=[\w-]{8,}/,
  // Longer than any identifier that people choose, and without the separators of names, paths and addresses.
  /[A-Za-z0-9+_=-]{33,}/,
];

/** Longer values are named by their path alone. */
const longest = 60;

/**
 * A value as a message may show it; undefined where it may not.
 *
 * A person may paste a token into the wrong key, so what looks like a secret is never shown, nor is a URL's password.
 */
export const show = (value: unknown): string | undefined => {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value !== "string" || value === "") return undefined;
  const harmless = value.replace(/\/\/[^/@\s]*:[^/@\s]*@/, "//…@");
  if (harmless.length > longest || harmless.includes("\n")) return undefined;
  return secretive.some((pattern) => pattern.test(harmless)) ? undefined : harmless;
};
