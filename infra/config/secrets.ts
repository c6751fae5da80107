import { platformSecrets } from "../platforms/index.ts";

/** Secrets of a stack by their key under `hearth:`, with a description. `pulumi config set --secret` sets them. */
export const secretKeys = {
  ...platformSecrets,
  cloudflareToken: "Cloudflare API token with permission to edit the account's tunnels and the zone's DNS records.",
  ageSeed:
    "Base64 of the 32 bytes that the age identity is derived from. `npx hearth secret init` draws it; without it, the first update does.",
  gitToken: "Token that reads the repository over HTTPS, if it is not public.",
  githubToken:
    "GitHub token with permission to administer the repository. It registers the deploy key and the webhook.",
  bgpPassword: "Password that routers ask machines for, where network.announce has authentication: password.",
  registryCredentials:
    'Credentials for image registries, as JSON: {"ghcr.io": {"username": "…", "password": "…"}}, or identityToken in place of both.',
  serviceSecrets:
    'Secrets of the services under images.*.services, as JSON: {"tailscale": {"authKey": "…"}, "nut-client": {"password": "…"}}.',
  machinePatches:
    "Patches of the machine configuration that contain secrets, grouped under all, controlPlanes, workers and nodes, as JSON.",
} as const;

/** The command that sets a secret. */
export const setSecret = (key: string): string => `set it with: pulumi config set --secret hearth:${key}`;
