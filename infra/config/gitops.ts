import { z } from "zod";

import { says } from "./error.ts";
import { release } from "./values.ts";

export const gitopsSchema = z.strictObject({
  repository: z.url({
    protocol: /^ssh$/,
    error: says("is not a URL with ssh", "write one such as ssh://git@github.com/you/hearth.git"),
  }),
  branch: z.string(),
  path: z.string(),
  /** Lines of known_hosts for the repository's server. */
  knownHosts: z.string(),
  flux: release,
});
