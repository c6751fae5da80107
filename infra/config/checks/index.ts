import { addressChecks } from "./addresses.ts";
import { announcementChecks } from "./announcement.ts";
import type { Check } from "./check.ts";
import { edgeChecks } from "./edge.ts";
import { escrowChecks } from "./escrow.ts";
import { imageChecks } from "./images.ts";
import { labelChecks } from "./labels.ts";
import { machineChecks } from "./machines.ts";
import { nameChecks } from "./names.ts";
import { nodeChecks } from "./nodes.ts";
import { openSecretChecks } from "./open-secrets.ts";
import { versionChecks } from "./versions.ts";

const checks: Check[] = [
  ...nameChecks,
  ...nodeChecks,
  ...machineChecks,
  ...labelChecks,
  ...imageChecks,
  ...addressChecks,
  ...announcementChecks,
  ...versionChecks,
  ...edgeChecks,
  ...escrowChecks,
  ...openSecretChecks,
];

/** Everything wrong, or maybe wrong, with how the parts of one stack's configuration go together. */
export const checkConfig: Check = (draft) => checks.flatMap((check) => check(draft));
