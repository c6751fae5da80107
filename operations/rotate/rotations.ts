import { age } from "./age.ts";
import { aggregationAuthority } from "./aggregation-authority.ts";
import { bgpPassword } from "./bgp-password.ts";
import { cloudflareToken } from "./cloudflare-token.ts";
import { deployKey } from "./deploy-key.ts";
import { diskRecoveryKey } from "./disk-recovery-key.ts";
import { etcdAuthority } from "./etcd-authority.ts";
import { gitToken } from "./git-token.ts";
import { githubToken } from "./github-token.ts";
import { kubernetesAuthority } from "./kubernetes-authority.ts";
import { passphrase } from "./passphrase.ts";
import { proxmoxPassword } from "./proxmox-password.ts";
import { proxmoxToken } from "./proxmox-token.ts";
import { registryCredentials } from "./registry-credentials.ts";
import type { Rotation } from "./rotation.ts";
import { signingKey } from "./signing-key.ts";
import { talosAuthority } from "./talos-authority.ts";
import { tunnelSecret } from "./tunnel-secret.ts";
import { webhookToken } from "./webhook-token.ts";

/**
 * All rotations, in the order in which they are listed. To add one, write a file beside these, and add it here and to the command's form.
 */
export const rotations: readonly Rotation[] = [
  age,
  deployKey,
  webhookToken,
  tunnelSecret,
  kubernetesAuthority,
  talosAuthority,
  aggregationAuthority,
  etcdAuthority,
  proxmoxToken,
  proxmoxPassword,
  cloudflareToken,
  gitToken,
  githubToken,
  bgpPassword,
  registryCredentials,
  passphrase,
  signingKey,
  diskRecoveryKey,
];
