import { z } from "zod";

import { commonKeys } from "../../config/nodes.ts";
import { poolKeys, singleKeys, without } from "../../config/pool-keys.ts";
import { mac } from "../../config/values.ts";
import type { PlatformPool } from "../platform.ts";

const schema = z
  .strictObject(commonKeys)
  .omit(singleKeys)
  .extend({
    /** Platform of the pool's machines. */
    platform: z.literal("metal"),
    ...poolKeys,
    /** Hardware addresses of its machines' first links, by their serial number. */
    macs: z.array(mac),
  });

const macsOf = (pool: object): string[] => (pool as z.output<typeof schema>).macs;

/** Machines of metal that differ in their hardware addresses only. */
export const metalPool = {
  schema,
  room: (pool) => [{ path: ["macs"], what: "hardware addresses", size: macsOf(pool).length }],
  member: (node, pool, index) => ({ ...without(node, "macs"), mac: macsOf(pool)[index] }),
} as const satisfies PlatformPool;
