import { randomBytes } from "node:crypto";

import { configuredIn, secretExample, type ServiceSecrets } from "../components/talos/services.ts";
import { labAgeSeed } from "../lib/secrets/lab-identity.ts";
import type { Credentials } from "./credentials.ts";
import type { StackConfig } from "./derive.ts";

/** The secrets that a person would set for a stack, by their whole key, with values of the lab's own. */
export const labSecrets = (committed: StackConfig, credentials: Credentials): Record<string, string> => ({
  "hearth:ageSeed": labAgeSeed,
  ...(committed["hearth:proxmox"] && { "hearth:proxmoxToken": credentials.proxmoxToken }),
  ...(committed["hearth:cloudflare"] && { "hearth:cloudflareToken": credentials.cloudflareToken }),
  ...(committed["hearth:network"].announce?.authentication === "password" && { "hearth:bgpPassword": drawn() }),
  ...(needsServiceSecrets(committed) && {
    "hearth:serviceSecrets": JSON.stringify(serviceSecrets(Object.keys(committed["hearth:nodes"]))),
  }),
});

const drawn = (): string => randomBytes(15).toString("base64url");

const needsServiceSecrets = ({ "hearth:images": images }: StackConfig): boolean =>
  Object.values(images).some((profile) =>
    configuredIn(profile?.services ?? {}).some((service) => secretExample(service) !== undefined),
  );

/** Secrets of all services, so that a service may be added later. No service runs in the lab, so nothing reads them. */
const serviceSecrets = (nodes: string[]): Required<ServiceSecrets> => ({
  tailscale: { authKey: drawn() },
  netbird: { setupKey: drawn() },
  cloudflared: { token: drawn() },
  newt: { secret: drawn() },
  "nut-client": { password: drawn() },
  nebula: {
    authority: pem("NEBULA CERTIFICATE"),
    nodes: Object.fromEntries(
      nodes.map((node) => [node, { certificate: pem("NEBULA CERTIFICATE"), key: pem("NEBULA X25519 PRIVATE KEY") }]),
    ),
  },
});

const pem = (label: string): string => `-----BEGIN ${label}-----\n${drawn()}\n-----END ${label}-----\n`;
