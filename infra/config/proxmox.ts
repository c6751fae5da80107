import { z } from "zod";

import { httpsUrl } from "./values.ts";

export const proxmoxSchema = z.strictObject({
  endpoint: httpsUrl("https://10.20.0.5:8006"),
  /** Datastore for boot images; it has the content type `import`. */
  imageDatastore: z.string(),
  diskDatastore: z.string(),
  bridge: z.string(),
  /** Accept a certificate that no known authority signed. @default false */
  insecure: z.boolean().default(false),
});
