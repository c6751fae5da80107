import { cloudflare } from "./cloudflare.ts";
import { computer } from "./computer.ts";
import type { Subject } from "./doctor.ts";
import { escrow } from "./escrow.ts";
import { factory } from "./factory.ts";
import { firewall } from "./firewall.ts";
import { git } from "./git.ts";
import { machines } from "./machines.ts";
import { network } from "./network.ts";
import { proxmox } from "./proxmox.ts";
import { tree } from "./tree.ts";

/** The subjects in the order in which a deployment needs them. */
export const subjects: readonly Subject[] = [
  ...[computer, proxmox, factory, machines, network, firewall, cloudflare, git, tree, escrow],
];

/**
 * What may end an update in the middle: the APIs that the engine changes something with, which may refuse that, and a firewall that shuts this
 * computer out.
 */
export const apis: readonly Subject[] = [proxmox, factory, firewall, cloudflare];
