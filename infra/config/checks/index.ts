import { addressChecks } from "./addresses.ts";
import { announcementChecks } from "./announcement.ts";
import type { Check } from "./check.ts";
import { edgeChecks } from "./edge.ts";
import { escrowChecks } from "./escrow.ts";
import { extensionChecks } from "./extensions.ts";
import { healthChecks } from "./health.ts";
import { firewallChecks } from "./firewall.ts";
import { imageChecks } from "./images.ts";
import { installDiskChecks } from "./install-disks.ts";
import { ipv6Checks } from "./ipv6.ts";
import { knownHostChecks } from "./known-hosts.ts";
import { labelChecks } from "./labels.ts";
import { linkChecks } from "./links.ts";
import { machineChecks } from "./machines.ts";
import { nameChecks } from "./names.ts";
import { nodeChecks } from "./nodes.ts";
import { openSecretChecks } from "./open-secrets.ts";
import { patchChecks } from "./patches.ts";
import { rangeChecks } from "./ranges.ts";
import { valueChecks } from "./values.ts";
import { versionChecks } from "./versions.ts";
import { volumeChecks } from "./volumes.ts";

const checks: Check[] = [
  ...nameChecks,
  ...nodeChecks,
  ...machineChecks,
  ...labelChecks,
  ...imageChecks,
  ...extensionChecks,
  ...installDiskChecks,
  ...volumeChecks,
  ...patchChecks,
  ...addressChecks,
  ...linkChecks,
  ...firewallChecks,
  ...ipv6Checks,
  ...rangeChecks,
  ...announcementChecks,
  ...versionChecks,
  ...valueChecks,
  ...edgeChecks,
  ...knownHostChecks,
  ...escrowChecks,
  ...openSecretChecks,
  ...healthChecks,
];

/** Finds all problems and warnings in how the parts of one stack's configuration fit together. */
export const checkConfig: Check = (draft) => checks.flatMap((check) => check(draft));
