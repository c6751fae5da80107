import type { Rule } from "../rule.ts";
import { ciliumOnTalos } from "./cilium-on-talos.ts";
import { controlPlaneQuorum } from "./control-plane-quorum.ts";
import { diskEncryption } from "./disk-encryption.ts";
import { freshEscrow } from "./fresh-escrow.ts";
import { protectedSecrets } from "./protected-secrets.ts";
import { keptResources } from "./kept-resources.ts";
import { proxiedRecords } from "./proxied-records.ts";
import { secretInputs } from "./secret-inputs.ts";
import { uniqueAddresses } from "./unique-addresses.ts";
import { versionSkew } from "./version-skew.ts";

/** All policies. A stack file may exempt resources from each by its name. */
export const rules: readonly Rule[] = [
  controlPlaneQuorum,
  keptResources,
  protectedSecrets,
  diskEncryption,
  ciliumOnTalos,
  proxiedRecords,
  freshEscrow,
  uniqueAddresses,
  versionSkew,
  secretInputs,
];
