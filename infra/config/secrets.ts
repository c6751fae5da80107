import { platformSecrets } from "../platforms/index.ts";

/** Secrets of a stack by their key under `hearth:`, with what each is. They are set with `pulumi config set --secret`. */
export const secretKeys = {
  ...platformSecrets,
  cloudflareToken: "API token of Cloudflare that may edit the tunnels of the account and the DNS of the zone.",
  ageSeed: "Base64 of the 32 bytes that the age identity is made of, where it is not to be a new one.",
  gitToken: "Token that reads the repository over HTTPS, where it is not public.",
  githubToken:
    "Token that may administer the repository on GitHub: the deploy key and the webhook are registered with it.",
  machinePatches:
    "Patches of the machine configuration that carry keys: all, controlPlanes, workers and nodes, as JSON.",
} as const;

/** What to type to set a secret. */
export const setSecret = (key: string): string => `set it with: pulumi config set --secret hearth:${key}`;
